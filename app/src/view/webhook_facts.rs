//! The facts of an organisation's webhooks, for all its connections at once.

use std::collections::HashMap;

use relink_engine::Engine;
use relink_engine::clock::{DAY, Millis};
use relink_engine::connection::Connection;
use relink_engine::identity::Person;
use relink_engine::store::StoreError;
use relink_engine::webhook::{LastDelivery, Refused, SigningSecret, Stray};

use super::webhook_views::{ago, refused_views, stray_views};
use crate::view::{Lately, RefusedView, StrayView, WebhookFacts};

pub struct Webhooks {
    pub secrets: Vec<SigningSecret>,
    /// The last delivery by Linear's organization id.
    last: HashMap<String, LastDelivery>,
    refused: Vec<Refused>,
    strays: Vec<Stray>,
    now: Millis,
}

impl Webhooks {
    /// Loads them. The number of queries does not depend on how many connections there are. Those
    /// who do not manage get no refused deliveries.
    pub async fn load(engine: &Engine, person: &Person) -> Result<Webhooks, StoreError> {
        let (deliveries, now) = (engine.deliveries(person), engine.now());
        let refused = deliveries.refused(now - DAY).await?;
        let strays = deliveries.strays(now - DAY).await?;
        let last = deliveries
            .last()
            .await?
            .into_iter()
            .map(|last| (last.workspace_id.clone(), last))
            .collect();
        let secrets = engine.webhook_secrets(person).list().await?;
        Ok(Webhooks {
            secrets,
            last,
            refused,
            strays,
            now,
        })
    }

    /// Lists what was refused in a connection's name since it last delivered something, the latest
    /// first.
    pub fn refused(&self, connection: &Connection, connections: &[Connection]) -> Vec<RefusedView> {
        let last = self.last_of(connection).map_or(Millis::MIN, |last| last.at);
        let its = |refused: &&Refused| {
            refused.workspace_id == connection.workspace.id && refused.last_at > last
        };
        let since: Vec<Refused> = self.refused.iter().filter(its).cloned().collect();
        refused_views(&since, &self.secrets, connections, Lately::Day, self.now)
    }

    fn last_of(&self, connection: &Connection) -> Option<&LastDelivery> {
        self.last.get(&connection.workspace.id)
    }

    /// The own webhook of the app that the workspace is connected through works: from it, or else
    /// from another workspace, something came. Nothing else has to be set up.
    pub fn app_delivers(&self, connection: &Connection, connections: &[Connection]) -> bool {
        match self.last_of(connection) {
            Some(last) => last.by_app(),
            None => {
                let beside = connections
                    .iter()
                    .filter(|other| other.app_id == connection.app_id);
                beside
                    .filter_map(|other| self.last_of(other))
                    .any(LastDelivery::by_app)
            }
        }
    }

    /// Every event comes through the app's webhook and through the workspace's own.
    pub fn comes_twice(&self, connection: &Connection) -> bool {
        self.last_of(connection)
            .is_some_and(|last| last.by_app() && last.by_own())
    }

    /// Lists what came to wrong addresses in the last day.
    pub fn strays(&self) -> Vec<StrayView> {
        stray_views(&self.strays)
    }

    pub fn facts(&self, connection: &Connection, connections: &[Connection]) -> WebhookFacts {
        WebhookFacts {
            last: self.last_of(connection).map(|last| ago(last.at, self.now)),
            by_app: self.app_delivers(connection, connections),
            refused: self
                .refused(connection, connections)
                .iter()
                .map(|refused| refused.count)
                .sum(),
        }
    }
}
