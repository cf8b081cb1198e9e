//! Pages as such.

use crate::world::World;

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
