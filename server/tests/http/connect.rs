//! Connecting a workspace: the walk, and everything that can go wrong on it.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use relink_engine::SharedWorkspace;
use relink_engine::clock::MINUTE;
use relink_engine::identity::Role;
use relink_simulator::{Endpoint, Fault, Kind, Rename};
use serde_json::json;

use crate::support::empty_database;
use crate::world::{Browser, PASSWORD, Reply, Setup, World, both, fault};

/// Checks that nothing was stored, and that no token that was minted is alive.
async fn nothing_came_of_it(browser: &mut Browser<'_>, reply: &Reply, code: &str) {
    assert_eq!(reply.location(), format!("/integrations?error={code}"));
    let person = browser
        .world
        .store
        .user_by_email("priya@northwind.dev")
        .await
        .unwrap()
        .unwrap();
    let organisation = browser
        .world
        .store
        .member_first_organisation(&person.id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        browser
            .world
            .store
            .connections(&organisation)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        browser.world.living_tokens(),
        0,
        "minted tokens were revoked"
    );
}

fn parameters(url: &str) -> HashMap<String, String> {
    url::Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

#[tokio::test]
async fn a_workspace_is_connected_through_the_consent_page() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let reply = browser.walk("acme-robotics", &[]).await;
    assert_eq!(reply.location(), "/integrations");
    let page = browser.get("/integrations").await;
    page.shows("Acme Robotics is connected.");
    page.shows("Connected");
    page.shows("linear.app/acme-robotics");
    page.shows("Acts as the app");
    page.shows("Approved by Priya Raman, today");
    page.shows(", may read");
    page.shows("23 h 59 min left");
    for secret in world.minted() {
        page.hides(&secret);
    }
    let id = browser.connection_id("acme-robotics").await;
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Priya Raman");
    page.shows("Gripper");
    for secret in world.minted() {
        page.hides(&secret);
    }
}

#[tokio::test]
async fn the_authorize_request_is_what_linear_wants() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let first = parameters(&browser.leave_for_linear(&[]).await);
    assert_eq!(first["response_type"], "code");
    assert_eq!(first["client_id"], world.linear.app().client_id);
    assert_eq!(
        first["redirect_uri"],
        "http://localhost:3000/oauth/linear/callback"
    );
    assert_eq!(
        (
            first["actor"].as_str(),
            first["scope"].as_str(),
            first["prompt"].as_str()
        ),
        ("app", "read", "consent")
    );
    assert_eq!(
        (
            first["code_challenge_method"].as_str(),
            first["code_challenge"].len()
        ),
        ("S256", 43)
    );
    let second = parameters(&browser.leave_for_linear(&[]).await);
    assert_ne!(first["state"], second["state"]);
    assert_ne!(first["code_challenge"], second["code_challenge"]);
}

#[tokio::test]
async fn scopes_and_actor_are_the_persons_choice_within_the_list() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let chosen = [
        ("actor", "user"),
        ("scopes[]", "write"),
        ("scopes[]", "admin"),
    ];
    let asked = parameters(&browser.leave_for_linear(&chosen).await);
    assert_eq!(
        (asked["actor"].as_str(), asked["scope"].as_str()),
        ("user", "read,write,admin")
    );
    let asked = parameters(
        &browser
            .leave_for_linear(&[
                ("actor", "app"),
                ("scopes[]", "admin"),
                ("scopes[]", "write"),
            ])
            .await,
    );
    assert_eq!(
        (asked["actor"].as_str(), asked["scope"].as_str()),
        ("app", "read,write"),
        "admin is not for apps"
    );
    for refused in [&[("scopes[]", "offline_access")][..], &[("actor", "agent")]] {
        assert_eq!(
            browser
                .post("/oauth/linear/start", refused)
                .await
                .location(),
            "/integrations",
            "{refused:?}"
        );
    }
    let reply = browser
        .walk(
            "globex",
            &[("actor", "user"), ("scopes[]", "issues:create")],
        )
        .await;
    assert_eq!(reply.location(), "/integrations");
    let page = browser.get("/integrations").await;
    page.shows("Globex is connected.");
    page.shows("Acts as ");
    page.hides("Acts as the app");
}

#[tokio::test]
async fn pkce_alone_is_enough_where_there_is_no_secret() {
    let world = World::with(Setup {
        no_secret: true,
        ..Setup::default()
    })
    .await;
    world.owner().await.connect("acme-robotics").await;
}

#[tokio::test]
async fn cancel_is_understood() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "cancel");
    let reply = browser.get(&back).await;
    nothing_came_of_it(&mut browser, &reply, "access_denied").await;
    browser
        .get(reply.location())
        .await
        .shows("Linear did not give access.");
}

#[tokio::test]
async fn any_other_error_from_linear_is_named_but_not_repeated() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let state = parameters(&browser.leave_for_linear(&[]).await)
        .remove("state")
        .unwrap();
    let reply = browser
        .get(&format!(
            "/oauth/linear/callback?error=evil%20text&error_description=evil%20text&state={state}"
        ))
        .await;
    nothing_came_of_it(&mut browser, &reply, "authorization_failed").await;
    let page = browser.get(reply.location()).await;
    page.shows("Linear stopped the approval.");
    page.hides("evil text");
}

#[tokio::test]
async fn a_callback_that_comes_again_says_how_its_attempt_ended() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    let id = browser.get(&back).await.location().to_owned();
    assert_eq!(id, "/integrations");
    let exchanges = world.count("token");
    for _ in 0..3 {
        assert_eq!(browser.get(&back).await.location(), "/integrations");
        browser
            .get("/integrations")
            .await
            .shows("Acme Robotics is connected.");
    }
    assert_eq!(world.count("token"), exchanges, "Linear is not asked again");
    // Nor in another session of the same person; of nobody else.
    browser.post("/signout", &[]).await;
    browser.sign_in("priya@northwind.dev", PASSWORD).await;
    assert_eq!(browser.get(&back).await.location(), "/integrations");
    let mut somebody = world
        .member("northwind-labs", "sam@northwind.dev", Role::Owner)
        .await;
    assert_eq!(
        somebody.get(&back).await.location(),
        "/integrations?error=state_mismatch"
    );
    let other = browser.decide(&leave, "acme-robotics", "approve");
    assert_eq!(
        browser.get(&other).await.location(),
        "/integrations?error=state_mismatch",
        "another code is another answer"
    );
    let leave = browser.leave_for_linear(&[]).await;
    let denied = browser.decide(&leave, "acme-robotics", "cancel");
    for _ in 0..2 {
        assert_eq!(
            browser.get(&denied).await.location(),
            "/integrations?error=access_denied"
        );
    }
    let id = browser.connection_id("acme-robotics").await;
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(
        browser.get(&back).await.location(),
        "/integrations?error=state_mismatch",
        "it is not connected any more"
    );
    world.advance(10 * MINUTE);
    assert_eq!(
        browser.get(&denied).await.location(),
        "/integrations?error=state_mismatch",
        "and it is forgotten"
    );
}

#[tokio::test]
async fn a_callback_that_comes_twice_at_once_ends_the_same_for_both() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    let exchanges = world.count("token");
    let mut reloaded = world.browser();
    reloaded.cookies = browser.cookies.clone();
    let (first, second) = tokio::join!(browser.get(&back), reloaded.get(&back));
    assert_eq!(
        (first.location(), second.location()),
        ("/integrations", "/integrations")
    );
    assert_eq!(world.count("token"), exchanges + 1);
}

#[tokio::test]
async fn who_looks_ahead_of_the_person_finishes_and_takes_nothing() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    let exchanges = world.count("token");
    let ahead: [(Method, &[(&str, &str)]); 7] = [
        (Method::HEAD, &[]),
        (Method::GET, &[("sec-purpose", "prefetch")]),
        (Method::GET, &[("sec-purpose", "prefetch;prerender")]),
        (Method::GET, &[("purpose", "prefetch")]),
        (Method::GET, &[("x-moz", "prefetch")]),
        (Method::GET, &[("x-purpose", "preview")]),
        (Method::GET, &[("purpose", "Prerender")]),
    ];
    let parts = ["image", "empty", "iframe", "script"].map(|part| [("sec-fetch-dest", part)]);
    let parts = parts.iter().map(|part| (Method::GET, part.as_slice()));
    for (method, headers) in ahead.iter().cloned().chain(parts) {
        let reply = browser.send(method.clone(), &back, &[], headers).await;
        assert_eq!(
            reply.status,
            StatusCode::TOO_EARLY,
            "{method} {headers:?}: nothing that a browser would keep for the person"
        );
    }
    assert_eq!(world.count("token"), exchanges);
    let document: &[(&str, &str)] = &[("sec-fetch-dest", "document"), ("sec-purpose", "")];
    assert_eq!(
        browser
            .send(Method::GET, &back, &[], document)
            .await
            .location(),
        "/integrations",
        "and nothing is used up"
    );
    for (method, headers) in &ahead {
        assert_eq!(
            browser
                .send(method.clone(), "/integrations", &[], headers)
                .await
                .status,
            StatusCode::OK
        );
    }
    browser
        .get("/integrations")
        .await
        .shows("Acme Robotics is connected.");
}

#[tokio::test]
async fn a_callback_works_only_in_the_browser_that_began() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let mut other = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let mut same_person_elsewhere = world.browser();
    same_person_elsewhere
        .sign_in("priya@northwind.dev", crate::world::PASSWORD)
        .await;
    let leave = owner.leave_for_linear(&[]).await;
    let back = owner.decide(&leave, "acme-robotics", "approve");
    for browser in [&mut world.browser(), &mut other, &mut same_person_elsewhere] {
        assert_eq!(
            browser.get(&back).await.location(),
            "/integrations?error=state_mismatch"
        );
    }
    assert_eq!(
        owner.get(&back).await.location(),
        "/integrations",
        "and nobody used it up"
    );
}

#[tokio::test]
async fn an_attempt_runs_out_after_ten_minutes() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    world.advance(10 * MINUTE);
    let reply = browser.get(&back).await;
    assert_eq!(reply.location(), "/integrations?error=state_mismatch");
}

#[tokio::test]
async fn a_callback_made_of_nonsense_is_a_state_mismatch() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for query in [
        "",
        "?",
        "?state=",
        "?code=x",
        "?state=x&code=y",
        "?state=x&state=x",
        "?%ff=%ff",
        "?error=access_denied",
        "?state[]=1&code[]=2",
    ] {
        let reply = browser.get(&format!("/oauth/linear/callback{query}")).await;
        assert_eq!(
            reply.location(),
            "/integrations?error=state_mismatch",
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_refused_code_is_exchange_failed() {
    for kind in [Kind::InvalidGrant, Kind::InvalidClient] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Token, kind);
        let reply = browser.walk("acme-robotics", &[]).await;
        nothing_came_of_it(&mut browser, &reply, "exchange_failed").await;
        browser
            .get(reply.location())
            .await
            .shows("Linear would not hand over a token.");
    }
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_linear_unreachable() {
    for kind in [Kind::Html500, Kind::ConnectionReset, Kind::RateLimited] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Token, kind);
        let reply = browser.walk("acme-robotics", &[]).await;
        nothing_came_of_it(&mut browser, &reply, "linear_unreachable").await;
        browser
            .get(reply.location())
            .await
            .shows("Linear does not answer right now.");
    }
}

#[tokio::test]
async fn an_unreadable_or_lost_answer_is_linear_unreachable() {
    for kind in [Kind::GarbageJson, Kind::DropReply, Kind::Redirect] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Token, kind);
        let reply = browser.walk("acme-robotics", &[]).await;
        assert_eq!(reply.location(), "/integrations?error=linear_unreachable");
    }
}

#[tokio::test]
async fn a_failing_identity_query_gives_the_tokens_back() {
    for kind in [
        Kind::Html500,
        Kind::GarbageJson,
        Kind::DropReply,
        Kind::RateLimited,
        Kind::AuthError,
    ] {
        let world = World::with(Setup {
            revoke_ends_installation: true,
            ..Setup::default()
        })
        .await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Graphql, kind);
        let reply = browser.walk("acme-robotics", &[]).await;
        println!("{kind:?}");
        nothing_came_of_it(&mut browser, &reply, "linear_unreachable").await;
    }
}

#[tokio::test]
async fn a_pair_is_given_back_when_linear_is_well_again_though_identity_and_revocation_failed() {
    for postgres in [None, empty_database().await] {
        let world = World::with(Setup {
            postgres,
            ..Setup::default()
        })
        .await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Graphql, Kind::Html500);
        world.faults(Endpoint::Revoke, Kind::Status, 100);
        assert_eq!(
            browser.walk("acme-robotics", &[]).await.location(),
            "/integrations?error=linear_unreachable"
        );
        for _ in 0..3 {
            world.advance(MINUTE);
            assert_eq!(world.engine.give_back_left().await.unwrap(), 0);
            assert_eq!(world.living_tokens(), 2, "Linear does not take it yet");
        }
        world.linear.clear_faults();
        assert_eq!(
            world.engine.give_back_left().await.unwrap(),
            0,
            "it was asked a moment ago"
        );
        world.advance(MINUTE);
        assert_eq!(
            (
                world.engine.give_back_left().await.unwrap(),
                world.living_tokens()
            ),
            (1, 0)
        );
        world.advance(MINUTE);
        assert_eq!(world.engine.give_back_left().await.unwrap(), 0, "once");
    }
}

#[tokio::test]
async fn a_pair_is_given_back_when_the_database_is_well_again() {
    // Where it fails: writing the pair down, or what Linear says of it and that nobody needs it.
    let cases = [
        [
            "CREATE TRIGGER t1 BEFORE INSERT ON minted_grants BEGIN SELECT RAISE(ABORT, 'no'); \
                END",
            "SELECT 1",
        ],
        [
            "CREATE TRIGGER t1 BEFORE INSERT ON connections BEGIN SELECT RAISE(ABORT, 'no'); END",
            "CREATE TRIGGER t2 BEFORE UPDATE ON minted_grants BEGIN SELECT RAISE(ABORT, 'no'); \
                END",
        ],
    ];
    for case in cases {
        let world = World::new().await;
        let mut browser = world.owner().await;
        for sql in case {
            world.sql(sql).await;
        }
        browser.walk("acme-robotics", &[]).await;
        assert_eq!(
            world.living_tokens(),
            2,
            "it cannot be known whether it may be revoked"
        );
        world.sql("DROP TRIGGER IF EXISTS t1").await;
        world.sql("DROP TRIGGER IF EXISTS t2").await;
        world.advance(3 * MINUTE);
        world.until_given_back().await;
        browser.connect("acme-robotics").await;
        assert_eq!(world.living_tokens(), 2);
    }
}

#[tokio::test]
async fn a_consent_that_takes_too_long_is_given_back_and_connects_nothing() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    world
        .linear
        .add_fault(Fault {
            delay_ms: Some(1_500),
            ..fault(Endpoint::Graphql, Kind::DelayReply)
        })
        .unwrap();
    let meanwhile = async {
        while world.living_tokens() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            world.engine.give_back_left().await.unwrap(),
            0,
            "it is under way"
        );
        world.advance(3 * MINUTE);
        assert_eq!(world.engine.give_back_left().await.unwrap(), 1);
    };
    let (reply, ()) = tokio::join!(browser.get(&back), meanwhile);
    assert_eq!(
        (reply.location(), world.living_tokens()),
        ("/integrations?error=linear_unreachable", 0)
    );
    browser
        .get("/integrations")
        .await
        .shows("Connect your first workspace");
}

impl World {
    /// Waits until nothing is left alive that no connection holds. What waits for the database
    /// waits on a real clock.
    pub async fn until_given_back(&self) {
        for _ in 0..100 {
            self.engine.give_back_left().await.unwrap();
            if self.living_tokens() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.advance(MINUTE);
        }
        panic!("a pair that nobody needs stays alive");
    }
}

#[tokio::test]
async fn missing_facts_in_the_token_reply_do_not_stop_a_connect() {
    for kind in [Kind::NoExpiresIn, Kind::NoRefreshToken] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        world.fault(Endpoint::Token, kind);
        assert_eq!(
            browser.walk("acme-robotics", &[]).await.location(),
            "/integrations",
            "{kind:?}"
        );
        browser
            .get("/integrations")
            .await
            .shows("Acme Robotics is connected.");
    }
}

#[tokio::test]
async fn a_reconnect_heals_the_same_connection() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    world.linear.uninstall("acme-robotics").unwrap();
    world.advance(MINUTE);
    browser
        .get("/integrations")
        .await
        .shows("Reconnect required");
    assert_eq!(
        browser.reconnect(&id, "acme-robotics").await.location(),
        "/integrations"
    );
    let page = browser.get("/integrations").await;
    page.shows("Acme Robotics is connected again.");
    page.hides("Reconnect required");
    assert_eq!(browser.connection_id("acme-robotics").await, id);
}

#[tokio::test]
async fn a_failing_identity_query_harms_no_connection_that_lives() {
    for world in both().await {
        let (mut browser, _program, id) = world.connected().await;
        for fields in [vec![], vec![("connection", id.as_str())]] {
            world.fault(Endpoint::Graphql, Kind::Html500);
            assert_eq!(
                browser.walk("acme-robotics", &fields).await.location(),
                "/integrations?error=linear_unreachable"
            );
            assert!(
                world.lives("northwind-labs", &id).await,
                "whichever workspace it was"
            );
        }
        assert_eq!(world.living_tokens(), 6);
        browser
            .post("/integrations/disconnect", &[("connection", &id)])
            .await;
        assert_eq!(world.living_tokens(), 0, "they end with it");
    }
}

#[tokio::test]
async fn a_reply_that_names_no_token_is_linear_unreachable() {
    for (field, odd) in [
        ("access_token", ""),
        ("access_token", "two words"),
        ("refresh_token", "line\nbreak"),
    ] {
        let world = World::new().await;
        let mut browser = world.owner().await;
        let fields = [(field.to_owned(), json!(odd))].into_iter().collect();
        world
            .linear
            .add_fault(Fault {
                fields,
                ..fault(Endpoint::Token, Kind::OddFields)
            })
            .unwrap();
        assert_eq!(
            browser.walk("acme-robotics", &[]).await.location(),
            "/integrations?error=linear_unreachable",
            "{field} {odd:?}"
        );
    }
}

#[tokio::test]
async fn a_connect_that_comes_back_as_a_workspace_that_works_changes_nothing() {
    for world in both().await {
        connect_what_works(&world).await;
    }
}

async fn connect_what_works(world: &World) {
    let (mut browser, program, id) = world.connected().await;
    let token = program.token(&id).await.token();
    let reply = browser.walk("acme-robotics", &[]).await;
    assert_eq!(
        reply.location(),
        "/integrations?error=workspace_already_linked"
    );
    let page = browser.get(reply.location()).await;
    page.shows("Acme Robotics is connected here already. Nothing was changed.");
    page.shows("Reconnect");
    assert_eq!(program.token(&id).await.token(), token);
    assert!(world.lives("northwind-labs", &id).await);
    assert_eq!(
        world.living_tokens(),
        4,
        "the new pair is set aside: revoking it might end the one in use"
    );
    // One that needs it is connected again, whichever button was pressed.
    world.linear.revoke_grant("acme-robotics", None).unwrap();
    world.advance(MINUTE);
    browser
        .get("/integrations")
        .await
        .shows("Reconnect required");
    assert_eq!(
        browser.walk("acme-robotics", &[]).await.location(),
        "/integrations"
    );
    browser
        .get("/integrations")
        .await
        .shows("Acme Robotics is connected again.");
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(
        browser.connect("acme-robotics").await,
        id,
        "what belongs to it is found again"
    );
}

#[tokio::test]
async fn a_reconnect_that_comes_back_as_another_workspace_is_refused() {
    for world in both().await {
        reconnect_as_another(&world).await;
    }
}

async fn reconnect_as_another(world: &World) {
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let reply = browser.reconnect(&id, "globex").await;
    assert_eq!(reply.location(), "/integrations?error=wrong_workspace");
    let page = browser.get(reply.location()).await;
    page.shows("You approved another workspace.");
    page.shows("This Reconnect is for Acme Robotics.");
    page.hides("linear.app/globex");
    assert_eq!(world.living_tokens(), 2, "only Acme's pair is alive");
    let globex = browser.connect("globex").await;
    assert_eq!(
        browser.reconnect(&id, "globex").await.location(),
        "/integrations?error=wrong_workspace"
    );
    assert!(
        world.lives("northwind-labs", &globex).await && world.lives("northwind-labs", &id).await
    );
    browser
        .post("/integrations/disconnect", &[("connection", &globex)])
        .await;
    assert_eq!(
        world.living_tokens(),
        2,
        "what was set aside ended with Globex"
    );
}

#[tokio::test]
async fn a_workspace_is_known_by_its_id_not_by_its_names() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let id = browser.connect("acme-robotics").await;
    let rename = Rename {
        workspace: "acme-robotics".to_owned(),
        name: Some("Acme Space".to_owned()),
        url_key: Some("acme-space".to_owned()),
    };
    world.linear.rename_workspace(rename).unwrap();
    assert_eq!(
        browser.reconnect(&id, "acme-space").await.location(),
        "/integrations"
    );
    assert_eq!(browser.connection_id("acme-space").await, id);
    browser.get("/integrations").await.shows("Acme Space");
}

#[tokio::test]
async fn another_organisations_workspace_is_refused_naming_only_who_connected_it() {
    for world in both().await {
        refused_to_another_organisation(&world).await;
    }
}

async fn refused_to_another_organisation(world: &World) {
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    let reply = other.walk("acme-robotics", &[]).await;
    assert_eq!(
        reply.location(),
        "/integrations?error=workspace_already_linked"
    );
    let page = other.get(reply.location()).await;
    page.shows("That workspace is already connected by priya@northwind.dev");
    page.hides("Northwind Labs");
    assert!(world.lives("northwind-labs", &id).await);
    assert_eq!(
        world.living_tokens(),
        4,
        "the tokens just minted are set aside"
    );
    owner
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    assert_eq!(world.living_tokens(), 0);
}

#[tokio::test]
async fn organisations_may_share_a_workspace_where_the_operator_says_so() {
    let world = World::with(Setup {
        shared_workspaces: true,
        ..Setup::default()
    })
    .await;
    world.owner().await.connect("acme-robotics").await;
    world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await
        .connect("acme-robotics")
        .await;
    assert_eq!(
        world.engine.name_shared_workspaces().await.unwrap(),
        [],
        "as the operator wants it"
    );
    // Started again without it: what contradicts that is named, and the first one keeps the
    // workspace.
    let restarted = world.another(0).await;
    let (url_key, holder, others) = (
        "acme-robotics".to_owned(),
        "northwind-labs".to_owned(),
        vec!["southwind".to_owned()],
    );
    assert_eq!(
        restarted.name_shared_workspaces().await.unwrap(),
        [SharedWorkspace {
            url_key,
            holder,
            others
        }]
    );
}

#[tokio::test]
async fn somebody_elses_connection_cannot_be_reconnected() {
    let world = World::new().await;
    let id = world.owner().await.connect("acme-robotics").await;
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    let headers = [("sec-fetch-site", "same-origin")];
    assert_eq!(
        other
            .send(
                Method::POST,
                "/oauth/linear/start",
                &[("connection", &id)],
                &headers
            )
            .await
            .location(),
        "/integrations"
    );
    other
        .get("/integrations")
        .await
        .shows("There is nothing here.");
    let page = other.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn without_an_app_the_page_says_what_to_set_up() {
    let world = World::with(Setup {
        no_app: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    let page = browser.get("/integrations").await;
    assert!(page.body.contains("/settings#linear-app"));
    page.hides("action=\"/oauth/linear/start\"");
    assert_eq!(
        browser.post("/oauth/linear/start", &[]).await.location(),
        "/integrations"
    );
}

#[tokio::test]
async fn an_approval_that_never_comes_leaves_nothing_broken() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.leave_for_linear(&[]).await;
    world.advance(60 * MINUTE);
    browser
        .get("/integrations")
        .await
        .shows("Connect your first workspace");
    browser.connect("acme-robotics").await;
}

#[tokio::test]
async fn a_browser_that_leaves_during_the_callback_leaves_no_orphaned_tokens() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let leave = browser.leave_for_linear(&[]).await;
    let back = browser.decide(&leave, "acme-robotics", "approve");
    let delayed = Fault {
        delay_ms: Some(300),
        ..fault(Endpoint::Graphql, Kind::DelayReply)
    };
    world.linear.add_fault(delayed).unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(100), browser.get(&back)).await;
    assert!(gone.is_err(), "the browser left in the middle");
    tokio::time::sleep(Duration::from_millis(600)).await;
    browser
        .get("/integrations")
        .await
        .shows("Acme Robotics is connected");
}

#[tokio::test]
async fn scopes_may_come_as_an_array_and_a_reconnect_asks_for_them_again() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    world
        .linear
        .merge_settings(&json!({ "scope_as_array": true }))
        .unwrap();
    browser
        .walk(
            "acme-robotics",
            &[("scopes[]", "write"), ("scopes[]", "comments:create")],
        )
        .await;
    let id = browser.connection_id("acme-robotics").await;
    let asked = parameters(&browser.leave_for_linear(&[("connection", &id)]).await);
    let mut scopes: Vec<_> = asked["scope"].split(',').collect();
    scopes.sort_unstable();
    assert_eq!(
        scopes,
        ["comments:create", "read", "write"],
        "a reconnect asks for what there is"
    );
}
