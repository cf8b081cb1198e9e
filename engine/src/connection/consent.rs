//! Connecting a workspace, and connecting it again: out to Linear's consent page and back.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::apps::AppUnavailable;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::connection::callback::Callback;
use crate::connection::minted::Brought;
use crate::connection::repeated_callback::Back;
use crate::connection::scope::{self, NotOffered};
use crate::connection::state::{ActAs, Connection, State};
use crate::digest::{fingerprint, sha256_hex};
use crate::identity::Person;
use crate::linear::{ExchangeError, Identity, Tokens};
use crate::store::{
    ACCESS, Adopted, Adoption, CONNECTIONS, ConnectAttempt, NewGrant, REFRESH, StoreError, Whose,
};
use crate::vault::{Place, Unreadable};
use crate::{Acting, Denied, Engine, uncancelled};

/// The time that people have to approve. An admin's approval may take longer; then the person
/// simply starts again.
const ATTEMPT_LIFE: Millis = 10 * MINUTE;
/// The life that is assumed of a token where Linear does not say it: well below the 24 hours that
/// it does live.
const CAUTIOUS_LIFE: Millis = HOUR;

const TABLE: &str = "connect_attempts";
const VERIFIER: &str = "verifier_sealed";

/// A person presses Connect or Reconnect.
#[derive(Clone, Copy, Debug)]
pub struct BeginConnect<'a> {
    /// A secret of the browser session; the same one must come back.
    pub browser: &'a str,
    /// The connection to reconnect. It keeps its actor and scopes.
    pub connection: Option<&'a str>,
    /// The organisation's own app to go through. A Reconnect goes through the connection's.
    pub app: Option<&'a str>,
    pub actor: ActAs,
    pub scopes: &'a [String],
}

impl From<AppUnavailable> for BeginError {
    fn from(error: AppUnavailable) -> BeginError {
        match error {
            AppUnavailable::NotConfigured | AppUnavailable::AnotherApp => BeginError::NotConfigured,
            AppUnavailable::Sealed(unreadable) => unreadable.into(),
            AppUnavailable::Store(error) => error.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error("no Linear OAuth app is configured")]
    NotConfigured,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no such connection or app")]
    NotFound,
    #[error(transparent)]
    Sealed(#[from] Unreadable),
    #[error(transparent)]
    Scope(#[from] NotOffered),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The request to Linear.
struct Wish {
    /// The organisation's own app; the operator's if absent.
    app_id: Option<String>,
    actor: ActAs,
    scopes: Vec<String>,
}

/// The tokens that Linear gave for a code.
struct Minted {
    tokens: Tokens,
    issued_at: Millis,
    /// The client id of the app that they were given to.
    client_id: String,
    /// The id under which they are written down.
    id: String,
}

/// A workspace is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    pub connection: String,
    pub workspace: String,
    /// The name that Linear gives us there.
    pub viewer: String,
    /// It was known here before.
    pub again: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    #[error("the person or Linear denied access")]
    AccessDenied,
    #[error("Linear stopped the approval")]
    AuthorizationFailed,
    #[error("the state is unknown, used, expired, or another browser's")]
    StateMismatch,
    #[error("Linear refused the code: {0}")]
    ExchangeFailed(String),
    #[error("Linear did not answer usefully: {0}")]
    LinearUnreachable(String),
    #[error("the reconnect came back as another workspace")]
    WrongWorkspace {
        connection: String,
        expected: String,
    },
    #[error("a Connect came back as a workspace that is connected")]
    AlreadyConnected {
        connection: String,
        workspace: String,
    },
    #[error("another organisation holds the workspace")]
    WorkspaceAlreadyLinked { email: Option<String> },
    /// The same attempt failed when this browser came back with it before; the log says why.
    #[error("it failed here before")]
    Failed,
    /// The same attempt of this browser was stopped; a crash leaves no word of how far it came.
    #[error("its process stopped before it ended")]
    Stopped,
    #[error(transparent)]
    Sealed(#[from] Unreadable),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An attempt that somebody came back to, and when.
#[derive(Clone, Copy)]
struct Taken<'a> {
    attempt: &'a ConnectAttempt,
    back: &'a Back,
    at: Millis,
}

impl Engine {
    /// Remembers an attempt and answers where to send the browser.
    pub async fn connect_begin(
        &self,
        person: &Person,
        begin: BeginConnect<'_>,
    ) -> Result<Url, BeginError> {
        Acting::from(person).manages()?;
        let Wish {
            app_id,
            actor,
            scopes,
        } = self.wish(person, begin).await?;
        let app = self
            .oauth_app(&person.organisation_id, app_id.as_deref())
            .await?;
        let state = self.entropy().token();
        let verifier = SecretString::from(self.entropy().token());
        let state_hash = sha256_hex(state.as_bytes());
        let place = Place {
            table: TABLE,
            row: &state_hash,
            column: VERIFIER,
            organisation: &person.organisation_id,
        };
        let attempt = ConnectAttempt {
            verifier_sealed: self.vault().seal(place, &verifier),
            browser_hash: sha256_hex(begin.browser.as_bytes()),
            organisation_id: person.organisation_id.clone(),
            user_id: person.user_id.clone(),
            connection_id: begin.connection.map(str::to_owned),
            app_id,
            actor,
            scopes: scopes.clone(),
            expires_at: self.now() + ATTEMPT_LIFE,
            state_hash: state_hash.clone(),
        };
        self.store().connect_attempt_create(&attempt).await?;
        Ok(self
            .linear()
            .authorize_url(&app, &state, &verifier, actor, &scopes))
    }

    /// A Reconnect asks for what the connection has, through its app; a Connect for what was
    /// chosen.
    async fn wish(&self, person: &Person, begin: BeginConnect<'_>) -> Result<Wish, BeginError> {
        let organisation = &person.organisation_id;
        if let Some(id) = begin.connection {
            let connection = self
                .store()
                .connection(organisation, id)
                .await?
                .ok_or(BeginError::NotFound)?;
            return Ok(Wish {
                app_id: connection.app_id,
                actor: connection.actor,
                scopes: connection.scopes,
            });
        }
        let app_id = match begin.app {
            Some(id) => Some(
                self.store()
                    .app(organisation, id)
                    .await?
                    .ok_or(BeginError::NotFound)?
                    .id,
            ),
            None => self.usual_app(organisation).await?,
        };
        Ok(Wish {
            app_id,
            actor: begin.actor,
            scopes: scope::choose(begin.actor, begin.scopes)?,
        })
    }

    /// Finishes an attempt. Whatever goes wrong, nothing is connected, and tokens already minted
    /// are given back.
    ///
    /// From the moment the state is taken, nobody's leaving stops it: tokens that Linear mints are
    /// stored or given back.
    pub async fn connect_finish(
        &self,
        person: &Person,
        browser: &str,
        callback: Callback,
    ) -> Result<Connected, FinishError> {
        let back = Back::of(browser, &callback).ok_or(FinishError::StateMismatch)?;
        let now = self.now();
        let Some(attempt) = self
            .store()
            .connect_attempt_take(&back.state_hash, &back.browser_hash, now)
            .await?
        else {
            return self.connect_again(person, &back).await;
        };
        let (engine, person) = (self.clone(), person.clone());
        uncancelled(async move {
            let taken = Taken {
                attempt: &attempt,
                back: &back,
                at: now,
            };
            let finished = engine.finish(&person, taken, callback).await;
            engine.note_connect_end(&back, &finished).await;
            finished
        })
        .await
    }

    /// The attempt must be this person's, who must still be allowed to connect.
    async fn finish(
        &self,
        person: &Person,
        taken: Taken<'_>,
        callback: Callback,
    ) -> Result<Connected, FinishError> {
        let attempt = taken.attempt;
        if attempt.organisation_id != person.organisation_id
            || attempt.user_id != person.user_id
            || !person.manages()
        {
            return Err(FinishError::StateMismatch);
        }
        if let Some(error) = callback.error {
            return Err(if error == "access_denied" {
                FinishError::AccessDenied
            } else {
                FinishError::AuthorizationFailed
            });
        }
        let code = callback.code.ok_or(FinishError::AuthorizationFailed)?;
        self.exchange_and_adopt(person, taken, &code).await
    }

    async fn exchange_and_adopt(
        &self,
        person: &Person,
        taken: Taken<'_>,
        code: &str,
    ) -> Result<Connected, FinishError> {
        let attempt = taken.attempt;
        let verifier = self.vault().open_row(
            TABLE,
            VERIFIER,
            &attempt.state_hash,
            &attempt.organisation_id,
            &attempt.verifier_sealed,
        )?;
        let app = self
            .oauth_app(&attempt.organisation_id, attempt.app_id.as_deref())
            .await
            .map_err(unusable)?;
        let expected = match attempt.connection_id.as_deref() {
            Some(id) => self
                .store()
                .connection(&attempt.organisation_id, id)
                .await?
                .map(|connection| connection.workspace.id),
            None => None,
        };
        if !self
            .store()
            .connect_attempt_exchange(&attempt.state_hash, &app.client_id)
            .await?
        {
            return Err(FinishError::StateMismatch);
        }
        self.outwait_voidings(&app.client_id, expected.as_deref())
            .await?;
        let tokens = self
            .linear()
            .exchange(&app, code, &verifier)
            .await
            .map_err(exchange_failed)?;
        let (client_id, issued_at, connection) =
            (app.client_id, self.now(), attempt.connection_id.as_deref());
        // Before anything else: whatever fails or crashes from here on, the pair is known.
        let brought = Brought {
            organisation: &attempt.organisation_id,
            client_id: &client_id,
            connection,
            tokens: &tokens,
            at: taken.at,
            lent: false,
        };
        let id = self.minted(brought).await?;
        let minted = Minted {
            client_id,
            issued_at,
            tokens,
            id,
        };
        let identity = self.linear().identity(&minted.tokens.access).await;
        let workspace = identity
            .as_ref()
            .ok()
            .map(|identity| identity.workspace.id.clone());
        let adopted = match identity {
            Ok(identity) => self.adopt(person, attempt, &minted, identity).await,
            Err(error) => Err(FinishError::LinearUnreachable(error.to_string())),
        };
        if adopted.is_err() {
            // It is under way no more, so that the pair can be revoked.
            self.note_connect_end(taken.back, &adopted).await;
            self.give_back(
                &minted.id,
                Whose {
                    workspace: workspace.as_deref(),
                    lent_by: None,
                },
            )
            .await;
        }
        adopted
    }

    async fn adopt(
        &self,
        person: &Person,
        attempt: &ConnectAttempt,
        minted: &Minted,
        identity: Identity,
    ) -> Result<Connected, FinishError> {
        let tokens = &minted.tokens;
        self.check_expected(person, attempt, &identity).await?;
        // Twice: a simultaneous first connect of the same workspace may give the row another id
        // meanwhile.
        for _ in 0..2 {
            let known = self
                .store()
                .connection_by_workspace(&person.organisation_id, &identity.workspace.id)
                .await?;
            self.check_not_connected(attempt, known.as_ref())?;
            let again = known.is_some();
            let id = known.map_or_else(|| self.entropy().id(), |connection| connection.id);
            let before = self.store().grant(&person.organisation_id, &id).await?;
            let subject = format!("{} as {}", identity.workspace.name, attempt.actor.name());
            let act = if again {
                "connection.reconnected"
            } else {
                "connection.connected"
            };
            let adoption = Adoption {
                act: Acting::from(person).act(self, act, subject),
                grant: self.seal(&id, &person.organisation_id, tokens, minted.issued_at),
                id: id.clone(),
                organisation_id: person.organisation_id.clone(),
                app_id: attempt.app_id.clone(),
                client_id: minted.client_id.clone(),
                workspace: identity.workspace.clone(),
                actor: attempt.actor,
                viewer: identity.viewer.clone(),
                scopes: tokens
                    .scopes
                    .clone()
                    .unwrap_or_else(|| attempt.scopes.clone()),
                connected_by: person.user_id.clone(),
                exclusive: !self.settings().shared_workspaces,
                minted: Some(minted.id.clone()),
                now: self.now(),
            };
            match self.store().connection_adopt(&adoption).await? {
                Adopted::Done => {
                    if let Some(before) = before.filter(|before| before.attempt_began_at.is_some())
                    {
                        self.keep_lost_pair(Arc::unwrap_or_clone(before));
                    }
                    self.budgets().forget(&id);
                    return Ok(Connected {
                        connection: id,
                        workspace: identity.workspace.name,
                        viewer: identity.viewer.name,
                        again,
                    });
                }
                Adopted::Held => {
                    let email = self
                        .store()
                        .connection_holder_email(&identity.workspace.id, &person.organisation_id)
                        .await?;
                    return Err(FinishError::WorkspaceAlreadyLinked { email });
                }
                Adopted::Released => {
                    return Err(FinishError::LinearUnreachable(
                        "it took too long".to_owned(),
                    ));
                }
                Adopted::Moved => {}
            }
        }
        Err(StoreError::Inconsistent {
            table: "connections",
            id: identity.workspace.id,
        }
        .into())
    }

    /// A Reconnect must come back as the workspace it was for, known by Linear's organization id
    /// alone.
    async fn check_expected(
        &self,
        person: &Person,
        attempt: &ConnectAttempt,
        identity: &Identity,
    ) -> Result<(), FinishError> {
        let Some(id) = &attempt.connection_id else {
            return Ok(());
        };
        let expected = self
            .store()
            .connection(&person.organisation_id, id)
            .await?
            .ok_or(FinishError::StateMismatch)?;
        if expected.workspace.id == identity.workspace.id {
            return Ok(());
        }
        Err(FinishError::WrongWorkspace {
            connection: expected.id,
            expected: expected.workspace.name,
        })
    }

    /// A Connect is for a further workspace, or one that needs it: what works is not changed by
    /// accident.
    fn check_not_connected(
        &self,
        attempt: &ConnectAttempt,
        known: Option<&Connection>,
    ) -> Result<(), FinishError> {
        match known {
            Some(known)
                if attempt.connection_id.is_none()
                    && matches!(known.state, State::Connected { .. }) =>
            {
                Err(FinishError::AlreadyConnected {
                    connection: known.id.clone(),
                    workspace: known.workspace.name.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// A pair of tokens for its row.
    pub(crate) fn seal(
        &self,
        connection: &str,
        organisation: &str,
        tokens: &Tokens,
        issued_at: Millis,
    ) -> NewGrant {
        self.seal_in(CONNECTIONS, connection, organisation, tokens, issued_at)
    }

    /// A pair of tokens for a row of a table that has columns for it.
    pub(crate) fn seal_in(
        &self,
        table: &'static str,
        row: &str,
        organisation: &str,
        tokens: &Tokens,
        issued_at: Millis,
    ) -> NewGrant {
        let place = |column| Place {
            table,
            row,
            column,
            organisation,
        };
        let life = tokens
            .expires_in
            .and_then(|life| Millis::try_from(life.as_millis()).ok())
            .unwrap_or(CAUTIOUS_LIFE);
        NewGrant {
            access_sealed: self.vault().seal(place(ACCESS), &tokens.access),
            refresh_sealed: tokens
                .refresh
                .as_ref()
                .map(|refresh| self.vault().seal(place(REFRESH), refresh)),
            fingerprint: fingerprint(tokens.access.expose_secret()),
            issued_at,
            expires_at: issued_at.saturating_add(life),
        }
    }
}

fn exchange_failed(error: ExchangeError) -> FinishError {
    match error {
        ExchangeError::Refused { code, .. } => {
            if code != "invalid_grant" {
                tracing::error!(
                    code,
                    "Linear refused the exchange; compare client ID and client secret with the app \
                        in Linear"
                );
            }
            FinishError::ExchangeFailed(code)
        }
        error @ (ExchangeError::NotShown | ExchangeError::Transient(_)) => {
            FinishError::LinearUnreachable(error.to_string())
        }
    }
}

fn unusable(error: AppUnavailable) -> FinishError {
    match error {
        AppUnavailable::NotConfigured | AppUnavailable::AnotherApp => {
            FinishError::ExchangeFailed("not_configured".to_owned())
        }
        AppUnavailable::Sealed(unreadable) => unreadable.into(),
        AppUnavailable::Store(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_takes_each_parameter_once() {
        let callback = Callback::parse("code=a%2Bb&state=s&other=1");
        assert_eq!(
            callback,
            Callback {
                state: Some("s".to_owned()),
                code: Some("a+b".to_owned()),
                error: None
            }
        );
        assert_eq!(
            Callback::parse("state=a&state=b&code=&error=access_denied").state,
            None
        );
        assert_eq!(
            Callback::parse("state=a&code="),
            Callback {
                state: Some("a".to_owned()),
                ..Callback::default()
            }
        );
        assert_eq!(Callback::parse("%ff%00=&&&="), Callback::default());
    }
}
