//! PostgreSQL whose connection is cut at a message, at every one there is, while something is done.
//! With a healthy connection again nothing is lost, nothing is there by half, and what was said to
//! be done is.

use futures_util::future::join_all;
use relink_engine::clock::{HOUR, MINUTE, SECOND};
use relink_engine::store::{Act, AuditActor};
use serde_json::{Value, json};

use crate::proxy::Proxy;
use crate::support::empty_database;
use crate::support::webhooks::issue;
use crate::world::{Browser, PASSWORD, Program, START, Setup, World};

const ORG: &str = "northwind-labs";
/// The number of messages that nothing exceeds, so that a test ends.
const MESSAGES_MAX: i64 = 2_000;

/// A world whose way to its database leads through a proxy.
async fn behind_a_proxy() -> Option<(World, Proxy)> {
    let url = empty_database().await?;
    let proxy = Proxy::new(&url).await;
    let world = World::with(Setup {
        postgres: Some(proxy.url(&url)),
        ask_burst: Some(10_000),
        ..Setup::default()
    })
    .await;
    Some((world, proxy))
}

/// Does it with the connection cut at the first message, at the second, and so on, until it is done
/// before it comes to that. Whoever does it heals the proxy before looking at what is left, and
/// answers whether it had broken.
async fn at_every_message(proxy: &Proxy, done: impl AsyncFnMut(i64) -> bool) {
    at_messages(proxy, 1..MESSAGES_MAX, done).await;
}

async fn at_messages(
    proxy: &Proxy,
    numbers: impl Iterator<Item = i64>,
    mut done: impl AsyncFnMut(i64) -> bool,
) {
    for number in numbers {
        proxy.cut_at(number);
        if !done(number).await {
            assert!(number > 10, "it goes through the proxy");
            return;
        }
    }
    panic!("it never ends");
}

async fn trail_is_whole(world: &World) -> i64 {
    let organisation = world
        .store
        .organisation_by_slug(ORG)
        .await
        .unwrap()
        .unwrap();
    let check = world.store.audit_verify(&organisation.id).await.unwrap();
    assert_eq!(check.broken_at, None);
    check.good
}

/// A token that Linear takes, after a try or two.
async fn token(program: &Program<'_>, id: &str, asked: &Value) -> String {
    let mut told = String::new();
    for _ in 0..10 {
        let answer = program.token_with(id, asked.clone()).await;
        if answer.status == 200 {
            let answered = program.graphql(id, "{ viewer { id } }").await;
            assert_eq!(
                (answered.status, answered.body["errors"].is_null()),
                (200, true),
                "{answered:?}"
            );
            return answer.fingerprint();
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        told = answer.text;
        // What was told: a second later. That is a stopwatch's second.
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        program.world.advance(SECOND);
    }
    panic!("no token: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_is_cut_anywhere_loses_no_grant() {
    // Most of the time is spent in waiting to ask again.
    const SIDE_BY_SIDE: i64 = 8;
    join_all((1..=SIDE_BY_SIDE).map(|first| refreshes_cut(first, SIDE_BY_SIDE as usize))).await;
}

async fn refreshes_cut(first: i64, step: usize) {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    let (_browser, program, id) = world.connected().await;
    let mut fingerprint = token(&program, &id, &json!({})).await;
    at_messages(
        &proxy,
        (first..MESSAGES_MAX).step_by(step),
        async |number| {
            let rejected = json!({ "rejected": fingerprint });
            let answer = program.token_with(&id, rejected.clone()).await;
            let broke = proxy.heal();
            assert!(
                answer.status == 200 || answer.status == 503,
                "{number}: {answer:?}"
            );
            fingerprint = token(&program, &id, &rejected).await;
            // Past the window Linear replays nothing: the row must hold the newest refresh token.
            world.advance(31 * MINUTE);
            fingerprint = token(&program, &id, &json!({ "rejected": fingerprint })).await;
            trail_is_whole(&world).await;
            broke
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_is_cut_anywhere_ends_connected_or_as_if_it_had_not_been() {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    let (mut browser, program, id) = world.connected().await;
    at_every_message(&proxy, async |number| {
        let said = browser.reconnect_or_not(&id).await;
        let broke = proxy.heal();
        token(&program, &id, &json!({})).await;
        if !said {
            assert_eq!(
                browser.reconnect(&id, "acme-robotics").await.location(),
                "/integrations",
                "{number}"
            );
            token(&program, &id, &json!({})).await;
        }
        trail_is_whole(&world).await;
        broke
    })
    .await;
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    world.advance(3 * MINUTE);
    world.engine.finish_revocations().await.unwrap();
    // No pair was forgotten; what met a broken connection is given back later.
    world.until_given_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_consent_that_is_cut_anywhere_leaves_no_pair_that_nobody_knows() {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    let mut browser = world.owner().await;
    at_every_message(&proxy, async |number| {
        proxy.heal();
        let left = browser.leave_for_linear(&[]).await;
        let back = browser.decide(&left, "acme-robotics", "approve");
        proxy.cut_at(number);
        browser.get(&back).await;
        let broke = proxy.heal();
        let connections = world
            .store
            .connections(&world.organisation().await)
            .await
            .unwrap();
        if let Some(connection) = connections
            .iter()
            .find(|connection| connection.state.name() == "connected")
        {
            assert!(world.lives(ORG, &connection.id).await, "{number}");
            browser
                .post(
                    "/integrations/disconnect",
                    &[("connection", &connection.id)],
                )
                .await;
        }
        world.advance(3 * MINUTE);
        world.engine.finish_revocations().await.unwrap();
        world.until_given_back().await;
        broke
    })
    .await;
}

impl Browser<'_> {
    /// A whole walk, wherever it breaks. Whether it was said to have worked.
    async fn reconnect_or_not(&mut self, id: &str) -> bool {
        let left = self
            .post("/oauth/linear/start", &[("connection", id)])
            .await;
        let Some(leave) = left
            .headers
            .get("location")
            .map(|location| location.to_str().unwrap().to_owned())
        else {
            return false;
        };
        if !leave.starts_with("http") {
            return false;
        }
        let back = self.decide(&leave, "acme-robotics", "approve");
        let reply = self.get(&back).await;
        reply
            .headers
            .get("location")
            .is_some_and(|location| location == "/integrations")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_cut_anywhere_is_there_once_if_it_was_acknowledged() {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    let (_browser, program, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    let secret = world.app_secret();
    let (mut after, mut last) = (String::new(), 0);
    at_every_message(&proxy, async |number| {
        let body = issue(&workspace, u32::try_from(number).unwrap(), START);
        let first = world.deliver(&secret, &body).await;
        let broke = proxy.heal();
        assert!(first.status == 200 || first.status == 503, "{first:?}");
        let acknowledged = first.status == 200;
        let page = async |after: &str| {
            program
                .call(
                    "GET".parse().unwrap(),
                    &format!("/api/v1/deliveries{after}"),
                    "",
                )
                .await
        };
        if acknowledged {
            assert_eq!(
                page(&after).await.body["deliveries"]
                    .as_array()
                    .map(Vec::len),
                Some(1),
                "{number}"
            );
        }
        let again = world.deliver(&secret, &body).await;
        assert_eq!(again.status, 200, "{again:?}");
        let page = page(&after).await.body;
        let bodies: Vec<&str> = page["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["body"].as_str().unwrap())
            .collect();
        assert_eq!(bodies, [body], "{number}: once");
        let next = page["next"].as_str().unwrap();
        let place: i64 = next.rsplit('-').next().unwrap().parse().unwrap();
        assert!(place > last, "numbers go up");
        (after, last) = (format!("?after={next}"), place);
        broke
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_cut_anywhere_is_in_the_trail_if_it_worked() {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    world.owner().await;
    let mut lines = trail_is_whole(&world).await;
    at_every_message(&proxy, async |number| {
        let mut browser = world.browser();
        let reply = browser.sign_in("priya@northwind.dev", PASSWORD).await;
        let broke = proxy.heal();
        if reply
            .headers
            .get("location")
            .is_some_and(|location| location == "/integrations")
        {
            assert_eq!(
                trail_is_whole(&world).await,
                lines + 1,
                "{number}: a line for it"
            );
            assert_eq!(browser.get("/integrations").await.status, 200, "{number}");
        }
        let mut again = world.browser();
        let reply = again.sign_in("priya@northwind.dev", PASSWORD).await;
        assert_eq!(reply.location(), "/integrations", "{number}");
        lines = trail_is_whole(&world).await;
        // Tries that were cut are counted.
        world.advance(HOUR);
        broke
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_cut_anywhere_is_whole_or_not_there() {
    let Some((world, proxy)) = behind_a_proxy().await else {
        return;
    };
    world.owner().await;
    let organisation = world
        .store
        .organisation_by_slug(ORG)
        .await
        .unwrap()
        .unwrap();
    let mut lines = trail_is_whole(&world).await;
    let line = Act {
        organisation_id: organisation.id,
        actor: AuditActor::command(),
        act: "a",
        subject: "s".to_owned(),
        at: 1,
    };
    at_every_message(&proxy, async |number| {
        let written = world.store.audit_note(&line).await.is_ok();
        let broke = proxy.heal();
        let now = trail_is_whole(&world).await;
        assert!(
            now - lines == 1 || (now == lines && !written),
            "{number}: {written} {lines} {now}"
        );
        lines = now;
        broke
    })
    .await;
}
