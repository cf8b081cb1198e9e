//! Asking Linear with the refresh token, and writing down what it gives.

use super::flight::Trip;
use super::flights::Route;
use super::steps::{Event, Setback};
use super::{Outcome, in_time};
use crate::Engine;
use crate::apps::Unusable;
use crate::clock::{Millis, SECOND};
use crate::connection::{Evidence, PassingError};
use crate::linear::{ExchangeError, Tokens};
use crate::store::{Rotated, Rotation, SupersededGrant};
use crate::vault::KEY_MISSING;

/// After a reply without a refresh token.
const ASK_AGAIN_AFTER: Millis = 15 * SECOND;

impl Engine {
    /// Nothing of the database is held while Linear is asked.
    pub(super) async fn ask(&self, organisation: &str, route: &Route, trip: &mut Trip) -> Event<Box<Rotation>> {
        trip.asked = true;
        let issued_at = self.now();
        let Some(token) = trip.token.take() else { return Event::Setback(Setback::Passing { reached: false }) };
        let app = match self.oauth_app(organisation, trip.app_id.as_deref()).await {
            Ok(app) => app,
            Err(error) => return Event::Setback(self.unusable(&error, trip)),
        };
        match self.linear().refresh(&app, &token).await {
            Ok(tokens) => Event::Pair(Box::new(self.rotation(organisation, route, &tokens, issued_at))),
            Err(ExchangeError::Refused { code, status }) if code == "invalid_grant" => {
                trip.refusal = Some(Evidence::new(status, &code));
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
            // Any other code is no verdict on the grant.
            ExchangeError::Refused { code, status } => (code.clone(), Some(*status), Setback::Passing { reached: false }),
            ExchangeError::Passing(passing) => {
                trip.retry_after = passing.retry_after_s().map(|seconds| Millis::from(seconds) * SECOND);
                let reached = passing.may_have_reached();
                (passing.code().to_owned(), passing.status(), Setback::Passing { reached })
            }
        };
        tracing::debug!(code, status, "a refresh got no tokens");
        trip.error = Some(PassingError { code, status, at: self.now() });
        setback
    }

    /// Nobody could ask.
    fn unusable(&self, error: &Unusable, trip: &mut Trip) -> Setback {
        let (code, setback) = match error {
            Unusable::Sealed(unreadable) if unreadable.key_missing => (KEY_MISSING, Setback::Misconfigured),
            Unusable::Sealed(_) | Unusable::NotConfigured => ("not_configured", Setback::Misconfigured),
            Unusable::Store(_) => (PassingError::DATABASE, Setback::Passing { reached: false }),
        };
        tracing::error!(%error, "the Linear app of a connection cannot be used");
        trip.error = Some(PassingError { code: code.to_owned(), status: None, at: self.now() });
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
    pub(super) async fn save(&self, route: &Route, rotation: &Rotation, replayed: bool, trip: &Trip) -> Event<Box<Rotation>> {
        let outcome = if replayed { Outcome::Replayed } else { Outcome::Refreshed };
        let line = trip.line(outcome, self.now(), None);
        match in_time(self.store().grant_rotate(&route.connection, route.generation, rotation, &line)).await {
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
    pub(super) async fn void_lost(&self, organisation: &str, route: &Route, rotation: &Rotation) {
        tracing::info!("somebody connected anew or disconnected meanwhile: the refreshed tokens are revoked");
        // Below nought, so that no pair that a consent set aside is in the way.
        let (connection, generation) = (&*route.connection, -route.generation);
        if let Err(error) = self.store().superseded_grant_put(connection, generation, &rotation.grant).await {
            tracing::error!(%error, "tokens to be revoked could not be written down");
        }
        let lost = SupersededGrant {
            generation,
            access_sealed: rotation.grant.access_sealed.clone(),
            refresh_sealed: rotation.grant.refresh_sealed.clone(),
        };
        if let Err(error) = self.void_set_aside(organisation, connection, &lost).await {
            tracing::error!(%error, "revoked tokens could not be forgotten; they will be revoked again");
        }
    }
}
