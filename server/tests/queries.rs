//! The number of times that a page asks the database. Alone in its process: statements are counted
//! wherever they come from.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[path = "http/world.rs"]
#[expect(dead_code, reason = "made for the tests over HTTP")]
mod world;

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::{Method, Request};
use relink_engine::Acting;
use relink_engine::clock::MINUTE;
use relink_engine::webhook::SigningKey;
use relink_simulator::NewWorkspace;
use serde_json::json;
use tokio::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use world::{Browser, World};

/// One test counts at a time.
static STATEMENTS: LazyLock<Mutex<Statements>> = LazyLock::new(|| {
    let statements = Statements::default();
    tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(statements.clone()),
    )
    .unwrap();
    Mutex::new(statements)
});

/// Counts statements that reach the database.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut setup = Setup(false);
        event.record(&mut setup);
        if event.metadata().target().starts_with("sqlx::query") && !setup.0 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Whether a statement sets a connection up: the pool opens one more whenever it likes.
struct Setup(bool);

impl Visit for Setup {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= field.name() == "summary" && value.starts_with("PRAGMA ");
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Statements {
    fn start(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    fn counted(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Connects a workspace that Linear did not have before.
async fn connect_new(browser: &mut Browser<'_>, number: usize) {
    let (name, url_key) = (format!("Workspace {number}"), format!("w{number}"));
    browser
        .world
        .linear
        .add_workspace(NewWorkspace {
            name,
            url_key: url_key.clone(),
            ..NewWorkspace::default()
        })
        .unwrap();
    browser.walk(&url_key, &[]).await;
}

#[tokio::test]
async fn a_page_asks_the_database_as_often_for_many_connections_as_for_one() {
    let statements = STATEMENTS.lock().await;
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let mut counts = Vec::new();
    for round in 0..2 {
        browser.get("/integrations").await;
        // Every proof is old: all of them are renewed on the way.
        world.advance(MINUTE);
        statements.start();
        browser.get("/integrations").await.shows("Acme Robotics");
        counts.push(statements.counted());
        if round == 0 {
            for number in 0..11 {
                connect_new(&mut browser, number).await;
            }
        }
    }
    assert!(counts[0] > 0, "statements are counted");
    assert_eq!(counts[0], counts[1]);
}

/// Linear tells of an issue. The app's secret signs: of a workspace's own it would be written down
/// later that it matched, maybe while statements are counted.
async fn deliver(world: &World, workspace: &str, number: usize) {
    let body = json!({
        "action": "update", "type": "Issue", "organizationId": workspace,
        "webhookTimestamp": world.engine.now(),
        "data": { "id": format!("i{number}"), "identifier": format!("ENG-{number}"),
            "title": "Retry uploads" },
    })
    .to_string();
    let signature = SigningKey::new(&world.linear.app().webhook_secret.into())
        .unwrap()
        .sign(body.as_bytes());
    let request = Request::builder()
        .method(Method::POST)
        .uri("/webhooks/linear")
        .header("content-type", "application/json");
    let request = request
        .header("linear-signature", signature.as_slice())
        .body(Body::from(body))
        .unwrap();
    assert_eq!(world.send(request).await.status, 200);
}

#[tokio::test]
async fn the_page_of_deliveries_asks_the_database_as_often_for_fifty_as_for_one() {
    let statements = STATEMENTS.lock().await;
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap();
    let mut counts = Vec::new();
    // How many more there are in each round, and what the page says of them then.
    for (workspaces, destinations, deliveries, shown) in
        [(0, 1, 1, "1 delivery"), (4, 5, 49, "Newest 20 Older")]
    {
        for number in 0..workspaces {
            connect_new(&mut browser, number).await;
        }
        for number in 0..destinations {
            let url = format!("https://hooks{number}.example.com/");
            browser
                .post("/deliveries/destinations", &[("url", &url)])
                .await;
        }
        let connections = world.store.connections(&organisation.id).await.unwrap();
        assert_eq!(connections.len(), workspaces + 1);
        for number in 0..deliveries {
            deliver(
                &world,
                &connections[number % connections.len()].workspace.id,
                deliveries + number,
            )
            .await;
        }
        // The secret of the new destination is read once.
        browser.get("/deliveries").await;
        statements.start();
        browser.get("/deliveries").await.shows(shown);
        counts.push(statements.counted());
    }
    let waiting: u64 = world
        .engine
        .destinations(Acting::command(&organisation.id))
        .list()
        .await
        .unwrap()
        .iter()
        .map(|one| one.waiting)
        .sum();
    assert_eq!(waiting, 50 + 5 * 49, "they are for several destinations");
    assert!(counts[0] > 0, "statements are counted");
    assert_eq!(counts[0], counts[1]);
}
