//! Fresh tokens, and every call to Linear on behalf of a connection.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;

use crate::Engine;
use crate::clock::{MINUTE, Millis, NOTED_AHEAD, SECOND};
use crate::connection::refresh::{Cause, Outcome, RefreshResult};
use crate::connection::state::{Evidence, FailedCall, Phase, Reason};
use crate::linear::{
    AUTHENTICATION_ERROR, CallError, GraphqlRequest, GraphqlResponse, Linear, TransientError,
};
use crate::store::{ACCESS, CONNECTIONS, SealedGrant, StoreError};
use crate::vault::KEY_MISSING;

/// A token that a call is made with lives at least this long, where Linear can be asked for a new
/// one.
pub const USE_BEFORE: Millis = 5 * MINUTE;
/// A caller whose token is still good waits no longer than this for a better one.
const PATIENCE: Duration = Duration::from_secs(5);
/// A caller without a token waits longer: another process may have died while it was refreshing.
pub(crate) const PATIENCE_WITHOUT: Duration = Duration::from_secs(25);
/// A token with less than this left is as good as none.
const TOO_LATE: Millis = 2 * SECOND;
/// A token that came by refreshing less than this ago is not refreshed for living too short: the
/// next would not live longer.
const JUST_REFRESHED: Millis = MINUTE;
/// New tokens that Linear must refuse, one after the other, before the connection needs a
/// reconnect: of a row that is some rotations behind (a restored database), each refresh leads one
/// further.
const CHAIN_MAX: u32 = 4;
/// Calls made for one, at most: with the token at hand, with one that a peer had made, and with
/// those of our own.
const TRIES: u32 = CHAIN_MAX + 2;
/// Looks at the row before giving up: each finds newer tokens than the last, so the second should
/// be enough.
const LOOKS: usize = 4;
/// The HTTP status of a token that is not accepted.
const UNAUTHORIZED: u16 = 401;
/// A call that works is written down no more often than this.
const NOTE_EVERY: Millis = 2 * SECOND;

/// The demands of a caller on a token.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Milliseconds that it should live at least.
    pub min_ttl: Millis,
    /// One that Linear did not accept.
    pub rejected: Option<Rejected<'a>>,
}

/// Names tokens that Linear did not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected<'a> {
    Generation(i64),
    /// See [`crate::digest::fingerprint`].
    Fingerprint(&'a str),
}

impl Rejected<'_> {
    fn names(self, grant: &SealedGrant) -> bool {
        match self {
            Rejected::Generation(generation) => grant.generation == generation,
            Rejected::Fingerprint(fingerprint) => grant.fingerprint.as_deref() == Some(fingerprint),
        }
    }
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Wanted {
            min_ttl: USE_BEFORE,
            rejected: None,
        }
    }
}

/// An access token to call Linear with.
#[derive(Clone, Debug)]
pub struct FreshToken {
    pub access: SecretString,
    pub issued_at: Millis,
    pub expires_at: Millis,
    pub fingerprint: String,
    pub generation: i64,
    pub last_verified_at: Option<Millis>,
    troubled: bool,
}

/// The reason why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("no such connection")]
    NotFound,
    /// A person has to connect it again; also when it was disconnected.
    #[error("a reconnect is required")]
    ReconnectRequired { reason: Reason },
    /// It passes. `retry_after`: milliseconds until trying again makes sense.
    #[error("Linear gives no token right now: {}", error.code)]
    Unreachable {
        error: FailedCall,
        retry_after: Millis,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason why a call through a connection gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallFailed {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Linear(CallError),
}

impl From<StoreError> for CallFailed {
    fn from(error: StoreError) -> CallFailed {
        CallFailed::Token(error.into())
    }
}

/// A real call worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    pub took: Duration,
}

impl Engine {
    /// A token that Linear accepts, as far as anybody knows: refreshed where it must be, once,
    /// however many ask. When refreshing fails for a reason that passes, the present token is
    /// handed out while it is valid and not rejected.
    pub async fn fresh_token(
        &self,
        organisation: &str,
        connection: &str,
        wanted: Wanted<'_>,
    ) -> Result<FreshToken, TokenError> {
        if wanted.rejected.is_none()
            && let Some(grant) = self.store().grant_recent(organisation, connection).await?
            && grant.phase == Phase::Connected
            && !self.is_due(&grant, wanted.min_ttl)
            && let Some(token) = self.open_fresh(&grant).await?
        {
            self.refreshes().add(Outcome::Fresh);
            return Ok(token);
        }
        // Set apart, so that the quick way carries nothing of the long one.
        Box::pin(self.token_looked_up(organisation, connection, wanted)).await
    }

    async fn token_looked_up(
        &self,
        organisation: &str,
        connection: &str,
        wanted: Wanted<'_>,
    ) -> Result<FreshToken, TokenError> {
        for _ in 0..LOOKS {
            let grant = self
                .store()
                .grant(organisation, connection)
                .await?
                .ok_or(TokenError::NotFound)?;
            if let Some(token) = self.token_in(&grant, wanted).await? {
                return Ok(token);
            }
        }
        Err(TokenError::Unreachable {
            error: self.failed_call("busy"),
            retry_after: SECOND,
        })
    }

    /// One look at the row: a token, a reason why there is none, or `None` when the row has just
    /// changed.
    async fn token_in(
        &self,
        grant: &SealedGrant,
        wanted: Wanted<'_>,
    ) -> Result<Option<FreshToken>, TokenError> {
        if grant.phase != Phase::Connected {
            let reason = grant.reason.unwrap_or(Reason::Revoked);
            return Err(TokenError::ReconnectRequired { reason });
        }
        let rejected = wanted
            .rejected
            .is_some_and(|rejected| rejected.names(grant));
        let usable = !rejected
            && grant
                .expires_at
                .is_some_and(|at| at - self.now() > TOO_LATE);
        if !rejected
            && (!self.is_due(grant, wanted.min_ttl) || (usable && grant.refresh_sealed.is_none()))
        {
            let token = self.open_fresh(grant).await?;
            self.refreshes().add(Outcome::Fresh);
            return Ok(token);
        }
        let (connection, generation) = (&grant.connection_id, grant.generation);
        if grant.refresh_sealed.is_none() && rejected {
            return Err(self
                .refused(connection, generation, UNAUTHORIZED, 1)
                .await?);
        }
        if grant.refresh_sealed.is_none() {
            self.store()
                .connection_break(
                    connection,
                    generation,
                    Reason::NoRefreshToken,
                    None,
                    self.now(),
                )
                .await?;
            return Ok(None);
        }
        let cause = if rejected {
            Cause::Rejected
        } else {
            Cause::Use
        };
        let patience = if usable { PATIENCE } else { PATIENCE_WITHOUT };
        // Who walks along the chain of rotations waits for the next step; others are told when to
        // come back.
        let walks = matches!(wanted.rejected, Some(Rejected::Generation(_)));
        let too_often = self
            .asked_too_often(&grant.connection_id, grant.generation)
            .filter(|_| !walks);
        let landed = match too_often {
            Some(put_off) => Ok(put_off),
            None => {
                timeout(
                    patience,
                    self.renew(
                        &grant.organisation_id,
                        &grant.connection_id,
                        grant.generation,
                        cause,
                    ),
                )
                .await
            }
        };
        match landed {
            Ok(RefreshResult::Moved(_)) => Ok(None),
            _ if usable => self.open_fresh(grant).await,
            // A peer may have been luckier while this process put it off.
            _ if self.has_moved(grant).await? => Ok(None),
            Ok(RefreshResult::PutOff {
                error, retry_after, ..
            }) => Err(TokenError::Unreachable { error, retry_after }),
            Err(_) => Err(TokenError::Unreachable {
                error: self.failed_call("timeout"),
                retry_after: 5 * SECOND,
            }),
        }
    }

    async fn has_moved(&self, seen: &SealedGrant) -> Result<bool, StoreError> {
        let now = self
            .store()
            .grant(&seen.organisation_id, &seen.connection_id)
            .await?;
        Ok(now.is_none_or(|now| now.generation != seen.generation || now.phase != seen.phase))
    }

    pub(crate) fn failed_call(&self, code: &str) -> FailedCall {
        FailedCall {
            code: code.to_owned(),
            status: None,
            at: self.now(),
        }
    }

    /// Whether the token has less left than is wanted, and a new one may live longer.
    fn is_due(&self, grant: &SealedGrant, min_ttl: Millis) -> bool {
        let (Some(issued_at), Some(expires_at)) = (grant.issued_at, grant.expires_at) else {
            return true;
        };
        let (left, age) = (expires_at - self.now(), self.now() - issued_at);
        if age < -NOTED_AHEAD {
            // Noted by a clock that was ahead: when it runs out nobody knows.
            return true;
        }
        let consented = grant.generation == grant.adopted_generation;
        left <= TOO_LATE
            || (left < min_ttl
                && (consented || age >= JUST_REFRESHED.min((expires_at - issued_at) / 2)))
    }

    /// The token in the row; `None` when it does not open, which has marked the connection.
    pub(crate) async fn open_fresh(
        &self,
        grant: &SealedGrant,
    ) -> Result<Option<FreshToken>, TokenError> {
        let sealed = grant.access_sealed.as_deref().unwrap_or_default();
        let opened = self.vault().open_row(
            CONNECTIONS,
            ACCESS,
            &grant.connection_id,
            &grant.organisation_id,
            sealed,
        );
        match (
            opened,
            grant.issued_at,
            grant.expires_at,
            &grant.fingerprint,
        ) {
            (Ok(access), Some(issued_at), Some(expires_at), Some(fingerprint)) => {
                Ok(Some(FreshToken {
                    access,
                    issued_at,
                    expires_at,
                    fingerprint: fingerprint.clone(),
                    generation: grant.generation,
                    last_verified_at: grant.last_verified_at,
                    troubled: grant.last_error_code.is_some(),
                }))
            }
            (Err(unreadable), ..) if unreadable.key_missing => {
                self.alarm(KEY_MISSING);
                Err(TokenError::Unreachable {
                    error: self.failed_call(KEY_MISSING),
                    retry_after: 5 * SECOND,
                })
            }
            _ => {
                tracing::error!(
                    connection = grant.connection_id,
                    "a connection's token cannot be read"
                );
                let (connection, generation) = (&grant.connection_id, grant.generation);
                self.store()
                    .connection_break(connection, generation, Reason::Unreadable, None, self.now())
                    .await?;
                Ok(None)
            }
        }
    }

    /// Calls Linear with the connection's token. An authentication error counts against the
    /// generation that was used: it is rotated if it is still the current one, and the call is made
    /// once more, along the chain of rotations to its end. If Linear does not accept the newest
    /// token either, the connection needs a reconnect, or Linear is in trouble (`doubts`). Other
    /// errors say nothing about the token.
    pub async fn with_token<T>(
        &self,
        organisation: &str,
        connection: &str,
        call: impl AsyncFn(&Linear, &SecretString) -> Result<T, CallError>,
    ) -> Result<T, CallFailed> {
        let (token, outcome) = self.call(organisation, connection, call).await?;
        self.try_note(connection, &token, outcome.as_ref().err())
            .await;
        outcome.map_err(CallFailed::Linear)
    }

    /// [`Engine::with_token`] without writing down how it went; the outcome is never an
    /// authentication error.
    pub(crate) async fn call<T>(
        &self,
        organisation: &str,
        connection: &str,
        call: impl AsyncFn(&Linear, &SecretString) -> Result<T, CallError>,
    ) -> Result<(FreshToken, Result<T, CallError>), TokenError> {
        let began = self.now();
        let (mut wanted, mut new_ones, mut refused) = (Wanted::default(), 0, String::new());
        let mut tries = 1;
        loop {
            let token = self.fresh_token(organisation, connection, wanted).await?;
            if let Some(retry_after) = self
                .doubts()
                .wait(connection, self.now())
                .filter(|_| tries == 1)
            {
                return Err(self.in_doubt(UNAUTHORIZED, retry_after));
            }
            let status = match call(self.linear(), &token.access).await {
                Err(CallError::Authentication { status }) => status,
                outcome => return Ok((token, outcome)),
            };
            // A peer's token may be older than this call and refused for the first time: that one
            // is rotated too.
            new_ones += u32::from(tries > 1 && token.issued_at >= began - JUST_REFRESHED);
            // A rotation that brings the same token again leads no further.
            let end = new_ones == CHAIN_MAX || tries == TRIES || token.fingerprint == refused;
            if end
                || self
                    .doubts()
                    .is_too_young(connection, self.now() - token.issued_at)
            {
                return Err(self
                    .refused(connection, token.generation, status, tries)
                    .await?);
            }
            wanted.rejected = Some(Rejected::Generation(token.generation));
            refused = token.fingerprint;
            tries += 1;
        }
    }

    /// Linear refuses tokens that it has just handed out. Answers what the caller is told.
    async fn refused(
        &self,
        connection: &str,
        generation: i64,
        status: u16,
        asked: u32,
    ) -> Result<TokenError, StoreError> {
        if self.doubts().refused(connection, self.now()) {
            tracing::warn!(
                connection,
                generation,
                status,
                "Linear does not accept the token that it has just handed out, nor others' tokens"
            );
            let error = FailedCall {
                status: Some(status),
                ..self.failed_call(FailedCall::TOKEN_REFUSED)
            };
            self.store()
                .connection_failed(connection, generation, &error)
                .await?;
            return Ok(TokenError::Unreachable {
                error,
                retry_after: SECOND,
            });
        }
        let evidence = Evidence {
            asked,
            ..Evidence::new(status, AUTHENTICATION_ERROR)
        };
        if self
            .store()
            .connection_break(
                connection,
                generation,
                Reason::Revoked,
                Some(&evidence),
                self.now(),
            )
            .await?
        {
            tracing::warn!(
                connection,
                generation,
                status,
                "Linear does not accept the fresh token either: reconnect required"
            );
        }
        Ok(TokenError::ReconnectRequired {
            reason: Reason::Revoked,
        })
    }

    fn in_doubt(&self, status: u16, retry_after: Millis) -> TokenError {
        let error = FailedCall {
            status: Some(status),
            ..self.failed_call(FailedCall::TOKEN_REFUSED)
        };
        TokenError::Unreachable { error, retry_after }
    }

    /// [`Engine::note`] where Linear has answered already: whatever it did is done, so the answer
    /// is worth more.
    async fn try_note(&self, connection: &str, token: &FreshToken, error: Option<&CallError>) {
        if let Err(error) = self.note(connection, token, error).await {
            tracing::error!(%error, connection, "how a call went could not be written down");
        }
    }

    /// An answer proves the token, even one that refuses the question; silence proves nothing.
    pub(crate) async fn note(
        &self,
        connection: &str,
        token: &FreshToken,
        error: Option<&CallError>,
    ) -> Result<(), StoreError> {
        if let Some(CallError::Transient(passing)) = error {
            let error = FailedCall {
                code: passing.code().to_owned(),
                status: passing.status(),
                at: self.now(),
            };
            tracing::warn!(
                connection,
                code = error.code,
                status = error.status,
                "Linear did not answer usefully"
            );
            return self
                .store()
                .connection_failed(connection, token.generation, &error)
                .await;
        }
        self.doubts().accepted(connection, self.now());
        let noted = token
            .last_verified_at
            .is_some_and(|at| self.now() - at < NOTE_EVERY);
        if noted && !token.troubled {
            Ok(())
        } else {
            self.store()
                .connection_verified(connection, token.generation, self.now())
                .await
        }
    }

    /// Passes a GraphQL request on to Linear with a fresh token, and Linear's answer back. Asked
    /// again only after an authentication error, which means that nothing was executed. A
    /// connection whose allowance is spent is answered as Linear would, without asking it.
    pub async fn graphql(
        &self,
        organisation: &str,
        connection: &str,
        question: GraphqlRequest,
    ) -> Result<GraphqlResponse, CallFailed> {
        if let Some(refusal) = self.budgets().refusal(connection)
            && self
                .store()
                .grant_recent(organisation, connection)
                .await?
                .is_some_and(|grant| grant.phase == Phase::Connected)
        {
            return Ok(refusal);
        }
        let forward = move |linear: &Linear, token: &SecretString| {
            let (linear, token, question) = (linear.clone(), token.clone(), question.clone());
            async move { linear.forward(&token, &question).await }
        };
        let (token, answer) = self.call(organisation, connection, forward).await?;
        let silence = match &answer {
            Ok(answer) if answer.status.is_server_error() => Some(
                TransientError::Status {
                    status: answer.status.as_u16(),
                    retry_after_s: None,
                }
                .into(),
            ),
            Ok(answer) => {
                self.budgets().heard(connection, &answer.headers);
                None
            }
            Err(error) => Some(error.clone()),
        };
        self.try_note(connection, &token, silence.as_ref()).await;
        answer.map_err(CallFailed::Linear)
    }
}
