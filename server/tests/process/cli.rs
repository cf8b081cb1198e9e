//! The command line, as scripts use it.

use crate::process::Place;

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for args in [
        &["--help"][..],
        &["serve", "--help"],
        &["simulate", "--help"],
        &["user", "add", "--help"],
        &["key", "new", "--help"],
        &["connection", "list", "--help"],
        &["webhook", "info", "--help"],
        &["webhook", "secret", "add", "--help"],
        &["webhook", "secret", "list", "--help"],
        &["destination", "add", "--help"],
        &["destination", "list", "--help"],
        &["app", "list", "--help"],
        &["app", "add", "--help"],
        &["app", "secret", "--help"],
        &["app", "remove", "--help"],
        &["workspace", "list", "--help"],
        &["invite", "--help"],
        &["link", "--help"],
        &["member", "list", "--help"],
        &["member", "role", "--help"],
        &["member", "vouch", "--help"],
        &["member", "remove", "--help"],
        &["member", "unlink", "--help"],
        &["audit", "verify", "--help"],
        &["audit", "export", "--help"],
        &["refresh", "--help"],
    ] {
        let output = place.run(args, "");
        assert!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage:"),
            "{args:?}"
        );
    }
}

#[test]
fn wrong_usage_is_2_and_failure_is_1() {
    let place = Place::new();
    assert_eq!(place.run(&["user", "add"], "").status.code(), Some(2));
    assert_eq!(place.run(&["fly"], "").status.code(), Some(2));
    assert_eq!(
        place
            .run(&["connection", "list", "--org", "nobody"], "")
            .status
            .code(),
        Some(1)
    );
    let short = place.run(
        &[
            "user",
            "add",
            "--email",
            "a@example.com",
            "--name",
            "A",
            "--org",
            "north",
        ],
        "short\n",
    );
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("12 characters"));
    assert!(short.stdout.is_empty(), "messages are on stderr");
}

#[test]
fn a_user_a_key_and_an_empty_list_on_a_database_that_was_not_there() {
    let place = Place::new();
    let add = [
        "user",
        "add",
        "--email",
        "A@Example.com",
        "--name",
        "Ada",
        "--org",
        "north",
        "--role",
        "owner",
        "--json",
    ];
    let user = place.json(&add, "long enough password\n");
    assert_eq!(
        (
            user["email"].as_str(),
            user["role"].as_str(),
            user["organisation"].as_str()
        ),
        (Some("a@example.com"), Some("owner"), Some("north"))
    );
    assert_eq!(
        place.run(&add, "long enough password\n").status.code(),
        Some(1),
        "a member already"
    );
    let key = place.json(
        &["key", "new", "--org", "north", "--name", "ci", "--json"],
        "",
    );
    assert!(
        key["key"].as_str().unwrap().starts_with("rlk_") && key["id"].is_string(),
        "{key}"
    );
    let list = place.json(&["connection", "list", "--org", "north", "--json"], "");
    assert_eq!(list, serde_json::json!({ "connections": [] }));
    let stored = crate::process::all_bytes(place.path());
    let secret = key["key"].as_str().unwrap().as_bytes();
    assert!(
        !stored.windows(secret.len()).any(|window| window == secret),
        "only a hash is kept"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_set_up_by_command_and_no_secret_is_told_twice() {
    let fleet = crate::fleet::Fleet::on_sqlite().await;
    let id = fleet.connect(1, 3_600).await.remove(0);
    let place = &fleet.place;
    let info = place.json(&["webhook", "info", "--json"], "");
    assert_eq!(
        info,
        serde_json::json!({ "url": "http://localhost:3000/webhooks/linear", "app_secret": true })
    );
    let add = [
        "webhook",
        "secret",
        "add",
        "--org",
        "north",
        "--workspace",
        &id,
        "--json",
    ];
    let (first, second) = (
        "lin_wh_FirstSecretOfTheWorkspace",
        "lin_wh_SecondSecretOfTheWorkspace",
    );
    assert_eq!(place.json(&add, &format!("{first}\n"))["outcome"], "added");
    assert_eq!(place.json(&add, first)["outcome"], "unchanged");
    let replaced = place.json(&add, second);
    assert!(
        replaced["outcome"] == "replaced" && replaced["previous_accepted"] == true,
        "{replaced}"
    );
    for wrong in ["", "lin_api_0123456789abcdef", "lin_wh_"] {
        let output = place.run(&add, wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("lin_wh_"));
    }
    assert_eq!(
        place
            .run(
                &[
                    "webhook",
                    "secret",
                    "add",
                    "--org",
                    "north",
                    "--workspace",
                    "nowhere"
                ],
                first
            )
            .status
            .code(),
        Some(1)
    );
    let secrets = place.json(
        &["webhook", "secret", "list", "--org", "north", "--json"],
        "",
    );
    let listed: Vec<_> = secrets["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["last_four"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, ["pace", "pace"]);
    let to = [
        "destination",
        "add",
        "--org",
        "north",
        "--url",
        "https://hooks.example.com/linear",
        "--event",
        "Issue",
        "--json",
    ];
    let destination = place.json(&to, "");
    let signing = destination["secret"].as_str().unwrap().to_owned();
    assert!(signing.starts_with("whsec_"));
    let inside = place.run(
        &[
            "destination",
            "add",
            "--org",
            "north",
            "--url",
            "https://169.254.169.254/",
        ],
        "",
    );
    assert_eq!(inside.status.code(), Some(1));
    let list = place.run(&["destination", "list", "--org", "north"], "");
    assert!(
        String::from_utf8_lossy(&list.stdout)
            .contains("https://hooks.example.com/linear  active, 0 waiting")
    );
    let stored = crate::process::all_bytes(place.path());
    for secret in [first, second, &signing] {
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "sealed"
        );
    }
}

#[test]
fn apps_are_added_changed_and_removed_by_command_and_their_secrets_are_never_told() {
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
            "--json",
        ],
        "long enough password",
    );
    let (client, webhook, new) = (
        "ClientSecretOfAcme0123",
        "lin_wh_SecretOfTheAppsWebhook",
        "lin_wh_NewSecretOfTheAppsWebhook",
    );
    let add = [
        "app",
        "add",
        "--org",
        "north",
        "--name",
        "Acme internal",
        "--client-id",
        "0123456789abcdef",
        "--json",
    ];
    for (wrong, because) in [
        ("short\n", "client secret"),
        (webhook, "client secret"),
        ("\nwhsec_0123456789\n", "lin_wh_"),
    ] {
        let output = place.run(&add, wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(because),
            "{output:?}"
        );
    }
    let added = place.json(&add, &format!("{client}\n{webhook}\n"));
    assert_eq!(
        (added["name"].as_str(), added["client_id"].as_str()),
        (Some("Acme internal"), Some("0123456789abcdef"))
    );
    assert_eq!(
        place.run(&add, client).status.code(),
        Some(1),
        "it is there already"
    );
    let list = || place.json(&["app", "list", "--org", "north", "--json"], "")["apps"].clone();
    let one = list()[0].clone();
    assert_eq!(
        (
            &one["id"],
            &one["client_secret_set"],
            &one["webhook_secret_set"]
        ),
        (&added["id"], &true.into(), &true.into())
    );
    assert_eq!(
        (&one["connections"], &one["previous_accepted"]),
        (&0.into(), &false.into())
    );

    let secret = [
        "app",
        "secret",
        "--org",
        "north",
        "--app",
        "0123456789abcdef",
        "--webhook",
        "--json",
    ];
    assert_eq!(
        place.run(&secret, "\n").status.code(),
        Some(1),
        "nothing came"
    );
    assert_eq!(list()[0]["previous_accepted"], false);
    let replaced = place.json(&secret, &format!("{new}\n"));
    assert!(
        replaced["replaced"] == "webhook_secret" && replaced["previous_accepted"] == true,
        "{replaced}"
    );
    let listed = list()[0].clone();
    assert_eq!(
        (
            &listed["previous_accepted"],
            &listed["previous_accepted_until"]
        ),
        (&true.into(), &serde_json::Value::Null)
    );
    let id = added["id"].as_str().unwrap();
    let client_secret = place.json(
        &["app", "secret", "--org", "north", "--app", id, "--json"],
        client,
    );
    let answer = (
        &client_secret["replaced"],
        &client_secret["previous_accepted"],
    );
    assert_eq!(answer, (&"client_secret".into(), &false.into()));

    let bare = [
        "app",
        "add",
        "--org",
        "north",
        "--name",
        "Bare",
        "--client-id",
        "fedcba9876543210",
        "--json",
    ];
    assert_eq!(place.json(&bare, "")["client_secret_set"], false);
    let words = place.run(&["app", "list", "--org", "north"], "");
    assert!(
        String::from_utf8_lossy(&words.stdout)
            .contains("Bare, client secret not set, webhook secret not set, 0 connected")
    );
    let remove = ["app", "remove", "--org", "north", "--app", id, "--json"];
    assert_eq!(place.json(&remove, "")["name"], "Acme internal");
    assert_eq!(place.run(&remove, "").status.code(), Some(1), "gone");
    assert_eq!(list().as_array().unwrap().len(), 1);
    let stored = crate::process::all_bytes(place.path());
    for secret in [client, webhook, new] {
        assert!(
            !stored
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "sealed"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_invited_linked_and_taken_back_by_command() {
    let fleet = crate::fleet::Fleet::on_sqlite().await;
    let id = fleet.connect(1, 3_600).await.remove(0);
    let place = &fleet.place;
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
        "long enough password",
    );
    let invite = [
        "invite",
        "--org",
        "north",
        "--workspace",
        &id,
        "--person",
        "CHIARA@acme.example",
        "--json",
    ];
    let (first, second) = (place.json(&invite, ""), place.json(&invite, ""));
    assert_eq!(
        (
            second["person"]["name"].as_str(),
            second["link"].as_str().unwrap().contains("/link#")
        ),
        (Some("Chiara Rossi"), true)
    );
    let link = [
        "link",
        "--org",
        "north",
        "--user",
        "jun@example.com",
        "--yes",
        "--json",
    ];
    assert_eq!(
        place
            .run(&link, first["code"].as_str().unwrap())
            .status
            .code(),
        Some(1),
        "the second one ended it"
    );
    let code = second["code"]
        .as_str()
        .unwrap()
        .to_lowercase()
        .replace('-', " ");
    let asked = [
        "link",
        "--org",
        "north",
        "--user",
        "jun@example.com",
        "--json",
    ];
    assert_eq!(
        place.run(&asked, &format!("{code}\nno\n")).status.code(),
        Some(1),
        "nobody said yes"
    );
    assert_eq!(
        place.json(&asked, &format!("{code}\nyes\n"))["person"],
        "Chiara Rossi"
    );
    assert_eq!(place.run(&link, &code).status.code(), Some(1), "used up");
    let again = place.run(&invite, "");
    assert!(String::from_utf8_lossy(&again.stderr).contains("linked to jun@example.com"));
    let (nobody, gone, bad) = (
        "nobody@acme.example",
        "gwen@acme.example",
        "ben@acme.example",
    );
    for wrong in [
        ["--person", nobody, "--valid", "24h"],
        ["--person", gone, "--valid", "24h"],
        ["--person", bad, "--valid", "8d"],
    ] {
        let args = [
            &["invite", "--org", "north", "--workspace", &id][..],
            &wrong[..],
        ]
        .concat();
        assert_eq!(place.run(&args, "").status.code(), Some(1), "{wrong:?}");
    }
    let workspaces = place.json(&["workspace", "list", "--org", "north", "--json"], "");
    assert_eq!(workspaces["workspaces"][0]["linked"], 1);
    let members = place.json(&["member", "list", "--org", "north", "--json"], "");
    let jun = members["members"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["email"] == "jun@example.com")
        .unwrap()
        .clone();
    assert_eq!(
        (jun["role"].as_str(), jun["linked"][0]["name"].as_str()),
        (Some("member"), Some("Chiara Rossi"))
    );
    let of_jun = |what: &'static str| {
        vec![
            "member",
            what,
            "--org",
            "north",
            "--email",
            "jun@example.com",
        ]
    };
    place.json(
        &[&of_jun("unlink")[..], &["--workspace", &id, "--json"]].concat(),
        "",
    );
    place.json(
        &[&of_jun("role")[..], &["--role", "admin", "--json"]].concat(),
        "",
    );
    place.json(&[&of_jun("remove")[..], &["--json"]].concat(), "");
    assert_eq!(place.run(&of_jun("remove"), "").status.code(), Some(1));
    let check = place.json(&["audit", "verify", "--org", "north", "--json"], "");
    assert_eq!(check["broken_at"], serde_json::Value::Null);
    let trail = place.run(&["audit", "export", "--org", "north"], "");
    let acts: Vec<String> = String::from_utf8_lossy(&trail.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["act"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let before = [
        "member.added",
        "key.made",
        "connection.connected",
        "member.added",
    ];
    assert_eq!(acts[..4], before, "how the fleet was set up");
    assert_eq!(
        acts[4..],
        [
            "invite.made",
            "invite.made",
            "person.linked",
            "person.unlinked",
            "member.role",
            "member.removed"
        ]
    );
    assert_eq!(check["good"], acts.len());
}
