//! The attacks by what other people wrote, on its way to a terminal, a log and a page; and by links
//! that machines open first.

use relink_engine::text::acts;
use relink_simulator::{NewPerson, NewTeam, NewWorkspace, Role};

use crate::process::client;
use crate::site::Site;

/// Clears the line, goes up one, and begins a line that looks like one of ours. Some terminals read
/// the last ones alike.
const NAME: &str =
    "Evil\u{1b}[2K\u{1b}[1A\r0000  Forged  connected\nsecond\u{9b}31m\u{202e}gnorw\u{7}";

fn hostile() -> NewWorkspace {
    let person = |name: &str, email: &str, role| NewPerson {
        name: name.to_owned(),
        email: Some(email.to_owned()),
        role: Some(role),
        ..NewPerson::default()
    };
    NewWorkspace {
        name: NAME.to_owned(),
        url_key: "hostile".to_owned(),
        users: vec![
            person(NAME, "admin@hostile.example", Role::Admin),
            person(NAME, "guest@hostile.example", Role::Guest),
        ],
        teams: vec![NewTeam {
            key: "EVIL".to_owned(),
            name: NAME.to_owned(),
            private: false,
        }],
        ..NewWorkspace::default()
    }
}

/// Gives the output as a terminal gets it.
#[track_caller]
fn told(output: &std::process::Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains(|c| acts(c) && c != '\n'), "{text:?}");
    assert!(
        !text
            .lines()
            .any(|line| line.starts_with("0000  Forged") || line.starts_with("second")),
        "{text}"
    );
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_name_forges_a_line_of_a_terminal_or_of_the_log() {
    let site = Site::open().await;
    site.linear.add_workspace(hostile()).unwrap();
    site.connect("hostile").await;
    let run = |args: &[&str], stdin: &str| told(&site.place.run(args, stdin));
    let org = ["--org", "north"];
    for json in [&[][..], &["--json"][..]] {
        for command in [
            ["connection", "list"],
            ["workspace", "list"],
            ["member", "list"],
            ["webhook", "info"],
            ["audit", "export"],
        ] {
            let org = if command == ["webhook", "info"] {
                &[][..]
            } else {
                &org[..]
            };
            let json = if command == ["audit", "export"] {
                &[][..]
            } else {
                json
            };
            let text = run(&[&command[..], org, json].concat(), "");
            assert!(!text.is_empty(), "{command:?}");
            if json.is_empty() && command == ["connection", "list"] {
                assert_eq!(
                    text.lines().count(),
                    1,
                    "a line for the one connection: {text}"
                );
            }
        }
    }
    let secret = [
        "webhook",
        "secret",
        "add",
        "--org",
        "north",
        "--workspace",
        "hostile",
    ];
    run(&secret, "lin_wh_AcmesOwnSecret0123\n");
    run(&["webhook", "secret", "list", "--org", "north"], "");
    let invite = [
        "invite",
        "--org",
        "north",
        "--workspace",
        "hostile",
        "--person",
        "guest@hostile.example",
    ];
    let invited = site.place.run(&invite, "");
    told(&invited);
    let invited: serde_json::Value = serde_json::from_slice(&invited.stdout).unwrap();
    assert_eq!(invited["person"]["name"], NAME, "programs get it as it is");
    let link = [
        "link",
        "--org",
        "north",
        "--user",
        crate::site::OWNER,
        "--yes",
    ];
    run(&link, invited["code"].as_str().unwrap());
    run(&["member", "list", "--org", "north"], "");
    run(
        &[
            "member",
            "unlink",
            "--org",
            "north",
            "--email",
            crate::site::OWNER,
            "--workspace",
            "hostile",
        ],
        "",
    );
    run(&["connection", "list", "--org", NAME], "");
    run(
        &[
            "invite",
            "--org",
            "north",
            "--workspace",
            NAME,
            "--person",
            NAME,
        ],
        "",
    );
    let long = NewWorkspace {
        name: "w".repeat(10_000),
        url_key: "long".to_owned(),
        ..hostile()
    };
    site.linear.add_workspace(long).unwrap();
    site.connect("long").await;
    let listed = run(&["connection", "list", "--org", "north"], "");
    assert!(
        listed.lines().count() == 2 && listed.lines().all(|line| line.chars().count() < 200),
        "{listed}"
    );
    let log = site.relink.said();
    assert!(
        !log.contains(|c| acts(c) && c != '\n') && log.lines().count() >= 5,
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_code_in_a_path_is_in_no_line_of_the_log() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    let invite = [
        "invite",
        "--org",
        "north",
        "--workspace",
        "acme-robotics",
        "--person",
        "elif@acme.example",
    ];
    let code = site.place.json(&invite, "")["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let phone = client();
    for path in [
        format!("/link%23{code}"),
        format!("/link/{code}"),
        format!("/LINK/{code}"),
        format!("/link%2523{code}?x=%23{code}"),
    ] {
        let reply = phone
            .get(format!("{}{path}", site.relink.url))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["location"]),
            (303, &"/link".parse().unwrap()),
            "{path}"
        );
        let page = phone
            .get(format!("{}/link", site.relink.url))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(page.contains("Elif Demir"), "{path}");
    }
    let plain = code.replace('-', "");
    let elsewhere = [
        format!("/{code}"),
        format!("/link{plain}"),
        format!("/%23{plain}"),
        format!("/team%2523{code}"),
        format!("/api/v1/{code}"),
        format!("/webhooks/{plain}"),
        format!("/{code}/{}", "x".repeat(2_000)),
    ];
    for path in &elsewhere {
        let reply = phone.get(format!("{}{path}", site.relink.url)).send().await;
        assert!(reply.unwrap().status().is_client_error(), "{path}");
    }
    let log = site.relink.said();
    let group = code.split('-').next().unwrap();
    assert!(log.contains("/…") && !log.contains(group), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_fetches_the_callback_first_connects_nothing_and_loses_nothing() {
    let site = Site::open().await;
    let start = site.post("/oauth/linear/start", &[]).await;
    let authorize = start.headers()["location"].to_str().unwrap().to_owned();
    let callback =
        crate::walk::approve(&site.browser, &site.linear_url, &authorize, "acme-robotics").await;
    assert_eq!(
        site.browser.head(&callback).send().await.unwrap().status(),
        425
    );
    let prefetch = site
        .browser
        .get(&callback)
        .header("sec-purpose", "prefetch");
    assert_eq!(prefetch.send().await.unwrap().status(), 425);
    assert_eq!(
        client().get(&callback).send().await.unwrap().headers()["location"],
        "/integrations?error=state_mismatch"
    );
    for _ in 0..2 {
        let reply = site.browser.get(&callback).send().await.unwrap();
        assert_eq!(reply.headers()["location"], "/integrations");
        assert!(
            site.page("/integrations")
                .await
                .contains("Acme Robotics is connected.")
        );
    }
}
