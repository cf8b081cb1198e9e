//! `/webhooks/linear` and `/api/v1/deliveries`: what Linear sends, what others send, and what is
//! kept of it.

use axum::body::Body;
use axum::http::{Method, Request};
use relink_engine::Acting;
use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use relink_engine::connection::{Evidence, Reason};
use relink_engine::identity::Role;
use serde_json::{Value, json};

use crate::support::webhooks::{OTHER, SECRET, acme, add_secret, issue, post, sign, signed};
use crate::world::{Program, START, Setup, World};

const MEBIBYTE: usize = 1024 * 1024;

async fn deliveries(program: &Program<'_>, query: &str) -> Value {
    let answer = program
        .call(Method::GET, &format!("/api/v1/deliveries{query}"), "")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn count(program: &Program<'_>) -> usize {
    deliveries(program, "?limit=500").await["deliveries"]
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_signed_delivery_is_stored_as_it_came_and_once() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for (number, secret) in [(1, SECRET.to_owned()), (2, world.app_secret())] {
        let body = issue(&workspace, number, START);
        assert_eq!(
            World::told(&world.deliver(&secret, &body).await),
            (200, "accepted")
        );
        let again = world
            .send(signed(&secret, &body, Some("another-delivery")))
            .await;
        assert_eq!(
            World::told(&again),
            (200, "duplicate"),
            "the same body under a new delivery id"
        );
    }
    let third = issue(&workspace, 3, START);
    assert_eq!(
        World::told(&world.deliver(SECRET, &third).await),
        (200, "accepted"),
        "a new body under a known delivery id"
    );
    let fourth = world
        .send(signed(SECRET, &issue(&workspace, 4, START), None))
        .await;
    assert_eq!(
        World::told(&fourth),
        (200, "accepted"),
        "without a delivery id"
    );
    let all = deliveries(&program, "").await;
    let bodies: Vec<&str> = all["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["body"].as_str().unwrap())
        .collect();
    let sent: Vec<String> = (1..=4)
        .map(|number| issue(&workspace, number, START))
        .collect();
    assert_eq!(bodies, sent, "in the order they came, byte for byte");
    let first = &all["deliveries"][0];
    assert_eq!(
        (
            &first["workspace"]["id"],
            &first["event"],
            &first["action"],
            &first["received_at"],
            &first["webhook_timestamp"]
        ),
        (
            &json!(workspace),
            &json!("Issue"),
            &json!("update"),
            &json!("2026-11-19T14:02:11Z"),
            &json!(START)
        )
    );
    assert_eq!(first["delivery_id"], "d4c1f0a2-0000-4000-8000-000000000001");
    assert!(all["deliveries"][3]["delivery_id"].is_null());
}

#[tokio::test]
async fn signatures_that_are_missing_wrong_or_misspelt_are_refused() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let body = issue(&workspace, 1, START);
    let good = sign(SECRET, body.as_bytes());
    let wrong = [
        good.to_uppercase(),
        good[..63].to_owned(),
        format!("{good}0"),
        format!("sha256={good}"),
        format!("{good}, {good}"),
        String::new(),
        sign("lin_wh_SomebodyElses0123", body.as_bytes()),
        sign(SECRET, b"{}"),
        "x".repeat(64),
        "0".repeat(64),
    ];
    for signature in wrong {
        let request = post()
            .header("linear-signature", &signature)
            .body(Body::from(body.clone()))
            .unwrap();
        assert_eq!(
            World::told(&world.send(request).await),
            (401, "signature"),
            "{signature}"
        );
    }
    let none = post().body(Body::from(body.clone())).unwrap();
    assert_eq!(world.send(none).await.status, 401);
    let two = post()
        .header("linear-signature", &good)
        .header("linear-signature", &good)
        .body(Body::from(body.clone()))
        .unwrap();
    assert_eq!(world.send(two).await.status, 401);
    for at in (0..body.len()).step_by(7) {
        let mut flipped = body.clone().into_bytes();
        flipped[at] ^= 1;
        let request = post()
            .header("linear-signature", &good)
            .body(Body::from(flipped))
            .unwrap();
        assert_eq!(world.send(request).await.status, 401, "byte {at}");
    }
    let gzip = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0];
    let request = post()
        .header("content-encoding", "gzip")
        .header("linear-signature", sign(SECRET, &gzip))
        .body(Body::from(gzip.to_vec()));
    assert_eq!(
        world.send(request.unwrap()).await.status,
        401,
        "nobody knows whose it would be"
    );
    assert_eq!(count(&program).await, 0);
    assert_eq!(
        World::told(&world.deliver(SECRET, &body).await),
        (200, "accepted")
    );
}

#[tokio::test]
async fn each_workspace_has_secrets_of_its_own_and_no_others() {
    let world = World::new().await;
    let (mut browser, program, _id, acme) = acme(&world).await;
    let second = browser.connect("globex").await;
    let globex = world.workspace_id(&second).await;
    assert_eq!(
        World::told(&world.deliver(SECRET, &issue(&globex, 1, START)).await),
        (401, "signature"),
        "Globex has none yet"
    );
    add_secret(&world, &second, OTHER).await;
    assert_eq!(
        World::told(&world.deliver(SECRET, &issue(&globex, 1, START)).await),
        (401, "signature"),
        "Acme's is not Globex's"
    );
    assert_eq!(
        World::told(&world.deliver(OTHER, &issue(&acme, 1, START)).await),
        (401, "signature"),
        "nor the other way"
    );
    assert_eq!(
        World::told(&world.deliver(OTHER, &issue(&globex, 1, START)).await),
        (200, "accepted")
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &issue(&acme, 1, START)).await),
        (200, "accepted")
    );
    // Twice the same key: what counts is what is stored.
    let both = format!(
        r#"{{"organizationId":"{globex}","organizationId":"{acme}","type":"Issue",
            "action":"create","webhookTimestamp":{START}}}"#
    );
    assert_eq!(
        World::told(&world.deliver(OTHER, &both).await),
        (401, "signature")
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &both).await),
        (200, "accepted")
    );
    assert_eq!(
        deliveries(&program, "").await["deliveries"][2]["workspace"]["id"],
        json!(acme)
    );
}

#[tokio::test]
async fn linears_own_retries_are_accepted_for_eight_hours() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for (number, late) in [(1, MINUTE), (2, HOUR), (3, 6 * HOUR), (4, 8 * HOUR)] {
        let body = issue(&workspace, number, START + i64::from(number));
        let mut headers = signed(SECRET, &body, Some("first"));
        headers
            .headers_mut()
            .insert("linear-timestamp", START.into());
        world.advance(late + i64::from(number) - (world.engine.now() - START));
        assert_eq!(
            World::told(&world.send(headers).await),
            (200, "accepted"),
            "{late} ms late, never stored"
        );
        world.advance(SECOND.min(8 * HOUR - late));
        assert_eq!(
            World::told(&world.deliver(SECRET, &body).await),
            (200, "duplicate"),
            "{late} ms late, stored"
        );
    }
    let body = issue(&workspace, 9, world.engine.now() - 8 * HOUR - 1);
    assert_eq!(
        World::told(&world.deliver(SECRET, &body).await),
        (400, "stale")
    );
    assert_eq!(
        World::told(
            &world
                .deliver(
                    SECRET,
                    &issue(&workspace, 9, world.engine.now() + MINUTE + 1)
                )
                .await
        ),
        (400, "future")
    );
    assert_eq!(
        World::told(
            &world
                .deliver(SECRET, &issue(&workspace, 9, world.engine.now() + MINUTE))
                .await
        ),
        (200, "accepted")
    );
    assert_eq!(count(&program).await, 5);
}

#[tokio::test]
async fn timestamps_of_any_shape_get_a_clear_answer() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let with = |timestamp: &str| {
        format!(r#"{{"organizationId":"{workspace}","type":"Issue","action":"create"{timestamp}}}"#)
    };
    let cases = [
        ("", "missing_timestamp"),
        (r#","webhookTimestamp":null"#, "missing_timestamp"),
        (r#","webhookTimestamp":"1795096931000""#, "malformed"),
        (r#","webhookTimestamp":[1]"#, "malformed"),
        (r#","webhookTimestamp":-1795096931000"#, "stale"),
        (r#","webhookTimestamp":1795096931"#, "stale"),
        (r#","webhookTimestamp":1826632931000"#, "future"),
        (r#","webhookTimestamp":99999999999999999999999"#, "future"),
        (r#","webhookTimestamp":-99999999999999999999999"#, "stale"),
    ];
    for (timestamp, code) in cases {
        assert_eq!(
            World::told(&world.deliver(SECRET, &with(timestamp)).await),
            (400, code),
            "{timestamp}"
        );
    }
    // The header is not signed and says nothing.
    let mut request = signed(SECRET, &with(""), None);
    request
        .headers_mut()
        .insert("linear-timestamp", START.into());
    assert_eq!(
        World::told(&world.send(request).await),
        (400, "missing_timestamp")
    );
    assert_eq!(count(&program).await, 0);
}

#[tokio::test]
async fn bodies_of_any_shape_get_a_clear_answer() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for body in [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        r#"{"organizationId":7}"#,
        r#"{"organizationId":""}"#,
        "{\"organizationId\":\"a\"",
        "\u{0}",
    ] {
        assert_eq!(
            World::told(&world.deliver(&world.app_secret(), body).await),
            (400, "malformed"),
            "{body:?}"
        );
        assert_eq!(
            World::told(&world.deliver(SECRET, body).await),
            (401, "signature"),
            "{body:?}: whose would it be?"
        );
    }
    let deep = format!(
        r#"{{"organizationId":"{workspace}","webhookTimestamp":{START},"data":{}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &deep).await),
        (200, "accepted")
    );
    let odd = format!(
        r#"{{"organizationId":"{workspace}","webhookTimestamp":{START},"type":{{}},
            "action":"a\u0000b","actor":[],"data":"x"}}"#
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &odd).await),
        (200, "accepted")
    );
    let all = deliveries(&program, "").await;
    assert_eq!(
        (
            &all["deliveries"][1]["action"],
            &all["deliveries"][1]["body"]
        ),
        (&json!("a\u{fffd}b"), &json!(odd))
    );
}

#[tokio::test]
async fn five_mebibytes_pass_and_one_byte_more_does_not() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let frame =
        format!(r#"{{"organizationId":"{workspace}","webhookTimestamp":{START},"data":""}}"#);
    let sized = |bytes: usize| {
        frame.replace(
            r#""data":"""#,
            &format!(r#""data":"{}""#, "x".repeat(bytes - frame.len())),
        )
    };
    let (most, more) = (sized(5 * MEBIBYTE), sized(5 * MEBIBYTE + 1));
    assert_eq!(
        World::told(&world.deliver(SECRET, &more).await),
        (413, "too_large")
    );
    let announced = post()
        .header("content-length", more.len())
        .header("linear-signature", sign(SECRET, more.as_bytes()))
        .body(Body::from(more.clone()));
    assert_eq!(world.send(announced.unwrap()).await.status, 413);
    let chunks = |body: String| {
        let chunks: Vec<_> = body
            .into_bytes()
            .chunks(64 * 1024)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect();
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let chunked = post()
        .header("linear-signature", sign(SECRET, more.as_bytes()))
        .body(chunks(more))
        .unwrap();
    assert_eq!(
        world.send(chunked).await.status,
        413,
        "counted while it is read"
    );
    let chunked = post()
        .header("linear-signature", sign(SECRET, most.as_bytes()))
        .body(chunks(most))
        .unwrap();
    assert_eq!(World::told(&world.send(chunked).await), (200, "accepted"));
    assert_eq!(count(&program).await, 1);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = world
            .send(
                Request::builder()
                    .method(method)
                    .uri("/webhooks/linear")
                    .body(Body::empty())
                    .unwrap(),
            )
            .await;
        assert_eq!(
            (answer.status, &answer.headers["allow"]),
            (405, &"POST".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn nothing_is_stored_for_a_workspace_that_nobody_has() {
    let world = World::new().await;
    let (mut browser, program, id, workspace) = acme(&world).await;
    let unknown = issue("00000000-0000-4000-8000-00000000dead", 1, START);
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &unknown).await),
        (200, "ignored")
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &unknown).await),
        (401, "signature")
    );
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let body = issue(&workspace, 1, START);
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &body).await),
        (200, "ignored"),
        "Linear must not disable the webhook"
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &body).await),
        (401, "signature")
    );
    assert_eq!(count(&program).await, 0);
    browser.connect("acme-robotics").await;
    assert_eq!(
        World::told(&world.deliver(SECRET, &body).await),
        (200, "accepted"),
        "the secret was kept"
    );
    let metrics = world.metrics().await.text;
    assert!(
        metrics.contains("relink_webhooks_total{outcome=\"ignored\"} 2"),
        "{metrics}"
    );
}

fn revoked(workspace: &str, client: &str, at: &str, timestamp: Millis) -> String {
    json!({ "action": "revoked", "type": "OAuthApp", "oauthClientId": client,
        "organizationId": workspace, "createdAt": at,
            "webhookTimestamp": timestamp, "webhookId": "h1" })
    .to_string()
}

async fn state(program: &Program<'_>) -> (String, Value) {
    let connection = program
        .call(Method::GET, "/api/v1/connections", "")
        .await
        .body["connections"][0]
        .clone();
    (
        connection["state"].as_str().unwrap().to_owned(),
        connection["reason"].clone(),
    )
}

#[tokio::test]
async fn a_revocation_ends_the_installation_that_it_speaks_of_and_no_later_one() {
    let world = World::new().await;
    let (mut browser, program, id, workspace) = acme(&world).await;
    let client = world.linear.app().client_id;
    let ours = world.app_secret();
    let before = revoked(&workspace, &client, "2026-11-19T14:02:10.999Z", START);
    assert_eq!(
        World::told(&world.deliver(&ours, &before).await),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await.0,
        "connected",
        "it speaks of an installation before this one"
    );
    let elsewhere = revoked(&workspace, "another-app", "2026-11-19T14:02:12.000Z", START);
    assert_eq!(
        World::told(&world.deliver(SECRET, &elsewhere).await),
        (200, "ignored")
    );
    let nameless = elsewhere.replace(r#""oauthClientId":"another-app","#, "");
    assert_eq!(
        World::told(&world.deliver(SECRET, &nameless).await),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await.0,
        "connected",
        "under a workspace's secret only what names our client counts"
    );
    let now = revoked(&workspace, &client, "2026-11-19T14:02:11.000Z", START + 1);
    assert_eq!(
        World::told(&world.deliver(&ours, &now).await),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
    browser
        .get("/integrations")
        .await
        .shows("Reconnect required");
    assert_eq!(
        World::told(&world.deliver(&ours, &now).await),
        (200, "ignored"),
        "nobody listens to it any more"
    );
    world.advance(SECOND);
    browser.reconnect(&id, "acme-robotics").await;
    assert_eq!(
        World::told(&world.deliver(&ours, &now).await),
        (200, "duplicate")
    );
    let restamped = revoked(
        &workspace,
        &client,
        "2026-11-19T14:02:11.000Z",
        START + SECOND,
    );
    assert_eq!(
        World::told(&world.deliver(&ours, &restamped).await),
        (200, "duplicate")
    );
    assert_eq!(
        state(&program).await.0,
        "connected",
        "the reinstall a second later stands"
    );
    let own = revoked(
        &workspace,
        &client,
        "2026-11-19T14:02:13.000Z",
        START + SECOND,
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &own).await),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
}

#[tokio::test]
async fn what_we_conclude_from_refusals_ends_no_webhooks_and_linears_word_does() {
    let world = World::new().await;
    let (_browser, program, id, workspace) = acme(&world).await;
    let evidence = Evidence::new(401, "AUTHENTICATION_ERROR");
    let store = &world.store;
    assert!(
        store
            .connection_break(&id, 1, Reason::Revoked, Some(&evidence), world.engine.now())
            .await
            .unwrap()
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
    let event = |n: i64| {
        json!({ "action": "create", "type": "Issue", "organizationId": workspace,
            "webhookTimestamp": START + n })
        .to_string()
    };
    for (secret, n) in [(SECRET.to_owned(), 1), (world.app_secret(), 2)] {
        assert_eq!(
            World::told(&world.deliver(&secret, &event(n)).await),
            (200, "accepted")
        );
    }
    let removed = revoked(
        &workspace,
        &world.linear.app().client_id,
        "2026-11-19T14:02:11.000Z",
        START + 3,
    );
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &removed).await),
        (200, "accepted")
    );
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &event(4)).await),
        (200, "ignored"),
        "Linear said so"
    );
}

#[tokio::test]
async fn an_authorization_that_ends_is_that_users_alone() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    assert_eq!(
        browser
            .walk("acme-robotics", &[("actor", "user")])
            .await
            .location(),
        "/integrations"
    );
    let id = browser.connection_id("acme-robotics").await;
    let (program, workspace) = (world.program().await, world.workspace_id(&id).await);
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap();
    let viewer = world
        .store
        .connection(&organisation.id, &id)
        .await
        .unwrap()
        .unwrap()
        .viewer
        .id;
    let ended = |user: &str, left: i64| {
        json!({ "action": "revoked", "type": "OAuthAuthorization",
            "oauthClientId": world.linear.app().client_id, "organizationId": workspace,
                "createdAt": "2026-11-19T14:02:12.000Z", "webhookTimestamp": START,
                "webhookId": "h", "userId": user, "activeTokensForUser": left })
        .to_string()
    };
    for harmless in [ended("somebody-else", 0), ended(&viewer, 1)] {
        assert_eq!(
            World::told(&world.deliver(&world.app_secret(), &harmless).await),
            (200, "accepted")
        );
        assert_eq!(state(&program).await.0, "connected", "{harmless}");
    }
    assert_eq!(
        World::told(&world.deliver(&world.app_secret(), &ended(&viewer, 0)).await),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_acknowledged() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    world
        .sql("ALTER TABLE deliveries RENAME TO elsewhere")
        .await;
    let body = issue(&workspace, 1, START);
    let answer = world.deliver(SECRET, &body).await;
    assert_eq!(
        (
            World::told(&answer),
            answer.headers.contains_key("retry-after")
        ),
        ((503, "unavailable"), true)
    );
    world
        .sql("ALTER TABLE elsewhere RENAME TO deliveries")
        .await;
    assert_eq!(
        World::told(&world.deliver(SECRET, &body).await),
        (200, "accepted")
    );
    assert_eq!(count(&program).await, 1);
}

#[tokio::test]
async fn a_crash_between_storing_and_acting_is_made_up_for() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let now = revoked(
        &workspace,
        &world.linear.app().client_id,
        "2026-11-19T14:02:12.000Z",
        START,
    );
    world.deliver(&world.app_secret(), &now).await;
    world
        .sql("UPDATE connections SET state = 'connected', reason = NULL")
        .await;
    world.sql("UPDATE deliveries SET to_do = TRUE").await;
    world.another(0).await.run_connection_events().await;
    assert_eq!(state(&program).await.0, "reconnect_required");
    world
        .sql("UPDATE connections SET state = 'connected', reason = NULL")
        .await;
    world.another(0).await.run_connection_events().await;
    assert_eq!(state(&program).await.0, "connected", "it was acted on once");
}

#[tokio::test]
async fn a_new_secret_overlaps_with_the_one_before() {
    let world = World::new().await;
    let (_browser, _program, id, workspace) = acme(&world).await;
    let next = "lin_wh_AcmesNextSecret0456";
    let deliver = async |secret: &str, number: u32| {
        let answer = world
            .deliver(secret, &issue(&workspace, number, world.engine.now()))
            .await;
        answer.status
    };
    assert_eq!(
        (deliver(SECRET, 1).await, deliver(next, 2).await),
        (200, 401)
    );
    add_secret(&world, &id, next).await;
    assert_eq!(
        (deliver(SECRET, 3).await, deliver(next, 4).await),
        (200, 200)
    );
    world.until_settled(&id).await;
    world.advance(DAY - SECOND);
    assert_eq!(
        (deliver(SECRET, 5).await, deliver(next, 6).await),
        (200, 200)
    );
    world.advance(SECOND);
    assert_eq!(
        (deliver(SECRET, 7).await, deliver(next, 8).await),
        (401, 200)
    );
    add_secret(&world, &id, SECRET).await;
    assert_eq!(
        (deliver(SECRET, 9).await, deliver(next, 10).await),
        (200, 200),
        "the old one is back"
    );
}

#[tokio::test]
async fn programs_read_on_from_where_they_were() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    assert_eq!(
        deliveries(&program, "").await,
        json!({ "deliveries": [], "next": null })
    );
    for number in 0..7 {
        world
            .deliver(SECRET, &issue(&workspace, number, START))
            .await;
    }
    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
    loop {
        let page = deliveries(&program, &query).await;
        let part = page["deliveries"].as_array().unwrap().clone();
        query = format!("?limit=3&after={}", page["next"].as_str().unwrap());
        if part.is_empty() {
            break;
        }
        seen.extend(
            part.iter()
                .map(|one| one["body"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(
        seen,
        (0..7)
            .map(|number| issue(&workspace, number, START))
            .collect::<Vec<_>>()
    );
    world.deliver(SECRET, &issue(&workspace, 7, START)).await;
    assert_eq!(
        deliveries(&program, &query).await["deliveries"][0]["body"],
        json!(issue(&workspace, 7, START)),
        "next always goes on"
    );
    for wrong in [
        "?limit=0",
        "?limit=501",
        "?limit=x",
        "?after=x",
        "?after=-1",
    ] {
        let answer = program
            .call(Method::GET, &format!("/api/v1/deliveries{wrong}"), "")
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request"),
            "{wrong}"
        );
    }
    world.add("initech", "sam@initech.dev", Role::Owner).await;
    assert_eq!(
        count(&world.program_of("initech").await).await,
        0,
        "another organisation sees nothing"
    );
}

#[tokio::test]
async fn large_bodies_come_in_smaller_pages() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for number in 0..5 {
        let body = format!(
            r#"{{"organizationId":"{workspace}","webhookTimestamp":{START},"n":{number},
                "data":"{}"}}"#,
            "x".repeat(5 * MEBIBYTE - 200)
        );
        assert_eq!(
            World::told(&world.deliver(SECRET, &body).await),
            (200, "accepted")
        );
    }
    let (mut seen, mut query) = (0, String::new());
    while seen < 5 {
        let page = deliveries(&program, &query).await;
        assert_eq!(
            page["deliveries"].as_array().unwrap().len(),
            1,
            "one at least"
        );
        query = format!("?after={}", page["next"].as_str().unwrap());
        seen += 1;
    }
    assert!(
        deliveries(&program, &query).await["deliveries"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn of_a_shared_workspace_each_organisation_hears_what_it_may() {
    let world = World::with(Setup {
        shared_workspaces: true,
        ..Setup::default()
    })
    .await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let mut other = world
        .member("initech", "sam@initech.dev", Role::Owner)
        .await;
    other.connect("acme-robotics").await;
    let initech = world.program_of("initech").await;
    assert_eq!(
        World::told(
            &world
                .deliver(&world.app_secret(), &issue(&workspace, 1, START))
                .await
        ),
        (200, "accepted")
    );
    assert_eq!(
        (count(&program).await, count(&initech).await),
        (1, 1),
        "stored once, for both"
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &issue(&workspace, 2, START)).await),
        (200, "accepted")
    );
    assert_eq!(
        (count(&program).await, count(&initech).await),
        (2, 1),
        "one organisation's secret vouches for nothing at the other's"
    );
    assert_eq!(
        World::told(
            &world
                .deliver(&world.app_secret(), &issue(&workspace, 2, START))
                .await
        ),
        (200, "accepted"),
        "new to Initech"
    );
    assert_eq!((count(&program).await, count(&initech).await), (2, 2));
    assert_eq!(
        World::told(
            &world
                .deliver(&world.app_secret(), &issue(&workspace, 2, START))
                .await
        ),
        (200, "duplicate")
    );
    let all = deliveries(&initech, "").await;
    let rest = deliveries(
        &initech,
        &format!("?after={}", all["next"].as_str().unwrap()),
    )
    .await;
    assert_eq!(
        rest["deliveries"],
        json!([]),
        "an old one that came late is behind the cursor too"
    );
}

#[tokio::test]
async fn old_deliveries_are_forgotten_a_bite_at_a_time() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for number in 0..5 {
        world
            .deliver(SECRET, &issue(&workspace, number, world.engine.now()))
            .await;
        world.advance(DAY);
    }
    assert_eq!(world.engine.forget_deliveries().await.unwrap(), 0);
    world.advance(27 * DAY);
    assert_eq!(world.engine.forget_deliveries().await.unwrap(), 2);
    assert_eq!(count(&program).await, 3);
    let left = world.store.delivery_bytes().await.unwrap();
    assert_eq!(
        world.store.deliveries_prune(left / 2, 100).await.unwrap(),
        (2, 0),
        "the oldest first, until it fits"
    );
    assert_eq!(count(&program).await, 1);
}

/// A clock that is a month ahead for a while.
#[tokio::test]
async fn a_clock_that_jumps_costs_next_to_nothing() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    for number in 0..300 {
        world
            .deliver(SECRET, &issue(&workspace, number, START))
            .await;
    }
    world.advance(31 * DAY);
    assert_eq!(world.engine.forget_deliveries().await.unwrap(), 6);
    world.advance(-31 * DAY);
    assert_eq!(
        (
            world.engine.forget_deliveries().await.unwrap(),
            count(&program).await
        ),
        (0, 294)
    );
    let again = world.deliver(SECRET, &issue(&workspace, 299, START)).await;
    assert_eq!(
        World::told(&again),
        (200, "duplicate"),
        "nearly all events are known still"
    );
}

#[tokio::test]
async fn one_event_through_two_webhooks_is_taken_once() {
    let world = World::new().await;
    let (mut browser, program, _id, workspace) = acme(&world).await;
    let by = |webhook: &str, at: Millis, number: u32| {
        let body = issue(&workspace, number, START);
        body.replace("\"h1\"", &format!("\"{webhook}\""))
            .replace(&format!(":{START}"), &format!(":{at}"))
    };
    let app = world.app_secret();
    assert_eq!(
        World::told(&world.deliver(&app, &by("h1", START, 1)).await),
        (200, "accepted")
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &by("h2", START + 7, 1)).await),
        (200, "duplicate"),
        "through the workspace's own"
    );
    assert_eq!(
        World::told(&world.deliver(&app, &by("h1", START + 60_000, 1)).await),
        (200, "duplicate"),
        "stamped anew"
    );
    assert_eq!(
        World::told(&world.deliver(SECRET, &by("h2", START + 9, 2)).await),
        (200, "accepted")
    );
    assert_eq!(
        World::told(&world.deliver(&app, &by("h1", START + 8, 2)).await),
        (200, "duplicate")
    );
    let inner = by("h1", START, 3).replace(
        "\"data\":{",
        "\"data\":{\"webhookId\":\"x\",\"webhookTimestamp\":1,",
    );
    assert_eq!(
        World::told(&world.deliver(&app, &inner).await),
        (200, "accepted")
    );
    let other = inner.replace("\"webhookId\":\"x\"", "\"webhookId\":\"y\"");
    assert_eq!(
        World::told(&world.deliver(&app, &other).await),
        (200, "accepted"),
        "what a person wrote is part of the event"
    );
    assert_eq!(count(&program).await, 4);
    let page = browser.get("/deliveries").await;
    page.shows("Came through the Linear app’s webhook and the workspace’s own, taken once");
    assert_eq!(page.body.matches("taken once").count(), 2);
}

#[tokio::test]
async fn where_the_apps_webhook_delivers_no_other_one_is_recommended() {
    let world = World::new().await;
    let (mut browser, _program, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    browser
        .get("/integrations")
        .await
        .shows("No delivery yet. Add the webhook");
    world
        .deliver(&world.app_secret(), &issue(&workspace, 1, START))
        .await;
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows(
        "Deliveries arrive through the Linear app’s own webhook. Nothing has to be set up for this \
            workspace.",
    );
    page.shows("A webhook of the workspace’s own instead");
    browser.walk("globex", &[]).await;
    let page = browser.get("/integrations").await;
    page.shows("Globex is connected. Its deliveries arrive through the Linear app’s own webhook.");
    page.hides("Paste the webhook secret");
    page.hides("Add the webhook");
    add_secret(&world, &id, SECRET).await;
    let again = issue(&workspace, 1, START).replace("\"h1\"", "\"h2\"");
    assert_eq!(
        World::told(&world.deliver(SECRET, &again).await),
        (200, "duplicate")
    );
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows(
        "Every event arrives twice: through the Linear app’s own webhook and through this \
            workspace’s. Relink takes it once.",
    );
    page.shows("Current lin_wh_····0123");
}

#[tokio::test]
async fn the_address_may_end_with_a_slash_and_wrong_ones_are_seen() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let to = |path: &str, number: u32| {
        let body = issue(&workspace, number, START);
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("linear-signature", sign(SECRET, body.as_bytes()));
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(
        World::told(&world.send(to("/webhooks/linear/", 1)).await),
        (200, "accepted")
    );
    browser
        .get("/deliveries")
        .await
        .hides("with Linear’s signature came to");
    for path in [
        "/webhook/linear",
        "/webhook/linear",
        "/",
        "/webhooks/linear/x?y=z",
    ] {
        assert_ne!(world.send(to(path, 2)).await.status, 200, "{path}");
    }
    for page in ["/deliveries".to_owned(), format!("/integrations/{id}")] {
        let page = browser.get(&page).await;
        page.shows(
            "2 requests with Linear’s signature came to /webhook/linear in the last 24 hours, \
                where nothing takes them.",
        );
        page.shows("Change the webhook’s URL in Linear to http://localhost:3000/webhooks/linear");
        page.shows("1 request with Linear’s signature came to /webhooks/linear/x in");
    }
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member
        .get("/deliveries")
        .await
        .hides("with Linear’s signature came to");
    let long = format!("/{}", "x".repeat(5_000));
    for number in 0..50 {
        world.send(to(&format!("/{number}"), 3)).await;
        world.send(to(&long, 3)).await;
    }
    let strays = world
        .engine
        .deliveries(Acting::command(&world.organisation().await))
        .strays(START - DAY)
        .await
        .unwrap();
    assert!(
        strays.len() <= 20 && strays.iter().all(|stray| stray.path.len() <= 100),
        "{strays:?}"
    );
}

#[tokio::test]
async fn a_mistyped_secret_takes_nothing_away() {
    let world = World::new().await;
    let (_browser, _program, id, workspace) = acme(&world).await;
    let deliver = async |secret: &str, number: u32| {
        world
            .deliver(secret, &issue(&workspace, number, world.engine.now()))
            .await
            .status
    };
    assert_eq!(deliver(SECRET, 1).await, 200);
    add_secret(&world, &id, "lin_wh_AMistypedSecret0789").await;
    world.advance(3 * DAY);
    assert_eq!(
        deliver(SECRET, 2).await,
        200,
        "the new one has verified nothing"
    );
    let next = "lin_wh_AcmesNextSecret0456";
    add_secret(&world, &id, next).await;
    world.advance(3 * DAY);
    assert_eq!(
        (deliver(SECRET, 3).await, deliver(next, 4).await),
        (200, 200)
    );
    world.until_settled(&id).await;
    world.advance(DAY - SECOND);
    assert_eq!(deliver(SECRET, 5).await, 200, "Linear's retries");
    world.advance(SECOND);
    assert_eq!(
        (deliver(SECRET, 6).await, deliver(next, 7).await),
        (401, 200)
    );
    assert_eq!(
        deliver("lin_wh_AMistypedSecret0789", 8).await,
        401,
        "it went with the other one"
    );
}

/// The secret is the workspace's, under which events about any app may come.
#[tokio::test]
async fn a_revocation_may_name_the_application_by_its_own_id() {
    let world = World::new().await;
    let (mut browser, program, id, workspace) = acme(&world).await;
    let (ours, another) = (
        world.linear.app().id,
        "00000000-0000-4000-8000-00000000beef",
    );
    let at = "2026-11-19T14:02:12.000Z";
    assert_eq!(
        World::told(
            &world
                .deliver(SECRET, &revoked(&workspace, another, at, START))
                .await
        ),
        (200, "ignored")
    );
    assert_eq!(state(&program).await.0, "connected");
    assert_eq!(
        World::told(
            &world
                .deliver(SECRET, &revoked(&workspace, &ours, at, START))
                .await
        ),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
    world.advance(MINUTE);
    browser.reconnect(&id, "acme-robotics").await;
    assert_eq!(state(&program).await.0, "connected");
}

/// It works without asking Linear.
#[tokio::test]
async fn what_the_apps_own_secret_signs_tells_which_application_it_is() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let named = "0a0b0c0d-0000-4000-8000-00000000beef";
    assert_eq!(
        World::told(
            &world
                .deliver(&world.app_secret(), &session(&workspace, named))
                .await
        ),
        (200, "accepted")
    );
    let (at, asked) = ("2026-11-19T14:02:12.000Z", world.count("graphql"));
    assert_eq!(
        World::told(
            &world
                .deliver(SECRET, &revoked(&workspace, named, at, START))
                .await
        ),
        (200, "accepted")
    );
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
    assert_eq!(world.count("graphql"), asked);
}

/// Linear's answer is worth more than what one event said.
#[tokio::test]
async fn an_application_that_was_learnt_from_a_wrong_event_is_put_right_by_linear() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let (ours, wrong, another) = (
        world.linear.app().id,
        "0a0b0c0d-0000-4000-8000-00000000beef",
        "0a0b0c0d-0000-4000-8000-00000000dead",
    );
    world
        .deliver(&world.app_secret(), &session(&workspace, wrong))
        .await;
    let (at, asked) = ("2026-11-19T14:02:12.000Z", world.count("graphql"));
    for (named, told) in [
        (another, "ignored"),
        (another, "ignored"),
        (wrong, "ignored"),
        (&ours, "accepted"),
    ] {
        assert_eq!(state(&program).await.0, "connected", "{named}");
        assert_eq!(
            World::told(
                &world
                    .deliver(SECRET, &revoked(&workspace, named, at, START))
                    .await
            ),
            (200, told),
            "{named}"
        );
    }
    assert_eq!(world.count("graphql"), asked + 1, "asked once");
    assert_eq!(
        state(&program).await,
        ("reconnect_required".to_owned(), json!("revoked"))
    );
}

/// An event that names an application.
fn session(workspace: &str, application: &str) -> String {
    json!({ "action": "created", "type": "AgentSessionEvent", "oauthClientId": application,
        "organizationId": workspace,
        "createdAt": "2026-11-19T14:02:11.000Z", "webhookTimestamp": START, "webhookId": "h1" })
    .to_string()
}

#[tokio::test]
async fn many_at_once_are_each_stored_once() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    let bodies: Vec<String> = (0..200)
        .map(|number| issue(&workspace, number, START))
        .collect();
    let all = bodies
        .iter()
        .chain(&bodies)
        .map(|body| world.deliver(SECRET, body));
    let told = futures_util::future::join_all(all).await;
    let accepted = told
        .iter()
        .filter(|answer| World::told(answer) == (200, "accepted"))
        .count();
    let duplicate = told
        .iter()
        .filter(|answer| World::told(answer) == (200, "duplicate"))
        .count();
    assert_eq!(
        (accepted, duplicate, count(&program).await),
        (200, 200, 200)
    );
}

/// Linear itself, over real HTTP: its deliveries, its retries, and its word that the app was
/// removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulated_linear_is_heard_and_believed() {
    let world = World::new().await;
    let (_browser, program, _id, _workspace) = acme(&world).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.linear.set_webhook_url(Some(format!(
        "http://{}/webhooks/linear",
        listener.local_addr().unwrap()
    )));
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let heard = async |count_wanted: usize| {
        for _ in 0..200 {
            if count(&program).await >= count_wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("{count_wanted} expected: {}", world.linear.deliveries());
    };
    world
        .linear
        .create_issue("acme-robotics", "Heard at once", None, None)
        .unwrap();
    heard(1).await;
    world
        .sql("ALTER TABLE deliveries RENAME TO elsewhere")
        .await;
    world
        .linear
        .create_issue("acme-robotics", "Heard at the second try", None, None)
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    world
        .sql("ALTER TABLE elsewhere RENAME TO deliveries")
        .await;
    assert_eq!(count(&program).await, 1);
    world.advance(HOUR);
    heard(2).await;
    world.linear.uninstall("acme-robotics").unwrap();
    heard(3).await;
    // Acted on after it was acknowledged.
    let believed = ("reconnect_required".to_owned(), json!("revoked"));
    for _ in 0..200 {
        if state(&program).await == believed {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(state(&program).await, believed);
}

#[tokio::test]
async fn a_cursor_of_a_database_that_is_gone_says_so_and_where_to_go_on() {
    let world = World::new().await;
    let (_browser, program, _id, workspace) = acme(&world).await;
    world.store.epoch_begin("e1").await.unwrap();
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    let known = deliveries(&program, "").await["next"]
        .as_str()
        .unwrap()
        .to_owned();
    world.deliver(SECRET, &issue(&workspace, 2, START)).await;
    let gone = deliveries(&program, "").await["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        known.starts_with("e1-") && gone.starts_with("e1-") && known != gone,
        "{known} {gone}"
    );
    // The last commit is lost, and a server starts on what is left.
    world
        .sql("DELETE FROM delivery_recipients WHERE number = (SELECT last FROM delivery_log)")
        .await;
    world.sql("UPDATE delivery_log SET last = last - 1").await;
    world.store.epoch_begin("e2").await.unwrap();
    world.deliver(SECRET, &issue(&workspace, 3, START)).await;
    let answer = program
        .call(Method::GET, &format!("/api/v1/deliveries?after={gone}"), "")
        .await;
    assert_eq!(
        (
            answer.status,
            answer.code(),
            answer.body["go_on_after"].as_str()
        ),
        (410, "cursor_expired", Some(known.as_str()))
    );
    let page = deliveries(&program, &format!("?after={known}")).await;
    assert_eq!(
        page["deliveries"][0]["body"],
        json!(issue(&workspace, 3, START))
    );
    assert!(page["next"].as_str().unwrap().starts_with("e2-"));
    let elsewhere = program
        .call(Method::GET, "/api/v1/deliveries?after=e9-5", "")
        .await;
    assert_eq!(
        (
            elsewhere.status,
            elsewhere.code(),
            &elsewhere.body["go_on_after"]
        ),
        (410, "cursor_expired", &json!(null))
    );
    assert!(
        elsewhere.body["detail"]
            .as_str()
            .unwrap()
            .contains("Begin anew without after."),
        "{elsewhere:?}"
    );
}
