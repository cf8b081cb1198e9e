//! `Retry-After` (RFC 9110, section 10.2.3): how long somebody wants to be left alone.

use std::time::{Duration, UNIX_EPOCH};

use http::header::{DATE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

use crate::clock::Millis;

/// Reads the seconds, whether the header says them or names a date. A date counts from the answer's
/// own `Date`, so that it does not matter whose clock is wrong; one that has passed means at once.
pub(crate) fn seconds(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number has mean a very long time.
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let wait = date_in(headers, &RETRY_AFTER)?.saturating_sub(date_in(headers, &DATE)?);
    Some(u32::try_from(wait).unwrap_or(u32::MAX))
}

/// Dates an answer: whoever hears one without a date gives it the present one (RFC 9110, section
/// 6.6.1).
pub(crate) fn date(headers: &mut HeaderMap, now: Millis) {
    let now = u64::try_from(now)
        .ok()
        .and_then(|now| UNIX_EPOCH.checked_add(Duration::from_millis(now)));
    if let Some(Ok(now)) = now.map(|now| HeaderValue::try_from(httpdate::fmt_http_date(now))) {
        headers.entry(DATE).or_insert(now);
    }
}

/// Seconds since the Unix epoch.
fn date_in(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(retry_after: &str, date: Option<&'static str>) -> Option<u32> {
        let mut headers = HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap())]);
        headers.extend(date.map(|date| (DATE, date.parse().unwrap())));
        seconds(&headers)
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        let now = Some("Sat, 21 Nov 2026 10:35:36 GMT");
        assert_eq!(
            (
                said("120", None),
                said(" 0 ", now),
                said("99999999999", now)
            ),
            (Some(120), Some(0), Some(u32::MAX))
        );
        for date in [
            "Sat, 21 Nov 2026 10:37:36 GMT",
            "Saturday, 21-Nov-26 10:37:36 GMT",
            "Sat Nov 21 10:37:36 2026",
        ] {
            assert_eq!(said(date, now), Some(120), "{date}");
        }
        assert_eq!(
            said("Sat, 21 Nov 2026 10:35:35 GMT", now),
            Some(0),
            "it has passed"
        );
        assert_eq!(said("Sat, 21 Nov 2026 10:37:36 GMT", None), None);
        assert_eq!(said(&"9".repeat(30), now), Some(u32::MAX));
        for nonsense in ["soon", "-1", "1.5", "", "2026-11-21T10:37:36Z"] {
            assert_eq!(said(nonsense, now), None, "{nonsense}");
        }
        assert_eq!(seconds(&HeaderMap::new()), None);
    }

    #[test]
    fn an_answer_without_a_date_is_of_now() {
        let mut headers = HeaderMap::from_iter([(
            RETRY_AFTER,
            "Sat, 21 Nov 2026 10:37:36 GMT".parse().unwrap(),
        )]);
        date(&mut headers, 1_795_257_420_000);
        date(&mut headers, 0);
        assert_eq!(seconds(&headers), Some(36));
    }
}
