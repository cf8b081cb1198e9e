//! Handing deliveries on: to real receivers, by real workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use relink_engine::clock::{DAY, HOUR, MINUTE, SECOND};
use relink_engine::dispatch::{Destination, DestinationError, NewDestination};
use relink_engine::identity::{Person, Role};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::webhooks::{SECRET, acme, issue};
use crate::world::{START, Setup, World};

/// A destination that writes down what it gets.
#[derive(Clone)]
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    answer: Arc<Mutex<Answering>>,
}

#[derive(Clone, Debug)]
struct Got {
    headers: HeaderMap,
    body: String,
}

type Answering = fn(&str) -> Response;

fn fine(_: &str) -> Response {
    StatusCode::OK.into_response()
}

fn broken(_: &str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "x".repeat(5_000)).into_response()
}

impl Receiver {
    async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let receiver = Receiver {
            url,
            got: Arc::default(),
            answer: Arc::new(Mutex::new(fine)),
        };
        let router = Router::new()
            .route("/hooks", post(take))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn answers(&self, answer: Answering) {
        *self.answer.lock().unwrap() = answer;
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The issues' numbers in the order in which they came.
    fn issues(&self) -> Vec<String> {
        let number = |got: &Got| {
            serde_json::from_str::<serde_json::Value>(&got.body).unwrap()["data"]["identifier"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        self.got().iter().map(number).collect()
    }

    async fn waits_for(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.got().len() < count {
            assert!(
                Instant::now() < deadline,
                "{count} expected, {} came",
                self.got().len()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    receiver.got.lock().unwrap().push(Got {
        headers,
        body: body.clone(),
    });
    let answer = *receiver.answer.lock().unwrap();
    answer(&body)
}

/// Acme with a worker that hands on, which stops with the value.
struct Scene {
    world: World,
    person: Person,
    workspace: String,
    worker: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

impl Scene {
    async fn new() -> Scene {
        Scene::with(true).await
    }

    async fn with(allow_private_destinations: bool) -> Scene {
        let world = World::with(Setup {
            allow_private_destinations,
            ..Setup::default()
        })
        .await;
        let (_, _, _, workspace) = acme(&world).await;
        let person = world
            .add("northwind-labs", "lee@northwind.dev", Role::Admin)
            .await;
        let engine = world.engine.clone();
        let worker = tokio::spawn(async move { engine.hand_on().await });
        Scene {
            world,
            person,
            workspace,
            worker,
        }
    }

    async fn add(&self, receiver: &Receiver, events: &[&str], ordered: bool) -> SecretString {
        let events = events.iter().map(|event| (*event).to_owned()).collect();
        self.world
            .engine
            .destinations(&self.person)
            .add(NewDestination {
                url: &receiver.url,
                events,
                ordered,
            })
            .await
            .unwrap()
            .secret
    }

    async fn deliver(&self, number: u32, at: i64) -> String {
        let body = issue(&self.workspace, number, at);
        assert_eq!(self.world.deliver(SECRET, &body).await.status, 200);
        body
    }

    async fn destination(&self) -> Destination {
        self.world
            .engine
            .destinations(&self.person)
            .list()
            .await
            .unwrap()
            .remove(0)
    }

    /// Waits until what is known of the first destination is so.
    async fn until(&self, so: impl Fn(&Destination) -> bool) -> Destination {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let destination = self.destination().await;
            if so(&destination) {
                return destination;
            }
            assert!(Instant::now() < deadline, "{destination:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Checks the signature as a receiver does.
fn is_signed(secret: &SecretString, got: &Got) -> bool {
    let key = STANDARD
        .decode(secret.expose_secret().strip_prefix("whsec_").unwrap())
        .unwrap();
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    let signed = format!(
        "{}.{}.{}",
        header("webhook-id"),
        header("webhook-timestamp"),
        got.body
    );
    let tag = Hmac::<Sha256>::new_from_slice(&key)
        .unwrap()
        .chain_update(signed)
        .finalize()
        .into_bytes();
    header("webhook-signature") == format!("v1,{}", STANDARD.encode(tag))
}

#[tokio::test]
async fn a_delivery_is_handed_on_as_it_came_signed_anew() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    let secret = scene.add(&receiver, &[], false).await;
    let body = scene.deliver(1, START).await;
    receiver.waits_for(1).await;
    let got = receiver.got().remove(0);
    assert_eq!(got.body, body);
    assert!(is_signed(&secret, &got), "{got:?}");
    assert_eq!(
        got.headers["webhook-timestamp"],
        (START / SECOND).to_string().as_str()
    );
    assert!(
        got.headers["webhook-id"]
            .to_str()
            .unwrap()
            .starts_with("msg_")
    );
    assert_eq!(
        (&got.headers["linear-event"], &got.headers["content-type"]),
        (
            &"Issue".parse().unwrap(),
            &"application/json; charset=utf-8".parse().unwrap()
        )
    );
    assert!(
        got.headers.contains_key("linear-signature") && got.headers.contains_key("linear-delivery")
    );
    scene
        .until(|destination| destination.last_ok_at == Some(START) && destination.waiting == 0)
        .await;
    assert_eq!(
        scene.world.deliver(SECRET, &body).await.body["status"],
        "duplicate"
    );
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.got().len(), 1, "a duplicate is not handed on");
}

#[tokio::test]
async fn a_destination_gets_the_events_that_it_wants() {
    let scene = Scene::new().await;
    let (all, comments, issues) = (
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    scene.add(&all, &[], false).await;
    scene.add(&comments, &["Comment"], false).await;
    scene.add(&issues, &["Comment", "Issue"], false).await;
    scene.deliver(1, START).await;
    all.waits_for(1).await;
    issues.waits_for(1).await;
    let ignored = json!({ "type": "Issue", "action": "create", "oauthClientId": "another",
        "organizationId": scene.workspace, "webhookTimestamp": START });
    assert_eq!(
        scene.world.deliver(SECRET, &ignored.to_string()).await.body["status"],
        "ignored"
    );
    sleep(Duration::from_millis(300)).await;
    assert_eq!((all.got().len(), comments.got().len()), (1, 0));
}

#[tokio::test]
async fn what_fails_is_tried_again_until_it_works() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(broken);
    scene.deliver(1, START).await;
    let failed = scene
        .until(|destination| destination.failing_since == Some(START))
        .await;
    assert_eq!(
        (
            failed.waiting,
            failed.last_status,
            failed.last_answer.map(|text| text.len())
        ),
        (1, Some(500), Some(1024)),
        "cut"
    );
    for (tries, wait) in [(2, 5 * SECOND), (3, 30 * SECOND), (4, 2 * MINUTE)] {
        sleep(Duration::from_millis(1_100)).await;
        assert_eq!(receiver.got().len(), tries - 1, "not before its time");
        scene.world.advance(wait);
        receiver.waits_for(tries).await;
        scene
            .until(|destination| destination.last_at == Some(scene.world.engine.now()))
            .await;
    }
    receiver.answers(fine);
    scene.world.advance(10 * MINUTE);
    receiver.waits_for(5).await;
    scene
        .until(|destination| destination.failing_since.is_none() && destination.waiting == 0)
        .await;
    let ids: Vec<_> = receiver
        .got()
        .iter()
        .map(|got| got.headers["webhook-id"].clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one message, one id");
}

#[tokio::test]
async fn events_about_an_issue_stay_in_order_where_that_is_asked_for() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], true).await;
    receiver.answers(|body| {
        if body.contains("ENG-1\"") {
            broken(body)
        } else {
            fine(body)
        }
    });
    scene.deliver(1, START).await;
    receiver.waits_for(1).await;
    scene
        .until(|destination| destination.last_status == Some(500))
        .await;
    scene.deliver(1, START + 1).await;
    scene.deliver(2, START + 2).await;
    // At once: one message says nothing about others.
    scene
        .until(|destination| destination.last_status == Some(200))
        .await;
    scene.world.advance(5 * SECOND);
    scene
        .until(|destination| {
            destination.last_at == Some(scene.world.engine.now())
                && destination.last_status == Some(500)
        })
        .await;
    assert!(
        receiver.issues().contains(&"ENG-2".to_owned()),
        "another issue passes"
    );
    let stamps = || {
        receiver
            .got()
            .iter()
            .map(|got| {
                got.body.split("webhookTimestamp\":").nth(1).unwrap()[..13]
                    .parse::<i64>()
                    .unwrap()
            })
            .collect::<Vec<_>>()
    };
    assert!(
        !stamps().contains(&(START + 1)),
        "the second one about the first issue waits: {:?}",
        stamps()
    );
    receiver.answers(fine);
    scene.world.advance(HOUR);
    scene.until(|destination| destination.waiting == 0).await;
    let at = |stamp: i64| stamps().iter().rposition(|seen| *seen == stamp).unwrap();
    assert!(at(START) < at(START + 1), "{:?}", stamps());
}

/// The acts of somebody who waits for the first destination: what comes meanwhile is kept for it.
impl Scene {
    async fn backlog(&self, of: impl Iterator<Item = u32>) {
        self.world
            .engine
            .destinations(&self.person)
            .pause(&self.destination().await.id)
            .await
            .unwrap();
        for (at, number) in of.enumerate() {
            self.deliver(number, START + i64::try_from(at).unwrap())
                .await;
        }
        self.world
            .engine
            .destinations(&self.person)
            .resume(&self.destination().await.id)
            .await
            .unwrap();
    }
}

/// Time stands still here: nothing is left alone, and nothing waits but for what was refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_refuses_some_is_given_the_rest_at_once() {
    for ordered in [true, false] {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        scene.add(&receiver, &[], ordered).await;
        // It ends last, and alone.
        receiver.answers(|body| {
            if !body.contains("ENG-7\"") {
                return fine(body);
            }
            std::thread::sleep(Duration::from_millis(500));
            broken(body)
        });
        scene.backlog((0..60).map(|number| number % 20)).await;
        scene.until(|destination| destination.waiting == 3).await;
        sleep(Duration::from_secs(1)).await;
        let destination = scene.destination().await;
        assert_eq!(
            (destination.failing_since, destination.waiting),
            (None, 3),
            "ordered: {ordered}"
        );
        let sevens = receiver
            .issues()
            .iter()
            .filter(|issue| *issue == "ENG-7")
            .count();
        assert_eq!(
            (sevens, receiver.got().len() - sevens),
            (if ordered { 1 } else { 3 }, 57),
            "ordered: {ordered}"
        );
    }
}

#[tokio::test]
async fn who_takes_nothing_is_left_alone_soon() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(broken);
    scene.backlog(0..60).await;
    scene
        .until(|destination| destination.failing_since.is_some())
        .await;
    sleep(Duration::from_millis(1_500)).await;
    let tried = receiver.got().len();
    assert!((8..16).contains(&tried), "{tried}");
    assert_eq!(scene.destination().await.waiting, 60);
}

/// Whoever has claimed much looks at the destination again with every answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_claimed_is_not_sent_to_who_was_paused_or_removed_meanwhile() {
    for removed in [false, true] {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        scene.add(&receiver, &[], false).await;
        receiver.answers(|body| {
            std::thread::sleep(Duration::from_millis(150));
            fine(body)
        });
        scene.backlog(0..60).await;
        receiver.waits_for(1).await;
        let (engine, id) = (&scene.world.engine, scene.destination().await.id);
        if removed {
            engine
                .destinations(&scene.person)
                .remove(&id)
                .await
                .unwrap();
        } else {
            engine.destinations(&scene.person).pause(&id).await.unwrap();
        }
        sleep(Duration::from_secs(2)).await;
        let sent = receiver.got().len();
        assert!(sent < 32, "{sent} (removed: {removed})");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wish_to_be_left_alone_outlasts_the_answers_that_were_under_way() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(|body| {
        if body.contains("ENG-0\"") {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")]).into_response();
        }
        std::thread::sleep(Duration::from_millis(400));
        fine(body)
    });
    scene.backlog(0..60).await;
    scene
        .until(|destination| destination.last_ok_at.is_some())
        .await;
    sleep(Duration::from_secs(2)).await;
    let sent = receiver.got().len();
    assert!(sent <= 16, "{sent}");
    receiver.answers(fine);
    scene.world.advance(MINUTE);
    scene.until(|destination| destination.waiting == 0).await;
}

#[tokio::test]
async fn a_destination_that_fails_for_a_day_is_paused_and_loses_nothing() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(broken);
    scene.deliver(1, START).await;
    scene.deliver(2, START + 1).await;
    scene
        .until(|destination| destination.failing_since.is_some())
        .await;
    scene
        .until(|_| receiver.issues().iter().any(|issue| issue == "ENG-2"))
        .await;
    // A clock that jumps is no evidence of a day: only of one wait between two tries.
    for (round, span) in (1..).zip([2 * DAY, 7 * HOUR, 7 * HOUR, 7 * HOUR]) {
        assert_eq!(scene.destination().await.paused_at, None);
        scene.world.advance(span);
        scene
            .until(|destination| destination.last_at == Some(scene.world.engine.now()))
            .await;
        // Something new is tried too.
        if round == 2 {
            scene.deliver(3, scene.world.engine.now()).await;
        }
    }
    let paused = scene
        .until(|destination| destination.paused_at.is_some())
        .await;
    assert_eq!(
        (paused.paused_because.as_deref(), paused.waiting),
        (Some("failures"), 3)
    );
    let tries = receiver.got().len();
    receiver.answers(fine);
    for number in 4..=6 {
        scene.deliver(number, scene.world.engine.now()).await;
    }
    scene.world.advance(HOUR);
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(
        (receiver.got().len(), scene.destination().await.waiting),
        (tries, 6),
        "nothing is sent, everything waits"
    );
    scene
        .world
        .engine
        .destinations(&scene.person)
        .resume(&paused.id)
        .await
        .unwrap();
    scene
        .until(|destination| destination.waiting == 0 && destination.paused_at.is_none())
        .await;
    assert_eq!(receiver.got().len(), tries + 6);
}

/// A quiet night, and one message that nobody likes: it says nothing about the next one.
#[tokio::test]
async fn one_message_alone_pauses_nothing_and_keeps_no_other_back() {
    for ordered in [false, true] {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        scene.add(&receiver, &[], ordered).await;
        receiver.answers(|body| {
            if body.contains("ENG-1\"") {
                broken(body)
            } else {
                fine(body)
            }
        });
        scene.deliver(1, START).await;
        scene
            .until(|destination| destination.failing_since.is_some())
            .await;
        for _ in 0..6 {
            scene.world.advance(7 * HOUR);
            scene
                .until(|destination| destination.last_at == Some(scene.world.engine.now()))
                .await;
        }
        assert_eq!(
            scene.destination().await.paused_at,
            None,
            "ordered: {ordered}"
        );
        // No time passes from here on: who is left alone stays so.
        scene.deliver(2, scene.world.engine.now()).await;
        scene
            .until(|destination| destination.failing_since.is_none() && destination.waiting == 1)
            .await;
    }
}

/// The messages come again on a quiet day, too: only something new could show whether the
/// destination takes anything.
#[tokio::test]
async fn the_same_two_messages_again_and_again_pause_nothing() {
    for takes in [true, false] {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        scene.add(&receiver, &[], false).await;
        receiver.answers(if takes {
            |body| {
                if body.contains("ENG-9\"") {
                    fine(body)
                } else {
                    broken(body)
                }
            }
        } else {
            broken
        });
        scene.deliver(1, START).await;
        scene.deliver(2, START + 1).await;
        receiver.waits_for(2).await;
        scene
            .until(|destination| destination.failing_since.is_some())
            .await;
        for _ in 0..6 {
            scene.world.advance(7 * HOUR);
            scene
                .until(|destination| destination.last_at == Some(scene.world.engine.now()))
                .await;
        }
        assert_eq!(scene.destination().await.paused_at, None);
        scene.deliver(9, scene.world.engine.now()).await;
        for _ in 0..4 {
            scene.world.advance(HOUR);
            sleep(Duration::from_millis(1_100)).await;
        }
        let now = scene
            .until(|destination| {
                destination.last_ok_at.is_some() || destination.paused_at.is_some()
            })
            .await;
        assert_eq!(now.paused_at.is_none(), takes, "{now:?}");
    }
}

/// The newer messages are about something else, and come while it hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_message_that_hangs_keeps_no_newer_one_back() {
    for ordered in [false, true] {
        let scene = Scene::new().await;
        let receiver = Receiver::start().await;
        scene.add(&receiver, &[], ordered).await;
        receiver.answers(|body| {
            if body.contains("ENG-1\"") {
                std::thread::sleep(Duration::from_secs(12));
            }
            fine(body)
        });
        scene.deliver(1, START).await;
        receiver.waits_for(1).await;
        scene.deliver(2, START + 1).await;
        let came = Instant::now();
        receiver.waits_for(2).await;
        assert!(
            came.elapsed() < Duration::from_secs(6),
            "ordered: {ordered}"
        );
    }
}

/// A wish is about the one message only: who wants to be asked nothing at all says 429 or 503.
#[tokio::test]
async fn a_refusal_that_names_a_time_puts_off_no_other_message() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(|body| {
        if body.contains("ENG-1\"") {
            return (StatusCode::UNPROCESSABLE_ENTITY, [("retry-after", "3600")]).into_response();
        }
        fine(body)
    });
    scene.deliver(1, START).await;
    scene
        .until(|destination| destination.last_status == Some(422))
        .await;
    scene.deliver(2, START + 1).await;
    // No time passes: who is left alone stays so.
    scene
        .until(|destination| destination.last_status == Some(200))
        .await;
}

#[tokio::test]
async fn a_destination_that_is_gone_is_paused_at_once() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    receiver.answers(|_| StatusCode::GONE.into_response());
    scene.deliver(1, START).await;
    let paused = scene
        .until(|destination| destination.paused_at.is_some())
        .await;
    assert_eq!(
        (paused.paused_because.as_deref(), paused.waiting),
        (Some("gone"), 1)
    );
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let scene = Scene::new().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    scene.add(&receiver, &[], false).await;
    receiver.answers(|_| {
        (
            StatusCode::TEMPORARY_REDIRECT,
            [(header::LOCATION, "http://127.0.0.1:9/")],
        )
            .into_response()
    });
    scene.deliver(1, START).await;
    let failed = scene
        .until(|destination| destination.last_status.is_some())
        .await;
    assert_eq!(
        (
            failed.last_status,
            failed.failing_since,
            elsewhere.got().len()
        ),
        (Some(307), Some(START), 0)
    );
}

#[tokio::test]
async fn what_is_not_on_the_public_internet_cannot_be_added() {
    let scene = Scene::with(false).await;
    let add = async |url: &str| {
        let new = NewDestination {
            url,
            ..NewDestination::default()
        };
        scene
            .world
            .engine
            .destinations(&scene.person)
            .add(new)
            .await
    };
    for inside in [
        "https://127.0.0.1/x",
        "https://10.0.0.8/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://localhost/",
        "https://localhost./",
        "https://0x7f000001/",
    ] {
        assert!(
            matches!(add(inside).await, Err(DestinationError::Private)),
            "{inside}"
        );
    }
    for wrong in [
        "",
        "hooks",
        "http://example.com/",
        "ftp://example.com/",
        "https://a:b@example.com/",
        &format!("https://example.com/{}", "x".repeat(2_000)),
    ] {
        assert!(
            matches!(add(wrong).await, Err(DestinationError::Url)),
            "{wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_neither_sends_what_the_other_does() {
    let scene = Scene::new().await;
    let (receiver, ordered) = (Receiver::start().await, Receiver::start().await);
    scene.add(&receiver, &[], false).await;
    scene.add(&ordered, &[], true).await;
    let another = scene.world.another_private().await;
    let second = tokio::spawn({
        let another = another.clone();
        async move { another.hand_on().await }
    });
    for number in 0..150 {
        scene.deliver(number % 10, START + i64::from(number)).await;
    }
    receiver.waits_for(150).await;
    ordered.waits_for(150).await;
    sleep(Duration::from_millis(1_500)).await;
    for (name, one) in [("any order", &receiver), ("in order", &ordered)] {
        let mut times = BTreeMap::<String, u32>::new();
        one.got()
            .into_iter()
            .for_each(|got| *times.entry(got.body).or_default() += 1);
        assert!(
            times.len() == 150 && times.values().all(|times| *times == 1),
            "{name}: {} different of {}",
            times.len(),
            one.got().len()
        );
    }
    let mut last = BTreeMap::new();
    for got in ordered.got() {
        let body: serde_json::Value = serde_json::from_str(&got.body).unwrap();
        let (id, at) = (
            body["data"]["id"].to_string(),
            body["webhookTimestamp"].as_i64().unwrap(),
        );
        assert!(
            last.insert(id, at).is_none_or(|before| before < at),
            "out of order"
        );
    }
    second.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_claimed_is_sent_by_another() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    scene.worker.abort();
    scene.deliver(1, START).await;
    let (store, id) = (&scene.world.store, scene.destination().await.id);
    assert_eq!(
        store
            .messages_claim(&id, "a process that died", START, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    let another = scene.world.another_private().await;
    let second = tokio::spawn(async move { another.hand_on().await });
    sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.got().len(), 0, "it may be alive still");
    receiver.waits_for(1).await;
    second.abort();
}

/// An older copy of the database has claims of the process that goes on with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_claimed_in_an_older_copy_of_the_database_is_free_again() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    scene.deliver(1, START).await;
    scene
        .until(|destination| destination.waiting == 0 && destination.last_ok_at.is_some())
        .await;
    let there = "UPDATE messages SET state = 'waiting', next_at = 0, claimed_by = (SELECT owner \
        FROM processes)";
    scene.world.sql(there).await;
    scene.worker.abort();
    let engine = scene.world.engine.clone();
    let goes_on = tokio::spawn(async move { engine.hand_on().await });
    receiver.waits_for(2).await;
    scene.until(|destination| destination.waiting == 0).await;
    goes_on.abort();
}

/// A message that could not be sent for a reason of our own is not stuck, and not held against the
/// destination.
#[tokio::test]
async fn what_was_claimed_and_not_sent_is_free_again() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    scene
        .world
        .sql("CREATE TABLE kept AS SELECT secret_sealed FROM destinations")
        .await;
    scene
        .world
        .sql("UPDATE destinations SET secret_sealed = x'00'")
        .await;
    scene.deliver(1, START).await;
    sleep(Duration::from_millis(500)).await;
    let untouched = scene.destination().await;
    assert_eq!(
        (
            receiver.got().len(),
            untouched.failing_since,
            untouched.waiting
        ),
        (0, None, 1)
    );
    scene
        .world
        .sql("UPDATE destinations SET secret_sealed = (SELECT secret_sealed FROM kept)")
        .await;
    receiver.waits_for(1).await;
    scene.until(|destination| destination.waiting == 0).await;
}

/// A message that is being sent when the server stops is waited for, and nobody sends it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_what_is_being_sent() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| {
        std::thread::sleep(Duration::from_millis(700));
        StatusCode::OK.into_response()
    });
    scene.add(&receiver, &[], false).await;
    scene.deliver(1, START).await;
    receiver.waits_for(1).await;
    scene
        .world
        .engine
        .stop_handing_on(Duration::from_secs(10))
        .await;
    scene.deliver(2, START).await;
    assert_eq!(
        scene.destination().await.waiting,
        1,
        "the first is written down, the second is for others"
    );
    let another = scene.world.another_private().await;
    let second = tokio::spawn(async move { another.hand_on().await });
    receiver.waits_for(2).await;
    scene.until(|destination| destination.waiting == 0).await;
    assert_eq!(receiver.issues(), ["ENG-1", "ENG-2"]);
    second.abort();
}

/// Pausing stops at once, however much waits.
#[tokio::test]
async fn pausing_stops_a_backlog() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    scene
        .world
        .engine
        .destinations(&scene.person)
        .pause(&scene.destination().await.id)
        .await
        .unwrap();
    for number in 0..100 {
        scene.deliver(number, START + i64::from(number)).await;
    }
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.got().len(), 0);
    receiver.answers(|_| {
        std::thread::sleep(Duration::from_millis(20));
        StatusCode::OK.into_response()
    });
    scene
        .world
        .engine
        .destinations(&scene.person)
        .resume(&scene.destination().await.id)
        .await
        .unwrap();
    receiver.waits_for(1).await;
    scene
        .world
        .engine
        .destinations(&scene.person)
        .pause(&scene.destination().await.id)
        .await
        .unwrap();
    sleep(Duration::from_secs(2)).await;
    let paused = receiver.got().len();
    assert!(paused < 100, "{paused}");
    assert_eq!(scene.destination().await.waiting, 100 - paused as u64);
}

#[tokio::test]
async fn one_or_a_range_is_sent_again() {
    let scene = Scene::new().await;
    let receiver = Receiver::start().await;
    scene.add(&receiver, &[], false).await;
    for number in 1..=4 {
        scene.deliver(number, START).await;
    }
    receiver.waits_for(4).await;
    let destination = scene.until(|destination| destination.waiting == 0).await;
    let resend = async |from, to| {
        scene
            .world
            .engine
            .destinations(&scene.person)
            .resend(&destination.id, from, to)
            .await
            .unwrap()
    };
    assert_eq!(resend(2, 3).await, 2);
    receiver.waits_for(6).await;
    let mut again = receiver.issues().split_off(4);
    again.sort();
    assert_eq!(again, ["ENG-2", "ENG-3"]);
    scene.until(|destination| destination.waiting == 0).await;
    let stranger = scene
        .world
        .add("initech", "sam@initech.dev", Role::Owner)
        .await;
    let refused = scene
        .world
        .engine
        .destinations(&stranger)
        .resend(&destination.id, 1, 4)
        .await;
    assert!(matches!(refused, Err(DestinationError::NotFound)));
    let member = scene
        .world
        .add("northwind-labs", "max@northwind.dev", Role::Member)
        .await;
    let refused = scene
        .world
        .engine
        .destinations(&member)
        .resend(&destination.id, 1, 4)
        .await;
    assert!(matches!(refused, Err(DestinationError::Denied(_))));
}
