//! Starting and stopping.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use crate::process::{BINARY, Place, Running, client, free_port};

#[tokio::test]
async fn the_binary_alone_in_an_empty_folder_serves_the_whole_page() {
    let place = Place::new();
    let copy = place.path().join("relink");
    std::fs::copy(BINARY, &copy).unwrap();
    let running = Running::start(&place, &copy).await;
    let client = client();
    let page = client
        .get(format!("{}/signup", running.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("Set up Relink"));
    let style = page
        .split("href=\"")
        .find(|part| part.split('"').next().unwrap().ends_with(".css"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let script = page
        .split("href=\"")
        .find(|part| part.split('"').next().unwrap().ends_with(".js"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let wasm = script.replace(".js", "_bg.wasm");
    for (path, kind) in [
        (style, "text/css"),
        (script, "text/javascript"),
        (wasm.as_str(), "application/wasm"),
        ("/favicon-ok.svg", "image/svg+xml"),
    ] {
        let reply = client
            .get(format!("{}{path}", running.url))
            .header("accept-encoding", "br")
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
        assert!(
            header("content-type").starts_with(kind),
            "{path}: {}",
            header("content-type")
        );
        if path.starts_with("/pkg/") {
            assert!(header("cache-control").contains("immutable"), "{path}");
            assert_eq!(header("content-encoding"), "br", "{path}");
        }
    }
}

#[tokio::test]
async fn pages_rendered_at_once_are_all_whole() {
    let place = Place::new();
    let running = Running::serve(&place).await;
    let (client, url) = (client(), format!("{}/signup", running.url));
    let mut loads = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, url) = (client.clone(), url.clone());
        loads.spawn(async move {
            for _ in 0..25 {
                let page = client.get(&url).send().await.unwrap().text().await.unwrap();
                assert!(
                    page.contains("<title>Set up Relink")
                        && page.contains("rel=\"icon\"")
                        && page.contains("</html>"),
                    "{page}"
                );
            }
        });
    }
    loads.join_all().await;
    assert!(!running.said().contains("ServerMetaContext"));
}

#[tokio::test]
async fn a_wrong_value_stops_the_start_with_one_line_and_exit_code_2() {
    for (name, value) in [
        ("RELINK_URL", "http://relink.example.com"),
        ("LINEAR_WEBHOOK_SECRET", "whsec_hunter2hunter2"),
        ("RELINK_ADDR", "nowhere"),
    ] {
        let output = Place::new().set(name, value).run(&["serve"], "");
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(
            words.contains(name) && !words.contains("hunter2"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused_while_commands_are_not() {
    let place = Place::new();
    let _first = Running::serve(&place).await;
    let (data, linked, other) = (
        place.path().join("data"),
        place.path().join("linked"),
        place.path().join("other"),
    );
    std::os::unix::fs::symlink(&data, &linked).unwrap();
    std::fs::create_dir(&other).unwrap();
    std::os::unix::fs::symlink(data.join("relink.db"), other.join("another.db")).unwrap();
    let another = format!("sqlite://{}", other.join("another.db").display());
    for (name, value) in [
        ("RELINK_DATA_DIR", data.to_str().unwrap()),
        ("RELINK_DATA_DIR", linked.to_str().unwrap()),
        ("DATABASE_URL", another.as_str()),
    ] {
        let second = Place {
            dir: tempfile::tempdir().unwrap(),
            environment: vec![],
        }
        .set(name, value)
        .set(
            "RELINK_KEYS",
            std::fs::read_to_string(data.join("keys")).unwrap().trim(),
        )
        .set("RELINK_ADDR", &format!("127.0.0.1:{}", free_port()));
        let output = second.run(&["serve"], "");
        assert_eq!(output.status.code(), Some(1), "{value}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("another relink serves"),
            "{value}: {output:?}"
        );
    }
    place.json(
        &[
            "user",
            "add",
            "--email",
            "a@example.com",
            "--name",
            "A",
            "--org",
            "north",
            "--json",
        ],
        "long enough password",
    );
}

#[tokio::test]
async fn the_key_file_is_private_and_must_stay_so() {
    let place = Place::new();
    drop(Running::serve(&place).await);
    let keys = place.path().join("data/keys");
    for (path, mode) in [
        ("data", 0o700),
        ("data/keys", 0o600),
        ("data/relink.db", 0o600),
    ] {
        assert_eq!(
            std::fs::metadata(place.path().join(path))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            mode,
            "{path}"
        );
    }
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = place.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("chmod 600"),
        "{output:?}"
    );
}

#[tokio::test]
async fn a_wrong_or_missing_key_stops_the_start_with_a_sentence() {
    let place = Place::new();
    drop(Running::serve(&place).await);
    let wrong = Place {
        dir: place.dir,
        environment: vec![("RELINK_KEYS".to_owned(), format!("k1:{}=", "A".repeat(43)))],
    };
    let output = wrong.run(&["serve"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("these keys do not open"),
        "{output:?}"
    );
    std::fs::remove_file(wrong.path().join("data/keys")).unwrap();
    let missing = Place {
        dir: wrong.dir,
        environment: vec![],
    };
    let output = missing.run(&["serve"], "");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("put it back from your backup"),
        "{output:?}"
    );
    assert!(
        !missing.path().join("data/keys").exists(),
        "no new key was made"
    );
}

#[tokio::test]
async fn a_stop_lets_the_request_under_way_finish() {
    let place = Place::new();
    let mut running = Running::serve(&place).await;
    let (client, url) = (client(), format!("{}/signup", running.url));
    // Hashing a password takes a while: the stop comes in the middle.
    let fields = [
        ("organisation", "North"),
        ("name", "A"),
        ("email", "a@example.com"),
        ("password", "long enough password"),
    ];
    let request = tokio::spawn(client.post(url).form(&fields).send());
    tokio::time::sleep(Duration::from_millis(20)).await;
    running.signal("TERM");
    let reply = request.await.unwrap().unwrap();
    assert_eq!(reply.status(), 303);
    assert_eq!(running.exit_code().await, Some(0));
    let said = running.said();
    let (stop, answer) = (said.find("stopping"), said.find("answered status=303"));
    assert!(
        stop.is_some() && stop < answer,
        "the stop came first: {said}"
    );
}

#[tokio::test]
async fn a_killed_server_starts_again_and_knows_everybody() {
    let place = Place::new();
    let mut running = Running::serve(&place).await;
    let client = client();
    let fields = [
        ("organisation", "North"),
        ("name", "A"),
        ("email", "a@example.com"),
        ("password", "long enough password"),
    ];
    client
        .post(format!("{}/signup", running.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    running.signal("KILL");
    running.exit_code().await;
    let again = Running::serve(&place).await;
    let fields = [
        ("email", "a@example.com"),
        ("password", "long enough password"),
    ];
    let reply = client
        .post(format!("{}/signin", again.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["location"], "/integrations");
}

/// A user who may write nothing, where the tests' own may write everything.
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_named_with_what_to_do() {
    let place = Place::new();
    let (binary, dir) = (place.path().join("relink"), |name: &str| {
        place.path().join(name)
    });
    std::fs::copy(BINARY, &binary).unwrap();
    for name in ["closed", "url"] {
        std::fs::create_dir(dir(name)).unwrap();
        set_permissions(dir(name), Permissions::from_mode(0o555)).unwrap();
    }
    std::fs::create_dir(dir("open")).unwrap();
    set_permissions(dir("open"), Permissions::from_mode(0o777)).unwrap();
    std::fs::write(dir("open").join("relink.db"), "").unwrap();
    set_permissions(dir("open").join("relink.db"), Permissions::from_mode(0o444)).unwrap();
    std::fs::write(dir("file"), "").unwrap();
    set_permissions(place.path(), Permissions::from_mode(0o555)).unwrap();
    let root = std::fs::metadata("/proc/self")
        .is_ok_and(|owner| std::os::unix::fs::MetadataExt::uid(&owner) == 0);
    let path = |name: &str| dir(name).display().to_string();
    let url = format!("sqlite://{}/relink.db", path("url"));
    for (setting, value, names, words) in [
        (
            "RELINK_DATA_DIR",
            path("closed"),
            path("closed"),
            "cannot be written to by user",
        ),
        (
            "RELINK_DATA_DIR",
            path("closed/new"),
            path("closed/new"),
            "is not there, and user",
        ),
        (
            "RELINK_DATA_DIR",
            path("open"),
            path("open/relink.db"),
            "cannot be written to by user",
        ),
        (
            "RELINK_DATA_DIR",
            path("file"),
            path("file"),
            "is not a folder",
        ),
        (
            "DATABASE_URL",
            url,
            path("url"),
            "cannot be written to by user",
        ),
    ] {
        for args in [&["serve"][..], &["member", "list", "--org", "north"]] {
            let mut command = place.command_of(&binary, args);
            command
                .env(setting, &value)
                .env("RELINK_ADDR", format!("127.0.0.1:{}", free_port()));
            if setting == "DATABASE_URL" {
                command.env("RELINK_DATA_DIR", path("open"));
            }
            if root {
                command.uid(NOBODY).gid(NOBODY);
            }
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{value} {args:?}: {said}");
            let wanted = format!("relink: {setting}: {names} {words}");
            assert!(
                said.contains(&wanted)
                    && said.contains(&format!("or set {setting} to another place")),
                "{value} {args:?}: {said}"
            );
        }
    }
    set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    set_permissions(dir("closed"), Permissions::from_mode(0o755)).unwrap();
}

/// Serves with a limit of open files, through the shell's own words for it.
fn limited(place: &Place, limit: &str, port: u16) -> std::process::Command {
    let mut command = place.command_of(
        std::path::Path::new("/bin/sh"),
        &[
            "-c",
            &format!("ulimit {limit} && exec \"$0\" serve"),
            BINARY,
        ],
    );
    command.env("RELINK_ADDR", format!("127.0.0.1:{port}"));
    command
}

#[tokio::test]
async fn with_too_few_open_files_a_server_says_how_many_it_needs() {
    for limit in ["-n 24", "-n 40", "-n 255"] {
        let output = limited(&Place::new(), limit, free_port()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{limit}: {said}");
        let number = limit.trim_start_matches("-n ");
        assert_eq!(said.lines().count(), 1, "{limit}: {said}");
        assert!(
            said.contains(&format!(
                "may have {number} files open, and Relink needs 256: raise the limit"
            )),
            "{limit}: {said}"
        );
    }
}

#[tokio::test]
async fn a_low_limit_that_may_be_raised_is_raised() {
    let (place, port) = (Place::new(), free_port());
    let _running = Running::serve_by(
        limited(&place, "-S -n 40", port),
        &format!("http://127.0.0.1:{port}"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_connects_takes_no_file_from_the_database() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (place, port) = (Place::new(), free_port());
    let running = Running::serve_by(
        limited(&place, "-n 300", port),
        &format!("http://127.0.0.1:{port}"),
    )
    .await;
    let (mut connections, mut answered) = (Vec::new(), 0);
    for _ in 0..240 {
        connections.push(
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .unwrap(),
        );
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for connection in &mut connections[..100] {
        connection
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        answered += usize::from(&answer == b"HTTP/1.1 200");
    }
    assert_eq!(answered, 100, "{}", running.said());
    drop(connections);
    let reply = client()
        .get(format!("{}/readyz", running.url))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let said = running.said();
    assert_eq!(
        said.matches("as many connections are open as").count(),
        1,
        "{said}"
    );
    assert!(!said.contains("Too many open files"), "{said}");
}
