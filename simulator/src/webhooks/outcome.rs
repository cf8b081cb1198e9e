//! The consequence of an attempt for a delivery: done, once more later, or given up.

use crate::world::World;
use crate::world::hooks::{Attempt, Delivery, DeliveryState};

use super::signing::restamped;

/// A delivery as it goes over the wire now.
pub(crate) struct Outgoing {
    pub delivery: String,
    pub url: String,
    pub secret: String,
    pub event: String,
    pub body: String,
    pub signature: Option<String>,
    pub with_timestamp_header: bool,
    pub timeout_ms: u64,
}

/// Takes what is due, at most `room`, and marks it as on its way.
pub(crate) fn take_due(world: &mut World, room: usize) -> Vec<Outgoing> {
    let now = world.now();
    let is_due = |entry: &Delivery| match entry.state {
        DeliveryState::Waiting { due_ms } => due_ms <= now,
        _ => false,
    };
    let due: Vec<usize> = (0..world.deliveries.len())
        .filter(|at| is_due(&world.deliveries[*at]))
        .take(room)
        .collect();
    due.into_iter().filter_map(|at| start(world, at)).collect()
}

fn start(world: &mut World, at: usize) -> Option<Outgoing> {
    let now = world.now();
    let mut delivery = world.deliveries.get(at)?.clone();
    let is_retry = !delivery.attempts.is_empty();
    if is_retry && world.settings.webhook_restamp_retries {
        delivery.body = restamped(&delivery.body, now);
    }
    if is_retry && world.settings.webhook_new_delivery_id {
        delivery.id = world.dice.uuid();
    }
    // A webhook that is gone (an uninstall) is still told so, with what it had at the time.
    let webhook = world
        .webhooks
        .iter()
        .find(|webhook| webhook.id == delivery.webhook);
    if let Some((url, secret)) = webhook
        .and_then(|webhook| world.target_of(webhook))
        .filter(|_| !delivery.by_hand)
    {
        (delivery.url, delivery.secret) = (url, secret);
    }
    delivery.state = DeliveryState::Sending;
    let outgoing = Outgoing {
        delivery: delivery.id.clone(),
        url: delivery.url.clone(),
        secret: delivery.secret.clone(),
        event: delivery.event.clone(),
        body: delivery.body.clone(),
        signature: delivery.signature.clone(),
        with_timestamp_header: world.settings.webhook_timestamp_header,
        timeout_ms: world.settings.webhook_timeout_ms,
    };
    world.deliveries[at] = delivery;
    Some(outgoing)
}

/// Books an attempt. Only exactly 200 is a success.
pub(crate) fn settle(world: &mut World, id: &str, attempt: Attempt) {
    let now = world.now();
    let retries = world.settings.webhook_retry_after_s.clone();
    let sending = |entry: &&mut Delivery| entry.id == id && entry.state == DeliveryState::Sending;
    let Some(delivery) = world.deliveries.iter_mut().find(sending) else {
        return;
    };
    let succeeded = attempt.status == Some(200);
    let wait_s = retries
        .get(delivery.attempts.len())
        .filter(|_| !delivery.by_hand);
    delivery.attempts.push(attempt);
    delivery.state = match wait_s {
        _ if succeeded => DeliveryState::Delivered,
        Some(wait_s) => DeliveryState::Waiting {
            due_ms: now.saturating_add(wait_s.saturating_mul(1_000)),
        },
        None => DeliveryState::Exhausted,
    };
    let (state, webhook, by_hand) = (
        delivery.state.clone(),
        delivery.webhook.clone(),
        delivery.by_hand,
    );
    world.counts.add("webhook", outcome_name(&state));
    if !by_hand {
        judge(world, &webhook, &state);
    }
}

fn outcome_name(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Delivered => "delivered",
        DeliveryState::Exhausted => "exhausted",
        DeliveryState::Waiting { .. } | DeliveryState::Sending => "failed",
    }
}

/// Judges the attempts: whoever never answers is switched off, and has to be switched on again by
/// hand.
fn judge(world: &mut World, webhook: &str, state: &DeliveryState) {
    let limit = world.settings.webhook_disable_after;
    let Some(webhook) = world.webhooks.iter_mut().find(|known| known.id == webhook) else {
        return;
    };
    match state {
        DeliveryState::Delivered => webhook.failures_in_row = 0,
        DeliveryState::Exhausted => {
            webhook.failures_in_row += 1;
            webhook.enabled &= webhook.failures_in_row < limit;
        }
        DeliveryState::Waiting { .. } | DeliveryState::Sending => {}
    }
}
