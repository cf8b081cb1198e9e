//! How new a page is, and pages that fetch themselves anew.

use relink_engine::Engine;
use relink_engine::change_feed::Mark;
use relink_engine::identity::Person;

use super::request::parts;
use crate::view::{Failure, Freshness, time};

/// An open page says with it which changes it has, and that nobody pressed anything.
pub const HEADER: &str = "relink-live";

/// To be called before anything of the page is read: what changes from then on is told to it.
pub async fn freshness(engine: &Engine, person: &Person) -> Result<Freshness, Failure> {
    let mark = engine.live_mark(&person.organisation_id).await?;
    Ok(Freshness { at: time::seconds(engine.now()), mark: mark.to_string(), organisation: person.organisation_id.clone() })
}

/// The changes that an open page has which fetches itself anew; `None` for a page that somebody loads.
pub fn live_from() -> Result<Option<Mark>, Failure> {
    let parts = parts()?;
    let Some(value) = parts.headers.get(HEADER) else { return Ok(None) };
    Ok(Some(value.to_str().ok().and_then(Mark::parse).unwrap_or_default()))
}
