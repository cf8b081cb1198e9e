//! The loop that sends what is due, a few at a time.

use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{ACCEPT_CHARSET, CONTENT_TYPE, USER_AGENT};
use tokio::task::JoinSet;

use super::outcome::{Outgoing, settle, take_due};
use super::signing::{signature, stamp_of};
use crate::Simulator;
use crate::world::hooks::Attempt;

const AT_A_TIME: usize = 16;
/// The clock may be running towards the next retry; looking this often is soon enough.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

pub(crate) async fn run(simulator: Simulator) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no webhooks will be sent");
            return;
        }
    };
    let mut sending = JoinSet::new();
    loop {
        let room = AT_A_TIME - sending.len();
        if room > 0 && simulator.look(|world| !world.deliveries.is_empty()) {
            for outgoing in simulator.note(|world| take_due(world, room)) {
                sending.spawn(send(client.clone(), simulator.clone(), outgoing));
            }
        }
        tokio::select! {
            Some(_) = sending.join_next() => {}
            () = simulator.wait_for_change() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sender's one client, built once; each attempt has its own limit"
)]
fn client() -> reqwest::Result<Client> {
    // An error only means that the process chose a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

async fn send(client: Client, simulator: Simulator, outgoing: Outgoing) {
    let at_ms = simulator.look(crate::world::World::now);
    let started = Instant::now();
    let limit = Duration::from_millis(outgoing.timeout_ms);
    let answer = tokio::time::timeout(limit, request(&client, &outgoing, at_ms).send()).await;
    let (status, error) = match answer {
        Ok(Ok(response)) => (Some(response.status().as_u16()), None),
        Ok(Err(error)) => (None, Some(error.without_url().to_string())),
        Err(_) => (
            None,
            Some(format!("no answer within {} ms", outgoing.timeout_ms)),
        ),
    };
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = Attempt {
        at_ms,
        status,
        error,
        took_ms,
    };
    simulator.change(|world| settle(world, &outgoing.delivery, attempt));
}

fn request(client: &Client, outgoing: &Outgoing, now_ms: i64) -> reqwest::RequestBuilder {
    let signature = outgoing
        .signature
        .clone()
        .unwrap_or_else(|| signature(&outgoing.secret, &outgoing.body));
    let mut request = client
        .post(&outgoing.url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(ACCEPT_CHARSET, "utf-8")
        .header(USER_AGENT, "Linear-Webhook")
        .header("Linear-Event", &outgoing.event)
        .body(outgoing.body.clone());
    if !outgoing.delivery.is_empty() {
        request = request.header("Linear-Delivery", &outgoing.delivery);
    }
    if !signature.is_empty() {
        request = request.header("Linear-Signature", signature);
    }
    if outgoing.with_timestamp_header {
        request = request.header(
            "Linear-Timestamp",
            stamp_of(&outgoing.body).unwrap_or(now_ms),
        );
    }
    request
}
