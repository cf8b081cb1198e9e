//! `/live`: open pages hear of what changes, and fetch themselves anew.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Request, StatusCode};
use futures_util::StreamExt as _;
use relink_engine::clock::SECOND;
use relink_engine::identity::Role;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::support::webhooks::issue;
use crate::world::{Browser, Reply, START, World};

/// A change shows within this, as the pages promise.
const SOON: Duration = Duration::from_secs(2);

/// Reads the mark up to which the page says that it has everything.
async fn mark(browser: &mut Browser<'_>, page: &str) -> String {
    mark_of(&browser.get(page).await)
}

fn mark_of(page: &Reply) -> String {
    page.body
        .split("data-from=\"")
        .nth(1)
        .expect("a page that is kept up to date")
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

fn telling(world: &World) -> JoinHandle<()> {
    let engine = world.engine.clone();
    tokio::spawn(async move { engine.tell_changes().await })
}

struct Stream {
    body: BodyDataStream,
    read: String,
}

/// One event: name, id and data.
type Heard = (String, String, String);

impl Stream {
    async fn open(browser: &Browser<'_>, from: &str, last: Option<&str>) -> Stream {
        let cookies: Vec<_> = browser
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .uri(format!("/live?from={from}"))
            .header("host", "localhost:3000");
        request = request.header("cookie", cookies.join("; "));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = browser
            .world
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Stream {
            body: response.into_body().into_data_stream(),
            read: String::new(),
        };
        assert_eq!(stream.next(SOON).await.unwrap().0, "open");
        stream
    }

    /// `None`: the stream ended, or nothing came in time.
    async fn next(&mut self, within: Duration) -> Option<Heard> {
        timeout(within, self.event()).await.ok().flatten()
    }

    async fn event(&mut self) -> Option<Heard> {
        while !self.read.contains("\n\n") {
            self.read
                .push_str(std::str::from_utf8(&self.body.next().await?.unwrap()).unwrap());
        }
        let (event, rest) = self.read.split_once("\n\n").unwrap();
        let field = |name: &str| {
            event
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .unwrap_or_default()
                .to_owned()
        };
        let heard = (field("event"), field("id"), field("data"));
        self.read = rest.to_owned();
        Some(heard)
    }
}

#[tokio::test]
async fn an_open_page_hears_of_its_organisations_changes_and_of_no_others() {
    let world = World::new().await;
    let telling = telling(&world);
    let (mut browser, _, id) = world.connected().await;
    let elsewhere = world
        .member("globex", "gail@globex.example", Role::Owner)
        .await;
    let from = mark(&mut browser, "/integrations").await;
    let mut ours = Stream::open(&browser, &from, None).await;
    let mut theirs = Stream::open(&elsewhere, &from, None).await;
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let (event, last, topics) = ours.next(SOON).await.expect("told");
    assert_eq!(
        (event.as_str(), topics.as_str()),
        ("changed", "connections")
    );
    assert_ne!(last, from);
    assert_eq!(theirs.next(SOON).await, None);
    telling.abort();
}

#[tokio::test]
async fn a_change_made_by_another_process_is_heard_too() {
    let world = World::new().await;
    let telling = telling(&world);
    let (mut browser, _, id) = world.connected().await;
    let from = mark(&mut browser, &format!("/integrations/{id}")).await;
    let mut stream = Stream::open(&browser, &from, None).await;
    let person = world
        .store
        .user_by_email("priya@northwind.dev")
        .await
        .unwrap()
        .unwrap();
    let organisation = world
        .store
        .member_first_organisation(&person.id)
        .await
        .unwrap()
        .unwrap();
    let person = world
        .store
        .member(&organisation, &person.id)
        .await
        .unwrap()
        .unwrap();
    let another = world.another(0).await;
    another
        .invites(&person)
        .make(&id, "ben@acme.example", 24 * 3_600 * SECOND)
        .await
        .unwrap();
    assert_eq!(stream.next(SOON).await.expect("told").2, "people");
    telling.abort();
}

#[tokio::test]
async fn whoever_comes_back_is_told_what_was_missed() {
    let world = World::new().await;
    let telling = telling(&world);
    let (mut browser, _, id) = world.connected().await;
    let from = mark(&mut browser, "/integrations").await;
    // Between the page and its stream.
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let mut stream = Stream::open(&browser, &from, None).await;
    let (_, last, topics) = stream.next(SOON).await.expect("told");
    assert_eq!(topics, "connections");
    drop(stream);
    browser.connect("globex").await;
    let mut again = Stream::open(&browser, &from, Some(&last)).await;
    assert!(
        again
            .next(SOON)
            .await
            .expect("told")
            .2
            .contains("connections")
    );
    // Who never saw anything hears that all of it changed.
    let mut new = Stream::open(&browser, "", None).await;
    assert!(
        new.next(SOON)
            .await
            .expect("told")
            .2
            .contains("connections")
    );
    telling.abort();
}

/// The numbers of changes begin anew then, behind those that were seen.
#[tokio::test]
async fn an_open_page_hears_that_an_older_copy_of_the_database_came_back() {
    let world = World::new().await;
    let telling = telling(&world);
    let (mut browser, _, id) = world.connected().await;
    let from = mark(&mut browser, "/integrations").await;
    let mut stream = Stream::open(&browser, &from, None).await;
    browser
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let seen = stream.next(SOON).await.expect("told").1;
    world.sql("DELETE FROM changes WHERE seq > 1").await;
    world
        .sql("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'changes'")
        .await;
    assert_eq!(
        stream.next(SOON).await.expect("told").2,
        "connections deliveries people"
    );
    let mut again = Stream::open(&browser, &seen, Some(&seen)).await;
    assert_eq!(
        again.next(SOON).await.expect("told").2,
        "connections deliveries people"
    );
    browser.connect("globex").await;
    assert!(
        stream
            .next(SOON)
            .await
            .expect("told")
            .2
            .contains("connections"),
        "and of what changes there"
    );
    telling.abort();
}

#[tokio::test]
async fn a_stream_is_for_who_is_signed_in_and_ends_with_that() {
    let world = World::new().await;
    let telling = telling(&world);
    let mut browser = world.owner().await;
    assert_eq!(
        world.browser().get("/live").await.status,
        StatusCode::UNAUTHORIZED
    );
    let from = mark(&mut browser, "/deliveries").await;
    let mut stream = Stream::open(&browser, &from, None).await;
    browser.post("/signout", &[]).await;
    // At the next beat.
    assert_eq!(
        timeout(Duration::from_secs(20), stream.event())
            .await
            .expect("it ended"),
        None
    );
    telling.abort();
}

#[tokio::test]
async fn a_server_that_stops_ends_all_streams() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let from = mark(&mut browser, "/deliveries").await;
    let mut stream = Stream::open(&browser, &from, None).await;
    world.engine.stop_telling();
    assert_eq!(timeout(SOON, stream.event()).await.expect("it ended"), None);
}

#[tokio::test]
async fn a_page_that_looks_again_takes_no_message_and_asks_nothing_of_linear() {
    let world = World::new().await;
    let (mut browser, _, id) = world.connected().await;
    browser.get("/integrations").await;
    world.advance(10 * SECOND);
    browser
        .post("/integrations/check", &[("connection", &id)])
        .await;
    let asked = world.count("graphql");
    world.advance(10 * SECOND);
    for page in ["/integrations".to_owned(), format!("/integrations/{id}")] {
        let reply = browser
            .send(Method::GET, &page, &[], &[("relink-live", "1-0")])
            .await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.hides("Linear answered in");
    }
    assert_eq!(world.count("graphql"), asked);
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .shows("Linear answered in");
}

#[tokio::test]
async fn a_page_does_not_hear_of_its_own_question() {
    for overview in [true, false] {
        let world = World::new().await;
        let (mut browser, _, id) = world.connected().await;
        let page = if overview {
            "/integrations".to_owned()
        } else {
            format!("/integrations/{id}")
        };
        world.advance(10 * SECOND);
        world.linear.uninstall("acme-robotics").unwrap();
        let loaded = browser.get(&page).await;
        loaded.shows("Reconnect required");
        let looked_again = browser
            .send(
                Method::GET,
                &page,
                &[],
                &[("relink-live", &mark_of(&loaded))],
            )
            .await;
        assert_eq!(mark_of(&looked_again), mark_of(&loaded), "{page}");
    }
}

#[tokio::test]
async fn new_deliveries_wait_behind_a_link() {
    let world = World::new().await;
    let (mut browser, _, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    let empty = mark(&mut browser, "/deliveries").await;
    let deliver = async |number| {
        assert_eq!(
            world
                .deliver(&world.app_secret(), &issue(&workspace, number, START))
                .await
                .status,
            200
        )
    };
    deliver(1).await;
    let page = browser
        .send(Method::GET, "/deliveries", &[], &[("relink-live", &empty)])
        .await;
    assert!(
        page.body.contains("data-part=\"list\""),
        "the first one shows by itself"
    );
    let mark = mark(&mut browser, "/deliveries").await;
    deliver(2).await;
    deliver(3).await;
    let page = browser
        .send(Method::GET, "/deliveries", &[], &[("relink-live", &mark)])
        .await;
    page.shows("2 new deliveries. Show");
    assert!(
        !page.body.contains("data-part=\"list\""),
        "no row is pushed"
    );
    browser.get("/deliveries").await.hides("new deliver");
}
