//! What is known of an organisation's webhooks, for all its connections at once.

use std::collections::HashMap;

use relink_engine::Engine;
use relink_engine::account::Person;
use relink_engine::clock::{DAY, Millis};
use relink_engine::connection::Connection;
use relink_engine::store::{StoreError, WebhookSecretRow};
use relink_engine::webhook::Refused;

use super::webhook_views::{ago, refused_views};
use crate::view::{Lately, RefusedView, WebhookFacts};

pub struct Webhooks {
    pub secrets: Vec<WebhookSecretRow>,
    /// By Linear's organization id.
    last: HashMap<String, Millis>,
    refused: Vec<Refused>,
    now: Millis,
}

impl Webhooks {
    /// As often as this asks the database does not depend on how many connections there are. What was refused is for
    /// those who manage.
    pub async fn load(engine: &Engine, person: &Person) -> Result<Webhooks, StoreError> {
        let (organisation, now) = (person.organisation_id.as_str(), engine.now());
        let refused = if person.manages() { engine.webhook_refusals(organisation, now - DAY).await? } else { Vec::new() };
        let last: HashMap<String, Millis> = engine.store().deliveries_last(organisation).await?.into_iter().collect();
        let secrets = engine.store().webhook_secrets(organisation).await?;
        Ok(Webhooks { secrets, last, refused, now })
    }

    /// What was refused in a connection's name since it last delivered something, the latest first.
    pub fn refused(&self, connection: &Connection, connections: &[Connection]) -> Vec<RefusedView> {
        let last = self.last.get(&connection.workspace.id).copied().unwrap_or(Millis::MIN);
        let its = |refused: &&Refused| refused.workspace_id == connection.workspace.id && refused.last_at > last;
        let since: Vec<Refused> = self.refused.iter().filter(its).cloned().collect();
        refused_views(&since, &self.secrets, connections, Lately::Day, self.now)
    }

    pub fn facts(&self, connection: &Connection, connections: &[Connection]) -> WebhookFacts {
        WebhookFacts {
            last: self.last.get(&connection.workspace.id).map(|at| ago(*at, self.now)),
            refused: self.refused(connection, connections).iter().map(|refused| refused.count).sum(),
        }
    }
}
