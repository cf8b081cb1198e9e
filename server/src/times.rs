//! Times as programs read them.

use relink_engine::clock::Millis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// RFC 3339 in UTC; `None` for a time that no calendar has.
pub fn rfc3339(at: Millis) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .ok()?
        .format(&Rfc3339)
        .ok()
}
