//! Ending a connection.

use relink_engine::clock::{DAY, MINUTE};
use relink_engine::identity::Role;
use relink_simulator::{Endpoint, Kind};

use crate::world::{Setup, World, both};

#[tokio::test]
async fn disconnecting_asks_first_and_then_revokes_both_tokens() {
    for world in both().await {
        let mut browser = world.owner().await;
        let id = browser.connect("acme-robotics").await;
        let page = browser
            .get(&format!("/integrations/{id}?confirm=disconnect"))
            .await;
        page.shows("Disconnect Acme Robotics?");
        page.shows("Keep connected");
        assert_eq!(world.living_tokens(), 2);
        assert_eq!(
            browser
                .post("/integrations/disconnect", &[("connection", &id)])
                .await
                .location(),
            "/integrations"
        );
        assert_eq!(world.living_tokens(), 0);
        let page = browser.get("/integrations").await;
        page.shows("Not connected");
        page.shows("Disconnected by Priya Raman today. Both tokens were revoked at Linear.");
    }
}

#[tokio::test]
async fn the_question_counts_who_loses_the_workspace() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let asked = format!("/integrations/{id}?confirm=disconnect");
    browser
        .get(&asked)
        .await
        .shows("Both tokens are revoked at Linear now");
    browser.get(&asked).await.shows(
        "1 API key loses this workspace Linked people, signing secrets and this history are kept \
            for 30 days",
    );
    program.token(&id).await.token();
    world.advance(2 * MINUTE);
    browser
        .get(&asked)
        .await
        .shows("Both tokens are revoked at Linear now");
    browser
        .get(&asked)
        .await
        .shows("1 API key loses this workspace; “ci” was used 2 min ago");
    let mut admin = world
        .member("northwind-labs", "adam@northwind.dev", Role::Admin)
        .await;
    admin.get(&asked).await.shows("“ci” was used 2 min ago");
    let mut member = world
        .member("northwind-labs", "mara@northwind.dev", Role::Member)
        .await;
    let page = member.get(&asked).await;
    page.shows("Acme Robotics");
    page.hides("Disconnect Acme");
    page.hides("API key");
}

#[tokio::test]
async fn disconnecting_works_while_linear_is_down_and_says_so() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.faults(Endpoint::Revoke, Kind::Html500, 2);
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let page = browser.get("/integrations").await;
    page.shows("Not connected");
    page.shows("Linear did not confirm the revocation");
    assert_eq!(world.living_tokens(), 2);

    world.advance(2 * MINUTE);
    assert_eq!(
        world.engine.finish_revocations().await.unwrap(),
        1,
        "asked again behind the scenes"
    );
    assert_eq!(world.living_tokens(), 0);
    browser
        .get("/integrations")
        .await
        .shows("Both tokens were revoked at Linear.");
}

#[tokio::test]
async fn tokens_that_nobody_confirms_void_are_forgotten_after_a_day() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.faults(Endpoint::Revoke, Kind::Html500, 100);
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    world.advance(DAY);
    assert_eq!(world.engine.finish_revocations().await.unwrap(), 0);
    let asked = world.count("revoke");
    world.engine.finish_revocations().await.unwrap();
    assert_eq!(world.count("revoke"), asked);
}

#[tokio::test]
async fn a_broken_connection_can_be_disconnected_and_counts_as_revoked() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.linear.uninstall("acme-robotics").unwrap();
    world.advance(MINUTE);
    browser
        .get("/integrations")
        .await
        .shows("Reconnect required");
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    browser
        .get("/integrations")
        .await
        .shows("Both tokens were revoked at Linear.");
}

#[tokio::test]
async fn disconnecting_twice_is_harmless() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    for _ in 0..2 {
        assert_eq!(
            browser
                .post("/integrations/disconnect", &[("connection", &id)])
                .await
                .location(),
            "/integrations"
        );
    }
    browser
        .get("/integrations")
        .await
        .shows("Both tokens were revoked at Linear.");
}

#[tokio::test]
async fn a_disconnected_workspace_can_be_connected_again_also_by_others() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(browser.connect("acme-robotics").await, id);
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let mut other = world
        .member(
            "southwind",
            "sam@southwind.dev",
            relink_engine::identity::Role::Owner,
        )
        .await;
    other.connect("acme-robotics").await;
}

#[tokio::test]
async fn somebody_elses_connection_cannot_be_disconnected() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    let mut other = world
        .member(
            "southwind",
            "sam@southwind.dev",
            relink_engine::identity::Role::Owner,
        )
        .await;
    other
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    other
        .get("/integrations")
        .await
        .shows("There is nothing here.");
    owner
        .get("/integrations")
        .await
        .shows("Acme Robotics is connected");
}

#[tokio::test]
async fn a_shared_workspaces_tokens_wait_for_the_last_of_its_connections() {
    for revoke_ends_installation in [false, true] {
        let world = World::with(Setup {
            shared_workspaces: true,
            revoke_ends_installation,
            ..Setup::default()
        })
        .await;
        let mut owner = world.owner().await;
        let id = owner.connect("acme-robotics").await;
        let mut other = world
            .member(
                "southwind",
                "sam@southwind.dev",
                relink_engine::identity::Role::Owner,
            )
            .await;
        let theirs = other.connect("acme-robotics").await;
        let asked = owner
            .get(&format!("/integrations/{id}?confirm=disconnect"))
            .await;
        asked.shows(
            "The tokens are kept sealed, as another organisation here is connected to it through \
                the same Linear app",
        );
        asked.hides("Both tokens are revoked at Linear");
        asked.hides("Revokes both tokens at Linear");
        owner
            .post("/integrations/disconnect", &[("connection", &id)])
            .await;
        let page = owner.get("/integrations").await;
        page.shows(
            "Acme Robotics is disconnected. Another organisation here is connected to it through \
                the same Linear app",
        );
        assert!(world.lives("southwind", &theirs).await);
        world.advance(3 * DAY);
        assert_eq!(world.engine.finish_revocations().await.unwrap(), 0);
        owner
            .get("/integrations")
            .await
            .shows("the tokens are kept sealed, and revoked when that ends");
        assert!(world.lives("southwind", &theirs).await);
        other
            .post("/integrations/disconnect", &[("connection", &theirs)])
            .await;
        assert_eq!(world.living_tokens(), 0);
        owner
            .get("/integrations")
            .await
            .shows("Both tokens were revoked at Linear.");
    }
}

#[tokio::test]
async fn disconnecting_revokes_the_pairs_of_earlier_consents_too() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    browser.reconnect(&id, "acme-robotics").await;
    browser.reconnect(&id, "acme-robotics").await;
    assert_eq!(
        world.living_tokens(),
        6,
        "Linear honours each consent's pair"
    );
    world.faults(Endpoint::Revoke, Kind::Html500, 1);
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_ne!(world.living_tokens(), 0);
    world.advance(2 * MINUTE);
    assert_eq!(world.engine.finish_revocations().await.unwrap(), 1);
    assert_eq!(world.living_tokens(), 0);
    browser
        .get("/integrations")
        .await
        .shows("Both tokens were revoked at Linear.");
}
