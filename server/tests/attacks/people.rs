//! Taking somebody else's account.

use serde_json::Value;

use crate::process::client;
use crate::site::{PASSWORD, Site};

const ELIF: &str = "elif@acme.example";
const THEIRS: &str = "a sentence that the attacker chose";

/// Reads what a link code's page sends back with the answer.
fn preview(page: &str) -> String {
    page.split("name=\"preview\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// An admin makes a link code for somebody else, keeps it, and gives the account a password.
/// Answers the browser.
async fn squat(site: &Site) -> reqwest::Client {
    let invite = [
        "invite",
        "--org",
        "north",
        "--workspace",
        "acme-robotics",
        "--person",
        ELIF,
        "--json",
    ];
    let code = site.place.json(&invite, "")["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let private = client();
    let post = |path: &str, fields: &[(&str, &str)]| {
        private
            .post(format!("{}{path}", site.relink.url))
            .form(fields)
            .send()
    };
    post("/link", &[("code", &code)]).await.unwrap();
    let page = private
        .get(format!("{}/link", site.relink.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    post(
        "/link/confirm",
        &[("preview", &preview(&page)), ("answer", "yes")],
    )
    .await
    .unwrap();
    post("/link/password", &[("password", THEIRS)])
        .await
        .unwrap();
    private
}

fn member(site: &Site, email: &str) -> Value {
    let members = site
        .place
        .json(&["member", "list", "--org", "north", "--json"], "");
    members["members"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["email"] == email)
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_somebody_squats_gets_no_role_and_no_place() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    squat(&site).await;
    let elif = member(&site, ELIF);
    assert_eq!(
        (&elif["role"], &elif["email_proved"], &elif["vouched"]),
        (&"member".into(), &false.into(), &false.into())
    );
    let words = site.place.run(&["member", "list", "--org", "north"], "");
    assert!(String::from_utf8_lossy(&words.stdout).contains("member, e-mail never proved"));

    let add = [
        "user", "add", "--email", ELIF, "--org", "south", "--role", "owner",
    ];
    let with_name = [&add[..], &["--name", "Elif"]].concat();
    let existing = [&add[..], &["--existing"]].concat();
    let role = [
        "member", "role", "--org", "north", "--email", ELIF, "--role", "admin",
    ];
    for (args, because) in [
        (&with_name[..], "--existing"),
        (&existing, "nobody proved"),
        (&role, "nobody proved"),
    ] {
        let refused = site.place.run(args, &format!("{PASSWORD}\n"));
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(1) && words.contains(because),
            "{args:?}: {words}"
        );
    }
    let south = site.place.run(&["member", "list", "--org", "south"], "");
    assert_eq!(
        south.status.code(),
        Some(1),
        "there is no such organisation"
    );

    // The operator knows better, and says so.
    let vouch = ["member", "vouch", "--org", "north", "--email", ELIF];
    let asked = site.place.run(&vouch, "");
    assert_eq!(asked.status.code(), Some(1), "nobody said yes");
    assert!(
        String::from_utf8_lossy(&asked.stderr)
            .contains("A link code made the account, and somebody else may have used it.")
    );
    assert_eq!(
        site.place
            .json(&[&vouch[..], &["--yes", "--json"]].concat(), "")["email_proved"],
        true
    );
    let added = site.place.run(&existing, "");
    assert!(
        added.status.success()
            && String::from_utf8_lossy(&added.stderr).contains("their password stay"),
        "{added:?}"
    );
    assert_eq!(
        site.place.run(&existing, "").status.code(),
        Some(1),
        "a member already"
    );
    let nobody = [
        "user",
        "add",
        "--existing",
        "--email",
        "nobody@example.com",
        "--org",
        "south",
    ];
    assert_eq!(site.place.run(&nobody, "").status.code(), Some(1));
    assert_eq!(
        site.place.run(&add, "").status.code(),
        Some(2),
        "a name, or --existing"
    );
}

/// An owner who made a key, and what becomes of it when a command removes them.
async fn removed_with_a_key(site: &Site, email: &str, args: &[&str]) -> (Value, String, u16) {
    let add = [
        "user", "add", "--email", email, "--name", "Eve", "--org", "north", "--role", "owner",
    ];
    assert!(
        site.place
            .run(&add, &format!("{PASSWORD}\n"))
            .status
            .success()
    );
    let browser = client();
    let post = |path: &str, fields: &[(&str, &str)]| {
        browser
            .post(format!("{}{path}", site.relink.url))
            .form(fields)
            .send()
    };
    assert_eq!(
        post("/signin", &[("email", email), ("password", PASSWORD)])
            .await
            .unwrap()
            .status(),
        303
    );
    post("/settings/keys/new", &[("name", "ci of Eve")])
        .await
        .unwrap();
    let page = browser
        .get(format!("{}/settings", site.relink.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let key: String = page[page.find("rlk_").expect("a new key")..]
        .chars()
        .take_while(|c| c.is_alphanumeric() || "_-".contains(*c))
        .collect();
    let removed = site.place.run(
        &[
            &[
                "member", "remove", "--org", "north", "--email", email, "--json",
            ],
            args,
        ]
        .concat(),
        "",
    );
    let asked = client()
        .get(format!("{}/api/v1/connections", site.relink.url))
        .bearer_auth(&key);
    // A key that another process revokes is honoured for a second more by one that has just seen
    // it; this one has not.
    let status = asked.send().await.unwrap().status().as_u16();
    (
        serde_json::from_slice(&removed.stdout).unwrap(),
        String::from_utf8(removed.stderr).unwrap(),
        status,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_a_command_removes_leaves_no_key_that_nobody_knows_of() {
    let site = Site::open().await;
    let (told, words, status) = removed_with_a_key(&site, "eve@example.com", &[]).await;
    assert_eq!(
        (&told["removed"], told["keys"].as_array().unwrap().len()),
        (&"eve@example.com".into(), 1)
    );
    assert_eq!(
        (
            &told["keys"][0]["name"],
            &told["keys"][0]["revoked"],
            status
        ),
        (&"ci of Eve".into(), &false.into(), 200)
    );
    assert!(
        words.contains("still work: ci of Eve (…") && words.contains("--revoke-keys"),
        "{words}"
    );

    let (told, words, status) =
        removed_with_a_key(&site, "eva@example.com", &["--revoke-keys"]).await;
    assert_eq!(
        (
            &told["keys"][0]["name"],
            &told["keys"][0]["revoked"],
            status
        ),
        (&"ci of Eve".into(), &true.into(), 401)
    );
    assert!(
        words.contains("Revoked, because they made them: ci of Eve (…"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_links_themself_to_somebody_else_without_linears_word() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    let password = format!("{PASSWORD}\n");
    let add = [
        "user",
        "add",
        "--email",
        "mallory@example.com",
        "--name",
        "Mallory",
        "--org",
        "north",
        "--role",
        "admin",
        "--json",
    ];
    assert_eq!(site.place.json(&add, &password)["email_proved"], true);
    let browser = client();
    let post = |path: &str, fields: &[(&str, &str)]| {
        browser
            .post(format!("{}{path}", site.relink.url))
            .form(fields)
            .send()
    };
    assert_eq!(
        post(
            "/signin",
            &[("email", "mallory@example.com"), ("password", PASSWORD)]
        )
        .await
        .unwrap()
        .status(),
        303
    );
    let connections = site
        .place
        .json(&["connection", "list", "--org", "north", "--json"], "");
    let connection = connections["connections"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    post(
        "/team/me",
        &[("workspace", &connection), ("person", "ada@acme.example")],
    )
    .await
    .unwrap();
    assert_eq!(
        member(&site, "mallory@example.com")["linked"],
        Value::Array(Vec::new())
    );

    // Linear says that it is somebody else than they would like to be.
    let ada = site.linear.state()["workspaces"][0]["users"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let leave = post(
        "/oauth/linear/prove",
        &[("workspace", &connection), ("person", &ada)],
    )
    .await
    .unwrap();
    let leave = leave.headers()["location"].to_str().unwrap().to_owned();
    let asked =
        serde_json::json!({ "authorize_url": leave, "workspace": "acme-robotics", "user": ELIF });
    let back: Value = client()
        .post(format!("{}/control/approve", site.linear_url))
        .json(&asked)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let back = browser
        .get(back["location"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(back.headers()["location"], "/team");
    let page = browser
        .get(format!("{}/team", site.relink.url))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        page.contains("Linear says that you are Elif Demir."),
        "{page}"
    );
    assert_eq!(
        member(&site, "mallory@example.com")["linked"],
        Value::Array(Vec::new())
    );
    let living = site.linear.state()["grants"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|grant| grant["ended"] == false)
        .count();
    assert_eq!(living, 1, "the connection's own");
}
