//! The facts of every connection of the instance, for whoever runs it.

use sqlx_macros::FromRow;

use super::{Store, Stored, on};

/// A connection that has not ended, as a doctor looks at it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Checkup {
    /// The organisation's slug.
    pub organisation: String,
    pub workspace: String,
    /// The scopes as Linear granted them, with spaces in between.
    pub scopes: String,
    /// The client id that its tokens were given to, where that is known.
    pub made_with: Option<String>,
    /// The client id of the organisation's own app that it goes through; the operator's app if
    /// absent.
    pub own_app: Option<String>,
    /// Some secret, but for the operator's, verifies what comes from there.
    pub has_secret: bool,
    pub needs_reconnect: bool,
    pub has_delivered: bool,
}

impl Store {
    /// Every connection that has not ended, by organisation and workspace.
    pub async fn checkup(&self) -> Stored<Vec<Checkup>> {
        const SQL: &str = "SELECT o.slug AS organisation, c.workspace_name AS workspace, c.scopes, \
            c.state = 'reconnect_required' AS needs_reconnect, \
            c.client_id AS made_with, a.client_id AS own_app, \
            a.webhook_secret_sealed IS NOT NULL OR EXISTS (SELECT 1 FROM webhook_secrets s \
            WHERE s.connection_id = c.id) \
            AS has_secret, \
            EXISTS (SELECT 1 FROM deliveries d WHERE d.workspace_id = c.workspace_id) \
            AS has_delivered \
            FROM connections c JOIN organisations o ON o.id = c.organisation_id \
            LEFT JOIN apps a ON a.id = c.app_id \
            WHERE c.state <> 'disconnected' ORDER BY o.slug, c.workspace_name, c.id";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .fetch_all(pool)
            .await?))
    }
}
