//! The schedule of a message that did not arrive: the times of the next tries, and the last one.

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::store::{LONGEST_REST, LONGEST_WAIT};

/// The time after which a message is not tried any more, if it was tried this often: a clock that
/// jumps alone gives up nothing.
const TRIED_FOR: Millis = 3 * DAY;
const TRIED_LEAST: i64 = 12;
/// A destination that took nothing for this long is paused.
const PAUSE_AFTER: Millis = DAY;
const REST_MIN: Millis = 5 * SECOND;
/// Waits between tries; the last one is repeated.
const WAITS: [Millis; 8] = [
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    LONGEST_WAIT,
];

/// The next step after a try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Milliseconds until the next try.
    Wait(Millis),
    Park,
}

/// Decides what follows after this number of failed tries, the first of them `age` ago. `dice` is
/// from 0 to 255: nobody is asked by all at once.
pub(super) fn next(tries: i64, age: Millis, wished: Option<Millis>, dice: u8) -> Next {
    if age >= TRIED_FOR && tries >= TRIED_LEAST {
        return Next::Park;
    }
    let step = usize::try_from(tries - 1).unwrap_or(0).min(WAITS.len() - 1);
    // Between three quarters and all of it.
    let wait = WAITS[step] - WAITS[step] * Millis::from(dice) / 1_024;
    Next::Wait(wait.max(wished.unwrap_or(0).min(LONGEST_REST)))
}

/// The time for which a destination is left alone after some tries. One that takes nothing: the
/// longer it has been failing, the longer; any other: only if it wishes so. Its wish is heard
/// within reason.
pub(super) fn rest(fails: bool, failing_for: Millis, wished: Option<Millis>) -> Millis {
    let wished = wished.unwrap_or(0).min(LONGEST_REST);
    let growing = (failing_for / 4).clamp(REST_MIN, LONGEST_REST);
    if fails { growing.max(wished) } else { wished }
}

/// Whether a destination that has been failing for this long is paused. It must have refused
/// something new in the second half of that: the same few again and again may be to blame
/// themselves.
pub(super) fn is_lost(failing_for: Millis, failing_new: Millis) -> bool {
    failing_for >= PAUSE_AFTER && failing_new >= PAUSE_AFTER / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_grow_apart_for_three_days_and_then_it_is_parked() {
        let (mut age, mut tries) = (0, 0);
        while let Next::Wait(wait) = next(tries + 1, age, None, 0) {
            (age, tries) = (age + wait, tries + 1);
        }
        assert!(
            (TRIED_FOR..TRIED_FOR + 6 * HOUR + 1).contains(&age),
            "{age}"
        );
        assert!((15..25).contains(&tries), "{tries}");
    }

    #[test]
    fn a_wish_is_heard_within_reason() {
        assert_eq!(next(1, 0, Some(MINUTE), 0), Next::Wait(MINUTE));
        assert_eq!(next(1, 0, Some(DAY), 0), Next::Wait(HOUR));
        assert_eq!(next(8, 0, Some(SECOND), 0), Next::Wait(6 * HOUR));
        assert_eq!(
            next(1, 0, None, 255),
            Next::Wait(5 * SECOND - 5 * SECOND * 255 / 1_024)
        );
    }

    #[test]
    fn a_clock_that_jumps_gives_up_nothing() {
        assert_eq!(next(11, 31 * DAY, None, 0), Next::Wait(6 * HOUR));
        assert_eq!(next(12, 31 * DAY, None, 0), Next::Park);
    }

    #[test]
    fn rests_grow_with_the_trouble() {
        let failing = |span| rest(true, span, None);
        assert_eq!(
            (failing(0), failing(MINUTE), failing(HOUR), failing(DAY)),
            (5 * SECOND, 15 * SECOND, 15 * MINUTE, HOUR)
        );
    }

    #[test]
    fn a_destination_that_asks_for_a_rest_gets_one() {
        assert_eq!(
            (rest(false, 0, None), rest(false, 0, Some(MINUTE))),
            (0, MINUTE)
        );
        assert_eq!(
            (rest(true, 0, Some(MINUTE)), rest(true, 0, Some(DAY))),
            (MINUTE, HOUR)
        );
    }

    #[test]
    fn a_day_without_success_is_enough() {
        assert!(!is_lost(DAY - 1, DAY - 1) && is_lost(DAY, DAY / 2));
        assert!(!is_lost(3 * DAY, DAY / 2 - 1), "nothing new was tried");
    }
}
