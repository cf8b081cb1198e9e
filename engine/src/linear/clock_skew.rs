//! The distance of this machine's clock from Linear's, by the `Date` of its answers (RFC 9110,
//! 6.6.1).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use ::http::HeaderMap;
use ::http::header::DATE;

use crate::clock::{Clock, Millis, SECOND};

/// The distance from which on a clock is worth an operator's attention: Linear's webhooks are good
/// for a minute.
const WRONG_FROM: Millis = 30 * SECOND;

/// The distance by the last answer.
#[derive(Clone, Debug)]
pub(super) struct Skew {
    clock: Clock,
    seen: Arc<Mutex<Option<Millis>>>,
}

impl Skew {
    pub fn new(clock: Clock) -> Skew {
        Skew {
            clock,
            seen: Arc::default(),
        }
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Compares with an answer to what was asked at `asked`.
    pub fn compare(&self, asked: Millis, headers: &HeaderMap) {
        let Some(date) = date(headers) else { return };
        let ahead = ahead(asked, self.clock.now(), date);
        self.clock.hear(ahead);
        let before = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(ahead);
        let wrong = |ahead: Millis| ahead.abs() >= WRONG_FROM;
        if wrong(ahead) && !before.is_some_and(wrong) {
            tracing::warn!(
                ahead_s = ahead / SECOND,
                "this machine's clock is not Linear's: set it, or webhooks may be refused"
            );
        }
    }

    /// The distance of the machine's clock, by which the time may not be set any more.
    pub fn ahead(&self) -> Option<Millis> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = Some(self.clock.trust().ahead).filter(|ahead| *ahead != 0);
        known.or(seen)
    }
}

fn date(headers: &HeaderMap) -> Option<Millis> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Millis::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// The distance that is certain: the answer was made between `asked` and `heard` by our clock, and
/// within the second that begins with `date` by Linear's. Where that leaves room for agreement, the
/// clocks agree.
fn ahead(asked: Millis, heard: Millis, date: Millis) -> Millis {
    let (least, most) = (asked - (date + SECOND), heard - date);
    if least > 0 { least } else { most.min(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of Linear's.
    const DATE_MS: Millis = 1_795_257_336_000;

    #[test]
    fn only_what_is_certain_counts() {
        let cases = [
            (0, 0, 0, "the same second"),
            (999, 999, 0, "at its end"),
            (-300, 100, 0, "asked before it, heard in it"),
            (-8_000, 1_500, 0, "a slow answer says little"),
            (5_000, 5_200, 4_000, "ahead"),
            (-5_400, -5_200, -5_200, "behind"),
        ];
        for (asked, heard, expected, why) in cases {
            assert_eq!(
                ahead(DATE_MS + asked, DATE_MS + heard, DATE_MS),
                expected,
                "{why}"
            );
        }
    }

    #[test]
    fn the_last_answer_with_a_date_counts() {
        let (clock, hand) = Clock::manual(DATE_MS + 90 * SECOND);
        let skew = Skew::new(clock);
        let answer = |date: &str| HeaderMap::from_iter([(DATE, date.parse().unwrap())]);
        assert_eq!(skew.ahead(), None);
        skew.compare(skew.now(), &HeaderMap::new());
        skew.compare(skew.now(), &answer("yesterday"));
        assert_eq!(skew.ahead(), None, "nothing was said");
        skew.compare(skew.now(), &answer("Sat, 21 Nov 2026 10:35:36 GMT"));
        assert_eq!(skew.ahead(), Some(89 * SECOND));
        hand.jump(-90 * SECOND);
        skew.compare(skew.now(), &answer("Sat, 21 Nov 2026 10:35:36 GMT"));
        skew.compare(skew.now(), &answer("Sat, 21 Nov 2026 10:35:36 GMT"));
        assert_eq!(skew.ahead(), Some(0), "somebody set it right");
    }
}
