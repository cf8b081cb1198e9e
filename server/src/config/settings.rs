//! Every setting there is. Reading, the check for unknown names, what may come from a file and what
//! is never shown follow from these lines; a test holds `.env.example` and the README to them.

/// A name in the environment, and what belongs there.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    pub kind: Kind,
    /// The form of a right value.
    pub hint: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    /// The value is a secret, which may come from the file that `NAME_FILE` names too.
    Secret,
    /// [`Kind::Secret`], and worth everything: its file must be nobody else's.
    Keys,
    /// Set by tools that build Relink, not by people.
    Internal,
}

/// One line for each: `IDENTIFIER: Kind "NAME", what a right value looks like;`
macro_rules! settings {
    ($($setting:ident: $kind:ident $name:literal, $hint:expr;)*) => {
        $(pub(super) const $setting: Setting = Setting {
            name: $name, kind: Kind::$kind, hint: $hint
        };)*
        pub(super) const ALL: &[Setting] = &[$($setting),*];
    };
}

const FLAG: &str = "write true or false";
const NUMBER: &str = "leave it out for the default";
const SPAN: &str = "a number with s, m, h or d, for example 90m";
const GENERATED: &str = "for example the output of `openssl rand -hex 32`";
const FROM_LINEAR: &str = "copy it from the app's page in Linear: letters and digits, not a token \
    or an address";
const PKCE_ALONE: &str = "copy it from the app's page in Linear, or leave it out to rely on PKCE \
    alone";
const SIGNING_SECRET: &str = "it starts with lin_wh_ and stands under Webhooks on the app's page \
    in Linear";
const SIMULATED: &str = "leave it out for the real Linear; only tests and the simulated Linear \
    change it, for example http://127.0.0.1:4010";
const PROXIES: &str = "addresses and networks of your reverse proxies, for example \
    10.0.0.0/8,fd00::/8";
const RING: &str = "for example k1:BASE64, where BASE64 is the output of `openssl rand -base64 \
    32`";
const STORE: &str = "for example sqlite://./data/relink.db or \
    postgres://user:password@host/relink";
const LONGER: &str = "keep deliveries for longer than RELINK_WEBHOOK_AGE_MAX, for example 30d";

settings! {
    ADDR: Plain "RELINK_ADDR", "for example 127.0.0.1:3000 or [::]:8080";
    URL: Plain "RELINK_URL", "for example https://relink.example.com, or http://localhost:3000";
    TRUSTED_PROXIES: Plain "RELINK_TRUSTED_PROXIES", PROXIES;
    DATA_DIR: Plain "RELINK_DATA_DIR", "a folder, for example ./data";
    DATABASE: Secret "DATABASE_URL", STORE;
    DATABASE_POOL: Plain "RELINK_DATABASE_POOL", NUMBER;
    KEYS: Keys "RELINK_KEYS", RING;
    CLIENT_ID: Plain "LINEAR_CLIENT_ID", FROM_LINEAR;
    CLIENT_SECRET: Secret "LINEAR_CLIENT_SECRET", PKCE_ALONE;
    WEBHOOK_SECRET: Secret "LINEAR_WEBHOOK_SECRET", SIGNING_SECRET;
    LINEAR: Plain "LINEAR_URL", SIMULATED;
    LINEAR_API: Plain "LINEAR_API_URL", SIMULATED;
    SHARED_WORKSPACES: Plain "RELINK_SHARED_WORKSPACES", FLAG;
    REFRESH_BEFORE: Plain "RELINK_REFRESH_BEFORE", SPAN;
    REFRESH_AT_ONCE: Plain "RELINK_REFRESH_AT_ONCE", NUMBER;
    REPLAY_WINDOW: Plain "RELINK_REPLAY_WINDOW", SPAN;
    API_REQUESTS_PER_MINUTE: Plain "RELINK_API_REQUESTS_PER_MINUTE", NUMBER;
    JOBS_SECRET: Secret "RELINK_JOBS_SECRET", GENERATED;
    METRICS_TOKEN: Secret "RELINK_METRICS_TOKEN", GENERATED;
    METRICS_ADDR: Plain "RELINK_METRICS_ADDR", "for example 127.0.0.1:9464, and not the one of \
        RELINK_ADDR";
    WEBHOOK_AGE_MAX: Plain "RELINK_WEBHOOK_AGE_MAX", SPAN;
    WEBHOOK_AHEAD_MAX: Plain "RELINK_WEBHOOK_AHEAD_MAX", SPAN;
    SECRET_OVERLAP: Plain "RELINK_SECRET_OVERLAP", SPAN;
    KEEP_DELIVERIES: Plain "RELINK_KEEP_DELIVERIES", LONGER;
    KEEP_DELIVERIES_MB: Plain "RELINK_KEEP_DELIVERIES_MB", NUMBER;
    KEEP_DISCONNECTED: Plain "RELINK_KEEP_DISCONNECTED", SPAN;
    ALLOW_PRIVATE_DESTINATIONS: Plain "RELINK_ALLOW_PRIVATE_DESTINATIONS", FLAG;
    SMTP: Secret "RELINK_SMTP_URL", "for example smtps://user:password@mail.example.com";
    MAIL_FROM: Plain "RELINK_MAIL_FROM", "for example Relink <relink@example.com>";
    LOG: Plain "RELINK_LOG", "for example info, or info,relink_engine=debug";
    LOG_FORMAT: Plain "RELINK_LOG_FORMAT", "write text or json";
    SITE_ROOT: Internal "LEPTOS_SITE_ROOT", "a folder";
}

impl Setting {
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Keys)
    }

    /// The name of the setting that may name a file which holds the value.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        self.is_secret().then(|| format!("{}_FILE", self.name))
    }
}

/// Whether a setting is called so, or the file of one.
pub(super) fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Whether this can only be meant to be one of ours: one or two letters are wrong. What begins with
/// a name and goes on (`DATABASE_URL_2`) may be somebody else's.
pub(super) fn is_mistyped(name: &str) -> bool {
    // Other software has names of its own that are as short: what is a slip in a long name is
    // another word in a short one, and a plural or a number is no slip at all.
    let letters = |known: &str| if known.len() > 13 { 2 } else { 1 };
    let numbers = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let goes_on = |known: &str| {
        let rest = name.strip_prefix(known);
        rest.is_some_and(|rest| rest == "S" || rest.starts_with(|c: char| !c.is_ascii_alphabetic()))
    };
    names().any(|known| {
        strsim::damerau_levenshtein(&known, name) <= letters(&known)
            && numbers(&known) == numbers(name)
            && !goes_on(&known)
    })
}

/// The known name that looks most like this one.
pub(super) fn nearest(name: &str) -> String {
    // Only secrets come from files.
    if let Some(itself) = name.strip_suffix("_FILE").filter(|itself| is_known(itself)) {
        return itself.to_owned();
    }
    names()
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
        .unwrap_or_default()
}

fn names() -> impl Iterator<Item = String> {
    ALL.iter()
        .flat_map(|setting| [Some(setting.name.to_owned()), setting.file_name()])
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::super::from_lookup;
    use super::*;

    /// A file beside the crates.
    fn text(path: &str) -> String {
        fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// Every word that can only be the name of a setting.
    fn mentioned(text: &str) -> BTreeSet<String> {
        let words = text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
        let ours = |word: &&str| {
            let begun = ["RELINK_", "LINEAR_", "DATABASE_"]
                .iter()
                .any(|prefix| word.starts_with(prefix));
            begun && word.len() > "DATABASE_".len()
        };
        words.filter(ours).map(str::to_owned).collect()
    }

    #[test]
    fn the_example_shows_every_setting_once_and_the_documents_name_no_other() {
        let example = text(".env.example");
        let shown: Vec<&str> = example
            .lines()
            .filter_map(|line| line.strip_prefix('#')?.split_once('='))
            .map(|(name, _)| name)
            .collect();
        for setting in ALL.iter().filter(|setting| setting.kind != Kind::Internal) {
            assert_eq!(
                shown.iter().filter(|name| **name == setting.name).count(),
                1,
                "{} in .env.example",
                setting.name
            );
        }
        for (file, text) in [
            (".env.example", &example),
            ("README.md", &text("README.md")),
            ("ARCHITECTURE.md", &text("ARCHITECTURE.md")),
        ] {
            let unknown: Vec<String> = mentioned(text)
                .into_iter()
                .filter(|name| !is_known(name))
                .collect();
            assert!(unknown.is_empty(), "{file} names {unknown:?}");
        }
    }

    #[test]
    fn the_example_names_all_that_may_come_from_a_file() {
        let example = text(".env.example");
        let listed = example
            .split("These are ")
            .nth(1)
            .unwrap()
            .split("The file of")
            .next()
            .unwrap();
        let secrets: BTreeSet<String> = ALL
            .iter()
            .filter(|setting| setting.is_secret())
            .map(|setting| setting.name.to_owned())
            .collect();
        assert_eq!(mentioned(listed), secrets);
    }

    #[test]
    fn the_example_with_every_line_uncommented_is_what_nothing_set_means() {
        let example = text(".env.example");
        let value = |name: &str| {
            let line = example.lines().find_map(|line| {
                line.strip_prefix('#')?
                    .strip_prefix(name)?
                    .strip_prefix('=')
            });
            line.map(str::to_owned)
        };
        let (shown, nothing) = (from_lookup(value).unwrap(), from_lookup(|_| None).unwrap());
        assert_eq!(format!("{shown:?}"), format!("{nothing:?}"));
    }

    #[test]
    fn no_secret_shows_in_what_is_said_about_the_settings() {
        const SECRET: &str = "hunter2hunter2hunter2";
        let good = |name: &str| match name {
            "DATABASE_URL" => format!("postgres://u:{SECRET}@db/relink"),
            "RELINK_KEYS" => format!("k1:{}A=", &SECRET.repeat(3)[..42]),
            "LINEAR_WEBHOOK_SECRET" => format!("lin_wh_{SECRET}"),
            "RELINK_SMTP_URL" => format!("smtps://u:{SECRET}@mail.example.com"),
            "RELINK_MAIL_FROM" => "relink@example.com".to_owned(),
            "LINEAR_CLIENT_ID" => "0123456789abcdef".to_owned(),
            _ => SECRET.to_owned(),
        };
        let given = |name: &'static str| {
            let setting = ALL.iter().find(|setting| setting.name == name)?;
            let needed =
                setting.is_secret() || matches!(name, "RELINK_MAIL_FROM" | "LINEAR_CLIENT_ID");
            needed.then(|| good(name))
        };
        let config = from_lookup(given).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        // Whatever is wrong with one, it is not repeated.
        for setting in ALL.iter().filter(|setting| setting.is_secret()) {
            let bad =
                |name: &'static str| (name == setting.name).then(|| format!("{SECRET} \n\u{7}"));
            if let Err(error) = from_lookup(bad) {
                assert!(!error.to_string().contains("hunter2"), "{error}");
            }
        }
    }
}
