//! Settings that are not what they seem, and endpoints that tell too much.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::process::{BINARY, Place, Running, client, free_port};

const EXAMPLE: &str = include_str!("../../../.env.example");

/// A folder with this `.env`.
fn with_file(text: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    fs::write(place.path().join(".env"), text).unwrap();
    place
}

/// Tries a start that does not happen, and gives its one line.
fn refused(place: &Place) -> String {
    let Output { status, stderr, .. } = place.run(&["serve"], "");
    let words = String::from_utf8(stderr).unwrap();
    assert_eq!(
        (status.code(), words.lines().count()),
        (Some(2), 1),
        "{words}"
    );
    words
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process that is tested has the real clock"
)]
fn now_s() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// The status of a sweep that is asked for under this secret.
async fn sweep(running: &Running, secret: &str) -> u16 {
    let at = now_s();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.").as_bytes());
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let asked = client()
        .post(format!("{}/jobs/refresh", running.url))
        .header("relink-signature", format!("t={at},v1={hex}"));
    asked.send().await.unwrap().status().as_u16()
}

#[test]
fn a_slip_of_the_keys_in_any_name_stops_the_start_and_names_what_was_meant() {
    for (name, meant) in [
        ("DATABSE_URL", "DATABASE_URL"),
        ("LINEAR_CLIENT_IDD", "LINEAR_CLIENT_ID"),
        ("relink_log", "RELINK_LOG"),
    ] {
        for words in [
            refused(&with_file(format!("{name}=hunter2\n"))),
            refused(&Place::new().set(name, "hunter2")),
        ] {
            let told = words.contains(name) && words.contains(&format!("one is {meant}"));
            assert!(told && !words.contains("hunter2"), "{words}");
        }
    }
    let halves = "0.0.0.0/1,128.0.0.0/1";
    let words = refused(&Place::new().set("RELINK_TRUSTED_PROXIES", halves));
    assert!(words.contains("trusts everybody"), "{words}");
}

/// A pipe that nobody writes into never ends.
#[test]
fn a_pipe_in_place_of_a_file_holds_up_no_start() {
    let pipe = |place: &Place, name: &str| {
        let mut made = std::process::Command::new("mkfifo");
        made.arg(place.path().join(name));
        assert!(made.status().unwrap().success());
    };
    let (settings, secret) = (Place::new(), Place::new());
    pipe(&settings, ".env");
    pipe(&secret, "secret");
    let secret = secret.set("RELINK_JOBS_SECRET_FILE", "./secret");
    for (place, name) in [(settings, ".env"), (secret, "RELINK_JOBS_SECRET_FILE")] {
        let words = refused(&place);
        assert!(
            words.contains(name) && words.contains("nothing comes from it"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn the_example_starts_with_every_line_uncommented() {
    let uncommented: Vec<&str> = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|first: char| first.is_ascii_uppercase()) => {
                setting
            }
            _ => line,
        })
        .collect();
    assert!(
        uncommented
            .iter()
            .filter(|line| line.contains('=') && !line.starts_with('#'))
            .count()
            > 20
    );
    for line_end in ["\n", "\r\n"] {
        let place = with_file(format!("\u{feff}{}", uncommented.join(line_end)));
        let running = Running::serve(&place).await;
        assert!(
            client()
                .get(format!("{}/readyz", running.url))
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }
}

#[tokio::test]
async fn a_secret_is_what_is_written_in_the_file() {
    let secret = "0123456789abc$def ${HOME} #x\\n";
    for line in [
        format!("RELINK_JOBS_SECRET={secret}"),
        format!("export RELINK_JOBS_SECRET=\"{secret}\""),
    ] {
        let place = with_file(line);
        let running = Running::serve(&place).await;
        assert_eq!(sweep(&running, secret).await, 200);
        assert_eq!(sweep(&running, "0123456789abc").await, 401);
    }
}

#[tokio::test]
async fn a_secret_may_come_from_a_mounted_file() {
    let place = Place::new()
        .set("RELINK_JOBS_SECRET_FILE", "mounted")
        .set("RELINK_KEYS_FILE", "ring");
    fs::write(
        place.path().join("mounted"),
        "0123456789abcdef-of-the-file\n",
    )
    .unwrap();
    let ring = place.path().join("ring");
    fs::write(&ring, format!("k1:{}=\n", "A".repeat(43))).unwrap();
    // As `fsGroup` leaves it.
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o440)).unwrap();
    let running = Running::serve(&place).await;
    assert_eq!(sweep(&running, "0123456789abcdef-of-the-file").await, 200);
    assert!(
        running
            .said()
            .contains("RELINK_KEYS_FILE: whoever is in its group"),
        "{}",
        running.said()
    );
    assert!(!place.path().join("data/keys").exists());
    drop(running);
    fs::set_permissions(&ring, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(refused(&place).starts_with("relink: RELINK_KEYS_FILE: others can read"));
}

#[tokio::test]
async fn a_key_file_that_a_mount_gave_to_our_group_is_read_and_one_for_everybody_is_not() {
    let place = Place::new();
    drop(Running::serve(&place).await);
    let keys = place.path().join("data/keys");
    for mode in [0o640, 0o660] {
        fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
        let running = Running::serve(&place).await;
        assert!(
            running.said().contains("can read the key file"),
            "{}",
            running.said()
        );
    }
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("chmod 600"),
        "{output:?}"
    );
}

#[tokio::test]
async fn what_is_misspelt_quoted_or_unreadable_stops_the_start() {
    let words = refused(&Place::new().set("RELINK_ADRR", "127.0.0.1:0"));
    assert!(
        words.contains("RELINK_ADRR") && words.contains("RELINK_ADDR"),
        "{words}"
    );
    let words = refused(&with_file(
        "# mine\n\nRELINK_JOB_SECRET=hunter2hunter2hunter2\n",
    ));
    assert!(
        words.contains("line 3")
            && words.contains("RELINK_JOBS_SECRET")
            && !words.contains("hunter2"),
        "{words}"
    );
    for unreadable in ["hunter2hunter2", "RELINK_JOBS_SECRET=\"hunter2hunter2"] {
        let words = refused(&with_file(format!("RELINK_LOG=info\n{unreadable}\n")));
        assert!(
            words.contains(".env: line 2") && !words.contains("hunter2"),
            "{words}"
        );
    }
    let words = refused(&Place::new().set("RELINK_DATA_DIR", "\"/data\""));
    assert!(
        words.contains("RELINK_DATA_DIR") && words.contains("quotes"),
        "{words}"
    );
}

#[tokio::test]
async fn a_mail_server_elsewhere_is_never_spoken_to_in_the_clear() {
    let clear = "smtp://user:hunter2@mail.example.com?tls=opportunistic";
    let words = refused(
        &Place::new()
            .set("RELINK_SMTP_URL", clear)
            .set("RELINK_MAIL_FROM", "relink@example.com"),
    );
    assert!(
        words.contains("in the clear") && !words.contains("hunter2"),
        "{words}"
    );
}

/// The answer to `GET path` at this address, as status and body.
async fn get(address: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let mut asked = client().get(format!("{address}{path}"));
    if let Some(token) = token {
        asked = asked.bearer_auth(token);
    }
    let reply = asked.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

#[tokio::test]
async fn metrics_are_nobodys_business_unless_a_token_or_an_address_is_set_up() {
    let running = Running::serve(&Place::new().set("RELINK_METRICS_TOKEN", "")).await;
    let (status, body) = get(&running.url, "/metrics", None).await;
    assert!(status == 404 && !body.contains("relink_"), "{body}");

    let token = "0123456789abcdef token";
    let running = Running::serve(&Place::new().set("RELINK_METRICS_TOKEN", token)).await;
    for (shown, status) in [
        (None, 401),
        (Some("0123456789abcdef"), 401),
        (Some(token), 200),
    ] {
        assert_eq!(get(&running.url, "/metrics", shown).await.0, status);
    }

    let port = free_port();
    let (addr, own) = (
        format!("127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
    );
    for (token, without) in [("", 200), (token, 401)] {
        let place = Place::new()
            .set("RELINK_METRICS_TOKEN", token)
            .set("RELINK_METRICS_ADDR", &addr);
        let mut running = Running::serve(&place).await;
        assert_eq!(
            get(&running.url, "/metrics", Some(token)).await.0,
            404,
            "nowhere but on its own address"
        );
        assert_eq!(get(&own, "/metrics", None).await.0, without);
        assert!(
            get(&own, "/metrics", Some(token))
                .await
                .1
                .contains("relink_connections")
        );
        assert_eq!(
            get(&own, "/readyz", None).await.0,
            404,
            "and nothing else is there"
        );
        running.signal("TERM");
        assert_eq!(running.exit_code().await, Some(0));
        assert!(
            std::net::TcpListener::bind(&addr).is_ok(),
            "it is let go of"
        );
    }
}

#[tokio::test]
async fn nobody_is_told_where_the_data_lives() {
    let place = Place::new().set("RELINK_DATA_DIR", "./somewhere-private");
    let running = Running::serve(&place).await;
    for path in ["/signup", "/signin", "/readyz"] {
        let told = get(&running.url, path, None).await.1;
        assert!(!told.contains("somewhere-private"), "{told}");
    }
}

/// Runs a shell until it is gone, with core files allowed.
async fn dies(place: &Place, script: &str) -> ExitStatus {
    let script = format!("ulimit -c unlimited 2>/dev/null; {script}");
    let mut shell = place.command_of(Path::new("/bin/sh"), &["-c", &script, BINARY]);
    let mut child = shell
        .env("PATH", "/usr/bin:/bin")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..1_200 {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if place.path().join("data/relink.db").exists() {
            let _ = std::process::Command::new("kill")
                .args(["-ABRT", &child.id().to_string()])
                .status();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    child.kill().unwrap();
    panic!("it lives on");
}

#[tokio::test]
async fn a_crash_leaves_no_memory_behind() {
    let place = Place::new().set("RELINK_ADDR", "127.0.0.1:0");
    let relink = dies(&place, "exec \"$0\" serve").await;
    assert_eq!((relink.signal(), relink.core_dumped()), (Some(6), false));
    if !dies(&Place::new(), "kill -ABRT $$").await.core_dumped() {
        eprintln!("this machine writes no core files: nothing was proved");
    }
}

#[test]
fn what_is_built_and_tested_is_what_the_lock_file_names() {
    let makefile = include_str!("../../../Makefile");
    let builds: Vec<&str> = makefile
        .lines()
        .filter(|line| line.starts_with('\t') && line.contains("cargo "))
        .filter(|line| !line.contains(" fmt "))
        .collect();
    for target in [
        "cargo leptos watch",
        "-p xtask",
        "cargo build --locked -p relink",
        "cargo build --locked --release",
        "clippy",
        "cargo test",
    ] {
        assert!(builds.iter().any(|line| line.contains(target)), "{target}");
    }
    let loose: Vec<&&str> = builds
        .iter()
        .filter(|line| !line.contains("locked"))
        .collect();
    assert!(loose.is_empty(), "{loose:?}");
}
