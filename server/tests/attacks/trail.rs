//! Sessions, passwords, keys and the trail.

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use crate::process::client;
use crate::site::{OWNER, PASSWORD, Site};

#[tokio::test]
async fn a_stranger_without_the_password_gets_no_page() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    assert!(site.page("/integrations").await.contains("Acme Robotics"));
    let listed = site
        .place
        .json(&["connection", "list", "--org", "north", "--json"], "");
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1);
    let minted = site.linear.minted().len();
    let stranger = client();
    let fields = [
        ("email", OWNER),
        ("password", "four lamps beside the quiet harbor"),
    ];
    let tried = stranger
        .post(format!("{}/signin", site.relink.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert!(tried.status() != 303 || tried.headers()["location"] != "/integrations");
    let reply = stranger
        .get(format!("{}/integrations", site.relink.url))
        .send()
        .await
        .unwrap();
    assert!(!reply.text().await.unwrap().contains("Acme Robotics"));
    assert_eq!(
        site.linear.minted().len(),
        minted,
        "Linear is asked for nothing"
    );
}

/// Writes straight into the database of a running server.
async fn sql(site: &Site, statements: &str) {
    let file = site.place.path().join("data/relink.db");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
}

/// Runs `relink audit verify`, and gives what it says and whether it is content.
fn verify(site: &Site, more: &[&str]) -> (Value, bool) {
    let output = site.place.run(
        &[&["audit", "verify", "--org", "north", "--json"], more].concat(),
        "",
    );
    (
        serde_json::from_slice(&output.stdout).unwrap(),
        output.status.success(),
    )
}

#[tokio::test]
async fn whoever_can_write_the_database_alone_cannot_shorten_the_trail() {
    let site = Site::open().await;
    let (first, whole) = verify(&site, &[]);
    assert!(whole && first["good"] == 1, "{first}");
    sql(
        &site,
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_heads AS SELECT * FROM \
            audit_heads",
    )
    .await;
    site.connect("acme-robotics").await;
    let (last, whole) = verify(&site, &[]);
    assert!(whole && last["good"] == 2, "{last}");
    let noted = format!(
        "{}:{}",
        last["last"]["number"],
        last["last"]["hash"].as_str().unwrap()
    );
    assert!(verify(&site, &["--expect", &noted]).1);
    // As after the whole trail was written anew, by whoever has the key too.
    let another = format!("{}:{}", last["last"]["number"], "0".repeat(64));
    let (found, whole) = verify(&site, &["--expect", &another]);
    assert!(!whole && found["as_expected"] == false, "{found}");

    sql(
        &site,
        "CREATE TABLE all_lines AS SELECT * FROM audit; CREATE TABLE all_heads AS SELECT * FROM \
            audit_heads",
    )
    .await;
    for cut in [
        "DELETE FROM audit WHERE number = 2; UPDATE audit_heads SET number = 1, last_hash = \
            (SELECT hash FROM audit)",
        "DELETE FROM audit; DELETE FROM audit_heads",
        "UPDATE audit SET subject = 'Initech Studio' WHERE number = 2",
    ] {
        sql(&site, cut).await;
        let (found, whole) = verify(&site, &[]);
        assert!(!whole && found["broken_at"].is_number(), "{cut}: {found}");
        sql(&site, "DELETE FROM audit; DELETE FROM audit_heads").await;
        sql(
            &site,
            "INSERT INTO audit SELECT * FROM all_lines; INSERT INTO audit_heads SELECT * FROM \
                all_heads",
        )
        .await;
    }
    // An older end, kept with its seal, is the one thing that only who noted a later line can see.
    sql(&site, "DELETE FROM audit; DELETE FROM audit_heads").await;
    sql(
        &site,
        "INSERT INTO audit SELECT * FROM kept; INSERT INTO audit_heads SELECT * FROM kept_heads",
    )
    .await;
    assert!(verify(&site, &[]).1);
    let (found, whole) = verify(&site, &["--expect", &noted]);
    assert!(!whole && found["as_expected"] == false, "{found}");
}

#[tokio::test]
async fn the_trail_cannot_be_begun_anew() {
    let mut site = Site::open().await;
    let everything = "DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM meta WHERE key IN \
        ('canary', 'audit_key')";
    sql(&site, everything).await;
    site.relink.signal("TERM");
    site.relink.exit_code().await;
    let output = site.place.run(&["audit", "verify", "--org", "north"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("table meta"),
        "{said}"
    );
}

#[tokio::test]
async fn two_instances_on_one_host_do_not_sign_each_other_out() {
    let (one, other) = (Site::open().await, Site::open().await);
    let fields = [("email", OWNER), ("password", PASSWORD)];
    let reply = one
        .browser
        .post(format!("{}/signin", other.relink.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["location"], "/integrations");
    let is_in = async |site: &Site| {
        let reply = one
            .browser
            .get(format!("{}/settings", site.relink.url))
            .send()
            .await
            .unwrap();
        reply.text().await.unwrap().contains(OWNER)
    };
    assert!(is_in(&one).await && is_in(&other).await);
    one.browser
        .post(format!("{}/signout", other.relink.url))
        .send()
        .await
        .unwrap();
    assert!(is_in(&one).await && !is_in(&other).await);
    // Nor do they overwrite what a form is known by, for browsers that do not say where it comes
    // from.
    let form_cookie = async |site: &Site| {
        let reply = client()
            .get(format!("{}/link", site.relink.url))
            .send()
            .await
            .unwrap();
        let cookies = reply
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|cookie| cookie.to_str().unwrap().to_owned());
        cookies
            .filter_map(|cookie| Some(cookie.split_once('=')?.0.to_owned()))
            .find(|name| name.contains("form"))
            .unwrap()
    };
    assert_ne!(form_cookie(&one).await, form_cookie(&other).await);
}

#[tokio::test]
async fn a_mark_of_the_encoding_is_no_part_of_a_password() {
    let site = Site::open().await;
    let add = [
        "user",
        "add",
        "--email",
        "olga@example.com",
        "--name",
        "Olga",
        "--org",
        "north",
        "--json",
    ];
    site.place.json(&add, &format!("\u{FEFF}{PASSWORD}\r\n"));
    let fields = [("email", "olga@example.com"), ("password", PASSWORD)];
    let reply = client()
        .post(format!("{}/signin", site.relink.url))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["location"], "/integrations");
}

#[tokio::test]
async fn a_guessed_key_is_in_the_log_with_its_address_and_without_itself() {
    let site = Site::open().await;
    let guessed = "rlk_guessguessguessguessguessguessguessguessgue";
    let calling = client()
        .get(format!("{}/api/v1/connections", site.relink.url))
        .bearer_auth(guessed);
    assert_eq!(calling.send().await.unwrap().status(), 401);
    let refused = "refused a key that is unknown or revoked";
    let since = std::time::Instant::now();
    while !site.relink.said().contains(refused) {
        assert!(since.elapsed().as_secs() < 10, "{}", site.relink.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let said = site.relink.said();
    let line = said.lines().find(|line| line.contains(refused)).unwrap();
    assert!(line.contains("127.0.0.1"), "{line}");
    assert!(!said.contains("guessguess"), "{said}");
}
