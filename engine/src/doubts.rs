//! Tokens that Linear has just handed out and does not accept. Its token endpoint vouches for the grant, so this is trouble of
//! Linear's and passes: it becomes a verdict only when it has lasted long, over many pairs. What is known of it is in memory:
//! whoever starts anew waits anew, which costs nothing but time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};

/// Pairs in a row that are asked for without a pause: of a row that is some rotations behind (a restored database), each
/// leads one further.
pub(crate) const CHAIN_MAX: u32 = 4;
/// Between the pairs after these, one after the other; the last one for all that follow.
const PAUSES: [Millis; 5] = [5 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND, MINUTE];
/// A connection in doubt asks Linear's API no more often than this, however many callers it has.
const ASK_EVERY: Millis = SECOND;
/// Refusals closer together than this are one look.
const LOOK_EVERY: Millis = 10 * SECOND;
/// Looks that a verdict needs at least,
const LOOKS: u32 = 6;
/// and how long they have to go on while others are accepted,
const LASTS: Millis = 30 * MINUTE;
/// or while nobody is, or several are refused at once: then Linear is out of order.
const LASTS_ALONE: Millis = DAY;
/// So many in doubt at once are several.
const SEVERAL: usize = 3;
/// A doubt that nobody looked at for so long is none any more.
const FORGOTTEN_AFTER: Millis = HOUR;
/// Connections remembered at a time; when more are in doubt, remembering starts over.
const REMEMBERED_MAX: usize = 100_000;

#[derive(Debug)]
struct Doubt {
    since: Millis,
    touched_at: Millis,
    /// When Linear's API refused it last.
    asked_at: Millis,
    looks: u32,
    looked_at: Millis,
    /// Pairs that were refused, by Linear or as a caller says.
    pairs: u32,
    /// The generation of the last of them, and when it was to be renewed.
    generation: i64,
    renewed_at: Millis,
}

impl Doubt {
    fn beginning(now: Millis) -> Doubt {
        Doubt { since: now, touched_at: now, asked_at: now, looks: 0, looked_at: now, pairs: 0, generation: 0, renewed_at: now }
    }
}

/// What a refusal comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It may pass. Asking again makes sense after so many milliseconds.
    Passing { retry_after: Millis },
    /// It has lasted, over so many pairs.
    Verdict { pairs: u32 },
}

#[derive(Debug, Default)]
pub(crate) struct Doubts {
    known: Mutex<HashMap<String, Doubt>>,
    accepted_at: AtomicI64,
}

impl Doubts {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Doubt>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Linear accepted a token of this connection.
    pub fn accepted(&self, connection: &str, now: Millis) {
        self.accepted_at.store(now, Ordering::Relaxed);
        self.known().remove(connection);
    }

    /// Milliseconds until this connection may ask Linear's API again.
    pub fn wait(&self, connection: &str, now: Millis) -> Option<Millis> {
        let known = self.known();
        let doubt = known.get(connection).filter(|doubt| doubt.looks > 0)?;
        Some(doubt.asked_at + ASK_EVERY - now).filter(|wait| (1..=ASK_EVERY).contains(wait))
    }

    /// Whether a pair that was refused may be renewed now; otherwise, in how many milliseconds. The same pair counts once,
    /// however many say so.
    ///
    /// # Errors
    /// The wait.
    pub fn may_renew(&self, connection: &str, generation: i64, now: Millis) -> Result<(), Millis> {
        let mut known = self.known();
        let doubt = doubt_of(&mut known, connection, now);
        if doubt.pairs > 0 && doubt.generation == generation {
            return Ok(());
        }
        let pause = doubt.pairs.checked_sub(CHAIN_MAX).map_or(0, |later| PAUSES[PAUSES.len().min(later as usize + 1) - 1]);
        let left = doubt.renewed_at + pause - now;
        if left > 0 {
            return Err(left.min(pause));
        }
        (doubt.generation, doubt.renewed_at, doubt.touched_at) = (generation, now, now);
        doubt.pairs += 1;
        Ok(())
    }

    /// Linear refused a token that it had just handed out. `seen_at`: when some process saw one of this connection
    /// accepted last.
    pub fn look(&self, connection: &str, seen_at: Option<Millis>, now: Millis) -> Look {
        let mut known = self.known();
        if known.get(connection).is_some_and(|doubt| seen_at.is_some_and(|at| at > doubt.since)) {
            known.remove(connection);
        }
        let several = known.values().filter(|doubt| doubt.looks > 0 && now - doubt.touched_at < FORGOTTEN_AFTER).count() >= SEVERAL;
        let doubt = doubt_of(&mut known, connection, now);
        let accepted_at = self.accepted_at.load(Ordering::Relaxed);
        let others_are_accepted = accepted_at > doubt.since && accepted_at >= doubt.looked_at;
        (doubt.touched_at, doubt.asked_at) = (now, now);
        if doubt.looks == 0 || now - doubt.looked_at >= LOOK_EVERY {
            doubt.looks += 1;
            doubt.looked_at = now;
        }
        let lasts = if others_are_accepted && !several { LASTS } else { LASTS_ALONE };
        if doubt.looks < LOOKS || now - doubt.since < lasts {
            return Look::Passing { retry_after: ASK_EVERY };
        }
        let pairs = doubt.pairs;
        known.remove(connection);
        Look::Verdict { pairs }
    }
}

/// What is known of a connection, from the beginning where that is too long ago or nothing is.
fn doubt_of<'a>(known: &'a mut HashMap<String, Doubt>, connection: &str, now: Millis) -> &'a mut Doubt {
    if known.len() >= REMEMBERED_MAX {
        known.retain(|_, doubt| now - doubt.touched_at < FORGOTTEN_AFTER);
    }
    if known.len() >= REMEMBERED_MAX {
        known.clear();
    }
    let doubt = known.entry(connection.to_owned()).or_insert_with(|| Doubt::beginning(now));
    if now - doubt.touched_at >= FORGOTTEN_AFTER {
        *doubt = Doubt::beginning(now);
    }
    doubt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection whose every pair is refused, called once in so many milliseconds for so long: renewals, and when it was
    /// given up.
    fn refused(doubts: &Doubts, every: Millis, long: Millis, mut meanwhile: impl FnMut(Millis)) -> (u32, Option<Millis>) {
        let (mut generation, mut renewals) = (1, 0);
        for now in (0..long).step_by(usize::try_from(every).unwrap()) {
            meanwhile(now);
            if doubts.wait("c", now).is_some() {
                continue;
            }
            while doubts.may_renew("c", generation, now).is_ok() {
                (generation, renewals) = (generation + 1, renewals + 1);
            }
            if matches!(doubts.look("c", None, now), Look::Verdict { .. }) {
                return (renewals, Some(now));
            }
        }
        (renewals, None)
    }

    #[test]
    fn seconds_of_refusals_are_no_verdict_and_no_storm() {
        let doubts = Doubts::default();
        let others = |now| doubts.accepted("other", now);
        assert_eq!(refused(&doubts, 20, 2_500, others), (CHAIN_MAX, None));
        doubts.accepted("c", 2_500);
        assert_eq!((doubts.wait("c", 2_501), doubts.may_renew("c", 99, 2_501)), (None, Ok(())), "all is well at once");
    }

    #[test]
    fn an_hour_of_refusals_breaks_one_among_many_that_are_accepted_and_none_where_nobody_is() {
        let doubts = Doubts::default();
        let (renewals, verdict) = refused(&doubts, SECOND, HOUR, |now| doubts.accepted("other", now));
        assert_eq!(verdict, Some(LASTS));
        assert!((30..40).contains(&renewals), "one a minute: {renewals}");
        assert_eq!(refused(&Doubts::default(), SECOND, HOUR, |_| {}).1, None, "nobody can tell");
        let several = Doubts::default();
        let crowd = |now| {
            several.accepted("other", now);
            for connection in ["d", "e", "f"] {
                several.look(connection, None, now);
            }
        };
        assert_eq!(refused(&several, SECOND, HOUR, crowd).1, None, "that is Linear's trouble");
    }

    #[test]
    fn a_day_of_refusals_is_a_verdict() {
        assert_eq!(refused(&Doubts::default(), MINUTE, 2 * DAY, |_| {}).1, Some(DAY));
    }

    #[test]
    fn two_looks_a_day_apart_are_no_verdict() {
        assert_eq!(refused(&Doubts::default(), DAY, 9 * DAY, |_| {}).1, None);
    }

    #[test]
    fn what_another_process_saw_accepted_counts() {
        let doubts = Doubts::default();
        for now in (0..LASTS_ALONE).step_by(60_000) {
            assert!(matches!(doubts.look("c", None, now), Look::Passing { .. }));
        }
        let accepted = Some(LASTS_ALONE - SECOND);
        assert!(matches!(doubts.look("c", accepted, LASTS_ALONE), Look::Passing { .. }));
    }

    #[test]
    fn many_callers_with_one_pair_are_one_wish_for_another() {
        let doubts = Doubts::default();
        for generation in 1..=i64::from(CHAIN_MAX) {
            for _ in 0..1_000 {
                assert_eq!(doubts.may_renew("c", generation, 0), Ok(()));
            }
        }
        assert_eq!(doubts.may_renew("c", 9, 0), Err(5 * SECOND));
        assert_eq!(doubts.may_renew("c", 9, 5 * SECOND), Ok(()));
        assert_eq!(doubts.may_renew("c", 10, 6 * SECOND), Err(9 * SECOND));
    }
}
