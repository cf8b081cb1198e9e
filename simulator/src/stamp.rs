//! Times as Linear writes them: ISO 8601 in UTC with milliseconds.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) fn iso(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, clock) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.millisecond()
    )
}

/// Milliseconds of an ISO 8601 time; `None` for anything else.
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::{iso, parse_iso};

    #[test]
    fn a_time_survives_writing_and_reading() {
        assert_eq!(iso(1_795_257_336_007), "2026-11-21T10:35:36.007Z");
        assert_eq!(
            parse_iso("2026-11-21T10:35:36.007Z"),
            Some(1_795_257_336_007)
        );
        assert_eq!(parse_iso("yesterday"), None);
    }
}
