//! Permissions that somebody lent to say who they are. One is that person's own, who may take it
//! back in Linear at any time, so no installation hangs on it. Only a living connection that acts as
//! that very person may hang on the same permission; then it waits, sealed, for that connection's
//! end. Should Linear once prove us wrong, all of that app's wait for its connections from then on.

use crate::connection::state::{Reason, State};
use crate::store::{MintedGrant, StoreError};
use crate::{CallFailed, Engine, TokenError};

/// Where it is noted that revoking one person's permission ended more than that.
fn ends_more(client_id: &str) -> String {
    format!("revocation ends more {client_id}")
}

impl Engine {
    pub(crate) async fn loans_end_more(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.store().meta(&ends_more(client_id)).await?.is_some())
    }

    /// The connection that a loan was about, if it works.
    pub(crate) async fn lent_over_what_works<'a>(
        &self,
        minted: &'a MintedGrant,
    ) -> Option<&'a str> {
        let id = minted.connection_id.as_deref().filter(|_| minted.lent)?;
        let connection = self
            .store()
            .connection(&minted.organisation_id, id)
            .await
            .ok()??;
        matches!(connection.state, State::Connected { .. }).then_some(id)
    }

    /// Looks whether the connection that a loan was about still works without it.
    pub(crate) async fn learn_what_it_ended(&self, minted: &MintedGrant, connection: &str) {
        let checked = self.check(&minted.organisation_id, connection).await;
        if let Err(CallFailed::Token(TokenError::ReconnectRequired {
            reason: Reason::InvalidGrant | Reason::Revoked,
        })) = checked
        {
            tracing::error!(
                connection,
                "a connection ended with one person's permission: from now on these wait for its \
                    end"
            );
            if let Err(error) = self
                .store()
                .meta_put(&ends_more(&minted.client_id), b"1")
                .await
            {
                tracing::error!(%error, "what a revocation ended could not be noted");
            }
        }
    }
}
