//! "Check a delivery": which secret signed what somebody pasted. Nothing is accepted by it.

use super::envelope::{Envelope, Timestamp};
use crate::Engine;
use crate::clock::Millis;
use crate::identity::Person;
use crate::store::StoreError;

/// The signer, as far as the person may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// The own secret of an OAuth app: the operator's, or one of the organisation's.
    App,
    /// One of the organisation's secrets.
    Secret {
        connection_id: String,
        last_four: String,
        /// It is not accepted any more.
        retired: bool,
    },
    /// The secret is known to nobody here.
    Nobody,
}

/// The verdict on a pasted delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedDelivery {
    /// Linear's organization id in the body; `None` where it is not the JSON of a webhook.
    pub workspace_id: Option<String>,
    pub sent_at: Option<Millis>,
    pub signed_by: SignedBy,
    /// It would be accepted, were it not for its age.
    pub accepted: bool,
    /// Its timestamp is one that is accepted now.
    pub in_time: bool,
}

impl Engine {
    /// Says which secret signed a body; `None` to who may not know.
    pub async fn webhook_check(
        &self,
        person: &Person,
        body: &[u8],
        signature: &str,
    ) -> Result<Option<CheckedDelivery>, StoreError> {
        if !person.manages() {
            return Ok(None);
        }
        let envelope = Envelope::read(body);
        let signature = signature.trim().as_bytes();
        let rows = self
            .store()
            .webhook_secrets(&person.organisation_id)
            .await?;
        let app = self
            .app_among(&person.organisation_id, body, signature)
            .await?;
        let signed_by = if app.is_some() {
            SignedBy::App
        } else {
            self.signer_among(&rows, body, signature)
                .map_or(SignedBy::Nobody, |row| SignedBy::Secret {
                    connection_id: row.connection_id.clone(),
                    last_four: row.last_four.clone(),
                    retired: row.retires_at.is_some_and(|at| at <= self.now()),
                })
        };
        let workspace_id = envelope
            .as_ref()
            .map(|envelope| envelope.workspace.clone())
            .filter(|workspace| !workspace.is_empty());
        let connection = match &workspace_id {
            Some(workspace) => {
                self.store()
                    .connection_by_workspace(&person.organisation_id, workspace)
                    .await?
            }
            None => None,
        };
        let accepted = connection
            .filter(|connection| connection.state.wants_webhooks())
            .is_some_and(|connection| match &signed_by {
                SignedBy::App => app.as_ref().is_some_and(|app| *app == connection.app_id),
                SignedBy::Secret {
                    connection_id,
                    retired,
                    ..
                } => *connection_id == connection.id && !retired,
                SignedBy::Nobody => false,
            });
        let in_time = envelope
            .as_ref()
            .is_some_and(|envelope| self.judge_timestamp(envelope).is_ok());
        let sent_at = envelope.and_then(|envelope| match envelope.timestamp {
            Timestamp::At(at) => Some(at),
            Timestamp::Missing | Timestamp::Wrong => None,
        });
        Ok(Some(CheckedDelivery {
            workspace_id,
            sent_at,
            signed_by,
            accepted,
            in_time,
        }))
    }
}

impl Engine {
    /// The app whose secret signed it: the id of one of the organisation's, or `None` inside for
    /// the operator's.
    async fn app_among(
        &self,
        organisation: &str,
        body: &[u8],
        signature: &[u8],
    ) -> Result<Option<Option<String>>, StoreError> {
        if self
            .app_webhook_key()
            .is_some_and(|key| key.verifies(body, signature))
        {
            return Ok(Some(None));
        }
        let apps = self.store().apps(organisation).await?;
        let signer = apps
            .into_iter()
            .find(|app| self.app_keys(app).verifies(body, signature, self.now()));
        Ok(signer.map(|app| Some(app.id)))
    }
}
