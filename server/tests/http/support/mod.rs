//! Helpers that several files of tests share.

pub mod functions;
pub mod mail;
pub mod own_apps;
pub mod team;
pub mod webhooks;

use axum::http::header;
use axum::http::{Method, Request};
use sqlx::Connection as _;

use crate::world::{Browser, World};

/// Posts as a program would with this browser's session, and gives the answer.
pub async fn program(browser: &Browser<'_>, path: &str, body: &str) -> u16 {
    let cookies: Vec<_> = browser
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", "localhost:3000")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "*/*")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookies.join("; "));
    browser
        .world
        .send(request.body(body.to_owned().into()).unwrap())
        .await
        .status
}

/// Everything on disk, the database's journal included.
pub fn on_disk(world: &World) -> Vec<u8> {
    let files = std::fs::read_dir(world.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where PostgreSQL is, and name databases by chance"
)]
pub async fn empty_database() -> Option<String> {
    let Ok(server) = std::env::var("RELINK_TEST_POSTGRES") else {
        let skipped = std::env::var_os("RELINK_TEST_WITHOUT_POSTGRES").is_some();
        assert!(
            skipped,
            "set RELINK_TEST_POSTGRES (`make test` does), or RELINK_TEST_WITHOUT_POSTGRES=1 to do \
                without"
        );
        return None;
    };
    let mut name = [0; 8];
    getrandom::fill(&mut name).unwrap();
    let name = format!("cut{}", u64::from_le_bytes(name));
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    Some(format!("{}/{name}", server.rsplit_once('/').unwrap().0))
}
