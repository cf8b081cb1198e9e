//! Asking Linear with the refresh token, and writing down what it gives.

use super::flight::{Failure, RefreshContext};
use super::single_flight::FlightKey;
use super::steps::{Event, Setback};
use super::{Outcome, in_time};
use crate::Engine;
use crate::apps::AppUnavailable;
use crate::clock::{MINUTE, Millis, SECOND};
use crate::connection::state::{CLIENT_ID_CHANGED, Evidence, FailedCall};
use crate::linear::{ExchangeError, OauthApp, Tokens, TransientError};
use crate::store::{Rotated, Rotation, SupersededGrant};
use crate::vault::KEY_MISSING;

/// The pauses after each reply in a row without a new refresh token: Linear rotates always, and
/// repeats its answer for half an hour. When that is nearly over, the old one is taken to live on.
const ASK_AGAIN_AFTER: [Millis; 4] = [15 * SECOND, 3 * MINUTE, 9 * MINUTE, 9 * MINUTE];

impl Engine {
    /// Asks Linear, while nothing of the database is held.
    pub(super) async fn ask(
        &self,
        organisation: &str,
        key: &FlightKey,
        context: &mut RefreshContext,
    ) -> Event<Box<Rotation>> {
        // Shown once for each lease.
        let shown = context.leased.as_mut().and_then(|leased| {
            let token = leased.token.take()?;
            Some((token, leased.reading, leased.grant.untokened))
        });
        let Some((token, reading, untokened)) = shown else {
            return Event::Setback(Setback::Transient { reached: false });
        };
        let app = match self.app_of(organisation, context).await {
            Ok(app) => app,
            Err(error) => return Event::Setback(self.unusable(&error, context)),
        };
        if !self.flights().pace().take(&key.connection) {
            return Event::NotShown;
        }
        let issued_at = self.now();
        let may_be_shown = self
            .clone()
            .may_be_shown(organisation.to_owned(), key.clone(), reading);
        let asked = self.linear().refresh(&app, &token, may_be_shown).await;
        context.asked |= !matches!(asked, Err(ExchangeError::NotShown));
        match asked {
            Ok(tokens) => Event::Pair(Box::new(self.rotation(
                organisation,
                key,
                &app,
                &tokens,
                issued_at,
                untokened,
            ))),
            Err(ExchangeError::NotShown) => Event::NotShown,
            Err(ExchangeError::Refused { code, status }) if code == "invalid_grant" => {
                context.refusal = Some(Evidence::new(status, &code));
                Event::Refused
            }
            Err(error) => Event::Setback(self.setback(&error, context)),
        }
    }

    /// The app that the tokens were given to, and no other: Linear would refuse them as if they
    /// were void.
    async fn app_of(
        &self,
        organisation: &str,
        context: &RefreshContext,
    ) -> Result<OauthApp, AppUnavailable> {
        let grant = context.leased.as_ref().map(|leased| &leased.grant);
        let (app_id, client_id) = (
            grant.and_then(|grant| grant.app_id.as_deref()),
            grant.and_then(|grant| grant.client_id.as_deref()),
        );
        self.oauth_app_known_as(organisation, app_id, client_id)
            .await
    }

    fn setback(&self, error: &ExchangeError, context: &mut RefreshContext) -> Setback {
        let mut retry_after = None;
        let (code, status, setback) = match error {
            ExchangeError::NotShown => (
                "busy".to_owned(),
                None,
                Setback::Transient { reached: false },
            ),
            ExchangeError::Refused { code, status }
                if matches!(code.as_str(), "invalid_client" | "unauthorized_client") =>
            {
                (code.clone(), Some(*status), Setback::Misconfigured)
            }
            // Any other code is no verdict on the grant.
            ExchangeError::Refused { code, status } => (
                code.clone(),
                Some(*status),
                Setback::Transient { reached: false },
            ),
            ExchangeError::Transient(passing) => {
                retry_after = passing
                    .retry_after_s()
                    .map(|seconds| Millis::from(seconds) * SECOND);
                let busy =
                    retry_after.is_some() || matches!(passing, TransientError::RateLimited { .. });
                let setback = if busy {
                    Setback::Busy
                } else {
                    Setback::Transient {
                        reached: passing.may_have_reached(),
                    }
                };
                (passing.code().to_owned(), passing.status(), setback)
            }
        };
        tracing::debug!(code, status, "a refresh got no tokens");
        context.failure = Some(Failure {
            retry_after,
            ..Failure::new(code, status, self.now())
        });
        setback
    }

    /// Judges a refresh for which Linear could not be asked.
    fn unusable(&self, error: &AppUnavailable, context: &mut RefreshContext) -> Setback {
        let (code, setback) = match error {
            AppUnavailable::Sealed(unreadable) if unreadable.key_missing => {
                (KEY_MISSING, Setback::Misconfigured)
            }
            AppUnavailable::AnotherApp => (CLIENT_ID_CHANGED, Setback::Misconfigured),
            AppUnavailable::Sealed(_) | AppUnavailable::NotConfigured => {
                ("not_configured", Setback::Misconfigured)
            }
            AppUnavailable::Store(_) => {
                (FailedCall::DATABASE, Setback::Transient { reached: false })
            }
        };
        tracing::error!(%error, "the Linear app of a connection cannot be used");
        context.failure = Some(Failure::new(code, None, self.now()));
        setback
    }

    fn rotation(
        &self,
        organisation: &str,
        key: &FlightKey,
        app: &OauthApp,
        tokens: &Tokens,
        issued_at: Millis,
        untokened: i64,
    ) -> Rotation {
        let tries = usize::try_from(untokened).unwrap_or(0);
        let pause = if tokens.refresh.is_none() {
            ASK_AGAIN_AFTER.get(tries)
        } else {
            None
        };
        Rotation {
            grant: self.seal(&key.connection, organisation, tokens, issued_at),
            client_id: app.client_id.clone(),
            scopes: tokens.scopes.clone(),
            ask_again_at: pause.map(|pause| self.now() + pause),
        }
    }

    /// Saves a pair before anybody uses it.
    pub(super) async fn save(
        &self,
        key: &FlightKey,
        rotation: &Rotation,
        replayed: bool,
        context: &RefreshContext,
    ) -> Event<Box<Rotation>> {
        let outcome = if replayed {
            Outcome::Replayed
        } else {
            Outcome::Refreshed
        };
        let line = context.line(outcome, self.now(), None);
        match in_time(
            self.store()
                .grant_rotate(&key.connection, key.generation, rotation, &line),
        )
        .await
        {
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

    /// A pair of a grant that is not this connection's any more is written down first: a crash must
    /// not leave tokens alive that nobody knows.
    pub(super) async fn void_lost(&self, organisation: &str, key: &FlightKey, rotation: &Rotation) {
        tracing::info!(
            "somebody connected anew or disconnected meanwhile: nobody needs the refreshed tokens"
        );
        // Below nought, so that no pair that a consent set aside is in the way.
        let (connection, generation) = (&*key.connection, -key.generation);
        self.set_aside_as(
            connection,
            generation,
            &rotation.client_id,
            rotation.grant.clone(),
        )
        .await;
        let lost = SupersededGrant {
            generation,
            access_sealed: rotation.grant.access_sealed.clone(),
            refresh_sealed: rotation.grant.refresh_sealed.clone(),
            client_id: Some(rotation.client_id.clone()),
        };
        if let Err(error) = self.void_spare(organisation, connection, &lost).await {
            tracing::error!(%error, "tokens that nobody needs will be revoked with their \
                connection's end");
        }
    }
}
