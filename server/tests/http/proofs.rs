//! Proof of who somebody is: Linear's word, a code that is mailed, an owner's word.

use std::collections::HashMap;
use std::time::Duration;

use relink_engine::clock::{HOUR, MINUTE};
use relink_engine::identity::{Role, Standing};
use relink_engine::people::ProofError;
use relink_engine::{Acting, Callback};
use relink_simulator::{Endpoint, Fault, Kind};

use crate::support::mail::with_mail;
use crate::support::own_apps::{own_app, private};
use crate::support::team::{acme, enter, hidden, invite, manage, redeem};
use crate::support::{contains, empty_database, on_disk};
use crate::world::{Browser, PASSWORD, Reply, Setup, World, fault};

const PROVE: &str = "/oauth/linear/prove";
const ELIF: &str = "elif@acme.example";

/// Presses Continue with Linear on the team's page: where the browser is sent.
async fn leave(browser: &mut Browser<'_>, connection: &str) -> String {
    browser
        .post(PROVE, &[("workspace", connection)])
        .await
        .location()
        .to_owned()
}

/// Continues with Linear as somebody there, and answers the page after that.
async fn prove(browser: &mut Browser<'_>, connection: &str, workspace: &str, user: &str) -> Reply {
    let url = leave(browser, connection).await;
    come_back(browser, &url, workspace, user).await
}

async fn come_back(browser: &mut Browser<'_>, url: &str, workspace: &str, user: &str) -> Reply {
    let back = browser.approve_as(url, workspace, user);
    let page = browser.get(&back).await.location().to_owned();
    browser.get(&page).await
}

async fn linked(world: &World) -> Vec<(String, String)> {
    let people = world
        .store
        .people(&world.organisation().await)
        .await
        .unwrap();
    people
        .into_iter()
        .map(|link| (link.user_email, link.linear_name))
        .collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(email, name)| ((*email).to_owned(), (*name).to_owned()))
        .collect()
}

/// Checks that nothing was linked, that nothing which Linear gave for a look is alive or kept, and
/// that the connection works.
async fn nothing_came_of_it(world: &World, connection: &str) {
    assert_eq!(linked(world).await, []);
    assert_eq!(world.living_permissions(), 0);
    assert!(world.lives("northwind-labs", connection).await);
}

async fn standing(world: &World, email: &str) -> Standing {
    let user = world.store.user_by_email(email).await.unwrap().unwrap();
    world
        .store
        .member(&world.organisation().await, &user.id)
        .await
        .unwrap()
        .unwrap()
        .standing
}

/// An account that a link code made, in its own browser.
async fn by_code<'a>(world: &'a World, owner: &mut Browser<'_>, connection: &str) -> Browser<'a> {
    let code = invite(owner, connection, ELIF).await;
    let mut browser = world.browser();
    redeem(&mut browser, &code).await.shows("You are linked");
    browser
}

#[tokio::test]
async fn linear_says_who_somebody_is_and_gets_its_permission_back() {
    let world = World::new().await;
    let (_owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    mia.get("/team")
        .await
        .shows("Who are you in Acme Robotics? Continue with Linear");
    let url = leave(&mut mia, &id).await;
    let asked: HashMap<String, String> = url::Url::parse(&url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(
        (
            asked["actor"].as_str(),
            asked["scope"].as_str(),
            asked["prompt"].as_str()
        ),
        ("user", "read", "consent")
    );
    assert_eq!(
        (
            asked["code_challenge_method"].as_str(),
            asked["code_challenge"].len()
        ),
        ("S256", 43)
    );
    assert_eq!(
        asked["redirect_uri"],
        "http://localhost:3000/oauth/linear/callback"
    );

    // Another e-mail than the one here: Linear's word is better than that.
    let page = come_back(&mut mia, &url, "acme-robotics", ELIF).await;
    page.shows(
        "You are Elif Demir in Acme Robotics. Linear says so. The permission to look is handed \
            back.",
    );
    assert_eq!(
        linked(&world).await,
        pairs(&[("mia@northwind.dev", "Elif Demir")])
    );
    assert_eq!(world.living_permissions(), 0);
    assert!(world.lives("northwind-labs", &id).await);
    let disk = on_disk(&world);
    assert!(world.minted().iter().all(|secret| !contains(&disk, secret)));
    let kept = world.store.superseded_grants(&id).await.unwrap();
    assert!(kept.is_empty(), "not even sealed");
    let trail = world
        .store
        .audit_before(&world.organisation().await, i64::MAX, 1)
        .await
        .unwrap();
    assert_eq!(
        (trail[0].act.as_str(), trail[0].who.as_str()),
        ("person.linked", "mia@northwind.dev")
    );
    assert_eq!(
        trail[0].subject,
        "Elif Demir in Acme Robotics, proved at Linear"
    );
}

/// It is unknown what ends with one person's permission. It costs no connection, and if we are
/// wrong about that, one only.
#[tokio::test]
async fn a_permission_that_is_handed_back_costs_no_connection_twice() {
    for (revoke_ends_authorisation, revoke_ends_installation) in
        [(false, false), (true, false), (false, true)]
    {
        let world = World::with(Setup {
            revoke_ends_authorisation,
            revoke_ends_installation,
            ..Setup::default()
        })
        .await;
        let (mut owner, id) = acme(&world).await;
        let mut mia = world
            .member("northwind-labs", "mia@northwind.dev", Role::Member)
            .await;
        let page = prove(&mut mia, &id, "acme-robotics", ELIF).await;
        page.shows("You are Elif Demir in Acme Robotics.");
        if revoke_ends_installation {
            page.shows("Linear ended a connection together with it");
        } else {
            page.hides("Linear ended a connection");
        }
        let lives = world.lives("northwind-labs", &id).await;
        assert_eq!(
            (lives, world.living_permissions()),
            (!revoke_ends_installation, 0)
        );
        if !lives {
            world.advance(MINUTE);
            owner.reconnect(&id, "acme-robotics").await;
        }
        prove(&mut mia, &id, "acme-robotics", ELIF)
            .await
            .shows("You are Elif Demir in Acme Robotics.");
        assert!(world.lives("northwind-labs", &id).await);
        assert_eq!(
            world.living_permissions(),
            usize::from(revoke_ends_installation)
        );
        owner
            .post("/integrations/disconnect", &[("connection", &id)])
            .await;
        assert_eq!(
            world.living_permissions(),
            0,
            "what was set aside ends with it"
        );
    }
}

/// Nobody knows that revoking one permission ends the app's whole installation.
async fn world_of_whole_ends() -> World {
    World::with(Setup {
        revoke_ends_installation: true,
        ..Setup::default()
    })
    .await
}

/// Another organisation's owner, and the connection that they have.
async fn second_with_globex(world: &World) -> (Browser<'_>, String) {
    let mut other = world
        .member("second", "sue@second.example", Role::Owner)
        .await;
    let globex = other.connect("globex").await;
    (other, globex)
}

/// Picks another workspace at Linear than the one meant, which Linear may not say at first.
async fn prove_wrongly(world: &World, browser: &mut Browser<'_>, connection: &str, silent: bool) {
    let url = leave(browser, connection).await;
    if silent {
        world.fault(Endpoint::Graphql, Kind::Html500);
    }
    let back = browser.decide(&url, "acme-robotics", "approve");
    browser.get(&back).await;
    world.advance(MINUTE);
    world.engine.give_back_left().await.unwrap();
}

/// Somebody of another organisation picks the wrong workspace, or Linear does not say which it is.
#[tokio::test]
async fn a_permission_to_another_workspace_costs_no_connection_twice() {
    for silent in [false, true] {
        let world = world_of_whole_ends().await;
        let (mut owner, id) = acme(&world).await;
        let (mut other, globex) = second_with_globex(&world).await;
        prove_wrongly(&world, &mut other, &globex, silent).await;
        assert!(
            !world.lives("northwind-labs", &id).await,
            "the first one tells"
        );
        let page = owner.get(&format!("/integrations/{id}")).await;
        page.shows("Linear ended it together with a permission that somebody had lent");
        owner.reconnect(&id, "acme-robotics").await;
        prove_wrongly(&world, &mut other, &globex, silent).await;
        assert!(world.lives("northwind-labs", &id).await, "silent: {silent}");
    }
}

/// The end that it brought is learnt later: the next permission costs nothing.
#[tokio::test]
async fn a_revocation_after_which_linear_fails_is_looked_at_again() {
    let world = world_of_whole_ends().await;
    let (mut owner, id) = acme(&world).await;
    let (mut other, globex) = second_with_globex(&world).await;
    let url = leave(&mut other, &globex).await;
    let back = other.decide(&url, "acme-robotics", "approve");
    for (endpoint, after) in [(Endpoint::Graphql, 1), (Endpoint::Token, 1)] {
        let outage = Fault {
            after,
            count: 50,
            ..fault(endpoint, Kind::Html500)
        };
        world.linear.add_fault(outage).unwrap();
    }
    other.get(&back).await;
    world.linear.clear_faults();
    world.advance(MINUTE);
    assert!(!world.lives("northwind-labs", &id).await, "Linear ended it");
    world.engine.give_back_left().await.unwrap();
    owner
        .get(&format!("/integrations/{id}"))
        .await
        .shows("Linear ended it together with a permission that somebody had lent");
    owner.reconnect(&id, "acme-robotics").await;
    prove_wrongly(&world, &mut other, &globex, false).await;
    assert!(world.lives("northwind-labs", &id).await);
}

#[tokio::test]
async fn somebody_else_is_told_who_linear_says_they_are_and_nothing_is_written() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    owner.connect("globex").await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let elif = world.linear.state()["workspaces"][0]["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["email"] == ELIF)
        .unwrap()
        .clone();
    let meant = [
        ("workspace", id.as_str()),
        ("person", elif["id"].as_str().unwrap()),
    ];
    let url = mia.post(PROVE, &meant).await.location().to_owned();
    let page = come_back(&mut mia, &url, "acme-robotics", "ben@acme.example").await;
    page.shows(
        "Linear says that you are Ben Castillo. ben@acme.example in Acme Robotics is not who was \
            meant. Nothing was linked.",
    );
    nothing_came_of_it(&world, &id).await;

    let url = leave(&mut mia, &id).await;
    let back = mia.decide(&url, "globex", "approve");
    assert_eq!(mia.get(&back).await.location(), "/team");
    let page = mia.get("/team").await;
    page.shows("You approved another workspace. Linear says that you are ");
    page.shows(
        "This is about Acme Robotics. Nothing was linked. Choose Acme Robotics on Linear’s page.",
    );
    nothing_came_of_it(&world, &id).await;

    // Whoever somebody else is already.
    let url = mia.post(PROVE, &meant).await.location().to_owned();
    come_back(&mut mia, &url, "acme-robotics", ELIF)
        .await
        .shows("You are Elif Demir in Acme Robotics.");
    let mut lee = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    let page = prove(&mut lee, &id, "acme-robotics", ELIF).await;
    page.shows(
        "Linear says that you are Elif Demir. mia@northwind.dev is linked as that person already. \
            Nothing was changed.",
    );
    let page = prove(&mut mia, &id, "acme-robotics", "ben@acme.example").await;
    page.shows(
        "Linear says that you are Ben Castillo. You are Elif Demir in this workspace already. \
            Nothing was changed.",
    );
    assert_eq!(
        (linked(&world).await, world.living_permissions()),
        (pairs(&[("mia@northwind.dev", "Elif Demir")]), 0)
    );
}

#[tokio::test]
async fn whatever_fails_in_between_links_nobody_and_hands_the_permission_back() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let url = leave(&mut mia, &id).await;
    let back = mia.decide(&url, "acme-robotics", "cancel");
    assert_eq!(mia.get(&back).await.location(), "/team");
    mia.get("/team").await.shows(
        "Linear did not say who you are. Somebody pressed Cancel, or the Linear app may not be \
            used there.",
    );
    nothing_came_of_it(&world, &id).await;
    for kind in [Kind::InvalidGrant, Kind::Html500, Kind::ConnectionReset] {
        world.fault(Endpoint::Token, kind);
        prove(&mut mia, &id, "acme-robotics", ELIF)
            .await
            .shows("Nothing was linked.");
        nothing_came_of_it(&world, &id).await;
    }
    for kind in [
        Kind::Html500,
        Kind::GarbageJson,
        Kind::DropReply,
        Kind::RateLimited,
        Kind::AuthError,
    ] {
        let url = leave(&mut mia, &id).await;
        let back = mia.approve_as(&url, "acme-robotics", ELIF);
        world.fault(Endpoint::Graphql, kind);
        assert_eq!(mia.get(&back).await.location(), "/team");
        mia.get("/team")
            .await
            .shows("Linear does not answer right now. Nothing was linked.");
        // Linear is asked again whose it is before it is revoked.
        world.advance(MINUTE);
        world.engine.give_back_left().await.unwrap();
        nothing_came_of_it(&world, &id).await;
    }
    // A workspace that is disconnected meanwhile: the code is not even exchanged.
    let url = leave(&mut mia, &id).await;
    owner
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let exchanges = world.count("token");
    come_back(&mut mia, &url, "acme-robotics", ELIF)
        .await
        .shows("There is nothing to prove any more.");
    assert_eq!(
        (
            world.count("token"),
            world.living_tokens(),
            linked(&world).await
        ),
        (exchanges, 0, Vec::new())
    );
    assert_eq!(
        mia.post(PROVE, &[("workspace", &id)]).await.location(),
        "/integrations",
        "nobody goes there for what is over"
    );
}

#[tokio::test]
async fn a_revocation_that_linear_does_not_confirm_is_said_and_asked_for_until_it_does() {
    for postgres in [None, empty_database().await] {
        let world = World::with(Setup {
            postgres,
            ..Setup::default()
        })
        .await;
        let (_owner, id) = acme(&world).await;
        let mut mia = world
            .member("northwind-labs", "mia@northwind.dev", Role::Member)
            .await;
        world.faults(Endpoint::Revoke, Kind::Html500, 100);
        let page = prove(&mut mia, &id, "acme-robotics", ELIF).await;
        page.shows(
            "You are Elif Demir in Acme Robotics. Linear says so. The permission to look is handed \
                back as soon as Linear",
        );
        for _ in 0..3 {
            world.advance(MINUTE);
            assert_eq!(
                (
                    world.engine.give_back_left().await.unwrap(),
                    world.living_permissions()
                ),
                (0, 1)
            );
        }
        let disk = on_disk(&world);
        assert!(
            world.minted().iter().all(|secret| !contains(&disk, secret)),
            "it waits sealed"
        );
        world.linear.clear_faults();
        world.advance(MINUTE);
        assert_eq!(
            (
                world.engine.give_back_left().await.unwrap(),
                world.living_permissions()
            ),
            (1, 0)
        );
        world.advance(MINUTE);
        assert_eq!(world.engine.give_back_left().await.unwrap(), 0, "once");
        assert!(world.lives("northwind-labs", &id).await);
    }
}

/// Another process finds what it had in hand.
#[tokio::test]
async fn a_permission_that_a_killed_server_had_in_hand_is_handed_back() {
    for postgres in [None, empty_database().await] {
        let world = World::with(Setup {
            postgres,
            ..Setup::default()
        })
        .await;
        let (_owner, id) = acme(&world).await;
        let mut mia = world
            .member("northwind-labs", "mia@northwind.dev", Role::Member)
            .await;
        let url = leave(&mut mia, &id).await;
        let back = mia.approve_as(&url, "acme-robotics", ELIF);
        world
            .linear
            .add_fault(Fault {
                delay_ms: Some(1_500),
                ..fault(Endpoint::Graphql, Kind::DelayReply)
            })
            .unwrap();
        let killed = async {
            while world.living_permissions() == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(
                world.engine.give_back_left().await.unwrap(),
                0,
                "it is under way"
            );
            world.advance(3 * MINUTE);
            assert_eq!(
                (
                    world.engine.give_back_left().await.unwrap(),
                    world.living_permissions()
                ),
                (1, 0)
            );
        };
        tokio::join!(mia.get(&back), killed);
        assert!(world.lives("northwind-labs", &id).await);
    }
}

#[tokio::test]
async fn a_proof_is_ended_by_whoever_began_it_in_time_and_once() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let mut elsewhere = world.browser();
    elsewhere.sign_in("mia@northwind.dev", PASSWORD).await;
    let url = leave(&mut mia, &id).await;
    let back = mia.approve_as(&url, "acme-robotics", ELIF);
    for other in [&mut owner, &mut elsewhere, &mut world.browser()] {
        assert_eq!(
            other.get(&back).await.location(),
            "/integrations?error=state_mismatch"
        );
    }
    assert_eq!(
        mia.get(&back).await.location(),
        "/team",
        "and nobody used it up"
    );
    assert_eq!(
        mia.get(&back).await.location(),
        "/team",
        "a reload leads to where it ended"
    );
    assert_eq!(
        linked(&world).await,
        pairs(&[("mia@northwind.dev", "Elif Demir")])
    );

    let mut lee = world
        .member("northwind-labs", "lee@northwind.dev", Role::Member)
        .await;
    let url = leave(&mut lee, &id).await;
    let back = lee.approve_as(&url, "acme-robotics", "ben@acme.example");
    world.advance(10 * MINUTE);
    assert_eq!(
        lee.get(&back).await.location(),
        "/integrations?error=state_mismatch"
    );

    // Removed on the way.
    let url = leave(&mut lee, &id).await;
    let back = lee.approve_as(&url, "acme-robotics", "ben@acme.example");
    let page = manage(&mut owner, "lee@northwind.dev").await;
    let member = hidden(&page, "/team/remove", "member").remove(0);
    owner.post("/team/remove", &[("member", &member)]).await;
    assert_eq!(
        lee.get(&back).await.location(),
        "/integrations?error=state_mismatch"
    );
    assert_eq!(
        (linked(&world).await.len(), world.living_permissions()),
        (1, 0)
    );
}

#[tokio::test]
async fn a_proof_that_comes_back_twice_ends_the_same_while_it_is_under_way_and_after() {
    let world = World::new().await;
    let (_owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let url = leave(&mut mia, &id).await;
    let back = mia.approve_as(&url, "acme-robotics", ELIF);
    let (exchanges, mut reloaded) = (world.count("token"), world.browser());
    reloaded.cookies = mia.cookies.clone();
    let (first, second) = tokio::join!(mia.get(&back), reloaded.get(&back));
    assert_eq!((first.location(), second.location()), ("/team", "/team"));
    for _ in 0..2 {
        mia.get("/team")
            .await
            .shows("You are Elif Demir in Acme Robotics. Linear says so.");
        assert_eq!(mia.get(&back).await.location(), "/team");
    }
    assert_eq!(
        (world.count("token"), linked(&world).await.len()),
        (exchanges + 1, 1)
    );

    world.sql("DELETE FROM people").await;
    assert_eq!(mia.get(&back).await.location(), "/team");
    mia.get("/team")
        .await
        .shows("There is nothing to prove any more.");
    world.advance(10 * MINUTE);
    assert_eq!(
        mia.get(&back).await.location(),
        "/integrations?error=state_mismatch",
        "it is forgotten"
    );
}

/// Over plain http somebody can give a browser the cookie of their own, and a callback of theirs
/// with a code of another's.
#[tokio::test]
async fn a_proof_that_is_finished_is_told_to_nobody_who_comes_with_another_code() {
    let world = World::new().await;
    let (_owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let url = leave(&mut mia, &id).await;
    let (back, other) = (
        mia.approve_as(&url, "acme-robotics", ELIF),
        mia.approve_as(&url, "acme-robotics", ELIF),
    );
    assert_ne!(back, other);
    assert_eq!(mia.get(&back).await.location(), "/team");
    let without = format!(
        "/oauth/linear/callback?state={}",
        back.split("state=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
    );
    for another in [
        other,
        without.clone(),
        format!("{without}&error=access_denied"),
    ] {
        assert_eq!(
            mia.get(&another).await.location(),
            "/integrations?error=state_mismatch",
            "{another}"
        );
    }
    assert_eq!(mia.get(&back).await.location(), "/team");
}

#[tokio::test]
async fn each_of_two_proofs_in_one_browser_says_again_how_it_ended() {
    for postgres in [None, empty_database().await] {
        two_proofs(
            World::with(Setup {
                postgres,
                ..Setup::default()
            })
            .await,
        )
        .await;
    }
}

async fn two_proofs(world: World) {
    let (_owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let (one, other) = (leave(&mut mia, &id).await, leave(&mut mia, &id).await);
    let one = mia.approve_as(&one, "acme-robotics", ELIF);
    let other = mia.approve_as(&other, "acme-robotics", "ben@acme.example");
    for _ in 0..2 {
        assert_eq!(mia.get(&one).await.location(), "/team");
        mia.get("/team")
            .await
            .shows("You are Elif Demir in Acme Robotics. Linear says so.");
        assert_eq!(mia.get(&other).await.location(), "/team");
        mia.get("/team")
            .await
            .shows("You are Elif Demir in this workspace already. Nothing was changed.");
    }
}

/// The browser of somebody who said yes to a code, at Linear, and the address that they come back
/// to.
async fn approved_for_a_code<'a>(
    world: &'a World,
    owner: &mut Browser<'_>,
    connection: &str,
) -> (Browser<'a>, String) {
    let code = invite(owner, connection, ELIF).await;
    let mut phone = world.browser();
    let preview = hidden(&enter(&mut phone, &code).await, "/link/prove", "preview").remove(0);
    let url = phone
        .post("/link/prove", &[("preview", &preview)])
        .await
        .location()
        .to_owned();
    let back = phone.approve_as(&url, "acme-robotics", ELIF);
    (phone, back)
}

#[tokio::test]
async fn an_account_whose_first_answer_never_arrived_is_opened_again_until_it_has_a_password() {
    for postgres in [None, empty_database().await] {
        a_first_answer_is_lost(
            World::with(Setup {
                postgres,
                ..Setup::default()
            })
            .await,
        )
        .await;
    }
}

async fn a_first_answer_is_lost(world: World) {
    let (mut owner, id) = acme(&world).await;
    let (mut phone, back) = approved_for_a_code(&world, &mut owner, &id).await;
    let before = phone.cookies.clone();
    assert_eq!(phone.get(&back).await.location(), "/link?ended=yes");
    phone.cookies.clone_from(&before);
    world.advance(9 * MINUTE);
    // Once for the answer that was cut, and once more as whoever it opened is by then.
    for _ in 0..2 {
        assert_eq!(phone.get(&back).await.location(), "/link?ended=yes");
        let page = phone.get("/link?ended=yes").await;
        page.shows("You are linked Elif Demir in Acme Robotics is you.");
        page.shows("Set a password for later");
        phone
            .get("/team")
            .await
            .shows("Elif Demir elif@acme.example Member, you Acme Robotics");
    }
    assert_eq!(
        owner.get(&back).await.location(),
        "/integrations?error=state_mismatch"
    );
    phone
        .post("/link/password", &[("password", PASSWORD)])
        .await;
    phone.get("/team").await.shows("Member, you");
    phone.cookies = before;
    assert_eq!(phone.get(&back).await.location(), "/link?ended=yes");
    phone.get("/link?ended=yes").await.shows("You are linked");
    assert!(
        phone.get("/team").await.location().starts_with("/signin"),
        "they have a password by now"
    );
    assert_eq!(linked(&world).await, pairs(&[(ELIF, "Elif Demir")]));
}

/// Both tabs have one cookie: the answer to the one that opened nothing must not take the place of
/// the other's.
#[tokio::test]
async fn a_code_that_comes_back_twice_at_once_signs_the_browser_in_once() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let (phone, back) = approved_for_a_code(&world, &mut owner, &id).await;
    let (before, mut reloaded) = (phone.cookies.clone(), world.browser());
    reloaded.cookies.clone_from(&before);
    let visit = async |mut tab: Browser<'_>| {
        assert_eq!(tab.get(&back).await.location(), "/link?ended=yes");
        let page = tab.get("/link?ended=yes").await;
        (tab.cookies.clone() != before).then_some((tab.cookies, page))
    };
    let opened = tokio::join!(visit(phone), visit(reloaded));
    let ((Some((cookies, page)), None) | (None, Some((cookies, page)))) = opened else {
        panic!("not one was signed in")
    };
    page.shows("Set a password for later");
    let mut browser = world.browser();
    browser.cookies = cookies;
    browser
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member, you Acme Robotics");
    assert_eq!(sessions(&world).await, 1);
}

/// Counts the sessions of the account that a code made.
async fn sessions(world: &World) -> usize {
    let user = world.store.user_by_email(ELIF).await.unwrap().unwrap();
    let person = world
        .store
        .member(&world.organisation().await, &user.id)
        .await
        .unwrap()
        .unwrap();
    world.engine.sessions(&person).await.unwrap().len()
}

#[tokio::test]
async fn a_cookie_from_before_and_the_address_open_no_account_that_was_opened() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let (mut phone, back) = approved_for_a_code(&world, &mut owner, &id).await;
    let mut thief = world.browser();
    thief.cookies = phone.cookies.clone();
    // Answers that never arrive open it over and over, once at a time.
    let before = phone.cookies.clone();
    for _ in 0..5 {
        phone.cookies.clone_from(&before);
        world.advance(MINUTE);
        assert_eq!(phone.get(&back).await.location(), "/link?ended=yes");
        assert_eq!(sessions(&world).await, 1);
    }
    phone
        .get("/link?ended=yes")
        .await
        .shows("Set a password for later");
    for left in [1, 0] {
        for _ in 0..2 {
            assert_eq!(thief.get(&back).await.location(), "/link?ended=yes");
            let page = thief.get("/link?ended=yes").await;
            page.shows("You are linked Elif Demir in Acme Robotics is you.");
            page.shows("You are not signed in here. Sign in");
            assert!(thief.get("/team").await.location().starts_with("/signin"));
        }
        assert_eq!(sessions(&world).await, left);
        phone.post("/signout", &[]).await;
    }
}

#[tokio::test]
async fn whoever_comes_back_with_what_a_stop_ended_is_told_so_and_begins_again() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let (mut phone, of_code) = approved_for_a_code(&world, &mut owner, &id).await;
    // Long ago, as another process may find it; or a moment ago, and this one is the only one.
    for at_start in [false, true] {
        let url = leave(&mut mia, &id).await;
        let back = mia.approve_as(&url, "acme-robotics", ELIF);
        let leave = owner.leave_for_linear(&[]).await;
        let connect = owner.decide(&leave, "globex", "approve");
        if at_start {
            world
                .sql("UPDATE proof_attempts SET taken_at = expires_at, ended = NULL")
                .await;
            world
                .sql("UPDATE connect_attempts SET taken_at = expires_at WHERE ended IS NULL")
                .await;
            world.engine.abandon_consents().await;
        } else {
            world.sql("UPDATE proof_attempts SET taken_at = 1").await;
            world
                .sql("UPDATE connect_attempts SET taken_at = 1 WHERE ended IS NULL")
                .await;
        }
        assert_eq!(mia.get(&back).await.location(), "/team");
        mia.get("/team").await.shows(
            "Relink was stopped while it asked Linear who you are. Nothing was linked, unless this \
                page",
        );
        assert_eq!(phone.get(&of_code).await.location(), "/link");
        phone
            .get("/link")
            .await
            .shows("Relink was stopped while it asked Linear who you are.");
        let page = owner.get(&connect).await.location().to_owned();
        owner.get(&page).await.shows(
            "Relink was stopped while it asked Linear. Nothing was changed, unless the workspace \
                is listed",
        );
    }
    prove(&mut mia, &id, "acme-robotics", ELIF)
        .await
        .shows("You are Elif Demir in Acme Robotics.");
}

/// Somebody else may sit down at the browser in between.
#[tokio::test]
async fn a_proof_is_nobody_elses_whatever_browser_they_come_back_with() {
    let world = World::new().await;
    let (_owner, id) = acme(&world).await;
    let mia = world
        .add("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let lee = world
        .add("northwind-labs", "lee@northwind.dev", Role::Member)
        .await;
    for other in [Some(&lee), None] {
        let url = world
            .engine
            .proof_begin(&mia, "one browser", &id, None)
            .await
            .unwrap();
        let back = world
            .browser()
            .approve_as(url.as_str(), "acme-robotics", ELIF);
        let callback = Callback::parse(back.split_once('?').unwrap().1);
        let end = world
            .engine
            .proof_finish(other, "one browser", "192.0.2.1", &callback)
            .await
            .unwrap()
            .unwrap();
        assert!(
            matches!(end.outcome, Err(ProofError::StateMismatch)),
            "{end:?}"
        );
    }
    nothing_came_of_it(&world, &id).await;
}

/// It is unknown how much hangs on one token of a person.
#[tokio::test]
async fn a_look_costs_no_connection_anything() {
    for revoke_ends_authorisation in [false, true] {
        let world = World::with(Setup {
            revoke_ends_authorisation,
            ..Setup::default()
        })
        .await;
        let mut owner = world.owner().await;
        let app = owner.connect("acme-robotics").await;
        let url = owner.leave_for_linear(&[("actor", "user")]).await;
        let back = owner.decide(&url, "globex", "approve");
        owner.get(&back).await;
        let user = owner.connection_id("globex").await;
        let acts_as = world
            .store
            .connection(&world.organisation().await, &user)
            .await
            .unwrap()
            .unwrap()
            .viewer;

        prove(&mut owner, &app, "acme-robotics", "ben@acme.example")
            .await
            .shows("You are Ben Castillo in Acme Robotics.");
        let page = prove(&mut owner, &user, "globex", &acts_as.id).await;
        page.shows(&format!("You are {} in Globex.", acts_as.name));
        page.shows(
            "The permission to look is kept sealed, and handed back with the connection that may \
                hang on it.",
        );
        assert!(
            world.lives("northwind-labs", &app).await && world.lives("northwind-labs", &user).await
        );
        assert_eq!(
            world.living_permissions(),
            2,
            "the connection's own, and what may hang together with it"
        );
        owner
            .post("/integrations/disconnect", &[("connection", &user)])
            .await;
        assert_eq!(world.living_permissions(), 0, "it ends with the connection");
        assert!(world.lives("northwind-labs", &app).await);
    }
}

#[tokio::test]
async fn an_unproved_account_rises_through_no_door() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = by_code(&world, &mut owner, &id).await;
    owner
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member E-mail never proved");
    let page = manage(&mut owner, ELIF).await;
    page.shows(
        "E-mail never proved Nobody proved that elif@acme.example is theirs. A link code made the \
            account, and somebody else may",
    );
    assert!(
        !page.body.contains("<option value=\"admin\""),
        "no role is offered that they cannot get"
    );
    let member = hidden(&page, "/team/role", "member").remove(0);
    for role in ["admin", "owner"] {
        owner
            .post("/team/role", &[("member", &member), ("role", role)])
            .await;
        let page = owner.get("/team").await;
        page.shows(
            "Elif Demir cannot be given this role yet. Nobody proved that elif@acme.example is \
                theirs.",
        );
        page.shows("Elif Demir elif@acme.example Member E-mail never proved");
    }
    world
        .engine
        .members(Acting::command(&world.organisation().await))
        .set_role(&member, Role::Admin)
        .await
        .unwrap_err();
    world
        .engine
        .member_add_existing("initech", ELIF, Role::Member)
        .await
        .unwrap_err();
    // A link code of another organisation, while signed in.
    let mut sam = world
        .member("initech", "sam@initech.dev", Role::Owner)
        .await;
    let theirs = sam.connect("globex").await;
    let initech = world
        .store
        .organisation_by_slug("initech")
        .await
        .unwrap()
        .unwrap()
        .id;
    let people = world
        .engine
        .invites(&world.add("initech", "kim@initech.dev", Role::Admin).await)
        .linear_people(&theirs)
        .await
        .unwrap();
    let code = invite(&mut sam, &theirs, &people[0].email).await;
    redeem(&mut elif, &code).await.shows(
        "Nobody proved that your account’s e-mail is yours. Until then it gets no place in \
            another",
    );
    assert_eq!(world.store.members(&initech).await.unwrap().len(), 2);
    redeem(&mut world.browser(), &code)
        .await
        .shows("You are linked");
}

#[tokio::test]
async fn an_owner_vouches_after_reading_what_nobody_knows() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = by_code(&world, &mut owner, &id).await;
    let page = manage(&mut owner, ELIF).await;
    let member = hidden(&page, "/team/vouch", "member").remove(0);
    let asked = owner
        .get(&format!("/team?member={member}&confirm=vouch"))
        .await;
    asked.shows(
        "Vouch for Elif Demir? Nobody proved that elif@acme.example is theirs. A link code made \
            the account, and somebody else may",
    );
    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    admin.post("/team/vouch", &[("member", &member)]).await;
    elif.post("/team/vouch", &[("member", &member)]).await;
    assert_eq!(
        standing(&world, ELIF).await,
        Standing::Unproved,
        "that is for owners, and for others than oneself"
    );

    owner.post("/team/vouch", &[("member", &member)]).await;
    owner
        .get("/team")
        .await
        .shows("You vouched for Elif Demir. They can be given any role in this organisation now.");
    owner
        .post("/team/role", &[("member", &member), ("role", "owner")])
        .await;
    owner
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Owner E-mail never proved, an owner vouched");
    world
        .engine
        .member_add_existing("initech", ELIF, Role::Member)
        .await
        .expect_err("one owner's word is nothing to another");
    let acts = world
        .store
        .audit_before(&world.organisation().await, i64::MAX, 2)
        .await
        .unwrap();
    assert_eq!(
        (acts[1].act.as_str(), acts[1].subject.as_str()),
        ("member.vouched", ELIF)
    );
}

/// An older version gave such accounts any role.
#[tokio::test]
async fn whoever_is_unproved_in_a_high_role_says_nothing_for_themself() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut ben = world
        .member("northwind-labs", "ben@acme.example", Role::Admin)
        .await;
    world.sql("UPDATE users SET email_proof = NULL").await;
    ben.post(
        "/team/me",
        &[("workspace", &id), ("person", "ben@acme.example")],
    )
    .await;
    assert_eq!(linked(&world).await, []);
    let ids = async |email: &str| world.store.user_by_email(email).await.unwrap().unwrap().id;
    for (email, standing_after) in [
        ("priya@northwind.dev", Standing::Unproved),
        ("ben@acme.example", Standing::Vouched),
    ] {
        owner
            .post("/team/vouch", &[("member", &ids(email).await)])
            .await;
        assert_eq!(standing(&world, email).await, standing_after, "{email}");
    }
    ben.post(
        "/team/me",
        &[("workspace", &id), ("person", "ben@acme.example")],
    )
    .await;
    assert_eq!(
        linked(&world).await,
        pairs(&[("ben@acme.example", "Ben Castillo")])
    );
}

#[tokio::test]
async fn linears_word_proves_the_email_that_it_names() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = by_code(&world, &mut owner, &id).await;
    elif.get("/team")
        .await
        .shows("Nobody proved that elif@acme.example is yours.");
    prove(&mut elif, &id, "acme-robotics", "ben@acme.example")
        .await
        .shows("You are Elif Demir in this workspace already.");
    assert_eq!(standing(&world, ELIF).await, Standing::Unproved);
    let page = prove(&mut elif, &id, "acme-robotics", ELIF).await;
    page.shows(
        "You are Elif Demir in Acme Robotics. Linear says so, and knows you by the e-mail that you \
            have here.",
    );
    page.hides("Nobody proved");
    assert_eq!(
        (standing(&world, ELIF).await, world.living_permissions()),
        (Standing::Proved, 0)
    );
    owner.get("/team").await.hides("never proved");
    world
        .engine
        .member_add_existing("initech", ELIF, Role::Owner)
        .await
        .unwrap();
    owner
        .get("/settings")
        .await
        .shows("Proved an e-mail elif@acme.example, at Linear");
}

#[tokio::test]
async fn a_code_is_redeemed_by_linears_word() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let code = invite(&mut owner, &id, ELIF).await;
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    preview.shows("Better than a yes: Linear itself says that it is you.");
    let begin = [(
        "preview",
        hidden(&preview, "/link/prove", "preview").remove(0),
    )];
    let begin = begin
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let url = phone
        .post("/link/prove", &begin)
        .await
        .location()
        .to_owned();
    let page = come_back(&mut phone, &url, "acme-robotics", "ben@acme.example").await;
    page.shows(
        "Is this you in Linear? Linear says that you are Ben Castillo. ben@acme.example in Acme \
            Robotics is not who was meant.",
    );
    nothing_came_of_it(&world, &id).await;

    let preview = phone.get("/link").await;
    let shown = hidden(&preview, "/link/prove", "preview").remove(0);
    let url = phone
        .post("/link/prove", &[("preview", &shown)])
        .await
        .location()
        .to_owned();
    come_back(&mut phone, &url, "acme-robotics", ELIF)
        .await
        .shows("You are linked Elif Demir in Acme Robotics is you.");
    phone
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member, you Acme Robotics");
    assert_eq!(
        (standing(&world, ELIF).await, world.living_permissions()),
        (Standing::Proved, 0)
    );
    enter(&mut world.browser(), &code)
        .await
        .shows("This code is not valid.");
}

#[tokio::test]
async fn whoever_makes_a_code_does_not_become_somebody_else_by_it() {
    let world = World::new().await;
    let (_owner, id) = acme(&world).await;
    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    let code = invite(&mut admin, &id, ELIF).await;
    redeem(&mut admin, &code)
        .await
        .shows("You made this code yourself, for somebody with another e-mail. Nothing was linked");
    assert_eq!(linked(&world).await, []);
    let shown = hidden(&enter(&mut admin, &code).await, "/link/prove", "preview").remove(0);
    let url = admin
        .post("/link/prove", &[("preview", &shown)])
        .await
        .location()
        .to_owned();
    come_back(&mut admin, &url, "acme-robotics", ELIF)
        .await
        .shows("You are linked");
    assert_eq!(
        linked(&world).await,
        pairs(&[("lee@northwind.dev", "Elif Demir")])
    );
}

#[tokio::test]
async fn whoever_approved_a_connection_as_somebody_is_them() {
    let world = World::new().await;
    world.owner().await;
    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    let url = admin.leave_for_linear(&[("actor", "user")]).await;
    let back = admin.approve_as(&url, "acme-robotics", "ben@acme.example");
    admin.get(&back).await;
    let page = admin.get("/integrations").await;
    page.shows("Are you Ben Castillo in Acme Robotics?");
    let fields =
        ["workspace", "person"].map(|name| (name, hidden(&page, "/team/me", name).remove(0)));
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let mut other = world
        .member("northwind-labs", "kim@northwind.dev", Role::Admin)
        .await;
    other.post("/team/me", &fields).await;
    assert_eq!(linked(&world).await, [], "they did not approve it");
    admin.post("/team/me", &fields).await;
    assert_eq!(
        linked(&world).await,
        pairs(&[("lee@northwind.dev", "Ben Castillo")])
    );
}

#[tokio::test]
async fn a_code_that_is_mailed_proves_the_email() {
    let (world, postbox) = with_mail().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = by_code(&world, &mut owner, &id).await;
    let before = postbox.taken().len();
    elif.get("/team").await.shows("Send me a code");
    assert_eq!(
        elif.post("/team/email-code/send", &[]).await.location(),
        "/team#me"
    );
    elif.get("/team")
        .await
        .shows("A code is on its way to elif@acme.example.");
    let mail = postbox.taken().split_off(before).remove(0);
    let code = mail
        .lines()
        .find(|line| line.len() == 19 && line.matches('-').count() == 3)
        .unwrap()
        .to_owned();
    assert!(
        mail.contains("To: ") && mail.contains(ELIF) && !mail.contains("/link#"),
        "{mail}"
    );
    for wrong in ["0000-0000-0000-0000", "nonsense", ""] {
        elif.post("/team/email-code", &[("code", wrong)]).await;
        elif.get("/team").await.shows("This code is not valid.");
    }
    // It is worth nothing to anybody else.
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    mia.post("/team/email-code", &[("code", &code)]).await;
    mia.get("/team").await.shows("This code is not valid.");
    assert!(!contains(&on_disk(&world), &code));
    elif.post("/team/email-code", &[("code", &code.to_lowercase())])
        .await;
    elif.get("/team")
        .await
        .shows("elif@acme.example is proved.");
    assert_eq!(standing(&world, ELIF).await, Standing::Proved);
    elif.get("/team").await.hides("Nobody proved");
}

#[tokio::test]
async fn codes_are_mailed_and_tried_a_few_times_only() {
    let (world, postbox) = with_mail().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = by_code(&world, &mut owner, &id).await;
    let before = postbox.taken().len();
    for _ in 0..7 {
        elif.post("/team/email-code/send", &[]).await;
    }
    elif.get("/team")
        .await
        .shows("Too many codes. Wait 60 minutes, then try again. Nothing was changed.");
    assert_eq!(postbox.taken().len() - before, 5);
    for _ in 0..11 {
        elif.post("/team/email-code", &[("code", "0000-0000-0000-0000")])
            .await;
    }
    elif.get("/team")
        .await
        .shows("Too many codes. Wait 10 minutes");
    world.advance(HOUR);
    elif.post("/team/email-code/send", &[]).await;
    elif.get("/team").await.shows("A code is on its way");
    let mails = postbox.taken();
    let code = mails
        .last()
        .unwrap()
        .lines()
        .find(|line| line.len() == 19 && line.matches('-').count() == 3)
        .unwrap()
        .to_owned();
    world.advance(30 * MINUTE);
    elif.post("/team/email-code", &[("code", &code)]).await;
    elif.get("/team").await.shows("This code is not valid.");
    assert_eq!(standing(&world, ELIF).await, Standing::Unproved);
}

#[tokio::test]
async fn an_app_of_ones_own_is_the_one_that_looks() {
    let world = World::with(Setup {
        no_app: true,
        ..Setup::default()
    })
    .await;
    let mut owner = world.owner().await;
    let (app, _) = own_app(&mut owner, private("acme-robotics")).await;
    let id = owner.connect("acme-robotics").await;
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let url = leave(&mut mia, &id).await;
    let asked: HashMap<String, String> = url::Url::parse(&url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(asked["client_id"], app.client_id);
    // It is private to Acme's workspace.
    let back = mia.decide(&url, "globex", "approve");
    assert_eq!(mia.get(&back).await.location(), "/team");
    mia.get("/team")
        .await
        .shows("Linear did not say who you are.");
    prove(&mut mia, &id, "acme-robotics", ELIF)
        .await
        .shows("You are Elif Demir in Acme Robotics.");
    assert!(world.lives("northwind-labs", &id).await);
    assert_eq!(world.living_permissions(), 0);
}

#[tokio::test]
async fn where_a_workspace_is_shared_each_organisation_learns_it_for_itself() {
    let world = World::with(Setup {
        shared_workspaces: true,
        ..Setup::default()
    })
    .await;
    let (_owner, id) = acme(&world).await;
    let mut sam = world
        .member("initech", "sam@initech.dev", Role::Owner)
        .await;
    let theirs = sam.connect("acme-robotics").await;
    assert_eq!(
        sam.post(PROVE, &[("workspace", &id)]).await.location(),
        "/integrations",
        "another organisation's connection"
    );
    prove(&mut sam, &theirs, "acme-robotics", ELIF)
        .await
        .shows("You are Elif Demir in Acme Robotics.");
    assert_eq!(linked(&world).await, []);
    let mut mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    prove(&mut mia, &id, "acme-robotics", ELIF)
        .await
        .shows("You are Elif Demir in Acme Robotics.");
    assert!(world.lives("northwind-labs", &id).await && world.lives("initech", &theirs).await);
    assert_eq!(world.living_permissions(), 0);
}
