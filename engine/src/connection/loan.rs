//! Permissions that somebody lent to say who they are. One is that person's own, who may take it
//! back in Linear at any time, so no installation hangs on it. Only a living connection that acts
//! as that very person may hang on the same permission; then it waits, sealed, for that
//! connection's end. Should Linear once prove us wrong, all of that app's wait for its connections
//! from then on.

use secrecy::SecretString;

use crate::clock::{DAY, Millis};
use crate::connection::state::Reason;
use crate::linear::CallError;
use crate::store::{MintedGrant, StoreError, Whose};
use crate::{Acting, CallFailed, Engine, TokenError};

/// The time for which a permission may say whose it is. Linear's access tokens live as long.
const SAYS_FOR: Millis = DAY;
/// Connections that are looked at before and after a permission is handed back.
const LOOKED_AT: i64 = 20;

/// The key under which it is noted that revoking one person's permission ended more than that.
fn ends_more(client_id: &str) -> String {
    format!("revocation ends more {client_id}")
}

impl Engine {
    pub(crate) async fn loans_end_more(&self, client_id: &str) -> Result<bool, StoreError> {
        Ok(self.store().meta(&ends_more(client_id)).await?.is_some())
    }

    /// Asks Linear once more whose permission it is, where it did not say so: only then it is known
    /// which connections may hang on it. `None`: it does not say so yet, or the permission is gone
    /// from here.
    pub(crate) async fn known_loan(
        &self,
        minted: &MintedGrant,
        access: &SecretString,
    ) -> Result<Option<MintedGrant>, StoreError> {
        let may_say = self.now() - minted.minted_at < SAYS_FOR;
        if !minted.lent || minted.workspace_id.is_some() || !may_say {
            return Ok(Some(minted.clone()));
        }
        match self.linear().who_am_i(access).await {
            Ok(who) => {
                let whose = Whose {
                    workspace: Some(&who.workspace.id),
                    lent_by: Some(&who.person.id),
                };
                let now = self.now();
                self.store()
                    .minted_grant_release(&minted.id, whose, now)
                    .await
            }
            // It will never say.
            Err(CallError::Authentication { .. }) => Ok(Some(minted.clone())),
            Err(_) => Ok(None),
        }
    }

    /// The connections that may end with a permission, as `(organisation, id)`: those of its app
    /// and to its workspace, in whatever organisation, that work or did when Linear gave it.
    pub(crate) async fn at_stake(&self, minted: &MintedGrant) -> Vec<(String, String)> {
        if !minted.lent {
            return Vec::new();
        }
        let (client_id, workspace) = (&minted.client_id, minted.workspace_id.as_deref());
        let since = minted.minted_at;
        let at_stake = self
            .store()
            .connections_at_stake(client_id, workspace, since, LOOKED_AT);
        at_stake.await.unwrap_or_default()
    }

    /// Looks whether a connection still works without a permission that was just handed back.
    /// `false`: Linear does not say so yet, or it could not be noted.
    pub(crate) async fn learn_what_it_ended(
        &self,
        client_id: &str,
        organisation: &str,
        connection: &str,
    ) -> bool {
        let relink = Acting::relink(organisation);
        let checked = self.connections(relink).check(connection).await;
        match checked {
            Ok(_) | Err(CallFailed::Linear(CallError::Refused { .. })) => return true,
            Err(CallFailed::Token(TokenError::ReconnectRequired {
                reason: Reason::InvalidGrant | Reason::Revoked,
            })) => {}
            // It ended for a reason of its own, or is gone.
            Err(CallFailed::Token(TokenError::ReconnectRequired { .. } | TokenError::NotFound)) => {
                return true;
            }
            Err(_) => return false,
        }
        tracing::error!(
            connection,
            "a connection ended with one person's permission: from now on these wait for its end"
        );
        let noted = async {
            self.store().connection_ended_by_loan(connection).await?;
            self.store().meta_put(&ends_more(client_id), b"1").await
        };
        let noted = noted.await;
        if let Err(error) = &noted {
            tracing::error!(%error, "what a revocation ended could not be noted");
        }
        noted.is_ok()
    }
}
