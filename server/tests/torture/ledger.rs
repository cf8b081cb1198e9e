//! The list of what was acknowledged, and the check that all of it is there in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::fleet::{EMAIL, Fleet, ORG, PASSWORD, body, deliver};
use crate::process::client;

/// Messages may take this long to arrive after all is well.
const ARRIVE_WITHIN: Duration = Duration::from_secs(90);

/// The messages that came to the destination: how often each, by its id, and what was in them.
type Received = Arc<Mutex<(BTreeMap<String, u32>, BTreeSet<String>)>>;

pub struct Ledger {
    /// Names of the issues whose webhooks Linear was told 200 for.
    delivered: Vec<String>,
    signed_in: usize,
    received: Received,
    next: u64,
}

/// Acts under way, and what came of each.
pub struct UnderWay {
    webhooks: Vec<JoinHandle<Option<String>>>,
    sign_ins: Vec<JoinHandle<bool>>,
}

impl Ledger {
    /// Makes a ledger with a destination of the fleet's organisation.
    pub async fn of(fleet: &Fleet) -> Ledger {
        let received = Received::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let keep = received.clone();
        let take = async move |headers: HeaderMap, text: String| {
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            let mut received = keep.lock().unwrap();
            let times = received.0.entry(id).or_default();
            *times += 1;
            // Every fifth message is taken at the second try only.
            if *times == 1
                && name_in(&text)[1..]
                    .parse::<u64>()
                    .unwrap()
                    .is_multiple_of(5)
            {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            received.1.insert(name_in(&text));
            StatusCode::OK
        };
        let router = axum::Router::new().route("/", axum::routing::post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        fleet.destination(&url).await;
        Ledger {
            delivered: Vec::new(),
            signed_in: 0,
            received,
            next: 0,
        }
    }

    /// Webhooks and sign-ins, at every server that is there.
    pub fn begin(&mut self, fleet: &Fleet, workspaces: &[String]) -> UnderWay {
        let mut under_way = UnderWay {
            webhooks: Vec::new(),
            sign_ins: Vec::new(),
        };
        for running in fleet.servers.iter().flatten() {
            for workspace in workspaces {
                self.next += 1;
                let (name, url) = (
                    format!("t{}", self.next),
                    format!("{}/webhooks/linear", running.url),
                );
                let (secret, text) = (fleet.linear.app().webhook_secret, body(workspace, &name));
                under_way.webhooks.push(tokio::spawn(async move {
                    (deliver(&client(), &url, &secret, &text).await == Some(200)).then_some(name)
                }));
            }
            let url = format!("{}/signin", running.url);
            under_way.sign_ins.push(tokio::spawn(async move {
                let form = [("email", EMAIL), ("password", PASSWORD)];
                let sent = client()
                    .post(url)
                    .header("sec-fetch-site", "same-origin")
                    .form(&form);
                sent.timeout(Duration::from_secs(20))
                    .send()
                    .await
                    .is_ok_and(|reply| {
                        reply
                            .headers()
                            .get("location")
                            .is_some_and(|to| to == "/integrations")
                    })
            }));
        }
        under_way
    }

    pub async fn end(&mut self, under_way: UnderWay) {
        for webhook in under_way.webhooks {
            self.delivered.extend(webhook.await.unwrap());
        }
        for sign_in in under_way.sign_ins {
            self.signed_in += usize::from(sign_in.await.unwrap());
        }
    }

    /// Says what is lost, and answers how much.
    pub async fn lost(&self, fleet: &Fleet) -> u64 {
        let stored = stored(fleet).await;
        let missing = self
            .delivered
            .iter()
            .filter(|name| stored.get(*name) != Some(&1))
            .count();
        println!(
            "torture: acknowledged deliveries: lost {missing} of {}",
            self.delivered.len()
        );
        let began = Instant::now();
        let arrived = |name: &&String| !self.received.lock().unwrap().1.contains(*name);
        while self.delivered.iter().any(|name| arrived(&name)) && began.elapsed() < ARRIVE_WITHIN {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let unsent = self.delivered.iter().filter(arrived).count();
        println!(
            "torture: messages: lost {unsent} of {}",
            self.delivered.len()
        );
        let lines = audited(fleet);
        let unwritten = self.signed_in.saturating_sub(lines);
        println!(
            "torture: audit lines: lost {unwritten} of {}",
            self.signed_in
        );
        (missing + unsent + unwritten) as u64
    }
}

fn name_in(text: &str) -> String {
    let told: Value = serde_json::from_str(text).unwrap();
    told["data"]["id"].as_str().unwrap().to_owned()
}

/// Counts how often each issue is among the deliveries that programs read.
async fn stored(fleet: &Fleet) -> BTreeMap<String, u32> {
    let (client, mut names, mut after) = (client(), BTreeMap::new(), String::new());
    loop {
        let url = format!("{}/api/v1/deliveries?limit=500{after}", fleet.url(0));
        let page: Value = client
            .get(url)
            .bearer_auth(&fleet.key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let deliveries = page["deliveries"].as_array().unwrap();
        for delivery in deliveries {
            *names
                .entry(name_in(delivery["body"].as_str().unwrap()))
                .or_default() += 1;
        }
        if deliveries.is_empty() {
            return names;
        }
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
}

/// Sign-ins in the trail, which has to be unbroken.
fn audited(fleet: &Fleet) -> usize {
    let check = fleet.place.run(&["audit", "verify", "--org", ORG], "");
    assert!(
        check.status.success(),
        "the trail is broken: {}",
        String::from_utf8_lossy(&check.stdout)
    );
    let export = fleet.place.run(&["audit", "export", "--org", ORG], "");
    String::from_utf8_lossy(&export.stdout)
        .lines()
        .filter(|line| line.contains("\"sign-in\""))
        .count()
}
