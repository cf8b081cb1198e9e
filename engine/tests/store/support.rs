//! Fresh stores for tests, on both databases.

use std::path::Path;

use relink_engine::connection::{ActAs, Viewer, Workspace};
use relink_engine::entropy::Entropy;
use relink_engine::identity::{NewMember, Person, Role};
use relink_engine::store::{
    Act, Adoption, AuditActor, AuditKey, DeliveryOutcome, Member, NewDelivery, NewGrant,
    RecipientRow, Store,
};
use relink_engine::webhook::EventKey;
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// A store that nobody else uses. Keep it whole: the SQLite file goes with it.
pub struct Fresh {
    pub store: Store,
    pub url: String,
    _dir: Option<TempDir>,
}

impl Fresh {
    /// The one number that a statement answers, if it answers one.
    pub async fn ask(&self, sql: &str) -> Option<i64> {
        use std::str::FromStr as _;

        use sqlx::postgres::PgConnectOptions;
        use sqlx::{AssertSqlSafe, Connection as _, Row as _, raw_sql};
        let sql = raw_sql(AssertSqlSafe(sql.to_owned()));
        if self.is_postgres() {
            // A pooler takes no such parameter.
            let options = PgConnectOptions::from_str(&self.url)
                .unwrap()
                .extra_float_digits(None);
            let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
            sql.fetch_optional(&mut connection)
                .await
                .unwrap()
                .map(|row| row.get(0))
        } else {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sql.fetch_optional(&mut connection)
                .await
                .unwrap()
                .map(|row| row.get(0))
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    /// Measures what all tables and indexes take on the disk. SQLite's log comes on top, which does
    /// not grow with them.
    pub async fn bytes_on_disk(&self) -> i64 {
        if !self.is_postgres() {
            return i64::try_from(std::fs::metadata(&self.url).unwrap().len()).unwrap();
        }
        let sql = "SELECT SUM(pg_total_relation_size(c.oid))::BIGINT FROM pg_class c JOIN \
            pg_namespace n ON n.oid = c.relnamespace \
            WHERE n.nspname = current_schema() AND c.relkind = 'r'";
        self.ask(sql).await.unwrap()
    }
}

pub async fn sqlite() -> Fresh {
    let fresh = empty_sqlite().await;
    fresh.store.migrate().await.unwrap();
    fresh
}

pub async fn empty_sqlite() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let url = dir.path().join("relink.db").display().to_string();
    Fresh {
        store: open(&url).await,
        url,
        _dir: Some(dir),
    }
}

pub async fn postgres() -> Option<Fresh> {
    let fresh = empty_postgres().await?;
    fresh.store.migrate().await.unwrap();
    Some(fresh)
}

/// Another way into the same database.
pub async fn open(url: &str) -> Store {
    let opened = if url.starts_with("postgres") {
        Store::open_postgres(url).await
    } else {
        Store::open_sqlite(Path::new(url)).await
    };
    let store = opened.unwrap();
    store.audit_unlock(audit_key());
    store
}

/// The same for everybody who opens a database in tests.
pub fn audit_key() -> AuditKey {
    AuditKey::new(&"key of the trail".into())
}

/// A schema of its own in the database of the server for tests.
pub async fn empty_postgres() -> Option<Fresh> {
    let (server, schema) = (postgres_url()?, name());
    execute(&server, &format!("CREATE SCHEMA {schema}")).await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
    Some(Fresh {
        store: open(&url).await,
        url,
        _dir: None,
    })
}

/// A database of its own behind a pooler in transaction mode, in the server that
/// `RELINK_TEST_PGBOUNCER` names.
pub async fn pooled() -> Option<Fresh> {
    let url = Server::new("").await?.pooled_url();
    let fresh = Fresh {
        store: open(&url).await,
        url,
        _dir: None,
    };
    fresh.store.migrate().await.unwrap();
    Some(fresh)
}

/// A PostgreSQL database of its own, and ways into it past the store.
pub struct Server {
    /// The address of this database for whoever owns the server.
    admin: String,
    url: String,
    database: String,
}

impl Server {
    /// A database that is made with these options.
    pub async fn new(options: &str) -> Option<Server> {
        let (server, database) = (postgres_url()?, name());
        execute(&server, &format!("CREATE DATABASE {database} {options}")).await;
        let url = format!("{}/{database}", server.rsplit_once('/').unwrap().0);
        Some(Server {
            admin: url.clone(),
            url,
            database,
        })
    }

    /// A database whose owner may have this many connections.
    pub async fn limited(connections: u32) -> Option<Server> {
        let (server, role) = (postgres_url()?, name());
        execute(
            &server,
            &format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT {connections}"),
        )
        .await;
        let made = Server::new(&format!("OWNER {role}")).await?;
        let url = made.url.replacen("relink@", &format!("{role}@"), 1);
        assert_ne!(url, made.url, "tests know who owns the server");
        Some(Server { url, ..made })
    }

    pub fn name(&self) -> &str {
        &self.database
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told where the pooler is"
    )]
    pub fn pooled_url(&self) -> String {
        let pooler = std::env::var("RELINK_TEST_PGBOUNCER")
            .expect("RELINK_TEST_PGBOUNCER is set where RELINK_TEST_POSTGRES is");
        format!("{pooler}/{}", self.database)
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.admin).await.unwrap()
    }

    pub async fn run(&self, sql: &str) {
        execute(&self.admin, sql).await;
    }

    /// Runs a statement from another database of the same server.
    pub async fn run_beside(&self, sql: &str) {
        execute(&postgres_url().unwrap(), sql).await;
    }

    /// A default of the database.
    pub async fn set(&self, setting: &str) {
        execute(
            &self.admin,
            &format!("ALTER DATABASE {} SET {setting}", self.database),
        )
        .await;
    }

    /// Ends what a store or a pooler has open, and waits until it is gone.
    pub async fn end_sessions(&self) {
        const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut raw = self.connect().await;
        while sqlx::raw_sql(END)
            .fetch_optional(&mut raw)
            .await
            .unwrap()
            .is_some()
        {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests name schemas and databases by chance"
)]
fn name() -> String {
    format!(
        "t{}",
        Entropy::new(|slice| getrandom::fill(slice).unwrap())
            .id()
            .replace('-', "")
    )
}

/// The server that `RELINK_TEST_POSTGRES` names; `make test` starts one.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where PostgreSQL is"
)]
fn postgres_url() -> Option<String> {
    let Ok(server) = std::env::var("RELINK_TEST_POSTGRES") else {
        let skipped = std::env::var_os("RELINK_TEST_WITHOUT_POSTGRES").is_some();
        assert!(
            skipped,
            "set RELINK_TEST_POSTGRES (`make test` does), or RELINK_TEST_WITHOUT_POSTGRES=1 to do \
                without"
        );
        return None;
    };
    Some(server)
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
        password_hash: Some("no hash".to_owned()),
        role,
        actor: AuditActor::default(),
        now: 1,
    };
    if store.member_add(&new, false).await.unwrap() == Member::AccountExists {
        let there = NewMember {
            password_hash: None,
            ..new.clone()
        };
        assert!(matches!(
            store.member_add(&there, false).await.unwrap(),
            Member::Added | Member::Already
        ));
    }
    store
        .member(&new.organisation_id, &new.user_id)
        .await
        .unwrap()
        .unwrap()
}

/// A finished consent for a workspace.
pub fn adoption(person: &Person, id: &str, workspace: &str) -> Adoption {
    Adoption {
        id: id.to_owned(),
        organisation_id: person.organisation_id.clone(),
        app_id: None,
        client_id: "the app".to_owned(),
        workspace: Workspace {
            id: workspace.to_owned(),
            name: "Acme".to_owned(),
            url_key: "acme".to_owned(),
            logo_url: None,
        },
        actor: ActAs::App,
        viewer: Viewer {
            id: "v".to_owned(),
            name: "Relink".to_owned(),
        },
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
        minted: None,
        act: act(&person.organisation_id, "connection.connected", 10),
        now: 10,
    }
}

/// Writes straight into the database, to make what Relink never would.
pub async fn sql(fresh: &Fresh, sql: &str) {
    use sqlx::postgres::PgConnectOptions;
    use sqlx::{Connection as _, Executor as _};
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    if fresh.url.starts_with("postgres") {
        // A pooler takes no parameter that it does not know.
        let options = fresh
            .url
            .parse::<PgConnectOptions>()
            .unwrap()
            .extra_float_digits(None);
        sqlx::PgConnection::connect_with(&options)
            .await
            .unwrap()
            .execute(sqlx::raw_sql(sql))
            .await
            .unwrap();
    } else {
        sqlx::SqliteConnection::connect(&fresh.url)
            .await
            .unwrap()
            .execute(sqlx::raw_sql(sql))
            .await
            .unwrap();
    }
}

/// Something that is done by command.
pub fn act(organisation: &str, act: &'static str, at: i64) -> Act {
    Act {
        organisation_id: organisation.to_owned(),
        actor: AuditActor::command(),
        act,
        subject: "s".to_owned(),
        at,
    }
}

pub const ORG: &str = "org-north";

pub fn recipient(organisation: &str) -> RecipientRow {
    RecipientRow {
        organisation_id: organisation.to_owned(),
        messages: Vec::new(),
    }
}

pub fn key(workspace: &str, event: &[u8]) -> EventKey {
    let digest = Sha256::new()
        .chain_update(workspace)
        .chain_update([0])
        .chain_update(event)
        .finalize();
    digest[..22].try_into().unwrap()
}

pub fn delivery(workspace: &str, body: &[u8], at: i64) -> NewDelivery {
    NewDelivery {
        workspace_id: workspace.to_owned(),
        key: key(workspace, body),
        digest: Sha256::digest(body).into(),
        outcome: DeliveryOutcome::Accepted,
        event: "Issue".to_owned(),
        action: "update".to_owned(),
        subject: "ENG-1".to_owned(),
        actor: "Mara".to_owned(),
        entity: "i1".to_owned(),
        headers: "[]".to_owned(),
        delivery_id: None,
        webhook: "h1".to_owned(),
        secret_id: String::new(),
        // It is part of the body: the same for the same one.
        webhook_timestamp: 1,
        received_at: at,
        took_us: 900,
        to_do: false,
        body: body.to_vec().into(),
        recipients: vec![recipient(ORG)],
    }
}

/// Stores deliveries. For each: whether somebody has it now who had not before.
pub async fn put(store: &Store, new: &[NewDelivery]) -> Vec<bool> {
    store.deliveries_put(new).await.unwrap().fresh
}
