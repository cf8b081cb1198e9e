//! One's own sessions, in words.

use relink_engine::clock::{MINUTE, Millis};
use relink_engine::identity::Person;
use relink_engine::store::StoreError;
use relink_engine::{BrowserSession, Engine};

use super::time;
use crate::view::{Moment, SessionView};

/// The session that asks, `here`, comes first.
pub async fn session_views(
    engine: &Engine,
    person: &Person,
    here: &str,
) -> Result<Vec<SessionView>, StoreError> {
    let (now, rows) = (engine.now(), engine.sessions(person).await?);
    let mut views: Vec<SessionView> = rows.into_iter().map(|row| view(row, here, now)).collect();
    views.sort_by_key(|view| !view.here);
    Ok(views)
}

fn view(row: BrowserSession, here: &str, now: Millis) -> SessionView {
    let last_used = row
        .used_at
        .map(|at| Moment::new(time::iso(at), ago(now - at)));
    SessionView {
        here: row.id_hash == here,
        id: row.id_hash,
        browser: row.browser.unwrap_or_default(),
        address: row.address.unwrap_or_default(),
        last_used,
    }
}

/// Says how long ago it was, which is noted once in a few minutes.
fn ago(span: Millis) -> String {
    if span < 10 * MINUTE {
        "Just now".to_owned()
    } else {
        time::ago(span)
    }
}
