//! Refreshes under way in this process: one for each generation of a connection, however many wait
//! for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::retry_schedule::Pace;
use super::{Cause, Outcome, RefreshResult, RefreshSettings, millis};
use crate::Engine;
use crate::bounded::Bounded;
use crate::clock::Millis;
use crate::connection::state::FailedCall;
use crate::store::StoreError;

/// Questions to Linear's token endpoint under way in this process. More wait; their callers do not
/// wait for ever.
const AT_ONCE: usize = 256;
/// Put-off connections that are remembered at a time.
const COOLING_MAX: usize = 100_000;
/// The time between two alarms about this Relink's own set-up.
const ALARM_EVERY: Duration = Duration::from_secs(600);

/// The code for a refresh that Relink keeps from Linear, as it asked too often.
const ASKED_TOO_OFTEN: &str = "asked_too_often";

type Landing = watch::Receiver<Option<RefreshResult>>;

#[derive(Debug)]
pub(crate) struct Flights {
    air: Mutex<HashMap<FlightKey, Landing>>,
    pace: Pace,
    cooling: Bounded<String, Cooling, COOLING_MAX>,
    turns: Semaphore,
    alarmed: Mutex<Option<Instant>>,
    sweep: tokio::sync::Mutex<()>,
    /// The time at which the background looks again for what is due; 0 as long as nobody said.
    next_sweep: AtomicI64,
}

impl Flights {
    pub fn new(settings: &RefreshSettings) -> Flights {
        Flights {
            air: Mutex::default(),
            pace: Pace::new(settings.ask_every, settings.ask_burst),
            cooling: Bounded::default(),
            turns: Semaphore::new(AT_ONCE),
            alarmed: Mutex::default(),
            sweep: tokio::sync::Mutex::default(),
            next_sweep: AtomicI64::new(0),
        }
    }
}

/// The connection and the generation that a refresh is about. A forced one is about the generation
/// that was refused, so it can never be satisfied by finding that very generation fresh.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FlightKey {
    pub connection: Arc<str>,
    pub generation: i64,
}

#[derive(Debug)]
struct Cooling {
    generation: i64,
    until: Instant,
    landed: RefreshResult,
}

impl Flights {
    /// Limits how often each connection may ask Linear.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A place among those that may ask Linear.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    fn air(&self) -> MutexGuard<'_, HashMap<FlightKey, Landing>> {
        self.air.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Repeats the result of the last try, while it is too early for another.
    fn still_cooling(&self, connection: &str, generation: i64) -> Option<RefreshResult> {
        let mut cooling = self.cooling.lock();
        let cool = cooling.peek(connection)?;
        let left = cool.until.saturating_duration_since(Instant::now());
        if cool.generation != generation || left.is_zero() {
            cooling.pop(connection);
            return None;
        }
        match &cool.landed {
            RefreshResult::PutOff { outcome, error, .. } => Some(RefreshResult::PutOff {
                outcome: *outcome,
                error: error.clone(),
                retry_after: millis(left),
            }),
            RefreshResult::Moved(_) => None,
        }
    }

    fn cool(&self, connection: &str, generation: i64, landed: &RefreshResult) {
        let mut cooling = self.cooling.lock();
        let RefreshResult::PutOff { retry_after, .. } = landed else {
            cooling.pop(connection);
            return;
        };
        let until =
            Instant::now() + Duration::from_millis(u64::try_from(*retry_after).unwrap_or(0));
        cooling.put(
            connection.to_owned(),
            Cooling {
                generation,
                until,
                landed: landed.clone(),
            },
        );
    }

    /// True once in a while, so that one alarm is heard and a thousand connections do not drown it.
    pub(super) fn may_alarm(&self) -> bool {
        let mut alarmed = self.alarmed.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = alarmed.is_none_or(|at| at.elapsed() >= ALARM_EVERY);
        if quiet {
            *alarmed = Some(Instant::now());
        }
        quiet
    }

    /// One sweep at a time in this process.
    pub fn sweep_turn(&self) -> &tokio::sync::Mutex<()> {
        &self.sweep
    }

    pub fn plan_sweep(&self, at: Millis) {
        self.next_sweep.store(at, Ordering::Relaxed);
    }

    pub fn next_sweep(&self) -> Option<Millis> {
        Some(self.next_sweep.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }
}

/// Takes the flight off the board, also when it panics.
struct OnBoard {
    engine: Engine,
    key: FlightKey,
}

impl Drop for OnBoard {
    fn drop(&mut self) {
        self.engine.flights().air().remove(&self.key);
    }
}

impl Engine {
    /// Refreshes a generation, together with everybody in this process who wants the same, and
    /// waits for the outcome. Whoever stops waiting stops nothing. A try that failed a moment ago
    /// is not repeated for `Use` and `Rejected`.
    pub(crate) async fn renew(
        &self,
        organisation: &str,
        connection: &str,
        generation: i64,
        cause: Cause,
    ) -> RefreshResult {
        if matches!(cause, Cause::Use | Cause::Rejected)
            && let Some(landed) = self.flights().still_cooling(connection, generation)
        {
            return landed;
        }
        // What Linear would mint could not be kept: the tokens at hand are better than any that
        // would be lost.
        if let Err(error) = self.store().keeps_writes(self.now()).await {
            return self.went_wrong(&error);
        }
        let mut landing = self.flight(
            organisation,
            FlightKey {
                connection: connection.into(),
                generation,
            },
            cause,
        );
        match landing.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(landed)) => landed.clone(),
            _ => {
                tracing::error!("the refresh stopped unexpectedly");
                self.went_wrong(&StoreError::Timeout)
            }
        }
    }

    /// Linear was asked about this connection so often that its callers have to wait, unless they
    /// can share a refresh that is under way.
    pub(crate) fn asked_too_often(
        &self,
        connection: &str,
        generation: i64,
    ) -> Option<RefreshResult> {
        let wait = self.flights().pace().wait(connection);
        if wait.is_zero()
            || self.flights().air().contains_key(&FlightKey {
                connection: connection.into(),
                generation,
            })
        {
            return None;
        }
        let error = FailedCall {
            code: ASKED_TOO_OFTEN.to_owned(),
            status: None,
            at: self.now(),
        };
        Some(RefreshResult::PutOff {
            outcome: Outcome::BackedOff,
            error,
            retry_after: millis(wait).max(1),
        })
    }

    fn flight(&self, organisation: &str, key: FlightKey, cause: Cause) -> Landing {
        let mut air = self.flights().air();
        if let Some(landing) = air.get(&key) {
            return landing.clone();
        }
        let (land, landing) = watch::channel(None);
        air.insert(key.clone(), landing.clone());
        drop(air);
        // Others than the page that began it may wait for it.
        let (engine, organisation) = (self.for_programs(), organisation.to_owned());
        let span = tracing::info_span!(
            "refresh", connection = %key.connection, generation = key.generation,
            cause = cause.name()
        );
        let work = async move {
            let on_board = OnBoard {
                engine: engine.clone(),
                key,
            };
            let landed = engine.fly(&organisation, &on_board.key, cause).await;
            engine
                .flights()
                .cool(&on_board.key.connection, on_board.key.generation, &landed);
            engine.refreshes().add(landed.outcome());
            drop(on_board);
            let _ = land.send(Some(landed));
        };
        tokio::spawn(work.instrument(span));
        landing
    }

    /// Refreshes under way in this process.
    pub fn refreshes_under_way(&self) -> usize {
        self.flights().air().len()
    }

    /// Waits until no refresh is under way in this process, but no longer than this.
    pub async fn refreshes_landed(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.refreshes_under_way() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
    }
}
