//! The sources of values: the environment first, then `.env` in the working directory; a secret
//! also from the file that `NAME_FILE` names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

use super::env_file::{self, Line, Text};
use super::settings::{self, ALL, Kind, Setting};
use super::values::{ConfigError, Values};
use crate::private::{Readers, in_time, read_secret, read_whole, readers};

/// Names that begin so are ours, in whatever case. One that is none of them is a mistake.
const PREFIX: &str = "RELINK_";
const DOT_ENV_MAX: usize = 1024 * 1024;
const LINES: &str = "each line is NAME=value, or a comment that begins with #";

pub(super) struct Sources {
    environment: BTreeMap<String, Text>,
    dot_env: BTreeMap<String, Line>,
    warnings: Vec<String>,
}

impl Sources {
    /// Reads the sources of this process.
    pub fn of_process() -> Result<Sources, ConfigError> {
        let dot_env = in_time(|| read_whole(File::open(".env")?, DOT_ENV_MAX));
        let dot_env = match dot_env {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new().into(),
            Err(error) => return Err(wrong(".env", &format!("it cannot be read: {error}"), LINES)),
        };
        Sources::new(std::env::vars_os(), &dot_env)
    }

    fn new(
        environment: impl Iterator<Item = (OsString, OsString)>,
        dot_env: &[u8],
    ) -> Result<Sources, ConfigError> {
        let mut ours = BTreeMap::new();
        for (name, value) in environment {
            let name = name.to_string_lossy().into_owned();
            if is_of_kubernetes(&name, &value) || !is_ours(&name, "in the environment")? {
                continue;
            }
            let text = from_environment(&name, value)?;
            ours.insert(name, text);
        }
        let unreadable = |unreadable: env_file::Unreadable| {
            wrong(
                ".env",
                &format!(
                    "line {} cannot be read: {}",
                    unreadable.line, unreadable.problem
                ),
                LINES,
            )
        };
        let mut dot_env = env_file::parse(dot_env).map_err(unreadable)?;
        for (name, line) in &dot_env {
            is_ours(name, &format!("in line {} of .env", line.number))?;
        }
        dot_env.retain(|name, _| settings::is_known(name));
        Ok(Sources {
            environment: ours,
            dot_env,
            warnings: Vec::new(),
        })
    }

    /// Every value that is set, and what there is to say about them.
    pub fn values(mut self) -> Result<(Values, Vec<String>), ConfigError> {
        let mut values = BTreeMap::new();
        for setting in ALL {
            if let Some(text) = self.value(setting)? {
                values.insert(setting.name, text);
            }
        }
        Ok((Values(values), self.warnings))
    }

    /// Finds a value. One that is set to nothing in the environment is not looked for in `.env`.
    fn value(&mut self, setting: &Setting) -> Result<Option<Text>, ConfigError> {
        let Some(file_name) = setting.file_name() else {
            return Ok(self.get(setting.name));
        };
        let in_environment = |name: &str| self.environment.contains_key(name);
        let (itself, file) = match (in_environment(setting.name), in_environment(&file_name)) {
            (true, false) => (self.get(setting.name), None),
            (false, true) => (None, self.get(&file_name)),
            _ => (self.get(setting.name), self.get(&file_name)),
        };
        match (itself, file) {
            (Some(_), Some(_)) => Err(setting.wrong(format!("it is set, and so is {file_name}"))),
            (None, Some(path)) => self.read_file(setting, &file_name, &path).map(Some),
            (itself, None) => Ok(itself),
        }
    }

    fn get(&self, name: &str) -> Option<Text> {
        let text = self
            .environment
            .get(name)
            .or_else(|| self.dot_env.get(name).map(|line| &line.value));
        text.filter(|text| !text.is_empty()).cloned()
    }

    /// Reads a secret's file. An error does not repeat the path, which may be the secret itself by
    /// mistake.
    fn read_file(
        &mut self,
        setting: &Setting,
        name: &str,
        path: &str,
    ) -> Result<Text, ConfigError> {
        let unreadable = |error: io::Error| {
            wrong(
                name,
                &format!("the file cannot be read: {error}"),
                "the path of a file that holds it",
            )
        };
        let owned = path.to_owned();
        let read = in_time(move || {
            let file = File::open(owned)?;
            Ok((readers(&file)?, read_secret(&file)))
        });
        let (readers, text) = read.map_err(unreadable)?;
        match readers {
            Readers::Nobody => {}
            Readers::Others if setting.kind == Kind::Keys => {
                let hint = "keep it to yourself with chmod 600, or mount it with mode 0400, or \
                    0440 for a group of your own";
                return Err(wrong(
                    name,
                    "others can read the file, which opens everything",
                    hint,
                ));
            }
            Readers::OwnGroup => self
                .warnings
                .push(format!("{name}: whoever is in its group can read the file")),
            Readers::Others => self
                .warnings
                .push(format!("{name}: others on this machine can read the file")),
        }
        let text = text.map_err(unreadable)?;
        if text.trim().is_empty() {
            return Err(wrong(name, "the file is empty", setting.hint));
        }
        Ok(text)
    }
}

fn wrong(name: &str, problem: &str, hint: &'static str) -> ConfigError {
    ConfigError {
        name: name.to_owned().into(),
        problem: problem.to_owned(),
        hint,
    }
}

fn is_ours(name: &str, place: &str) -> Result<bool, ConfigError> {
    if settings::is_known(name) {
        return Ok(true);
    }
    let meant = name.to_ascii_uppercase();
    if !meant.starts_with(PREFIX) && !settings::is_mistyped(&meant) {
        return Ok(false);
    }
    let problem = format!(
        "there is no such setting ({place}); the nearest one is {}",
        settings::nearest(&meant)
    );
    Err(wrong(
        &name.escape_debug().to_string(),
        &problem,
        ".env.example has them all",
    ))
}

fn from_environment(name: &str, value: OsString) -> Result<Text, ConfigError> {
    let text = Text::from(
        value
            .into_string()
            .map_err(|_| wrong(name, "it is not text", "write it in UTF-8"))?,
    );
    let trimmed = text.trim();
    for quote in ['"', '\''] {
        if trimmed.len() > 1 && trimmed.starts_with(quote) && trimmed.ends_with(quote) {
            let hint = "write it without them: a file for `docker run --env-file` or systemd is \
                not read by a shell";
            return Err(wrong(
                name,
                "the quotes around it are part of the value",
                hint,
            ));
        }
    }
    Ok(trimmed.to_owned().into())
}

/// Says whether Kubernetes or Docker put it into the environment for a service that is called
/// relink, or relink-something: addresses of it, such as `RELINK_SERVICE_HOST=10.0.0.1` and
/// `RELINK_PORT_3000_TCP=tcp://10.0.0.1:3000`.
fn is_of_kubernetes(name: &str, value: &OsStr) -> bool {
    if !name.starts_with(PREFIX) || settings::is_known(name) {
        return false;
    }
    let of_port = |(_, rest): (&str, &str)| {
        let mut parts = rest.split('_');
        let numbered = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        numbered && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
    };
    let address = value.to_str().is_some_and(|value| value.contains("://"));
    let path = value.to_str().is_some_and(|value| value.starts_with('/'));
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_NAME") && path
        || name.contains("_ENV_")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT") && address
        || name.split_once("_PORT_").is_some_and(of_port)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::*;

    type Read = Result<(Values, Vec<String>), ConfigError>;

    fn read(environment: &[(&str, &str)], dot_env: &str) -> Read {
        let environment = environment
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Sources::new(environment, dot_env.as_bytes())?.values()
    }

    fn value(read: Read, name: &str) -> Option<String> {
        read.expect("it can be read")
            .0
            .0
            .get(name)
            .map(|text| text.to_string())
    }

    fn refused(read: Read) -> String {
        let Err(error) = read else {
            panic!("it is refused")
        };
        error.to_string()
    }

    #[test]
    fn the_environment_comes_first_and_nothing_in_it_means_nothing() {
        let file = "RELINK_LOG=debug\nLINEAR_CLIENT_SECRET=from-the-file\n";
        assert_eq!(
            value(read(&[], file), "RELINK_LOG").as_deref(),
            Some("debug")
        );
        assert_eq!(
            value(read(&[("RELINK_LOG", " warn ")], file), "RELINK_LOG").as_deref(),
            Some("warn")
        );
        assert_eq!(value(read(&[("RELINK_LOG", "")], file), "RELINK_LOG"), None);
        assert_eq!(
            value(
                read(&[("LINEAR_CLIENT_SECRET", "")], file),
                "LINEAR_CLIENT_SECRET"
            ),
            None
        );
    }

    #[test]
    fn a_name_that_nobody_reads_is_refused_with_the_nearest_one() {
        for (name, nearest) in [
            ("RELINK_ADRR", "RELINK_ADDR"),
            ("RELINK_JOB_SECRET", "RELINK_JOBS_SECRET"),
            ("RELINK_KEY", "RELINK_KEYS"),
            ("RELINK_KEYS_FILES", "RELINK_KEYS_FILE"),
            ("RELINK_LOG_FILE", "RELINK_LOG"),
            ("RELINK_PORT", "RELINK_"),
        ] {
            let words = refused(read(&[(name, "hunter2")], ""));
            assert!(
                words.starts_with(name) && words.contains(&format!("the nearest one is {nearest}")),
                "{words}"
            );
            let words = refused(read(&[], &format!("# all\n{name}=hunter2\n")));
            assert!(
                words.starts_with(name)
                    && words.contains("line 2 of .env")
                    && !words.contains("hunter2"),
                "{words}"
            );
        }
        assert!(
            read(
                &[("PATH", "/bin"), ("RELINKED", "x"), ("LINEAR_API_KEY", "x")],
                "POSTGRES_PASSWORD=x"
            )
            .is_ok()
        );
    }

    #[test]
    fn a_name_with_a_slip_of_the_keys_is_refused_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("DATABSE_URL", "DATABASE_URL"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("LINEAR_CLIENT_IDD", "LINEAR_CLIENT_ID"),
            ("LINEAR_WEBHOOKS_SECRET", "LINEAR_WEBHOOK_SECRET"),
            ("LINAER_CLIENT_SECRET_FILE", "LINEAR_CLIENT_SECRET_FILE"),
            ("REILNK_LOG", "RELINK_LOG"),
            ("relink_log", "RELINK_LOG"),
            ("Database_Url", "DATABASE_URL"),
            ("relink_colour", "RELINK_"),
        ] {
            for read in [
                read(&[(name, "hunter2")], ""),
                read(&[], &format!("{name}=hunter2")),
            ] {
                let words = refused(read);
                assert!(
                    words.starts_with(name)
                        && words.contains(&format!("the nearest one is {meant}"))
                        && !words.contains("hunter2"),
                    "{words}"
                );
            }
        }
        for others in [
            "DATABASE_URL_TEST",
            "DATABASE_URL2",
            "DATABASE_URLS",
            "DATABASE1_URL",
            "DATABASE_SQL",
            "LINEAR_ORG",
            "LINEAR_API2_URL",
            "DATABASE_USER",
            "DATABASE",
            "LINEAR_API_KEY",
            "LINEAR_TEAM_ID",
            "URL",
            "ADDR",
        ] {
            assert!(
                read(&[(others, "x")], &format!("{others}=x")).is_ok(),
                "{others}"
            );
        }
    }

    #[test]
    fn what_kubernetes_says_of_a_service_called_relink_is_no_setting() {
        let of_services = [
            ("RELINK_SERVICE_HOST", "10.0.0.1"),
            ("RELINK_SERVICE_PORT", "80"),
            ("RELINK_SERVICE_PORT_HTTP", "80"),
            ("RELINK_PORT", "tcp://10.0.0.1:80"),
            ("RELINK_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("RELINK_PORT_80_TCP_PROTO", "tcp"),
            ("RELINK_WEB_PORT_3000_TCP_ADDR", "10.0.0.1"),
            ("RELINK_WEB_SERVICE_HOST", "10.0.0.1"),
            ("RELINK_NAME", "/web/relink"),
            ("RELINK_ENV_PATH", "/usr/bin"),
        ];
        assert!(read(&of_services, "").is_ok());
        for mistake in [
            ("RELINK_PORT", "8080"),
            ("RELINK_PORT_NUMBER", "8080"),
            ("RELINK_HOST", "10.0.0.1"),
        ] {
            assert!(read(&[mistake], "").is_err(), "{mistake:?}");
        }
    }

    #[test]
    fn quotes_that_no_shell_took_away_are_refused() {
        for (name, value) in [
            ("RELINK_DATA_DIR", "\"/data\""),
            ("RELINK_JOBS_SECRET", "'hunter2hunter2hunter2'"),
            ("DATABASE_URL", "\"\""),
        ] {
            let words = refused(read(&[(name, value)], ""));
            assert!(
                words.starts_with(name) && words.contains("quotes") && !words.contains("hunter2"),
                "{words}"
            );
        }
        let sender = "\"Relink\" <relink@example.com>";
        assert_eq!(
            value(
                read(&[("RELINK_MAIL_FROM", sender)], ""),
                "RELINK_MAIL_FROM"
            )
            .as_deref(),
            Some(sender)
        );
        assert_eq!(
            value(read(&[], "RELINK_DATA_DIR=\"/data\""), "RELINK_DATA_DIR").as_deref(),
            Some("/data")
        );
    }

    #[test]
    fn what_is_no_text_is_named() {
        let environment = [(OsString::from("RELINK_LOG"), OsString::from_vec(vec![0xff]))];
        let Err(error) = Sources::new(environment.into_iter(), b"") else {
            panic!("it is no text")
        };
        assert_eq!(error.name, "RELINK_LOG");
    }

    fn secret_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn every_secret_may_come_from_a_file_and_nothing_else_may() {
        let (_dir, path) = secret_file("\u{feff}of the file\n", 0o600);
        for setting in ALL {
            let name = format!("{}_FILE", setting.name);
            let read = read(&[(&name, path.to_str().unwrap())], "");
            if setting.is_secret() {
                assert_eq!(value(read, setting.name).as_deref(), Some("of the file"));
            } else if name.starts_with(PREFIX) {
                assert!(refused(read).contains("no such setting"));
            }
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_for_keys_and_said_for_the_rest() {
        for (mode, keys_refused, warnings) in [
            (0o600, false, 0),
            (0o440, false, 1),
            (0o660, false, 1),
            (0o644, true, 1),
            (0o604, true, 1),
        ] {
            let (_dir, path) = secret_file("hunter2", mode);
            let from = |name: &str| read(&[(name, path.to_str().unwrap())], "");
            assert_eq!(from("RELINK_KEYS_FILE").is_err(), keys_refused, "{mode:o}");
            assert_eq!(
                from("RELINK_JOBS_SECRET_FILE").expect("any file").1.len(),
                warnings,
                "{mode:o}"
            );
        }
    }

    #[test]
    fn a_file_that_holds_nothing_or_is_not_there_stops_the_start_without_its_path() {
        let (_dir, path) = secret_file("\n", 0o600);
        assert!(
            refused(read(
                &[("RELINK_JOBS_SECRET_FILE", path.to_str().unwrap())],
                ""
            ))
            .contains("empty")
        );
        let words = refused(read(
            &[("RELINK_JOBS_SECRET_FILE", "hunter2hunter2hunter2")],
            "",
        ));
        assert!(
            words.starts_with("RELINK_JOBS_SECRET_FILE") && !words.contains("hunter2"),
            "{words}"
        );
    }

    #[test]
    fn a_secret_in_two_places_is_refused_unless_one_is_the_environment() {
        let (_dir, path) = secret_file("of the file", 0o600);
        let path = path.to_str().unwrap();
        let both = format!("RELINK_JOBS_SECRET=itself\nRELINK_JOBS_SECRET_FILE={path}\n");
        assert!(refused(read(&[], &both)).starts_with("RELINK_JOBS_SECRET"));
        let in_environment = [("RELINK_JOBS_SECRET", "itself")];
        assert_eq!(
            value(read(&in_environment, &both), "RELINK_JOBS_SECRET").as_deref(),
            Some("itself")
        );
        let file = [("RELINK_JOBS_SECRET_FILE", path)];
        assert_eq!(
            value(
                read(&file, "RELINK_JOBS_SECRET=itself"),
                "RELINK_JOBS_SECRET"
            )
            .as_deref(),
            Some("of the file")
        );
    }
}
