//! Refreshes under way in this process: one for each generation of a connection, however many wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::steps::{Event, Refresh, Row, Setback, Step};
use super::{Attempt, Cause, Landed, Lease, Outcome};
use crate::Engine;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::connection::{Evidence, PassingError, Reason};
use crate::linear::{ExchangeError, Tokens};
use crate::store::{CONNECTIONS, PutOff, REFRESH, Rotated, Rotation, SealedGrant, StoreError};

/// Questions to Linear's token endpoint under way in this process. More wait; their callers do not wait for ever.
const AT_ONCE: usize = 256;
/// Between two looks at a row whose lease somebody else holds.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// A refresh that waited so long for others gives up; they are not dead, only busy.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Put-off connections that are remembered at a time; when more are, remembering starts over.
const COOLING_MAX: usize = 100_000;
/// Linear's wish to be left alone is heard up to here.
const RETRY_AFTER_MAX: Millis = 10 * MINUTE;
/// The longest pause between two tries of the background, well inside Linear's replay window.
const BACK_OFF_MAX: Millis = 2 * MINUTE;
/// People and programs that ask are not told to wait longer than this, unless Linear said so.
const COOLING_OFF_MAX: Millis = 5 * SECOND;
/// While this Relink itself is set up wrongly.
const MISCONFIGURED_PAUSE: Millis = MINUTE;
/// Between two alarms about that.
const ALARM_EVERY: Duration = Duration::from_secs(600);
/// After a reply without a refresh token.
const ASK_AGAIN_AFTER: Millis = 15 * SECOND;

type Landing = watch::Receiver<Option<Landed>>;

#[derive(Debug)]
pub(crate) struct Flights {
    air: Mutex<HashMap<Route, Landing>>,
    cooling: Mutex<HashMap<String, Cooling>>,
    turns: Semaphore,
    alarmed: Mutex<Option<Instant>>,
    sweep: tokio::sync::Mutex<()>,
}

impl Default for Flights {
    fn default() -> Flights {
        Flights {
            air: Mutex::default(),
            cooling: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            alarmed: Mutex::default(),
            sweep: tokio::sync::Mutex::default(),
        }
    }
}

/// What a refresh is about. A forced one is about the generation that was refused, so it can never be satisfied by
/// finding that very generation fresh.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Route {
    connection: Arc<str>,
    generation: i64,
}

#[derive(Debug)]
struct Cooling {
    generation: i64,
    until: Instant,
    landed: Landed,
}

impl Flights {
    fn air(&self) -> MutexGuard<'_, HashMap<Route, Landing>> {
        self.air.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cooling(&self) -> MutexGuard<'_, HashMap<String, Cooling>> {
        self.cooling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last try said, while it is too early for another.
    fn still_cooling(&self, connection: &str, generation: i64) -> Option<Landed> {
        let mut cooling = self.cooling();
        let cool = cooling.get(connection)?;
        let left = cool.until.saturating_duration_since(Instant::now());
        if cool.generation != generation || left.is_zero() {
            cooling.remove(connection);
            return None;
        }
        match &cool.landed {
            Landed::PutOff { outcome, error, .. } => {
                Some(Landed::PutOff { outcome: *outcome, error: error.clone(), retry_after: millis(left) })
            }
            Landed::Moved(_) => None,
        }
    }

    fn cool(&self, connection: &str, generation: i64, landed: &Landed) {
        let mut cooling = self.cooling();
        let Landed::PutOff { retry_after, .. } = landed else {
            cooling.remove(connection);
            return;
        };
        if cooling.len() >= COOLING_MAX {
            cooling.clear();
        }
        let until = Instant::now() + Duration::from_millis(u64::try_from(*retry_after).unwrap_or(0));
        cooling.insert(connection.to_owned(), Cooling { generation, until, landed: landed.clone() });
    }

    /// True once in a while, so that one alarm is heard and a thousand connections do not drown it.
    fn may_alarm(&self) -> bool {
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
}

/// Takes the flight off the board, also when it panics.
struct OnBoard {
    engine: Engine,
    route: Route,
}

impl Drop for OnBoard {
    fn drop(&mut self) {
        self.engine.flights().air().remove(&self.route);
    }
}

/// What is learnt on the way.
struct Trip {
    cause: Cause,
    started: Instant,
    grant: Option<SealedGrant>,
    /// Another's lease that stood still.
    dead: Option<Lease>,
    /// The refresh token had been shown before this refresh began.
    intent_was_open: bool,
    /// Linear may have seen the refresh token.
    reached: bool,
    asked: bool,
    error: Option<PassingError>,
    refusal: Option<Evidence>,
    /// Linear's wish to be left alone.
    retry_after: Option<Millis>,
    /// Until callers may try again.
    put_off: Option<Millis>,
}

impl Trip {
    fn new(cause: Cause) -> Trip {
        Trip {
            cause,
            started: Instant::now(),
            grant: None,
            dead: None,
            intent_was_open: false,
            reached: false,
            asked: false,
            error: None,
            refusal: None,
            retry_after: None,
            put_off: None,
        }
    }

    /// A line of history. `said`: what Linear said, and under which HTTP status.
    fn line(&self, outcome: Outcome, at: Millis, said: Option<(String, Option<u16>)>) -> Attempt {
        let (code, status) = said.unwrap_or_default();
        Attempt { outcome, cause: self.cause, code, status, at, took_ms: millis(self.started.elapsed()) }
    }
}

impl Engine {
    /// Refreshes a generation, together with everybody in this process who wants the same, and waits for the outcome.
    /// Whoever stops waiting stops nothing. A try that failed a moment ago is not repeated for `Use` and `Rejected`.
    pub(crate) async fn renew(&self, organisation: &str, connection: &str, generation: i64, cause: Cause) -> Landed {
        if matches!(cause, Cause::Use | Cause::Rejected)
            && let Some(landed) = self.flights().still_cooling(connection, generation)
        {
            return landed;
        }
        let mut landing = self.flight(organisation, Route { connection: connection.into(), generation }, cause);
        match landing.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(landed)) => landed.clone(),
            _ => self.went_wrong(&"the refresh stopped unexpectedly"),
        }
    }

    fn flight(&self, organisation: &str, route: Route, cause: Cause) -> Landing {
        let mut air = self.flights().air();
        if let Some(landing) = air.get(&route) {
            return landing.clone();
        }
        let (land, landing) = watch::channel(None);
        air.insert(route.clone(), landing.clone());
        drop(air);
        let (engine, organisation) = (self.clone(), organisation.to_owned());
        let span = tracing::info_span!("refresh", connection = %route.connection, generation = route.generation, cause = cause.name());
        let work = async move {
            let on_board = OnBoard { engine: engine.clone(), route };
            let landed = engine.fly(&organisation, &on_board.route, cause).await;
            engine.flights().cool(&on_board.route.connection, on_board.route.generation, &landed);
            engine.refreshes().add(landed.outcome());
            drop(on_board);
            let _ = land.send(Some(landed));
        };
        tokio::spawn(work.instrument(span));
        landing
    }

    async fn fly(&self, organisation: &str, route: &Route, cause: Cause) -> Landed {
        let _turn = self.flights().turns.acquire().await;
        let mut trip = Trip::new(cause);
        let outcome = match self.steps(organisation, route, &mut trip).await {
            Ok(outcome) => outcome,
            // The lease, if one is held, runs out by itself.
            Err(error) => return self.went_wrong(&error),
        };
        self.write_history(route, outcome, &trip).await;
        match (trip.put_off, trip.error) {
            (Some(retry_after), Some(error)) => Landed::PutOff { outcome, error, retry_after },
            _ => Landed::Moved(outcome),
        }
    }

    async fn steps(&self, organisation: &str, route: &Route, trip: &mut Trip) -> Result<Outcome, StoreError> {
        let _hold = self.hold_lease(&route.connection);
        let mut refresh = Refresh::of(route.generation);
        let mut step: Step<Box<Rotation>> = Step::Read;
        loop {
            let event = match &step {
                Step::Done(end) => return Ok(Outcome::from(*end)),
                Step::Wait if trip.started.elapsed() > WAIT_MAX => return Ok(self.give_way(trip)),
                Step::Wait => {
                    sleep(LOOK_EVERY).await;
                    Event::Waited
                }
                Step::Breathe { tries } => {
                    self.breathe(300 << u32::from(*tries)).await;
                    Event::Waited
                }
                Step::Read => match self.look(organisation, route, trip).await? {
                    Ok(row) => Event::Row(row),
                    Err(reason) => {
                        let broken = self.store().connection_break(&route.connection, route.generation, reason, None, self.now()).await?;
                        tracing::error!(reason = reason.name(), broken, "this connection cannot be refreshed");
                        return Ok(Outcome::Broken);
                    }
                },
                Step::Lease => self.lease(route, trip).await?,
                Step::Ask => self.ask(organisation, route, trip).await,
                Step::Save { pair, replayed } => self.save(route, pair, *replayed, trip).await,
                Step::SaveAgain { pair, replayed, writes } => {
                    self.breathe(500 * Millis::from((*writes).min(4))).await;
                    self.save(route, pair, *replayed, trip).await
                }
                Step::Void { pair } => {
                    self.void_lost(organisation, route, pair).await;
                    Event::Voided
                }
                Step::Break { reason, refusals } => self.give_up(route, *reason, *refusals, trip).await?,
                Step::BackOff(setback) => {
                    self.back_off(route, *setback, trip).await;
                    Event::PutOff
                }
            };
            step = refresh.next(step, event);
        }
    }

    /// Reads the row, and the refresh token in it, or says why there is none to show.
    async fn look(&self, organisation: &str, route: &Route, trip: &mut Trip) -> Result<Result<Row, Reason>, StoreError> {
        let Some(grant) = self.store().grant(organisation, &route.connection).await? else {
            return Ok(Ok(Row { generation: -1, connected: false, leased: false }));
        };
        let lease = grant.lease().filter(|lease| lease.owner != self.leases().owner());
        let dead_after = self.settings().refresh.lease_dead_after;
        let dead = lease.as_ref().is_some_and(|lease| self.leases().is_dead(&route.connection, lease, dead_after));
        let row = Row { generation: grant.generation, connected: grant.state == "connected", leased: lease.is_some() && !dead };
        trip.dead = lease.filter(|_| dead);
        if row.generation == route.generation && row.connected && !row.leased {
            if grant.refresh_sealed.is_none() {
                return Ok(Err(Reason::NoRefreshToken));
            }
            if self.open_refresh(organisation, &grant).is_none() {
                return Ok(Err(Reason::Unreadable));
            }
        }
        trip.grant = Some(grant);
        Ok(Ok(row))
    }

    fn open_refresh(&self, organisation: &str, grant: &SealedGrant) -> Option<SecretString> {
        let sealed = grant.refresh_sealed.as_deref()?;
        self.vault().open_row(CONNECTIONS, REFRESH, &grant.connection_id, organisation, sealed).ok()
    }

    async fn lease(&self, route: &Route, trip: &mut Trip) -> Result<Event<Box<Rotation>>, StoreError> {
        let now = self.now();
        let dead = trip.dead.take();
        let began = self.store().lease_take(&route.connection, route.generation, self.leases().owner(), dead.as_ref(), now).await?;
        let Some(began) = began else { return Ok(Event::NotLeased) };
        self.leases().unwatch(&route.connection);
        let was_open = trip.grant.as_ref().is_some_and(|grant| grant.attempt_began_at.is_some()) || began != now;
        // An intent of this very refresh is not somebody's from before.
        trip.intent_was_open |= was_open && !trip.asked;
        Ok(Event::Leased { intent_was_open: trip.intent_was_open })
    }

    /// Nothing of the database is held while Linear is asked.
    async fn ask(&self, organisation: &str, route: &Route, trip: &mut Trip) -> Event<Box<Rotation>> {
        trip.asked = true;
        let issued_at = self.now();
        let Some(token) = trip.grant.as_ref().and_then(|grant| self.open_refresh(organisation, grant)) else {
            return Event::Setback(Setback::Passing { reached: false });
        };
        match self.linear().refresh(&token).await {
            Ok(tokens) => Event::Pair(Box::new(self.rotation(organisation, route, &tokens, issued_at))),
            Err(ExchangeError::Refused { code, status }) if code == "invalid_grant" => {
                trip.refusal = Some(Evidence { asked: 1, ..Evidence::new(status, &code) });
                Event::Refused
            }
            Err(error) => Event::Setback(self.setback(&error, trip)),
        }
    }

    fn setback(&self, error: &ExchangeError, trip: &mut Trip) -> Setback {
        let (code, status, setback) = match error {
            ExchangeError::Refused { code, status } if matches!(code.as_str(), "invalid_client" | "unauthorized_client") => {
                (code.clone(), Some(*status), Setback::Misconfigured)
            }
            ExchangeError::NotConfigured => ("not_configured".to_owned(), None, Setback::Misconfigured),
            // Any other code is no verdict on the grant.
            ExchangeError::Refused { code, status } => (code.clone(), Some(*status), Setback::Passing { reached: false }),
            ExchangeError::Passing(passing) => {
                trip.retry_after = passing.retry_after_s().map(|seconds| Millis::from(seconds) * SECOND);
                let reached = passing.may_have_reached();
                (passing.code().to_owned(), passing.status(), Setback::Passing { reached })
            }
        };
        trip.reached |= setback == Setback::Passing { reached: true };
        tracing::debug!(code, status, "a refresh got no tokens");
        trip.error = Some(PassingError { code, status, at: self.now() });
        setback
    }

    fn rotation(&self, organisation: &str, route: &Route, tokens: &Tokens, issued_at: Millis) -> Rotation {
        Rotation {
            grant: self.seal(&route.connection, organisation, tokens, issued_at),
            scopes: tokens.scopes.clone(),
            ask_again_at: self.now() + ASK_AGAIN_AFTER,
        }
    }

    /// Before anybody uses it.
    async fn save(&self, route: &Route, rotation: &Rotation, replayed: bool, trip: &Trip) -> Event<Box<Rotation>> {
        let outcome = if replayed { Outcome::Replayed } else { Outcome::Refreshed };
        let line = trip.line(outcome, self.now(), None);
        match self.store().grant_rotate(&route.connection, route.generation, rotation, &line).await {
            Ok(Rotated::Done) => {
                tracing::info!(expires_at = rotation.grant.expires_at, "tokens refreshed");
                Event::Saved
            }
            Ok(Rotated::Overtaken(by)) => Event::Overtaken(by),
            Err(error) => {
                tracing::error!(%error, "refreshed tokens could not be written yet; trying again");
                Event::NotSaved
            }
        }
    }

    /// A pair of a grant that is not this connection's any more is written down first: a crash must not leave tokens
    /// alive that nobody knows.
    async fn void_lost(&self, organisation: &str, route: &Route, rotation: &Rotation) {
        tracing::info!("somebody connected anew or disconnected meanwhile: the refreshed tokens are revoked");
        let (connection, generation) = (&*route.connection, route.generation);
        if let Err(error) = self.store().superseded_grant_put(connection, generation, &rotation.grant).await {
            tracing::error!(%error, "tokens to be revoked could not be written down");
        }
        if self.void_sealed(organisation, connection, &rotation.grant.access_sealed, rotation.grant.refresh_sealed.as_deref()).await
            && let Err(error) = self.store().superseded_grant_delete(connection, generation).await
        {
            tracing::error!(%error, "revoked tokens could not be forgotten; they will be revoked again");
        }
    }

    async fn give_up(&self, route: &Route, reason: Reason, refusals: u8, trip: &mut Trip) -> Result<Event<Box<Rotation>>, StoreError> {
        let began = trip.grant.as_ref().and_then(|grant| grant.attempt_began_at).filter(|_| trip.intent_was_open);
        let window = self.settings().refresh.replay_window;
        let evidence = trip.refusal.as_mut().map(|evidence| {
            evidence.asked = u32::from(refusals);
            evidence.late_by_s = began.map(|began| (self.now() - began - window) / SECOND).filter(|late| *late > 0);
            evidence.clone()
        });
        let broken = self.store().connection_break(&route.connection, route.generation, reason, evidence.as_ref(), self.now()).await?;
        if broken {
            tracing::warn!(reason = reason.name(), refusals, "Linear refuses the newest refresh token: reconnect required");
            return Ok(Event::Broken);
        }
        Ok(Event::NotBroken)
    }

    /// The pause grows with each failure, and is never quite the same.
    async fn back_off(&self, route: &Route, setback: Setback, trip: &mut Trip) {
        let failures = trip.grant.as_ref().map_or(0, |grant| grant.failures);
        let pause = match setback {
            Setback::Misconfigured => MISCONFIGURED_PAUSE,
            Setback::Passing { .. } => ((2 * SECOND) << failures.clamp(0, 10)).min(BACK_OFF_MAX),
        };
        let pause = self.jitter(pause).max(trip.retry_after.unwrap_or(0).min(RETRY_AFTER_MAX));
        trip.put_off = Some(pause.min(COOLING_OFF_MAX.max(trip.retry_after.unwrap_or(0).min(RETRY_AFTER_MAX))));
        let error = trip.error.get_or_insert_with(|| PassingError { code: "database".to_owned(), status: None, at: self.now() });
        match setback {
            Setback::Misconfigured => self.alarm(&error.code),
            Setback::Passing { .. } => tracing::warn!(code = error.code, status = error.status, pause, "refresh put off"),
        }
        let put_off = PutOff {
            connection: &route.connection,
            generation: route.generation,
            owner: self.leases().owner(),
            until: self.now() + pause,
            settled: !trip.intent_was_open && !trip.reached,
            error,
        };
        if let Err(error) = self.store().refresh_put_off(&put_off).await {
            tracing::error!(%error, "a failed refresh could not be noted");
        }
    }

    /// No connection can help it, and no person on a page: only whoever runs this Relink.
    fn alarm(&self, code: &str) {
        if self.flights().may_alarm() {
            tracing::error!(
                code,
                "ALARM: Linear does not accept this Relink as a client, so no token can be refreshed. Compare LINEAR_CLIENT_ID and \
                 LINEAR_CLIENT_SECRET with the app in Linear and start Relink again. No connection was given up"
            );
        }
    }

    /// Between half of it and all of it.
    fn jitter(&self, pause: Millis) -> Millis {
        let half = pause / 2;
        let dice = u32::from_le_bytes(self.entropy().bytes::<4>());
        half + i64::from(dice) % (half + 1)
    }

    async fn breathe(&self, pause: Millis) {
        sleep(Duration::from_millis(self.jitter(pause).unsigned_abs())).await;
    }

    fn give_way(&self, trip: &mut Trip) -> Outcome {
        tracing::warn!("another process has been refreshing this connection for a minute");
        trip.error = Some(PassingError { code: "busy".to_owned(), status: None, at: self.now() });
        trip.put_off = Some(SECOND);
        Outcome::BackedOff
    }

    fn went_wrong(&self, error: &dyn std::fmt::Display) -> Landed {
        tracing::error!(%error, "a refresh could not be carried out");
        let error = PassingError { code: "database".to_owned(), status: None, at: self.now() };
        Landed::PutOff { outcome: Outcome::BackedOff, error, retry_after: SECOND }
    }

    /// A rotation's line is written with it, and waiting for somebody else's is no attempt.
    async fn write_history(&self, route: &Route, outcome: Outcome, trip: &Trip) {
        let said = match outcome {
            Outcome::Fresh | Outcome::Refreshed | Outcome::Replayed => return,
            Outcome::RotatedByPeer if !trip.asked => return,
            Outcome::RotatedByPeer => None,
            Outcome::BackedOff | Outcome::Misconfigured => trip.error.as_ref().map(|error| (error.code.clone(), error.status)),
            Outcome::Broken => trip.refusal.as_ref().map(|evidence| (evidence.code.clone(), Some(evidence.status))),
        };
        let line = trip.line(outcome, self.now(), said);
        if let Err(error) = self.store().attempt_note(&route.connection, route.generation, &line).await {
            tracing::error!(%error, "a line of history could not be written");
        }
    }

    /// Refreshes under way in this process.
    #[must_use]
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

fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}
