//! A connection that is made while something else is being revoked at Linear, which may end the
//! whole installation.

use std::time::{Duration, Instant};

use relink_engine::clock::MINUTE;
use relink_engine::identity::Role;
use relink_simulator::{Endpoint, Fault, Kind};
use tokio::time::sleep;

use crate::support::empty_database;
use crate::support::own_apps::{own_app, private};
use crate::world::{Browser, Setup, World, fault};

/// Makes a world for each answer to what a revocation ends, on each database.
async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for revoke_ends_installation in [false, true] {
        for postgres in [None, empty_database().await] {
            worlds.push(
                World::with(Setup {
                    revoke_ends_installation,
                    postgres,
                    ..Setup::default()
                })
                .await,
            );
        }
    }
    worlds
}

impl World {
    async fn until_heard(&self, endpoint: &str, before: u64) {
        let began = Instant::now();
        while self.count(endpoint) == before {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "nothing came to {endpoint}"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn slow(&self, endpoint: Endpoint, kind: Kind, delay_ms: u64, count: u64) {
        self.linear
            .add_fault(Fault {
                delay_ms: Some(delay_ms),
                count,
                ..fault(endpoint, kind)
            })
            .unwrap();
    }

    async fn both_organisations(&self) -> (Browser<'_>, Browser<'_>) {
        (
            self.owner().await,
            self.member("southwind", "sam@southwind.dev", Role::Owner)
                .await,
        )
    }
}

/// A browser that Linear sends back with a yes.
async fn on_the_way_back(browser: &mut Browser<'_>) -> String {
    let leave = browser.leave_for_linear(&[]).await;
    browser.decide(&leave, "acme-robotics", "approve")
}

#[tokio::test]
async fn a_connection_that_is_made_while_another_one_is_revoked_outlives_that() {
    for world in worlds().await {
        let (mut owner, mut other) = world.both_organisations().await;
        let id = owner.connect("acme-robotics").await;
        let back = on_the_way_back(&mut other).await;
        world.slow(Endpoint::Revoke, Kind::Delay, 1_500, 2);
        let made = async {
            world.until_heard("revoke", 0).await;
            other.get(&back).await
        };
        let which = [("connection", id.as_str())];
        let (_, made) = tokio::join!(owner.post("/integrations/disconnect", &which), made);
        assert_eq!(made.location(), "/integrations");
        owner
            .get("/integrations")
            .await
            .shows("Both tokens were revoked at Linear.");
        let theirs = other.connection_id("acme-robotics").await;
        assert!(world.lives("southwind", &theirs).await);
        assert_eq!(world.living_tokens(), 2);
    }
}

#[tokio::test]
async fn a_revocation_gives_way_to_a_connection_that_is_just_being_made() {
    for world in worlds().await {
        let (mut owner, mut other) = world.both_organisations().await;
        let id = owner.connect("acme-robotics").await;
        let (back, asked) = (on_the_way_back(&mut other).await, world.count("graphql"));
        world.slow(Endpoint::Graphql, Kind::DelayReply, 4_000, 1);
        let ended = async {
            world.until_heard("graphql", asked).await;
            owner
                .post("/integrations/disconnect", &[("connection", &id)])
                .await;
        };
        let (made, ()) = tokio::join!(other.get(&back), ended);
        assert_eq!(
            (made.location(), world.count("revoke")),
            ("/integrations", 0)
        );
        let theirs = other.connection_id("acme-robotics").await;
        world.advance(2 * MINUTE);
        assert_eq!(
            world.engine.finish_revocations().await.unwrap(),
            0,
            "it waits for that one's end now"
        );
        assert!(world.lives("southwind", &theirs).await);
        other
            .post("/integrations/disconnect", &[("connection", &theirs)])
            .await;
        assert_eq!(world.living_tokens(), 0);
    }
}

/// A Connect that is under way may lead to any workspace, nobody knows yet. Linear is not blamed
/// for what it was not asked.
#[tokio::test]
async fn a_disconnect_that_waits_for_a_consent_says_so_and_is_finished_soon() {
    for world in worlds().await {
        let (mut owner, mut other) = world.both_organisations().await;
        let id = owner.connect("acme-robotics").await;
        let leave = other.leave_for_linear(&[]).await;
        let (back, asked) = (
            other.decide(&leave, "globex", "approve"),
            world.count("graphql"),
        );
        world.slow(Endpoint::Graphql, Kind::DelayReply, 4_000, 1);
        let ended = async {
            world.until_heard("graphql", asked).await;
            owner
                .post("/integrations/disconnect", &[("connection", &id)])
                .await;
            owner.get("/integrations").await
        };
        let (made, page) = tokio::join!(other.get(&back), ended);
        assert_eq!(
            (made.location(), world.count("revoke")),
            ("/integrations", 0)
        );
        page.shows(
            "Acme Robotics is disconnected. Somebody is just connecting through the same Linear \
                app: the tokens are revoked",
        );
        page.hides("did not confirm");
        let page = owner.get("/integrations").await;
        page.shows("The revocation is not confirmed yet; Relink keeps asking Linear for a day.");
        page.hides("did not confirm");
        world.advance(MINUTE);
        assert_eq!(world.engine.finish_revocations().await.unwrap(), 1);
        owner
            .get("/integrations")
            .await
            .shows("Both tokens were revoked at Linear.");
    }
}

#[tokio::test]
async fn a_consent_through_another_app_holds_no_revocation_up() {
    for world in worlds().await {
        let (mut owner, mut other) = world.both_organisations().await;
        let (_, app) = own_app(&mut owner, private("acme-robotics")).await;
        assert_eq!(
            owner
                .walk("acme-robotics", &[("app", &app)])
                .await
                .location(),
            "/integrations"
        );
        let id = owner.connection_id("acme-robotics").await;
        let leave = other.leave_for_linear(&[]).await;
        let (back, asked) = (
            other.decide(&leave, "globex", "approve"),
            world.count("graphql"),
        );
        world.slow(Endpoint::Graphql, Kind::DelayReply, 4_000, 1);
        let ended = async {
            world.until_heard("graphql", asked).await;
            owner
                .post("/integrations/disconnect", &[("connection", &id)])
                .await;
            owner
                .get("/integrations")
                .await
                .shows("Acme Robotics is disconnected. Both tokens were revoked at Linear.");
        };
        let (made, ()) = tokio::join!(other.get(&back), ended);
        assert_eq!(made.location(), "/integrations");
        assert!(
            world
                .lives("southwind", &other.connection_id("globex").await)
                .await
        );
    }
}

#[tokio::test]
async fn what_a_failed_consent_brought_is_not_revoked_under_one_that_is_under_way() {
    for world in worlds().await {
        let (mut owner, mut other) = world.both_organisations().await;
        let (failing, back) = (
            on_the_way_back(&mut owner).await,
            on_the_way_back(&mut other).await,
        );
        world.slow(Endpoint::Graphql, Kind::DelayReply, 4_000, 1);
        let failed = async {
            world.until_heard("graphql", 0).await;
            world.fault(Endpoint::Graphql, Kind::Html500);
            owner.get(&failing).await
        };
        let (made, failed) = tokio::join!(other.get(&back), failed);
        assert_eq!(
            (made.location(), failed.location()),
            ("/integrations", "/integrations?error=linear_unreachable")
        );
        let theirs = other.connection_id("acme-robotics").await;
        world.advance(MINUTE);
        assert_eq!(
            world.engine.give_back_left().await.unwrap(),
            1,
            "set aside for the connection's sake"
        );
        assert!(world.lives("southwind", &theirs).await);
        other
            .post("/integrations/disconnect", &[("connection", &theirs)])
            .await;
        assert_eq!(world.living_tokens(), 0);
    }
}

/// By the time the revocation goes on, somebody who waited for its end in vain has connected.
#[tokio::test]
async fn a_revocation_that_was_taken_for_dead_sends_nothing_any_more() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    world
        .sql(
            "CREATE TRIGGER t1 AFTER INSERT ON voidings BEGIN DELETE FROM voidings WHERE id = \
                NEW.id; END",
        )
        .await;
    owner
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    owner
        .get("/integrations")
        .await
        .shows("Linear did not confirm the revocation");
    assert_eq!(world.living_tokens(), 2);
    world.sql("DROP TRIGGER t1").await;
    world.advance(2 * MINUTE);
    assert_eq!(
        (
            world.engine.finish_revocations().await.unwrap(),
            world.living_tokens()
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn the_revocation_of_a_process_that_died_holds_nobody_up_for_long() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let store = &world.store;
    store
        .voiding_begin("dead", None, None, world.engine.now())
        .await
        .unwrap();
    store
        .voiding_begin("elsewhere", Some("another app"), None, world.engine.now())
        .await
        .unwrap();
    let id = owner.connect("acme-robotics").await;
    assert!(world.lives("northwind-labs", &id).await);
    assert!(
        !store.voiding_stands("dead").await.unwrap()
            && store.voiding_stands("elsewhere").await.unwrap()
    );
    world.advance(3 * MINUTE);
    world.engine.give_back_left().await.unwrap();
    assert!(
        !store.voiding_stands("elsewhere").await.unwrap(),
        "one that nobody waited for is forgotten"
    );
}

/// On SQLite one process serves, so nothing of the one before is under way.
#[tokio::test]
async fn what_a_killed_server_was_revoking_holds_nobody_up_after_the_next_start() {
    let world = World::new().await;
    let store = &world.store;
    store
        .voiding_begin("before", None, None, world.engine.now())
        .await
        .unwrap();
    world.engine.abandon_consents().await;
    assert!(!store.voiding_stands("before").await.unwrap());
}

/// Whoever proved who they are may be the very person whom a connection that is just being made
/// acts as.
#[tokio::test]
async fn a_permission_is_not_handed_back_under_a_connection_that_is_being_made_with_it() {
    let setup = Setup {
        revoke_ends_authorisation: true,
        shared_workspaces: true,
        ..Setup::default()
    };
    let world = World::with(setup).await;
    let (mut owner, mut other) = world.both_organisations().await;
    let id = owner.connect("acme-robotics").await;
    let leave = other.leave_for_linear(&[("actor", "user")]).await;
    let back = other.approve_as(&leave, "acme-robotics", "ben@acme.example");
    let prove = owner
        .post("/oauth/linear/prove", &[("workspace", &id)])
        .await
        .location()
        .to_owned();
    let proved = owner.approve_as(&prove, "acme-robotics", "ben@acme.example");
    let asked = world.count("graphql");
    world.slow(Endpoint::Graphql, Kind::DelayReply, 1_300, 1);
    let proof = async {
        world.until_heard("graphql", asked).await;
        owner.get(&proved).await;
    };
    let (made, ()) = tokio::join!(other.get(&back), proof);
    assert_eq!(made.location(), "/integrations");
    let theirs = other.connection_id("acme-robotics").await;
    assert!(world.lives("southwind", &theirs).await);
}
