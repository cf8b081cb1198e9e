//! The age of a page, and pages that fetch themselves anew.

use relink_engine::Engine;
use relink_engine::identity::Person;

use crate::view::{Failure, Freshness, time};

/// Notes how fresh the page is. It is called before anything of the page is read: what changes from
/// then on is told to it.
pub async fn freshness(engine: &Engine, person: &Person) -> Result<Freshness, Failure> {
    let mark = engine.live_mark(&person.organisation_id).await?;
    Ok(Freshness {
        at: time::seconds(engine.now()),
        mark: mark.to_string(),
        organisation: person.organisation_id.clone(),
    })
}
