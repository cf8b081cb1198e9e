//! Time as a value that is handed in, so that every expiry has a deterministic test.
//!
//! A machine's clock can jump: by hand, by a time server, by a virtual machine that slept. What
//! decides over loss must not jump with it. So time here is a stopwatch that never jumps, set by
//! the clock at the start, and set anew only where the clock moved a little, or where somebody else
//! agrees: Linear, whose answers carry the time (RFC 9110, 6.6.1). Replicas set theirs by the
//! database they share.
//!
//! Linear alone sets nothing: a proxy may answer for it. Where it disagrees, or has not been heard
//! yet, nothing is destroyed for time's sake, and its signed timestamps may fit either time.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Milliseconds since the Unix epoch, or a span of milliseconds.
pub type Millis = i64;

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// Clocks that differ by less agree. Linear's webhooks are good for a minute.
pub const AGREE: Millis = MINUTE;
/// The distance beyond which a time in the future was noted by a wrong clock. Tokens are refreshed
/// that early anyway.
pub(crate) const NOTED_AHEAD: Millis = 5 * MINUTE;
/// A clock that jumped and stayed there is followed after this long, if nobody contradicts it.
const FOLLOW_AFTER: Millis = 15 * MINUTE;
/// A process that was away for this long at most goes on where the one before it was.
const AWAY: Millis = HOUR;

type Source = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Tells the time. The real one is built in the binary's `main`.
#[derive(Clone)]
pub struct Clock(Arc<Parts>);

struct Parts {
    /// The machine's clock.
    wall: Source,
    /// Milliseconds since some moment; goes on while the machine sleeps and never jumps.
    stopwatch: Source,
    setting: Mutex<Setting>,
}

/// The setting of the stopwatch: the time is what it shows plus `base`.
#[derive(Clone, Copy, Debug)]
struct Setting {
    base: Millis,
    /// The database's clock, where replicas share one, stands for the machine's.
    database: Option<Millis>,
    /// The clock shows another time than the stopwatch, since then by the stopwatch.
    jumped: Option<(Millis, Millis)>,
    /// The time that the clock showed when Linear contradicted it.
    refuted: Option<Millis>,
    /// Linear says another time than both: what would have to be added to the stopwatch to show
    /// that.
    linear: Option<Millis>,
    /// Somebody agrees: Linear, the database, or what was noted just before this process began.
    confirmed: bool,
}

/// The answer to whether the machine's clock can be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Milliseconds that the machine's clock is ahead of the time, behind it where negative; 0
    /// where they agree.
    pub ahead: Millis,
    /// The clocks disagree, and nobody has confirmed yet which of them is right: nothing is
    /// destroyed for time's sake.
    pub doubtful: bool,
}

impl Clock {
    /// `wall` is the machine's clock; `stopwatch` counts milliseconds and never jumps.
    pub fn new(
        wall: impl Fn() -> Millis + Send + Sync + 'static,
        stopwatch: impl Fn() -> Millis + Send + Sync + 'static,
    ) -> Clock {
        let base = wall() - stopwatch();
        let setting = Setting {
            base,
            database: None,
            jumped: None,
            refuted: None,
            linear: None,
            confirmed: false,
        };
        let (wall, stopwatch): (Source, Source) = (Arc::new(wall), Arc::new(stopwatch));
        Clock(Arc::new(Parts {
            wall,
            stopwatch,
            setting: Mutex::new(setting),
        }))
    }

    /// A clock that stands still until its hand is moved.
    #[must_use]
    pub fn manual(start: Millis) -> (Clock, Hand) {
        let hand = Hand {
            wall: Arc::new(AtomicI64::new(start)),
            stopwatch: Arc::default(),
        };
        let (wall, stopwatch) = (hand.wall.clone(), hand.stopwatch.clone());
        let clock = Clock::new(
            move || wall.load(Ordering::SeqCst),
            move || stopwatch.load(Ordering::SeqCst),
        );
        clock.setting().confirmed = true;
        (clock, hand)
    }

    /// Milliseconds since the Unix epoch. Grows evenly whatever the machine's clock does.
    #[must_use]
    pub fn now(&self) -> Millis {
        let stopwatch = (self.0.stopwatch)();
        let mut setting = self.setting();
        setting.look(stopwatch, (self.0.wall)() - stopwatch);
        stopwatch + setting.base
    }

    /// The time as Linear's last answer told it, where that is another.
    #[must_use]
    pub fn linears_now(&self) -> Option<Millis> {
        let now = self.now();
        let setting = self.setting();
        setting.linear.map(|linear| now - setting.base + linear)
    }

    /// A process before this one noted this time, on this machine.
    pub fn went_on_from(&self, noted: Millis) {
        let gone = self.now() - noted;
        if (-AGREE..AWAY).contains(&gone) {
            self.setting().confirmed = true;
        }
    }

    /// Says whether the machine's clock can be believed right now.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let now = self.linears_now().unwrap_or_else(|| self.now());
        let ahead = (self.0.wall)() - now;
        let setting = self.setting();
        let doubtful = !setting.confirmed
            || setting.linear.is_some()
            || setting.jumped.is_some()
            || setting.refuted.is_some();
        Trust {
            ahead: if ahead.abs() < AGREE { 0 } else { ahead },
            doubtful,
        }
    }

    /// The clock of the database that replicas share, which stands for this machine's from now on.
    pub fn follow_database(&self, now: Millis) {
        let stopwatch = (self.0.stopwatch)();
        let mut setting = self.setting();
        let base = now - stopwatch;
        if setting.database.is_none() {
            let ahead = (self.0.wall)() - now;
            if ahead.abs() >= AGREE {
                tracing::error!(
                    ahead_s = ahead / SECOND,
                    "ALARM: this machine's clock is not the database's. Relink goes by that; set \
                        it"
                );
            }
            (setting.base, setting.confirmed) = (base, true);
        }
        setting.database = Some(base);
        setting.look(stopwatch, base);
    }

    /// Linear has answered: this clock is certain to be `ahead` of Linear's, as [`Clock::now`]
    /// tells it.
    pub fn hear(&self, ahead: Millis) {
        let stopwatch = (self.0.stopwatch)();
        let wall = (self.0.wall)() - stopwatch;
        let mut setting = self.setting();
        let before = setting.base;
        setting.hear(wall, ahead);
        if setting.base != before {
            tracing::warn!(
                moved_s = (setting.base - before) / SECOND,
                "the clock jumped, and Linear agrees with it"
            );
        }
    }

    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.0
            .setting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setting {
    /// `wall`: what would have to be added to the stopwatch to show what the machine's clock shows.
    fn look(&mut self, stopwatch: Millis, wall: Millis) {
        let wall = self.database.unwrap_or(wall);
        if agree(wall, self.base) {
            (self.base, self.jumped, self.refuted) = (wall, None, None);
            return;
        }
        if self.refuted.is_some_and(|refuted| agree(wall, refuted)) {
            return;
        }
        self.refuted = None;
        match self.jumped {
            Some((since, to)) if agree(wall, to) => {
                if stopwatch - since >= FOLLOW_AFTER && self.linear.is_none() {
                    tracing::warn!(
                        moved_s = (wall - self.base) / SECOND,
                        "the clock jumped and stayed there: it is followed"
                    );
                    (self.base, self.jumped, self.confirmed) = (wall, None, false);
                }
            }
            _ => {
                tracing::error!(
                    jumped_s = (wall - self.base) / SECOND,
                    "ALARM: this machine's clock jumped. Relink goes on by its stopwatch and \
                        deletes nothing until Linear has \
                        confirmed the time"
                );
                self.jumped = Some((stopwatch, wall));
            }
        }
    }

    fn hear(&mut self, wall: Millis, ahead: Millis) {
        let wall = self.database.unwrap_or(wall);
        let linear = self.base - ahead;
        if agree(linear, self.base) {
            (self.linear, self.confirmed) = (None, true);
            self.refuted = (!agree(wall, self.base)).then_some(wall);
        } else if agree(linear, wall) {
            (self.base, self.jumped, self.refuted) = (wall, None, None);
            (self.linear, self.confirmed) = (None, true);
        } else {
            self.linear = Some(linear);
        }
    }
}

fn agree(one: Millis, other: Millis) -> bool {
    (one - other).abs() < AGREE
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// Moves a manual clock.
#[derive(Clone, Debug)]
pub struct Hand {
    wall: Arc<AtomicI64>,
    stopwatch: Arc<AtomicI64>,
}

impl Hand {
    /// Time passes.
    pub fn advance(&self, span: Millis) {
        self.wall.fetch_add(span, Ordering::SeqCst);
        self.stopwatch.fetch_add(span, Ordering::SeqCst);
    }

    /// Sets the machine's clock to another time, without any time passing.
    pub fn jump(&self, span: Millis) {
        self.wall.fetch_add(span, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_795_096_931_000;
    const JUMPS: [Millis; 6] = [HOUR, -HOUR, 2 * DAY, -2 * DAY, 31 * DAY, -31 * DAY];

    #[test]
    fn a_clock_that_jumps_moves_nothing_and_is_told_apart_from_one_that_drifts() {
        for jump in JUMPS {
            let (clock, hand) = Clock::manual(START);
            hand.jump(700);
            assert_eq!(
                (clock.now(), clock.trust()),
                (START + 700, Trust::default()),
                "a time server sets it right"
            );
            hand.jump(jump);
            hand.advance(12 * SECOND);
            assert_eq!(clock.now(), START + 700 + 12 * SECOND);
            assert_eq!(
                clock.trust(),
                Trust {
                    ahead: jump,
                    doubtful: true
                }
            );
            hand.jump(-jump);
            assert_eq!(
                (clock.now(), clock.trust()),
                (START + 700 + 12 * SECOND, Trust::default())
            );
        }
    }

    #[test]
    fn a_jump_is_followed_when_linear_agrees_with_it_or_nobody_contradicts_it_for_long() {
        for jump in JUMPS {
            let (clock, hand) = Clock::manual(START);
            hand.jump(jump);
            assert_eq!(clock.now(), START);
            clock.hear(-jump);
            assert_eq!(
                (clock.now(), clock.trust()),
                (START + jump, Trust::default()),
                "the machine had slept"
            );

            let (clock, hand) = Clock::manual(START);
            hand.jump(jump);
            assert_eq!(clock.now(), START);
            hand.advance(FOLLOW_AFTER);
            assert_eq!(clock.now(), START + jump + FOLLOW_AFTER);
            assert!(clock.trust().doubtful, "nobody has confirmed it");
            clock.hear(0);
            assert_eq!(clock.trust(), Trust::default());
        }
    }

    #[test]
    fn a_jump_that_linear_contradicts_is_never_followed() {
        for jump in JUMPS {
            let (clock, hand) = Clock::manual(START);
            hand.jump(jump);
            clock.hear(0);
            hand.advance(31 * DAY);
            assert_eq!(clock.now(), START + 31 * DAY);
            assert_eq!(
                clock.trust(),
                Trust {
                    ahead: jump,
                    doubtful: true
                }
            );
        }
    }

    #[test]
    fn linear_alone_moves_nothing_and_lets_nothing_be_destroyed() {
        for wrong in JUMPS {
            let (clock, hand) = Clock::manual(START + wrong);
            for _ in 0..100 {
                clock.hear(wrong);
                hand.advance(MINUTE);
            }
            let passed = 100 * MINUTE;
            assert_eq!(
                (clock.now(), clock.linears_now()),
                (START + wrong + passed, Some(START + passed))
            );
            assert_eq!(
                clock.trust(),
                Trust {
                    ahead: wrong,
                    doubtful: true
                }
            );
            clock.hear(0);
            assert_eq!(
                (clock.linears_now(), clock.trust()),
                (None, Trust::default()),
                "it was the answers that were odd"
            );
            clock.hear(wrong);
            hand.jump(-wrong);
            clock.hear(wrong);
            assert_eq!(
                (clock.now(), clock.trust()),
                (START + passed, Trust::default()),
                "somebody set the clock right"
            );
        }
    }

    #[test]
    fn a_clock_is_doubtful_from_the_start_until_somebody_agrees() {
        let unconfirmed = || {
            let (clock, _) = Clock::manual(START);
            clock.setting().confirmed = false;
            clock
        };
        assert!(unconfirmed().trust().doubtful);
        for (noted, doubtful) in [
            (START - MINUTE, false),
            (START - 2 * DAY, true),
            (START + HOUR, true),
        ] {
            let clock = unconfirmed();
            clock.went_on_from(noted);
            assert_eq!(clock.trust().doubtful, doubtful, "{noted}");
        }
        let clock = unconfirmed();
        clock.hear(0);
        assert!(!clock.trust().doubtful);
    }

    #[test]
    fn replicas_follow_their_database_whatever_their_machines_show() {
        for wrong in JUMPS {
            let (clock, hand) = Clock::manual(START + wrong);
            clock.follow_database(START);
            assert_eq!(
                (clock.now(), clock.trust()),
                (
                    START,
                    Trust {
                        ahead: wrong,
                        doubtful: false
                    }
                )
            );
            hand.advance(MINUTE);
            clock.follow_database(START + MINUTE + 300);
            assert_eq!(clock.now(), START + MINUTE + 300);
            clock.follow_database(START + wrong);
            assert_eq!(
                clock.now(),
                START + MINUTE + 300,
                "another server took over, and its clock is another"
            );
            assert!(clock.trust().doubtful);
        }
    }
}
