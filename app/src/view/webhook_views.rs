//! From what the engine knows of webhooks to what a page may show.

use std::cmp::Reverse;

use relink_engine::clock::{HOUR, Millis};
use relink_engine::connection::Connection;
use relink_engine::store::{StrayRow, WebhookSecretRow};
use relink_engine::text;
use relink_engine::webhook::{Cause, CheckedDelivery, PREFIX, Refused, SignedBy};

use super::time;
use crate::view::{
    CheckView, Lately, Moment, RefusalCause, RefusedView, SecretView, SignedWith, Signer, Stop,
    StrayView, Verdict,
};

/// The secrets of a connection that are accepted, the current one first.
pub fn secret_views(rows: &[WebhookSecretRow], connection: &str, now: Millis) -> Vec<SecretView> {
    let mut accepted: Vec<_> = rows
        .iter()
        .filter(|row| {
            row.connection_id == connection && signed_with(row, now) != SignedWith::Retired
        })
        .collect();
    accepted.sort_by_key(|row| {
        (
            row.retires_at.is_some(),
            row.replaced,
            Reverse(row.retires_at),
        )
    });
    accepted
        .into_iter()
        .map(|row| secret_view(row, now))
        .collect()
}

fn secret_view(row: &WebhookSecretRow, now: Millis) -> SecretView {
    SecretView {
        id: row.id.clone(),
        secret: ending(&row.last_four),
        added_by: row.added_by.clone(),
        added: time::at_clock(row.added_at, now),
        matched: row.matched_at.map(|at| ago(at, now)),
        stops: row.retires_at.map(|at| Stop {
            at: time::stamp(at),
            within: time::span(at - now),
        }),
        replaced: row.retires_at.is_none() && row.replaced,
        in_use: row.matched_at.is_some_and(|at| now - at < HOUR),
    }
}

/// Of the secret itself only the end is known.
pub fn ending(last_four: &str) -> String {
    format!("{PREFIX}····{last_four}")
}

pub fn ago(at: Millis, now: Millis) -> Moment {
    Moment::new(time::iso(at), time::ago(now - at))
}

pub fn signed_with(row: &WebhookSecretRow, now: Millis) -> SignedWith {
    match row.retires_at {
        None if row.replaced => SignedWith::Previous,
        None => SignedWith::Current,
        Some(at) if at > now => SignedWith::Previous,
        Some(_) => SignedWith::Retired,
    }
}

/// Which secret signed a delivery; an empty id is the app's own.
pub fn signed_with_id(id: &str, rows: &[WebhookSecretRow], now: Millis) -> SignedWith {
    if id.is_empty() {
        return SignedWith::App;
    }
    rows.iter()
        .find(|row| row.id == id)
        .map_or(SignedWith::Removed, |row| signed_with(row, now))
}

/// The latest first. What was signed with a secret that is accepted by now is no trouble any more.
pub fn refused_views(
    refused: &[Refused],
    rows: &[WebhookSecretRow],
    connections: &[Connection],
    lately: Lately,
    now: Millis,
) -> Vec<RefusedView> {
    let view = |refused: &Refused| {
        let named = connections
            .iter()
            .find(|connection| connection.workspace.id == refused.workspace_id)?;
        Some(RefusedView {
            connection: named.id.clone(),
            workspace: text::name(&named.workspace.name),
            count: refused.count,
            lately,
            cause: cause(refused, named, rows, connections, now)?,
        })
    };
    refused.iter().filter_map(view).collect()
}

/// What came to wrong addresses.
pub fn stray_views(rows: &[StrayRow]) -> Vec<StrayView> {
    rows.iter()
        .map(|row| StrayView {
            path: row.path.clone(),
            count: row.came.unsigned_abs(),
        })
        .collect()
}

fn cause(
    refused: &Refused,
    named: &Connection,
    rows: &[WebhookSecretRow],
    connections: &[Connection],
    now: Millis,
) -> Option<RefusalCause> {
    if refused.cause == Cause::NoSignature {
        return Some(RefusalCause::NoSignature);
    }
    let Some(row) = refused
        .secret_id
        .as_ref()
        .and_then(|id| rows.iter().find(|row| row.id == *id))
    else {
        return Some(RefusalCause::Unknown);
    };
    if row.connection_id != named.id {
        let owner = connections
            .iter()
            .find(|connection| connection.id == row.connection_id);
        return Some(owner.map_or(RefusalCause::Unknown, |owner| {
            RefusalCause::OtherWorkspace {
                name: text::name(&owner.workspace.name),
            }
        }));
    }
    match signed_with(row, now) {
        SignedWith::Retired => Some(RefusalCause::Retired {
            secret: ending(&row.last_four),
        }),
        _ if !named.state.wants_webhooks() => Some(RefusalCause::Revoked),
        _ => None,
    }
}

/// What a pasted delivery turned out to be.
pub fn check_view(
    checked: &CheckedDelivery,
    rows: &[WebhookSecretRow],
    connections: &[Connection],
    now: Millis,
) -> CheckView {
    let named = connections
        .iter()
        .find(|connection| checked.workspace_id.as_ref() == Some(&connection.workspace.id));
    CheckView {
        signer: signer(&checked.signed_by, rows, connections, now),
        names: named.map(|connection| text::name(&connection.workspace.name)),
        verdict: verdict(checked, named, now),
    }
}

fn signer(
    signed_by: &SignedBy,
    rows: &[WebhookSecretRow],
    connections: &[Connection],
    now: Millis,
) -> Signer {
    let SignedBy::Secret {
        connection_id,
        last_four,
        retired,
    } = signed_by
    else {
        return if *signed_by == SignedBy::App {
            Signer::App
        } else {
            Signer::Nobody
        };
    };
    let row = rows.iter().find(|row| {
        row.connection_id == *connection_id
            && row.last_four == *last_four
            && (signed_with(row, now) == SignedWith::Retired) == *retired
    });
    let owner = connections
        .iter()
        .find(|connection| connection.id == *connection_id);
    Signer::Secret {
        workspace: owner
            .map(|owner| text::name(&owner.workspace.name))
            .unwrap_or_default(),
        secret: ending(last_four),
        which: row.map_or(SignedWith::Removed, |row| signed_with(row, now)),
    }
}

fn verdict(checked: &CheckedDelivery, named: Option<&Connection>, now: Millis) -> Verdict {
    let Some(connection) = named.filter(|connection| connection.state.wants_webhooks()) else {
        return if checked.workspace_id.is_none() {
            Verdict::NoWebhook
        } else {
            Verdict::NotConnected
        };
    };
    match &checked.signed_by {
        _ if checked.accepted && checked.in_time => Verdict::Accepted,
        _ if checked.accepted => Verdict::OutOfTime {
            sent: checked.sent_at.map(|at| time::at_clock(at, now)),
        },
        SignedBy::Secret { connection_id, .. } if *connection_id != connection.id => {
            Verdict::OtherWorkspace
        }
        SignedBy::Secret { .. } => Verdict::Retired,
        SignedBy::App | SignedBy::Nobody => Verdict::Unknown,
    }
}

#[cfg(test)]
#[path = "webhook_views_tests.rs"]
mod tests;
