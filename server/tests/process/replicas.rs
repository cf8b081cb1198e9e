//! Several servers on one PostgreSQL.

use sqlx::Connection as _;

use crate::process::{Place, Running, client, free_port};

/// An empty schema in the database that `RELINK_TEST_POSTGRES` names; `make test` starts one.
#[expect(clippy::disallowed_methods, reason = "tests are told where PostgreSQL is")]
async fn empty_schema() -> Option<String> {
    let Ok(server) = std::env::var("RELINK_TEST_POSTGRES") else {
        let skipped = std::env::var_os("RELINK_TEST_WITHOUT_POSTGRES").is_some();
        assert!(skipped, "set RELINK_TEST_POSTGRES (`make test` does), or RELINK_TEST_WITHOUT_POSTGRES=1 to do without");
        return None;
    };
    let schema = format!("replicas{}", free_port());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    for statement in [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    Some(format!("{server}?options=-c%20search_path%3D{schema}"))
}

#[tokio::test]
async fn replicas_start_at_once_on_an_empty_database_and_share_accounts_and_sessions() {
    let Some(database) = empty_schema().await else { return };
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
