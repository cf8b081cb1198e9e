//! One refresh, carried out: each step that `steps` decides becomes a read, a write, a question or
//! a wait.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::reading::Reading;
use super::single_flight::FlightKey;
use super::steps::{Event, Intent, Refresh, Row, Setback, Step};
use super::{Attempt, Cause, Lease, Outcome, RefreshResult, in_time, millis};
use crate::Engine;
use crate::clock::{Millis, SECOND};
use crate::connection::state::{Evidence, FailedCall, Phase, Reason};
use crate::store::{CONNECTIONS, REFRESH, Rotation, SealedGrant, StoreError};
use crate::vault::KEY_MISSING;

/// The pause between two looks at a row whose lease somebody else holds.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// A refresh that waited this long for others gives up; they are not dead, only busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The facts that a refresh learns on the way.
pub(super) struct RefreshContext {
    pub cause: Cause,
    pub started: Instant,
    pub leased: Option<Leased>,
    /// The lease of another process that stood still.
    pub dead: Option<Lease>,
    /// The refresh token had been shown before this refresh began.
    pub intent_was_open: bool,
    pub asked: bool,
    pub failure: Option<Failure>,
    pub refusal: Option<Evidence>,
    /// The time until callers may try again.
    pub put_off: Option<Millis>,
}

/// The tokens and the intent that came with the lease.
pub(super) struct Leased {
    /// The row as it was then, and the refresh token in it, where there is one to show.
    pub grant: SealedGrant,
    pub token: Option<SecretString>,
    pub reading: Reading,
}

/// The reason why there are no tokens.
pub(super) struct Failure {
    pub call: FailedCall,
    /// Linear's wish to be left alone.
    pub retry_after: Option<Millis>,
}

impl Failure {
    pub fn new(code: impl Into<String>, status: Option<u16>, at: Millis) -> Failure {
        let code = code.into();
        Failure {
            call: FailedCall { code, status, at },
            retry_after: None,
        }
    }
}

impl RefreshContext {
    fn new(cause: Cause) -> RefreshContext {
        RefreshContext {
            cause,
            started: Instant::now(),
            leased: None,
            dead: None,
            intent_was_open: false,
            asked: false,
            failure: None,
            refusal: None,
            put_off: None,
        }
    }

    /// A line of history. `said`: what Linear said, and under which HTTP status.
    pub fn line(
        &self,
        outcome: Outcome,
        at: Millis,
        said: Option<(String, Option<u16>)>,
    ) -> Attempt {
        let (code, status) = said.unwrap_or_default();
        Attempt {
            outcome,
            cause: self.cause,
            code,
            status,
            at,
            took_ms: millis(self.started.elapsed()),
        }
    }
}

impl Engine {
    pub(super) async fn fly(
        &self,
        organisation: &str,
        key: &FlightKey,
        cause: Cause,
    ) -> RefreshResult {
        let _turn = self.flights().turn().await;
        let mut context = RefreshContext::new(cause);
        let outcome = match self.steps(organisation, key, &mut context).await {
            Ok(outcome) => outcome,
            // The lease, if one is held, runs out by itself.
            Err(error) => return self.went_wrong(&error),
        };
        self.write_history(key, outcome, &context).await;
        match (context.put_off, context.failure) {
            (Some(retry_after), Some(failure)) => RefreshResult::PutOff {
                outcome,
                error: failure.call,
                retry_after,
            },
            _ => RefreshResult::Moved(outcome),
        }
    }

    async fn steps(
        &self,
        organisation: &str,
        key: &FlightKey,
        context: &mut RefreshContext,
    ) -> Result<Outcome, StoreError> {
        let _hold = self.hold_lease(&key.connection);
        let mut refresh = Refresh::of(key.generation);
        let mut step: Step<Box<Rotation>> = Refresh::begin();
        loop {
            let event = match &step {
                Step::Done(end) => return Ok(Outcome::from(*end)),
                Step::Wait if context.started.elapsed() > WAIT_MAX => {
                    return Ok(self.give_way(context));
                }
                Step::Wait => {
                    sleep(LOOK_EVERY).await;
                    Event::Waited
                }
                Step::Breathe { tries } => {
                    self.breathe(300 << u32::from(*tries)).await;
                    Event::Waited
                }
                Step::Read => Event::Row(self.look(organisation, key, context).await?),
                Step::Lease => self.lease(organisation, key, context).await?,
                Step::Ask => self.ask(organisation, key, context).await,
                Step::Save { pair, replayed } => self.save(key, pair, *replayed, context).await,
                Step::SaveAgain {
                    pair,
                    replayed,
                    writes,
                } => {
                    self.breathe(500 * Millis::from((*writes).min(4))).await;
                    self.save(key, pair, *replayed, context).await
                }
                Step::Void { pair } => {
                    self.void_lost(organisation, key, pair).await;
                    Event::Voided
                }
                Step::Break { reason, refusals } => {
                    self.give_up(key, *reason, *refusals, context).await?
                }
                Step::BackOff(setback) => {
                    self.back_off(key, *setback, context).await;
                    Event::PutOff
                }
            };
            step = refresh.next(step, event);
        }
    }

    async fn look(
        &self,
        organisation: &str,
        key: &FlightKey,
        context: &mut RefreshContext,
    ) -> Result<Row, StoreError> {
        let Some(grant) = in_time(self.store().grant(organisation, &key.connection)).await? else {
            return Ok(Row {
                generation: -1,
                connected: false,
                leased: false,
            });
        };
        let lease = grant
            .lease()
            .filter(|lease| lease.owner != self.leases().owner());
        let dead_after = self.settings().refresh.lease_dead_after;
        let dead = lease
            .as_ref()
            .is_some_and(|lease| self.leases().is_dead(&key.connection, lease, dead_after));
        let row = Row {
            generation: grant.generation,
            connected: grant.phase == Phase::Connected,
            leased: lease.is_some() && !dead,
        };
        context.dead = lease.filter(|_| dead);
        Ok(row)
    }

    /// Takes the lease. With it comes the row, and the refresh token in it, or the reason why there
    /// is none to show.
    async fn lease(
        &self,
        organisation: &str,
        key: &FlightKey,
        context: &mut RefreshContext,
    ) -> Result<Event<Box<Rotation>>, StoreError> {
        sleep(self.flights().pace().wait(&key.connection)).await;
        let reading = self.begin_reading();
        let (now, dead) = (self.now(), context.dead.take());
        let taken = self.store().lease_take(
            &key.connection,
            key.generation,
            self.leases().owner(),
            dead.as_ref(),
            now,
        );
        let Some(grant) = in_time(taken).await? else {
            return Ok(Event::NotLeased);
        };
        self.leases().unwatch(&key.connection);
        // An intent of this very refresh is not somebody's from before.
        context.intent_was_open |= grant.attempt_began_at != Some(now) && !context.asked;
        let window = self.settings().refresh.replay_window;
        let intent = match grant.attempt_began_at {
            _ if !context.intent_was_open => Intent::New,
            Some(began) if now - began > window => Intent::Late,
            _ => Intent::Open,
        };
        let sealed = grant.refresh_sealed.as_deref();
        let opened = sealed.map(|sealed| {
            self.vault()
                .open_row(CONNECTIONS, REFRESH, &key.connection, organisation, sealed)
        });
        let (token, event) = match opened {
            Some(Ok(token)) => (Some(token), Event::Leased(intent)),
            // Another replica may know the key that this one lacks.
            Some(Err(unreadable)) if unreadable.key_missing => {
                context.failure = Some(Failure::new(KEY_MISSING, None, self.now()));
                (None, Event::Setback(Setback::Misconfigured))
            }
            Some(Err(_)) => (None, Event::NoToken(Reason::Unreadable)),
            None => (None, Event::NoToken(Reason::NoRefreshToken)),
        };
        context.leased = Some(Leased {
            grant,
            token,
            reading,
        });
        Ok(event)
    }

    async fn breathe(&self, pause: Millis) {
        sleep(Duration::from_millis(self.jitter(pause).unsigned_abs())).await;
    }

    fn give_way(&self, context: &mut RefreshContext) -> Outcome {
        tracing::warn!("another process has been refreshing this connection for a minute");
        context.failure = Some(Failure::new("busy", None, self.now()));
        context.put_off = Some(SECOND);
        Outcome::BackedOff
    }
}
