//! Commands whose output nobody reads, or that cannot be written.

use std::fs::File;
use std::io::{Write as _, pipe};
use std::process::{Command, Output, Stdio};

use crate::fleet::Fleet;
use crate::process::{BINARY, Place};

fn run(place: &Place, args: &[&str], stdin: &str, stdout: impl Into<Stdio>) -> Output {
    let mut command = place.command(args);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments never reads.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// An output that nobody reads, as with `| true`, but surely too late.
fn nobody() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

fn words(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn north() -> Place {
    let place = Place::new();
    place.json(
        &[
            "user",
            "add",
            "--email",
            "ada@example.com",
            "--name",
            "Ada",
            "--org",
            "north",
            "--role",
            "owner",
            "--json",
        ],
        PASSWORD,
    );
    place
}

const PASSWORD: &str = "long enough password";

#[test]
fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_one() {
    let place = north();
    for args in [
        &["--help"][..],
        &["key", "new", "--help"],
        &["--version"],
        &["webhook", "info"],
        &["webhook", "info", "--json"],
        &["connection", "list", "--org", "north"],
        &["connection", "list", "--org", "north", "--json"],
        &["webhook", "secret", "list", "--org", "north"],
        &["destination", "list", "--org", "north"],
        &["app", "list", "--org", "north"],
        &["workspace", "list", "--org", "north"],
        &["member", "list", "--org", "north", "--json"],
        &["audit", "verify", "--org", "north"],
        &["audit", "export", "--org", "north"],
        &["refresh"],
    ] {
        let unread = run(&place, args, "", nobody());
        assert_eq!(
            (unread.status.code(), words(&unread).as_str()),
            (Some(0), ""),
            "{args:?}"
        );
        let full = run(&place, args, "", full_disk());
        assert_eq!(
            (full.status.code(), words(&full).lines().count()),
            (Some(1), 1),
            "{args:?}: {}",
            words(&full)
        );
        assert!(
            words(&full)
                .starts_with("relink: the result could not be written to stdout: No space left"),
            "{}",
            words(&full)
        );
    }
}

#[test]
fn what_was_done_stays_done_though_nobody_reads_that_it_was() {
    let place = north();
    let add = [
        "user",
        "add",
        "--email",
        "jun@example.com",
        "--name",
        "Jun",
        "--org",
        "north",
    ];
    assert_eq!(run(&place, &add, PASSWORD, nobody()).status.code(), Some(0));
    let members = place.json(&["member", "list", "--org", "north", "--json"], "");
    assert_eq!(members["members"].as_array().unwrap().len(), 2);
}

/// The acts in the trail of an organisation.
fn acts(place: &Place) -> Vec<String> {
    let trail = place.run(&["audit", "export", "--org", "north"], "");
    let act = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["act"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    String::from_utf8(trail.stdout)
        .unwrap()
        .lines()
        .map(act)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_nobody_has_seen_opens_nothing() {
    let fleet = Fleet::on_sqlite().await;
    let id = fleet.connect(1, 3_600).await.remove(0);
    let (place, before) = (&fleet.place, acts(&fleet.place));
    let key = ["key", "new", "--org", "north", "--name", "ci"];
    let destination = [
        "destination",
        "add",
        "--org",
        "north",
        "--url",
        "https://hooks.example.com/linear",
    ];
    let invite = [
        "invite",
        "--org",
        "north",
        "--workspace",
        &id,
        "--person",
        "chiara@acme.example",
    ];
    for args in [&key[..], &destination, &invite] {
        for stdout in [nobody(), full_disk(), Stdio::null()] {
            let output = run(place, args, "", stdout);
            assert_eq!(
                (output.status.code(), words(&output).lines().count()),
                (Some(1), 1),
                "{args:?}: {}",
                words(&output)
            );
            assert!(
                words(&output).contains("nothing was made"),
                "{}",
                words(&output)
            );
        }
        let mut closed = Command::new("sh");
        closed
            .args(["-c", "exec \"$0\" \"$@\" >&-", BINARY])
            .args(args)
            .current_dir(place.path())
            .env_clear();
        closed.envs(place.environment.iter().map(|(name, value)| (name, value)));
        assert_eq!(closed.output().unwrap().status.code(), Some(1), "{args:?}");
        assert_eq!(acts(place), before, "{args:?}");
    }
    for args in [&key[..], &destination, &invite] {
        let seen = place.run(args, "");
        let text = String::from_utf8(seen.stdout).unwrap();
        assert!(seen.status.success() && text.ends_with("}\n"), "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }
    let made = acts(place).split_off(before.len());
    assert_eq!(made, ["key.made", "destination.added", "invite.made"]);
    // Seen, and then refused by the database: the line has no end, so nobody takes it for a code
    // that works.
    place.json(
        &[
            "user",
            "add",
            "--email",
            "jun@example.com",
            "--name",
            "Jun",
            "--org",
            "north",
            "--json",
        ],
        PASSWORD,
    );
    let code = place.json(&invite, "")["code"].as_str().unwrap().to_owned();
    place.json(
        &[
            "link",
            "--org",
            "north",
            "--user",
            "jun@example.com",
            "--yes",
            "--json",
        ],
        &code,
    );
    let refused = place.run(&invite, "");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        serde_json::from_slice::<serde_json::Value>(&refused.stdout).is_err(),
        "{refused:?}"
    );
}

#[test]
fn messages_that_cannot_be_written_change_nothing() {
    let place = north();
    for stderr in [nobody(), full_disk()] {
        let mut command = place.command(&["key", "new", "--org", "north", "--name", "ci"]);
        let output = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert!(output.status.success());
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    }
    for stderr in [nobody(), full_disk()] {
        let mut command = place.command(&["connection", "list", "--org", "nobody"]);
        assert_eq!(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(stderr)
                .status()
                .unwrap()
                .code(),
            Some(1)
        );
    }
}
