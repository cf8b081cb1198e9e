//! The way from stored deliveries to what their page shows.

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::store;
use relink_engine::text;
use relink_engine::webhook::{Delivery, SigningSecret, ways};

use super::json::pretty;
use super::time;
use super::webhook_views::signed_with_id;
use crate::view::{Again, BodyView, DeliveryOutcome, DeliveryView, Piece, PieceKind};

/// Bytes of a body on the page; a longer one is cut.
pub const BODY_HEAD: i64 = 16 * 1024;

pub fn delivery_views(
    rows: &[Delivery],
    secrets: &[SigningSecret],
    connections: &[Connection],
    now: Millis,
) -> Vec<DeliveryView> {
    rows.iter()
        .map(|row| delivery_view(row, secrets, connections, now))
        .collect()
}

/// Makes the view without what became of it at destinations.
fn delivery_view(
    row: &Delivery,
    secrets: &[SigningSecret],
    connections: &[Connection],
    now: Millis,
) -> DeliveryView {
    let workspace = connections
        .iter()
        .find(|connection| connection.workspace.id == row.workspace_id);
    DeliveryView {
        number: row.number,
        at: time::short_stamp(row.received_at, now),
        event: event(row),
        subject: text::title(&row.subject),
        actor: text::title(&row.actor),
        // One that was disconnected so long ago that it is forgotten has no name any more.
        workspace: workspace.map_or_else(
            || row.workspace_id.clone(),
            |connection| text::name(&connection.workspace.name),
        ),
        outcome: match row.outcome {
            store::DeliveryOutcome::Accepted => DeliveryOutcome::Accepted,
            store::DeliveryOutcome::Late => DeliveryOutcome::Late,
            store::DeliveryOutcome::Ignored => DeliveryOutcome::Ignored,
        },
        again: row.repeated_at.map(|at| Again {
            times: u32::try_from(row.repeats).unwrap_or(u32::MAX),
            last: time::at_clock(at, now),
        }),
        signed: signed_with_id(&row.secret_id, secrets, now),
        twice: came_twice(row),
        took: time::millis(row.took_us),
        delivery_id: row.delivery_id.as_deref().map(shortened),
        digest: digest(&row.digest),
        sent: time::tenths(row.webhook_timestamp, now),
        received: time::tenths_after(row.received_at, row.webhook_timestamp, now),
        handed: Vec::new(),
        body: body(row),
    }
}

fn came_twice(row: &Delivery) -> bool {
    ways(&row.through).any(|(_, secret)| secret.is_empty())
        && ways(&row.through).any(|(_, secret)| !secret.is_empty())
}

fn event(row: &Delivery) -> String {
    let event = if row.event.is_empty() {
        "No type"
    } else {
        &row.event
    };
    text::name(format!("{event} {}", row.action).trim_end())
}

/// "d4c1f0a2…77be": of anything longer only the ends.
fn shortened(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= 16 {
        return id.to_owned();
    }
    let text = |part: &[char]| part.iter().collect::<String>();
    format!(
        "{}…{}",
        text(&letters[..8]),
        text(&letters[letters.len() - 4..])
    )
}

/// "5be0…a91c"
fn digest(digest: &[u8]) -> String {
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}…{}",
        hex.get(..4).unwrap_or_default(),
        hex.get(hex.len().saturating_sub(4)..).unwrap_or_default()
    )
}

/// The body, laid out if it is whole. It may be cut inside a letter, which is left out.
fn body(row: &Delivery) -> BodyView {
    let text = match std::str::from_utf8(&row.body) {
        Ok(text) => text,
        Err(cut) => std::str::from_utf8(&row.body[..cut.valid_up_to()]).unwrap_or_default(),
    };
    let bytes = row.body_bytes.unsigned_abs();
    let whole = usize::try_from(bytes).is_ok_and(|bytes| bytes == text.len());
    let as_it_is = || {
        vec![Piece {
            kind: PieceKind::Plain,
            text: text.to_owned(),
        }]
    };
    BodyView {
        bytes: time::grouped(bytes),
        raw: whole.then(|| text.to_owned()),
        pieces: pretty(text)
            .filter(|_| whole)
            .unwrap_or_else(as_it_is)
            .into_iter()
            .map(seen)
            .collect(),
    }
}

/// Writes what would act on the text around it as JSON can write it. The copy that people take
/// stays as it was sent.
fn seen(piece: Piece) -> Piece {
    Piece {
        text: text::escaped(&piece.text, &['\n', '\t']).into_owned(),
        ..piece
    }
}

#[cfg(test)]
#[path = "delivery_views_tests.rs"]
mod tests;
