//! `/api/v1`, `/metrics` and `/jobs/refresh`, as other programs hold on to them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::stream::{self, FuturesUnordered, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use relink_engine::clock::{DAY, HOUR, MINUTE, SECOND};
use relink_simulator::{Endpoint, Fault, Kind};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::time::timeout;

use crate::world::{METRICS_TOKEN, Program, START, Setup, World, fault};

const JOBS_SECRET: &str = "a secret for the jobs";

async fn get(program: &Program<'_>, path: &str) -> crate::world::Answer {
    program.call(Method::GET, path, "").await
}

#[tokio::test]
async fn connections_are_told_as_the_contract_says() {
    let world = World::new().await;
    let (mut browser, program, id) = world.connected().await;
    let answer = get(&program, "/api/v1/connections").await;
    let workspace = answer.body["connections"][0]["workspace"]["id"].clone();
    assert_eq!(
        answer.body,
        json!({ "connections": [{
            "id": id, "state": "connected", "reason": null, "actor": "app", "scopes": ["read"],
            "workspace": { "id": workspace, "name": "Acme Robotics", "url_key": "acme-robotics" },
            "issued_at": "2026-11-19T14:02:11Z", "refresh_due_at": "2026-11-20T12:32:10Z",
            "expires_at": "2026-11-20T14:02:10Z",
            "last_verified_at": "2026-11-19T14:02:11Z", "linear_reachable": true,
            "next_attempt_at": null, "last_error": null,
        }] })
    );
    world
        .linear
        .add_fault(Fault {
            count: 9,
            ..fault(Endpoint::Token, Kind::Html500)
        })
        .unwrap();
    world.engine.sweep_now(2 * DAY).await.unwrap();
    let connection = get(&program, "/api/v1/connections").await.body["connections"][0].clone();
    assert_eq!(connection["linear_reachable"], false);
    assert_eq!(
        connection["last_error"],
        json!({ "code": "server_error", "status": 500, "at": "2026-11-19T14:02:11Z" })
    );
    assert!(
        connection["next_attempt_at"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-19T14:02:1")
    );
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let ended = get(&program, "/api/v1/connections").await.body["connections"][0].clone();
    assert_eq!(
        (&ended["state"], &ended["reason"], &ended["expires_at"]),
        (&json!("disconnected"), &json!("by_person"), &Value::Null)
    );
}

#[tokio::test]
async fn a_token_comes_with_its_fingerprint_and_is_kept_by_nobody() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let answer = program
        .call(Method::POST, &format!("/api/v1/connections/{id}/token"), "")
        .await;
    assert!(answer.token().starts_with("lin_oauth_"));
    assert_eq!(
        (&answer.body["token_type"], &answer.body["expires_at"]),
        (&json!("Bearer"), &json!("2026-11-20T14:02:10Z"))
    );
    assert_eq!(
        answer.fingerprint(),
        relink_engine::digest::fingerprint(&answer.token())
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    for header in [
        "ratelimit",
        "ratelimit-policy",
        "x-request-id",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
    ] {
        assert!(answer.headers.contains_key(header), "{header}");
    }
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn more_life_than_is_left_means_a_refresh() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let first = program.token(&id).await.token();
    world.advance(12 * HOUR);
    assert_eq!(
        program
            .token_with(&id, json!({ "min_ttl_s": 11 * 3_600 }))
            .await
            .token(),
        first
    );
    assert_ne!(
        program
            .token_with(&id, json!({ "min_ttl_s": 13 * 3_600 }))
            .await
            .token(),
        first
    );
}

#[tokio::test]
async fn problems_are_problem_documents() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let stranger = Program {
        key: "rlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ..program.clone()
    };
    let anonymous = Request::post(format!("/api/v1/connections/{id}/token"))
        .body(Body::empty())
        .unwrap();
    for answer in [
        world.send(anonymous).await,
        stranger.token(&id).await,
        get(&stranger, "/api/v1/connections").await,
    ] {
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
        assert_eq!(
            answer.headers["www-authenticate"],
            "Bearer realm=\"relink\""
        );
    }
    assert_eq!(
        program.token("no-such-connection").await.code(),
        "not_found"
    );
    assert_eq!(get(&program, "/api/v1/nothing").await.code(), "not_found");
    assert_eq!(
        get(&program, &format!("/api/v1/connections/{id}/token"))
            .await
            .code(),
        "method_not_allowed"
    );
    assert_eq!(
        program
            .token_with(&id, json!({ "min_ttl_s": "soon" }))
            .await
            .code(),
        "invalid_request"
    );
    assert_eq!(
        program.graphql(&id, &"x".repeat(2_000_000)).await.code(),
        "too_large"
    );
    let graphql = format!("/api/v1/connections/{id}/graphql");
    assert_eq!(
        program.call(Method::POST, &graphql, "query").await.code(),
        "invalid_request"
    );
}

#[tokio::test]
async fn a_key_reaches_its_own_organisation_and_nothing_once_it_is_revoked() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let person = world
        .add(
            "initech",
            "bill@initech.example",
            relink_engine::identity::Role::Owner,
        )
        .await;
    let other = world.program_of("initech").await;
    assert_eq!(other.token(&id).await.code(), "not_found");
    assert_eq!(
        other.graphql(&id, "{ viewer { id } }").await.code(),
        "not_found"
    );
    assert_eq!(
        get(&other, "/api/v1/connections").await.body,
        json!({ "connections": [] })
    );
    program.token(&id).await.token();
    let keys = world.engine.keys(&person).list().await.unwrap();
    assert!(keys[0].last_used_at.is_some());
    world
        .engine
        .keys(&person)
        .revoke(&keys[0].id)
        .await
        .unwrap();
    assert_eq!(get(&other, "/api/v1/connections").await.status, 401);
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let world = World::with(Setup {
        api_requests_per_minute: Some(3),
        ..Setup::default()
    })
    .await;
    let (_browser, program, id) = world.connected().await;
    for left in [2, 1, 0] {
        let answer = program.token(&id).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.headers["ratelimit"]
                .to_str()
                .unwrap()
                .starts_with(&format!("\"key\";r={left};t="))
        );
        assert_eq!(answer.headers["ratelimit-policy"], "\"key\";q=3;w=60");
    }
    let answer = program.token(&id).await;
    assert_eq!((answer.status, answer.code()), (429, "rate_limited"));
    assert!(
        answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            <= 60
    );
}

#[tokio::test]
async fn graphql_comes_back_as_linear_said_it() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let answer = program.graphql(&id, "{ organization { urlKey } }").await;
    assert_eq!(
        answer.body,
        json!({ "data": { "organization": { "urlKey": "acme-robotics" } } })
    );
    for header in [
        "x-ratelimit-requests-limit",
        "x-ratelimit-requests-remaining",
        "x-ratelimit-complexity-reset",
        "x-complexity",
    ] {
        assert!(answer.headers.contains_key(header), "{header}");
    }
    let invalid = program.graphql(&id, "{ nonsense }").await;
    assert_eq!(
        (
            invalid.status,
            &invalid.body["errors"][0]["extensions"]["code"]
        ),
        (400, &json!("GRAPHQL_VALIDATION_FAILED"))
    );
    let forbidden = program
        .graphql(
            &id,
            "mutation { issueCreate(input: { teamId: \"x\", title: \"t\" }) { success } }",
        )
        .await;
    assert_eq!(
        forbidden.body["errors"][0]["extensions"]["code"],
        "FORBIDDEN"
    );
    world.fault(Endpoint::Graphql, Kind::RateLimited);
    let limited = program.graphql(&id, "{ viewer { id } }").await;
    assert_eq!(
        (
            limited.status,
            &limited.body["errors"][0]["extensions"]["code"]
        ),
        (400, &json!("RATELIMITED"))
    );
    world.fault(Endpoint::Graphql, Kind::Html500);
    let broken = program.graphql(&id, "{ viewer { id } }").await;
    assert_eq!(
        (
            broken.status,
            broken.text.contains("<h1>Internal Server Error</h1>")
        ),
        (500, true)
    );
    assert_eq!(
        world.refreshes().refreshes,
        0,
        "none of these is the token's fault"
    );
}

/// Bodies that do not come keep their places.
#[tokio::test]
async fn one_key_has_a_quarter_of_the_places_and_leaves_the_rest_to_others() {
    let world = World::new().await;
    let (_browser, greedy, id) = world.connected().await;
    let (other, path) = (
        world.program().await,
        format!("/api/v1/connections/{id}/token"),
    );
    let silent = || Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let mut asked: FuturesUnordered<_> = (0..4_200)
        .map(|_| greedy.call(Method::POST, &path, silent()))
        .collect();
    for number in 0..4_200 - 1_024 {
        let answer = timeout(Duration::from_secs(10), asked.next());
        let answer = answer
            .await
            .unwrap_or_else(|_| panic!("{number} refused"))
            .unwrap();
        assert_eq!((answer.code(), answer.status), ("overloaded", 503));
    }
    assert_eq!(other.token(&id).await.status, 200);
    drop(asked);
    assert_eq!(greedy.token(&id).await.status, 200);
}

#[tokio::test]
async fn graphql_heals_an_authentication_error_and_tells_of_one_that_stays() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world.kill_access_token("acme-robotics");
    assert_eq!(program.graphql(&id, "{ viewer { id } }").await.status, 200);
    assert_eq!(world.refreshes().rotations, 1);
    world.advance(HOUR);
    world.faults(Endpoint::Graphql, Kind::AuthError, 9);
    let answer = program.graphql(&id, "{ viewer { id } }").await;
    assert_eq!(
        (answer.code(), answer.body["reason"].as_str()),
        ("reconnect_required", Some("revoked"))
    );
    assert_eq!(world.refreshes().rotations, 5);
}

#[tokio::test]
async fn an_answer_with_data_was_executed_whatever_it_says_beside_it() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let error = json!([{ "message": "no", "path": ["organization"],
        "extensions": { "code": "AUTHENTICATION_ERROR" } }]);
    let fields = [("errors".to_owned(), error)].into_iter().collect();
    world
        .linear
        .add_fault(Fault {
            fields,
            count: 9,
            ..fault(Endpoint::Graphql, Kind::OddFields)
        })
        .unwrap();
    let before = world.count("graphql");
    let answer = program
        .graphql(&id, "{ viewer { id } organization { id } }")
        .await;
    assert!(
        answer.status == 200
            && answer.body["data"]["viewer"]["id"].is_string()
            && answer.body["errors"].is_array(),
        "{answer:?}"
    );
    assert_eq!(
        (world.count("graphql"), world.refreshes().refreshes),
        (before + 1, 0)
    );
    world.linear.clear_faults();
    assert_eq!(program.graphql(&id, "{ viewer { id } }").await.status, 200);
}

#[tokio::test]
async fn a_mutation_without_an_answer_is_not_made_twice() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    for kind in [Kind::DropReply, Kind::ConnectionReset, Kind::HugeBody] {
        let before = world.count("graphql");
        world.fault(Endpoint::Graphql, kind);
        let answer = program
            .graphql(&id, "mutation { logout { success } }")
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (503, "linear_unreachable"),
            "{kind:?}"
        );
        assert_eq!(world.count("graphql"), before + 1);
    }
}

#[tokio::test]
async fn a_spent_allowance_is_paced_and_then_linear_is_asked_again() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    world
        .linear
        .merge_settings(&json!({ "requests_per_hour": 3 }))
        .unwrap();
    while program.graphql(&id, "{ viewer { id } }").await.headers["x-ratelimit-requests-remaining"]
        != "0"
    {}
    let before = world.count("graphql");
    let answer = program.graphql(&id, "{ viewer { id } }").await;
    let error = &answer.body["errors"][0]["extensions"];
    assert_eq!(
        (
            answer.status,
            &error["code"],
            &error["type"],
            &error["http"]["status"]
        ),
        (
            400,
            &json!("RATELIMITED"),
            &json!("ratelimited"),
            &json!(400)
        )
    );
    assert_eq!(answer.headers["x-ratelimit-requests-remaining"], "0");
    let reset: i64 = answer.headers["x-ratelimit-requests-reset"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(reset > START && reset <= START + HOUR);
    assert_eq!(world.count("graphql"), before);
    assert!(
        answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            <= 3
    );
    world.advance(HOUR + SECOND);
    let patience = std::time::Instant::now();
    while program.graphql(&id, "{ viewer { id } }").await.status != 200 {
        assert!(
            patience.elapsed() < std::time::Duration::from_secs(10),
            "a few seconds, not an hour"
        );
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_description_is_complete_and_public() {
    let world = World::new().await;
    let openapi = world
        .send(
            Request::get("/api/v1/openapi.json")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(
        openapi.body["info"]["contact"].is_null() && !openapi.text.contains('@'),
        "nobody is named: {}",
        openapi.body["info"]
    );
    let mut paths: Vec<_> = openapi.body["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "/api/v1/connections",
            "/api/v1/connections/{id}/graphql",
            "/api/v1/connections/{id}/token",
            "/api/v1/deliveries",
            "/api/v1/people"
        ]
    );
    assert_eq!(
        openapi.body["components"]["securitySchemes"]["key"]["scheme"],
        "bearer"
    );
    let codes = openapi.body["components"]["schemas"]["Code"]["enum"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        codes.contains(&json!("reconnect_required"))
            && codes.contains(&json!("linear_unreachable")),
        "{codes:?}"
    );
    assert_eq!(
        openapi.body["components"]["schemas"]["Connection"]["properties"]["reason"],
        json!({
            "type": ["string", "null"],
            "description": "`invalid_grant`, `revoked`, `no_refresh_token`, `unreadable`, \
                `by_person` or `duplicate`.",
        })
    );
}

#[tokio::test]
async fn metrics_are_for_who_shows_the_token() {
    let world = World::new().await;
    let good = format!("bearer {METRICS_TOKEN}");
    assert_eq!(world.metrics_with(Some(&good)).await.status, 200);
    let (longer, shorter) = (format!("{good}s"), &good[..good.len() - 1]);
    for wrong in [
        None,
        Some(METRICS_TOKEN),
        Some("Bearer "),
        Some("Bearer x"),
        Some(longer.as_str()),
        Some(shorter),
    ] {
        let answer = world.metrics_with(wrong).await;
        assert_eq!(
            (answer.status, &answer.headers["www-authenticate"]),
            (401, &"Bearer".parse().unwrap()),
            "{wrong:?}"
        );
        assert!(!answer.text.contains("relink_"), "{}", answer.text);
    }
}

#[tokio::test]
async fn metrics_count_outcomes_and_name_nobody() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    program.token(&id).await;
    world.advance(DAY);
    program.token(&id).await;
    let metrics = world.metrics().await;
    assert!(
        metrics.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    for line in [
        "relink_refreshes_total{outcome=\"refreshed\"} 1",
        "relink_refreshes_total{outcome=\"broken\"} 0",
        "relink_connections{state=\"connected\"} 1",
    ] {
        assert!(
            metrics.text.lines().any(|each| each == line),
            "{line} is not in {}",
            metrics.text
        );
    }
    assert!(!metrics.text.to_lowercase().contains("acme") && !metrics.text.contains("northwind"));
}

fn signed(body: &str, at: i64, secret: &str) -> Request<Body> {
    use std::fmt::Write as _;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let hex = mac
        .finalize()
        .into_bytes()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    let request =
        Request::post("/jobs/refresh").header("relink-signature", format!("t={at},v1={hex}"));
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_signed_job_sweeps_once_and_nobody_else_does() {
    let world = World::with(Setup {
        jobs_secret: Some(JOBS_SECRET),
        ..Setup::default()
    })
    .await;
    let (_browser, _program, _id) = world.connected().await;
    world.advance(DAY - HOUR);
    let now = (START + DAY - HOUR) / SECOND;
    assert_eq!(
        world.send(signed("{}", now, "another secret")).await.status,
        401
    );
    assert_eq!(
        world
            .send(signed("{}", now - 301, JOBS_SECRET))
            .await
            .status,
        401
    );
    assert_eq!(
        world
            .send(Request::post("/jobs/refresh").body(Body::empty()).unwrap())
            .await
            .status,
        401
    );
    assert_eq!(world.refreshes().refreshes, 0);
    let answer = world.send(signed("{}", now - 299, JOBS_SECRET)).await;
    assert_eq!(
        answer.body,
        json!({ "due": 1, "refreshed": 1, "failed": 0, "broken": 0 })
    );
    assert_eq!(
        world.send(signed("", now, JOBS_SECRET)).await.body["due"],
        0
    );
}

#[tokio::test]
async fn without_a_secret_there_are_no_jobs() {
    let world = World::new().await;
    world.advance(MINUTE);
    assert_eq!(
        world
            .send(signed("{}", (START + MINUTE) / SECOND, JOBS_SECRET))
            .await
            .status,
        404
    );
}
