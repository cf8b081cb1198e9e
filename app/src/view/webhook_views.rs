//! The way from what the engine knows of webhooks to what a page may show.

use std::cmp::Reverse;

use relink_engine::clock::{HOUR, Millis};
use relink_engine::connection::Connection;
use relink_engine::text;
use relink_engine::webhook::{Cause, PREFIX, Refused, SigningSecret, Stray};

use super::time;
use crate::view::{
    Lately, Moment, RefusalCause, RefusedView, SecretView, SignedWith, Stop, StrayView,
};

/// The secrets of a connection that are accepted, the current one first.
pub fn secret_views(rows: &[SigningSecret], connection: &str, now: Millis) -> Vec<SecretView> {
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

fn secret_view(row: &SigningSecret, now: Millis) -> SecretView {
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

/// Shows the end of a secret; no more of it is known.
pub fn ending(last_four: &str) -> String {
    format!("{PREFIX}····{last_four}")
}

pub fn ago(at: Millis, now: Millis) -> Moment {
    Moment::new(time::iso(at), time::ago(now - at))
}

pub fn signed_with(row: &SigningSecret, now: Millis) -> SignedWith {
    match row.retires_at {
        None if row.replaced => SignedWith::Previous,
        None => SignedWith::Current,
        Some(at) if at > now => SignedWith::Previous,
        Some(_) => SignedWith::Retired,
    }
}

/// Names the secret that signed a delivery; an empty id is the app's own.
pub fn signed_with_id(id: &str, rows: &[SigningSecret], now: Millis) -> SignedWith {
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
    rows: &[SigningSecret],
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

/// Lists what came to wrong addresses.
pub fn stray_views(rows: &[Stray]) -> Vec<StrayView> {
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
    rows: &[SigningSecret],
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

#[cfg(test)]
#[path = "webhook_views_tests.rs"]
mod tests;
