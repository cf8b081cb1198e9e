//! Several servers on one PostgreSQL.

use crate::fleet::empty_database;
use crate::process::{Place, Running, client};

#[tokio::test]
async fn replicas_start_at_once_on_an_empty_database_and_share_accounts_and_sessions() {
    let Some(database) = empty_database().await else { return };
    let keys = format!("k1:{}=", "B".repeat(42) + "A");
    let place = || Place::new().set("DATABASE_URL", &database).set("RELINK_KEYS", &keys);
    let (here, there) = (place(), place());
    let (first, second) = tokio::join!(Running::serve(&here), Running::serve(&there));
    let client = client();
    let fields = [("organisation", "North"), ("name", "Ada"), ("email", "ada@example.com"), ("password", "long enough password")];
    let reply = client.post(format!("{}/signup", first.url)).form(&fields).send().await.unwrap();
    assert_eq!(reply.headers()["location"], "/integrations");
    // Cookies do not know ports: the browser is signed in on both.
    let page = client.get(format!("{}/integrations", second.url)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Ada") && page.contains("Connect your first workspace"), "{page}");
    let reply = client.post(format!("{}/signup", second.url)).form(&fields).send().await.unwrap();
    assert_eq!(reply.headers()["location"], "/signin", "there is one owner, on all replicas");
}

#[tokio::test]
async fn postgres_without_keys_does_not_start() {
    let output = Place::new().set("DATABASE_URL", "postgres://relink@127.0.0.1:1/relink").run(&["serve"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("relink: RELINK_KEYS: "), "{output:?}");
}
