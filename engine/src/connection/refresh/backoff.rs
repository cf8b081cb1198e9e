//! The ways on after a refresh that did not work: giving up on evidence, or coming back later.

use super::flight::{Failure, RefreshContext};
use super::single_flight::FlightKey;
use super::steps::{Event, Setback};
use super::{Outcome, RefreshResult, in_time};
use crate::Engine;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::connection::state::{CLIENT_ID_CHANGED, FailedCall, Reason};
use crate::store::{DiskTrouble, PutOff, Rotation, StoreError};
use crate::vault::KEY_MISSING;

/// The longest pause between two tries of the background, however long Linear wishes to be left
/// alone: an answer may have been lost before, and several such pauses must fit into its replay
/// window.
const BACK_OFF_MAX: Millis = 2 * MINUTE;
/// People and programs that ask are not told to wait longer than this, unless Linear said so.
const COOLING_OFF_MAX: Millis = 5 * SECOND;
/// The pause while this Relink itself is set up wrongly.
const MISCONFIGURED_PAUSE: Millis = MINUTE;

impl Engine {
    pub(super) async fn give_up(
        &self,
        key: &FlightKey,
        reason: Reason,
        refusals: u8,
        context: &mut RefreshContext,
    ) -> Result<Event<Box<Rotation>>, StoreError> {
        let began = context
            .leased
            .as_ref()
            .and_then(|leased| leased.grant.attempt_began_at)
            .filter(|_| context.intent_was_open);
        let window = self.settings().refresh.replay_window;
        let evidence = context.refusal.as_mut().map(|evidence| {
            evidence.asked = u32::from(refusals);
            evidence.late_by_s = began
                .map(|began| (self.now() - began - window) / SECOND)
                .filter(|late| *late > 0);
            evidence.clone()
        });
        let breaking = self.store().connection_break(
            &key.connection,
            key.generation,
            reason,
            evidence.as_ref(),
            self.now(),
        );
        let broken = in_time(breaking).await?;
        if !broken {
            return Ok(Event::NotBroken);
        }
        if evidence.is_some() {
            tracing::warn!(
                reason = reason.name(),
                refusals,
                "Linear refuses the newest refresh token: reconnect required"
            );
        } else {
            tracing::error!(
                reason = reason.name(),
                "there is no refresh token to show: reconnect required"
            );
        }
        Ok(Event::Broken)
    }

    /// The pause grows with each failure, and is never quite the same.
    pub(super) async fn back_off(
        &self,
        key: &FlightKey,
        setback: Setback,
        context: &mut RefreshContext,
    ) {
        let leased = context.leased.as_ref();
        let failures = leased.map_or(0, |leased| leased.grant.failures);
        let pause = match setback {
            Setback::Misconfigured => MISCONFIGURED_PAUSE,
            Setback::Transient { .. } | Setback::Busy => {
                ((2 * SECOND) << failures.clamp(0, 10)).min(BACK_OFF_MAX)
            }
        };
        let failure = context
            .failure
            .get_or_insert_with(|| Failure::new(FailedCall::DATABASE, None, self.now()));
        let wished = failure.retry_after.unwrap_or(0).min(BACK_OFF_MAX);
        let pause = self.jitter(pause).max(wished);
        context.put_off = Some(pause.min(COOLING_OFF_MAX.max(wished)));
        let error = &failure.call;
        match setback {
            Setback::Misconfigured => self.alarm(&error.code),
            Setback::Transient { .. } | Setback::Busy => tracing::warn!(
                code = error.code,
                status = error.status,
                pause,
                "refresh put off"
            ),
        }
        let put_off = PutOff {
            connection: &key.connection,
            generation: key.generation,
            owner: self.leases().owner(),
            until: self.now() + pause,
            error,
        };
        if let Err(error) = in_time(self.store().refresh_put_off(&put_off)).await {
            tracing::error!(%error, "a failed refresh could not be noted");
        }
    }

    /// Tells whoever runs this Relink about a fault that no reconnect and no person on a page can
    /// mend.
    pub(crate) fn alarm(&self, code: &str) {
        if self.flights().may_alarm() {
            let words = if code == CLIENT_ID_CHANGED {
                "ALARM: LINEAR_CLIENT_ID is not the Linear app that connections were made with, so \
                    their tokens are not refreshed. Put the \
                    client ID and secret back, or reconnect every workspace. Linear was not asked, \
                    and no connection was given up"
            } else if code == KEY_MISSING {
                "ALARM: tokens are sealed with a key that RELINK_KEYS of this process lacks. Give \
                    every replica the same keys, the new \
                    one last at first, and first when all have it. No connection was given up"
            } else {
                "ALARM: Linear does not accept this Relink as a client, so its tokens cannot be \
                    refreshed. Compare client ID and client \
                    secret (LINEAR_CLIENT_ID and LINEAR_CLIENT_SECRET, or those of the \
                    organisation's app) with the app in Linear. No \
                    connection was given up"
            };
            tracing::error!(code, "{words}");
        }
    }

    /// Spreads a pause between half of it and all of it.
    pub(super) fn jitter(&self, pause: Millis) -> Millis {
        let half = pause / 2;
        let dice = u32::from_le_bytes(self.entropy().bytes::<4>());
        half + i64::from(dice) % (half + 1)
    }

    pub(super) fn went_wrong(&self, error: &StoreError) -> RefreshResult {
        tracing::error!(%error, "a refresh could not be carried out");
        let code = error
            .disk_trouble()
            .map_or(FailedCall::DATABASE, DiskTrouble::name);
        let error = FailedCall {
            code: code.to_owned(),
            status: None,
            at: self.now(),
        };
        RefreshResult::PutOff {
            outcome: Outcome::BackedOff,
            error,
            retry_after: SECOND,
        }
    }

    /// A rotation's line is written with it, and waiting for somebody else's is no attempt.
    pub(super) async fn write_history(
        &self,
        key: &FlightKey,
        outcome: Outcome,
        context: &RefreshContext,
    ) {
        let said = match outcome {
            Outcome::Fresh | Outcome::Refreshed | Outcome::Replayed => return,
            Outcome::RotatedByPeer if !context.asked => return,
            Outcome::RotatedByPeer => None,
            Outcome::BackedOff | Outcome::Misconfigured => context
                .failure
                .as_ref()
                .map(|failure| (failure.call.code.clone(), failure.call.status)),
            Outcome::Broken => context
                .refusal
                .as_ref()
                .map(|evidence| (evidence.code.clone(), Some(evidence.status))),
        };
        let line = context.line(outcome, self.now(), said);
        if let Err(error) = in_time(self.store().attempt_note(
            &key.connection,
            key.generation,
            &line,
        ))
        .await
        {
            tracing::error!(%error, "a line of history could not be written");
        }
    }
}
