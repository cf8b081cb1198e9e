//! Says in words what a pasted delivery turned out to be. Nothing that was pasted is in them.

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::text::name;
use relink_engine::webhook::{CheckedDelivery, SignedBy, SigningSecret};

use crate::view::webhook_views::{ending, signed_with};
use crate::view::{Next, Notice, SignedWith, Tone, time};

/// Says who signed a delivery, and what would become of it.
pub fn notice(
    checked: &CheckedDelivery,
    secrets: &[SigningSecret],
    connections: &[Connection],
    now: Millis,
) -> Notice {
    let named = connections
        .iter()
        .find(|connection| checked.workspace_id.as_ref() == Some(&connection.workspace.id))
        .filter(|connection| connection.state.wants_webhooks());
    let signed = signed(&checked.signed_by, secrets, connections, now);
    let (tone, fate) = match named {
        Some(named) => fate(checked, named, now),
        None if checked.workspace_id.is_some() => (
            Tone::Bad,
            "It names a workspace that is not connected here, so it would not be accepted."
                .to_owned(),
        ),
        None => (
            Tone::Bad,
            "The body names no workspace, so it would not be accepted.".to_owned(),
        ),
    };
    // Into the form, which is folded away.
    Notice::new(tone, signed, fate).then(Next::link("Check another delivery", "#check-body"))
}

fn signed(
    signed_by: &SignedBy,
    secrets: &[SigningSecret],
    connections: &[Connection],
    now: Millis,
) -> String {
    let (connection_id, last_four, retired) = match signed_by {
        SignedBy::App => {
            return "The delivery is signed with the secret of the Linear app.".to_owned();
        }
        SignedBy::Nobody => {
            return "The delivery is signed with no secret known here.".to_owned();
        }
        SignedBy::Secret {
            connection_id,
            last_four,
            retired,
        } => (connection_id, last_four, *retired),
    };
    let row = secrets.iter().find(|row| {
        row.connection_id == *connection_id
            && row.last_four == *last_four
            && (signed_with(row, now) == SignedWith::Retired) == retired
    });
    let workspace = connections
        .iter()
        .find(|connection| connection.id == *connection_id)
        .map(|owner| name(&owner.workspace.name))
        .unwrap_or_default();
    let secret = ending(last_four);
    match row.map(|row| signed_with(row, now)) {
        Some(SignedWith::Current) => {
            format!("The delivery is signed with the current secret of {workspace}, {secret}.")
        }
        Some(SignedWith::Previous) => {
            format!("The delivery is signed with the previous secret of {workspace}, {secret}.")
        }
        _ => format!(
            "The delivery is signed with a secret of {workspace} that is not accepted any more, \
                {secret}."
        ),
    }
}

/// `named` is connected, and the body names its workspace.
fn fate(checked: &CheckedDelivery, named: &Connection, now: Millis) -> (Tone, String) {
    let workspace = name(&named.workspace.name);
    match (&checked.signed_by, checked.sent_at) {
        _ if checked.accepted && checked.in_time => (
            Tone::Good,
            format!("It names {workspace} and would be accepted."),
        ),
        (_, Some(sent)) if checked.accepted => (
            Tone::Waiting,
            format!(
                "It names {workspace} and would be accepted, were it not for its age: it was sent \
                    at {}.",
                time::at_clock(sent, now).text
            ),
        ),
        (_, None) if checked.accepted => (
            Tone::Waiting,
            format!("It names {workspace}, but has no webhookTimestamp, so it would be refused."),
        ),
        (SignedBy::Secret { connection_id, .. }, _) if *connection_id != named.id => (
            Tone::Bad,
            format!(
                "But it names {workspace}, so it would be refused. Check which secret is set on \
                    the webhook in Linear."
            ),
        ),
        (SignedBy::Secret { .. }, _) => (
            Tone::Bad,
            format!(
                "It names {workspace}, so it would be refused. If Linear still uses that secret, \
                    save it again."
            ),
        ),
        (SignedBy::App | SignedBy::Nobody, _) => (
            Tone::Bad,
            "It would be refused. The body must be exactly what was sent, to the last byte; if it \
                is, the webhook in Linear has another secret."
                .to_owned(),
        ),
    }
}

#[cfg(test)]
#[path = "delivery_check_tests.rs"]
mod tests;
