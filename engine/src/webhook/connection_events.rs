//! Events that speak of the connection itself: acted on from the stored row, so that a crash in
//! between is made up for.

use super::applications::{Concern, Through};
use super::envelope::{Envelope, happened_at};
use crate::clock::Millis;
use crate::store::{AffectedConnection, PendingEvent, StoreError};
use crate::{CallFailed, Engine, TokenError};

/// Events read at a time.
const PAGE: i64 = 10;

const APP: &str = "OAuthApp";
const AUTHORIZATION: &str = "OAuthAuthorization";
const PERMISSIONS: &str = "PermissionChange";

/// Whether an event has to be acted on.
pub(super) fn is_connection_event(event: &str) -> bool {
    matches!(event, APP | AUTHORIZATION | PERMISSIONS)
}

impl Engine {
    /// Acts on the events about connections that nobody has acted on yet. Doing it twice changes
    /// nothing.
    pub async fn run_connection_events(&self) {
        let _turn = self.connection_events().lock().await;
        let connection_events = match self.store().connection_events(PAGE).await {
            Ok(connection_events) => connection_events,
            Err(error) => {
                return tracing::error!(%error, "events about connections could not be read; they \
                    are tried again");
            }
        };
        for event in connection_events {
            let done = match self.act_on(&event).await {
                Ok(()) => self.store().event_done(event.seq).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::error!(%error, workspace = event.workspace_id, "an event about a \
                    connection could not be acted on; it is tried again");
            }
        }
    }

    async fn act_on(&self, event: &PendingEvent) -> Result<(), StoreError> {
        let Some(envelope) = Envelope::read(&event.body) else {
            return Ok(());
        };
        let at = happened_at(&envelope.created_at).unwrap_or(event.webhook_timestamp);
        match (envelope.event.as_str(), envelope.action.as_str()) {
            (APP, "revoked") => self.revoked(event, &envelope, None, at).await,
            (AUTHORIZATION, action) if action != "created" && envelope.active_tokens == Some(0) => {
                self.revoked(event, &envelope, Some(&envelope.user), at)
                    .await
            }
            (PERMISSIONS, _) => self.look_again(event, &envelope).await,
            _ => Ok(()),
        }
    }

    /// The connections that the event speaks of. What an app's own secret signed is about that app;
    /// under a workspace's secret events about any app may come.
    async fn concerned(
        &self,
        event: &PendingEvent,
        envelope: &Envelope,
        viewer: Option<&str>,
    ) -> Result<Vec<AffectedConnection>, StoreError> {
        let by_app = event.secret_id.is_empty();
        let mut concerned = Vec::new();
        for one in self
            .store()
            .event_connections(event.seq, &event.workspace_id, viewer)
            .await?
        {
            if by_app || self.is_ours(envelope, &one).await? {
                concerned.push(one);
            }
        }
        Ok(concerned)
    }

    async fn is_ours(
        &self,
        envelope: &Envelope,
        one: &AffectedConnection,
    ) -> Result<bool, StoreError> {
        let Some(named) = envelope.oauth_client.as_deref() else {
            return Ok(false);
        };
        let own = one.app_id.clone().zip(one.client_id.clone());
        let through = Through {
            organisation: one.organisation_id.clone(),
            connection: one.connection_id.clone(),
            own,
        };
        let mut concern = self.concern(named, &through).await?;
        if self.is_in_question(concern, named, &through) {
            match self.learn_application(&through).await {
                Ok(()) => concern = self.concern(named, &through).await?,
                // Its token is dead: whatever the event says, that is known now.
                Err(CallFailed::Token(
                    TokenError::ReconnectRequired { .. } | TokenError::NotFound,
                )) => return Ok(false),
                Err(CallFailed::Token(TokenError::Store(error))) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, connection = one.connection_id, "which application an \
                        event is about could not be asked; tried again");
                    return Err(StoreError::Timeout);
                }
            }
        }
        Ok(concern == Concern::Ours)
    }

    /// The app was removed, or a user's authorization: of the installation that the event speaks
    /// of. A consent that came after it stands.
    async fn revoked(
        &self,
        event: &PendingEvent,
        envelope: &Envelope,
        viewer: Option<&str>,
        at: Millis,
    ) -> Result<(), StoreError> {
        for AffectedConnection {
            organisation_id: organisation,
            connection_id: connection,
            ..
        } in self.concerned(event, envelope, viewer).await?
        {
            if self
                .store()
                .connection_revoked(&connection, at, self.now())
                .await?
            {
                tracing::warn!(
                    organisation,
                    connection,
                    "Linear says that the app was removed: reconnect required"
                );
            }
        }
        Ok(())
    }

    /// Has the names on the page read anew, as what the app may see changed, without keeping Linear
    /// waiting.
    async fn look_again(
        &self,
        event: &PendingEvent,
        envelope: &Envelope,
    ) -> Result<(), StoreError> {
        for AffectedConnection {
            organisation_id: organisation,
            connection_id: connection,
            ..
        } in self.concerned(event, envelope, None).await?
        {
            let engine = self.clone();
            tokio::spawn(async move {
                let identity = engine
                    .with_token(&organisation, &connection, async |linear, token| {
                        linear.identity(token).await
                    })
                    .await;
                let Ok(identity) = identity else { return };
                if let Err(error) = engine
                    .store()
                    .connection_rename(&connection, &identity.workspace, &identity.viewer)
                    .await
                {
                    tracing::warn!(%error, connection, "the workspace's names could not be written \
                        down");
                }
            });
        }
        Ok(())
    }
}
