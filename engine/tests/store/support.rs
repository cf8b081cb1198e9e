//! Fresh stores for tests, on both databases.

use std::path::Path;

use relink_engine::account::{NewMember, Person, Role};
use relink_engine::connection::{Actor as ConnectionActor, Viewer, Workspace};
use relink_engine::entropy::Entropy;
use relink_engine::store::{Act, Actor, Adoption, NewGrant, Store};
use tempfile::TempDir;

/// A store that nobody else uses. Keep it whole: the SQLite file goes with it.
pub struct Fresh {
    pub store: Store,
    pub url: String,
    _dir: Option<TempDir>,
}

pub async fn sqlite() -> Fresh {
    let fresh = empty_sqlite().await;
    fresh.store.migrate().await.unwrap();
    fresh
}

pub async fn empty_sqlite() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let url = dir.path().join("relink.db").display().to_string();
    Fresh { store: open(&url).await, url, _dir: Some(dir) }
}

pub async fn postgres() -> Option<Fresh> {
    let fresh = empty_postgres().await?;
    fresh.store.migrate().await.unwrap();
    Some(fresh)
}

/// Another way into the same database.
pub async fn open(url: &str) -> Store {
    let opened = if url.starts_with("postgres") { Store::open_postgres(url).await } else { Store::open_sqlite(Path::new(url)).await };
    opened.unwrap()
}

/// A schema of its own in the database that `RELINK_TEST_POSTGRES` names; `make test` starts one.
#[expect(clippy::disallowed_methods, reason = "tests are told where PostgreSQL is, and name schemas by chance")]
pub async fn empty_postgres() -> Option<Fresh> {
    use sqlx::Connection as _;
    let Ok(server) = std::env::var("RELINK_TEST_POSTGRES") else {
        let skipped = std::env::var_os("RELINK_TEST_WITHOUT_POSTGRES").is_some();
        assert!(skipped, "set RELINK_TEST_POSTGRES (`make test` does), or RELINK_TEST_WITHOUT_POSTGRES=1 to do without");
        return None;
    };
    let entropy = Entropy::new(|slice| getrandom::fill(slice).unwrap());
    let schema = format!("t{}", entropy.id().replace('-', ""));
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
    Some(Fresh { store: open(&url).await, url, _dir: None })
}

/// A database of its own behind a pooler in transaction mode, in the server that `RELINK_TEST_PGBOUNCER` names.
#[expect(clippy::disallowed_methods, reason = "tests are told where the pooler is, and name databases by chance")]
pub async fn pooled() -> Option<Fresh> {
    use sqlx::Connection as _;
    let server = std::env::var("RELINK_TEST_POSTGRES").ok()?;
    let pooler = std::env::var("RELINK_TEST_PGBOUNCER").expect("RELINK_TEST_PGBOUNCER is set where RELINK_TEST_POSTGRES is");
    let entropy = Entropy::new(|slice| getrandom::fill(slice).unwrap());
    let database = format!("t{}", entropy.id().replace('-', ""));
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut connection).await.unwrap();
    let url = format!("{pooler}/{database}");
    let fresh = Fresh { store: open(&url).await, url, _dir: None };
    fresh.store.migrate().await.unwrap();
    Some(fresh)
}

/// One test body, run on either database, and on PostgreSQL behind a pooler.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_pooled_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(fresh) = $crate::support::pooled().await {
                    super::$name(fresh).await;
                }
            })*
        }
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(fresh) = $crate::support::postgres().await {
                    super::$name(fresh).await;
                }
            })*
        }
    };
}

/// A member of an organisation that is made on the way.
pub async fn member(store: &Store, slug: &str, email: &str, role: Role) -> Person {
    let new = NewMember {
        organisation_id: format!("org-{slug}"),
        organisation_slug: slug.to_owned(),
        organisation_name: slug.to_uppercase(),
        user_id: format!("user-{email}"),
        email: email.to_owned(),
        name: format!("Name of {email}"),
        password_hash: "no hash".to_owned(),
        role,
        actor: Actor::default(),
        now: 1,
    };
    store.member_add(&new, false).await.unwrap();
    store.member(&new.organisation_id, &new.user_id).await.unwrap().unwrap()
}

/// A finished consent for a workspace.
pub fn adoption(person: &Person, id: &str, workspace: &str) -> Adoption {
    Adoption {
        id: id.to_owned(),
        organisation_id: person.organisation_id.clone(),
        app_id: None,
        workspace: Workspace { id: workspace.to_owned(), name: "Acme".to_owned(), url_key: "acme".to_owned(), logo_url: None },
        actor: ConnectionActor::App,
        viewer: Viewer { id: "v".to_owned(), name: "Relink".to_owned() },
        scopes: vec!["read".to_owned(), "write".to_owned()],
        connected_by: person.user_id.clone(),
        grant: NewGrant {
            access_sealed: vec![1],
            refresh_sealed: Some(vec![2]),
            fingerprint: "0123456789abcdef".to_owned(),
            issued_at: 10,
            expires_at: 86_400_010,
        },
        exclusive: true,
        act: act(&person.organisation_id, "connection.connected", 10),
        now: 10,
    }
}

/// Something that is done by command.
pub fn act(organisation: &str, act: &'static str, at: i64) -> Act {
    Act { organisation_id: organisation.to_owned(), actor: Actor::command(), act, subject: "s".to_owned(), at }
}
