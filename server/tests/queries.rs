//! How often a page asks the database. Alone in its process: statements are counted wherever they come from.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[path = "http/world.rs"]
#[expect(dead_code, reason = "made for the tests over HTTP")]
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use relink_engine::clock::MINUTE;
use relink_simulator::NewWorkspace;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use world::World;

/// Counts statements that reach the database.
#[derive(Clone, Default)]
struct Statements(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("sqlx::query") {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_page_asks_the_database_as_often_for_many_connections_as_for_one() {
    let statements = Statements::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(statements.clone())).unwrap();
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let mut counts = Vec::new();
    for round in 0..2 {
        browser.get("/integrations").await;
        // Every proof is old: all of them are renewed on the way.
        world.advance(MINUTE);
        statements.0.store(0, Ordering::SeqCst);
        browser.get("/integrations").await.shows("Acme Robotics");
        counts.push(statements.0.load(Ordering::SeqCst));
        if round == 0 {
            for number in 0..11 {
                let name = format!("Workspace {number}");
                world.linear.add_workspace(NewWorkspace { name, url_key: format!("w{number}"), ..NewWorkspace::default() }).unwrap();
                browser.walk(&format!("w{number}"), &[]).await;
            }
        }
    }
    assert!(counts[0] > 0, "statements are counted");
    assert_eq!(counts[0], counts[1]);
}
