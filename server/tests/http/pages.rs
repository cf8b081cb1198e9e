//! Pages as such.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use relink_simulator::NewWorkspace;
use tracing::instrument::WithSubscriber as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::world::World;

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
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let statements = Statements::default();
    let subscriber = Arc::new(tracing_subscriber::registry().with(statements.clone()));
    let mut counts = Vec::new();
    for round in 0..2 {
        browser.get("/integrations").with_subscriber(subscriber.clone()).await;
        statements.0.store(0, Ordering::SeqCst);
        let page = browser.get("/integrations").with_subscriber(subscriber.clone()).await;
        page.shows("Acme Robotics");
        counts.push(statements.0.load(Ordering::SeqCst));
        if round == 0 {
            for number in 0..12 {
                let name = format!("Workspace {number}");
                world.linear.add_workspace(NewWorkspace { name, url_key: format!("w{number}"), ..NewWorkspace::default() }).unwrap();
                browser.walk(&format!("w{number}"), &[]).await;
            }
        }
    }
    assert!(counts[0] > 0, "statements are counted");
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn the_simulated_linear_is_announced_on_every_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.get("/signup").await.shows("Simulated Linear.");
    let mut browser = world.owner().await;
    for path in ["/integrations", "/settings", "/nothing-here"] {
        browser.get(path).await.shows("Simulated Linear.");
    }
}

#[tokio::test]
async fn the_theme_is_kept_in_the_browser_and_rendered_by_the_server() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    assert!(!browser.get("/settings").await.body.contains("data-theme"));
    assert_eq!(browser.post("/theme", &[("theme", "dark")]).await.location(), "/settings");
    assert!(browser.get("/integrations").await.body.contains("data-theme=\"dark\""));
    browser.post("/theme", &[("theme", "\"><script>")]).await;
    assert!(!browser.get("/integrations").await.body.contains("data-theme"));
}

#[tokio::test]
async fn settings_tell_what_to_register_in_linear() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/settings").await;
    assert!(page.body.contains("http://localhost:3000/oauth/linear/callback"));
    assert!(page.body.contains(&world.linear.app().client_id));
    page.hides(&world.linear.app().client_secret);
    page.shows("SQLite");
}

#[tokio::test]
async fn an_unknown_error_in_the_address_bar_is_never_echoed() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/integrations?error=%3Cb%3Eevil").await;
    page.shows("Connecting did not work.");
    page.hides("evil");
    let page = browser.get("/integrations?__path=/signin&__err=evil").await;
    page.hides("evil");
}
