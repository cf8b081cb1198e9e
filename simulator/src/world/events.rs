//! The events that webhooks are told, and to whom they go.

use serde_json::{Value, json};

use super::World;
use super::grants::Grant;
use super::hooks::{Delivery, DeliveryState, Webhook, WebhookSource};
use super::workspace::{User, Workspace};
use crate::stamp::iso;

/// Deliveries that wait; more are dropped and counted.
const WAITING_MAX: usize = 10_000;
/// Finished deliveries kept for people and tests to look at.
const FINISHED_KEPT: usize = 500;

/// An event before it is known who is told: its type, its action, and what its body holds besides.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: String,
    pub action: String,
    /// Further fields of the body, in order.
    pub fields: Vec<(String, Value)>,
    /// The application it tells of: the webhooks of other applications do not hear of it.
    pub client_id: Option<String>,
}

impl Event {
    pub fn new(kind: &str, action: &str, fields: Vec<(&str, Value)>) -> Event {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Event {
            kind: kind.to_owned(),
            action: action.to_owned(),
            fields,
            client_id: None,
        }
    }

    fn about(self, client_id: &str) -> Event {
        Event {
            client_id: Some(client_id.to_owned()),
            ..self
        }
    }
}

impl World {
    pub fn ensure_app_webhook(&mut self, client_id: &str, workspace: &str) {
        if self.app_webhook(client_id, workspace).is_none() {
            self.webhooks
                .extend(self.new_app_webhook(client_id, workspace));
        }
    }

    pub fn app_webhook(&self, client_id: &str, workspace: &str) -> Option<&Webhook> {
        self.webhooks
            .iter()
            .find(|webhook| webhook.workspace == workspace && webhook.is_of_app(client_id))
    }

    /// The webhook an application has, or would have, in a workspace.
    pub fn new_app_webhook(&self, client_id: &str, workspace: &str) -> Option<Webhook> {
        self.app(client_id).map(|app| Webhook {
            id: app.webhook_id(workspace),
            workspace: workspace.to_owned(),
            source: WebhookSource::App {
                client_id: client_id.to_owned(),
            },
            enabled: true,
            failures_in_row: 0,
            created_ms: self.now(),
        })
    }

    /// The address and the secret with which a webhook is delivered at present.
    pub fn target_of(&self, webhook: &Webhook) -> Option<(String, String)> {
        let url = match &webhook.source {
            WebhookSource::App { client_id } => self
                .app(client_id)?
                .webhook_url
                .clone()
                .filter(|_| self.settings.webhook_enabled),
            WebhookSource::Workspace { url, .. } => Some(url.clone()),
        };
        Some((url?, self.secret_of(webhook)?))
    }

    pub fn secret_of(&self, webhook: &Webhook) -> Option<String> {
        match &webhook.source {
            WebhookSource::App { client_id } => {
                self.app(client_id).map(|app| app.webhook_secret.clone())
            }
            WebhookSource::Workspace { secret, .. } => Some(secret.clone()),
        }
    }

    fn wants(&self, webhook: &Webhook, event: &Event) -> bool {
        let asked_for = |types: &[String]| types.contains(&event.kind);
        match &webhook.source {
            WebhookSource::App { client_id }
                if event
                    .client_id
                    .as_ref()
                    .is_some_and(|about| about != client_id) =>
            {
                false
            }
            WebhookSource::App { .. } => {
                event.kind == "OAuthApp" || asked_for(&self.settings.webhook_resource_types)
            }
            WebhookSource::Workspace { resource_types, .. } => asked_for(resource_types),
        }
    }

    /// Queues an event for every webhook of the workspace that asked for it.
    pub fn emit(&mut self, workspace: &str, event: &Event) {
        let wanting = |webhook: &&Webhook| {
            webhook.workspace == workspace && webhook.enabled && self.wants(webhook, event)
        };
        let webhooks: Vec<Webhook> = self.webhooks.iter().filter(wanting).cloned().collect();
        for webhook in webhooks {
            if let Some((url, secret)) = self.target_of(&webhook) {
                let body = self.body_of(event, &webhook);
                self.queue(&webhook, &event.kind, url, secret, body);
            }
        }
    }

    /// The body as it is signed: fields in Linear's order, the stamp behind everything people can
    /// write.
    pub fn body_of(&self, event: &Event, webhook: &Webhook) -> String {
        let now = self.now();
        let mut fields = vec![
            ("action", json!(event.action)),
            ("createdAt", json!(iso(now))),
        ];
        fields.extend(
            event
                .fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        fields.push(("type", json!(event.kind)));
        fields.push(("organizationId", json!(webhook.workspace)));
        fields.push(("webhookTimestamp", json!(now)));
        fields.push(("webhookId", json!(webhook.id)));
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        format!("{{{}}}", fields.join(","))
    }

    fn queue(&mut self, webhook: &Webhook, event: &str, url: String, secret: String, body: String) {
        let now = self.now();
        let delivery = Delivery {
            id: self.dice.uuid(),
            webhook: webhook.id.clone(),
            workspace: webhook.workspace.clone(),
            event: event.to_owned(),
            url,
            secret,
            body,
            created_ms: now,
            state: DeliveryState::Waiting { due_ms: now },
            attempts: Vec::new(),
            by_hand: false,
            signature: None,
        };
        self.push_delivery(delivery);
    }

    /// False when the queue is full and the delivery was dropped.
    pub fn push_delivery(&mut self, delivery: Delivery) -> bool {
        let is_finished = |entry: &Delivery| {
            matches!(
                entry.state,
                DeliveryState::Delivered | DeliveryState::Exhausted
            )
        };
        let finished = self
            .deliveries
            .iter()
            .filter(|entry| is_finished(entry))
            .count();
        if self.deliveries.len() - finished >= WAITING_MAX {
            self.counts.add("webhook", "dropped");
            return false;
        }
        if finished >= FINISHED_KEPT
            && let Some(oldest) = self.deliveries.iter().position(is_finished)
        {
            self.deliveries.remove(oldest);
        }
        self.deliveries.push_back(delivery);
        true
    }

    /// The application was removed from the workspace: its webhook says so once and goes.
    pub fn note_app_revoked(&mut self, client_id: &str, workspace: &str) {
        let fields = vec![("oauthClientId", json!(self.application_name(client_id)))];
        self.emit(
            workspace,
            &Event::new("OAuthApp", "revoked", fields).about(client_id),
        );
        self.webhooks
            .retain(|webhook| webhook.workspace != workspace || !webhook.is_of_app(client_id));
    }

    /// Names an application as events do.
    fn application_name(&self, client_id: &str) -> String {
        let id = self
            .app(client_id)
            .filter(|_| self.settings.webhook_application_ids)
            .map(|app| app.id.clone());
        id.unwrap_or_else(|| client_id.to_owned())
    }

    pub fn note_authorised(&mut self, grant: &str) {
        if let Some(grant) = self.grants.get(grant).cloned() {
            self.note_authorisation(&grant, "created");
        }
    }

    pub fn note_authorisation(&mut self, grant: &Grant, action: &str) {
        let Some(workspace) = self.workspace(&grant.workspace) else {
            return;
        };
        let Some(user) = workspace
            .user(&grant.user)
            .map(|user| person_json(workspace, user))
        else {
            return;
        };
        let Some(app) = self.app(&grant.client_id) else {
            return;
        };
        let fields = vec![
            (
                "oauthClientId",
                json!(self.application_name(&app.client_id)),
            ),
            (
                "oauthClient",
                json!({"id": app.client_id, "name": app.name}),
            ),
            ("userId", json!(grant.user)),
            ("user", user),
            ("activeTokensForUser", json!(self.live_tokens_beside(grant))),
        ];
        self.emit(
            &grant.workspace,
            &Event::new("OAuthAuthorization", action, fields).about(&grant.client_id),
        );
    }

    /// Tokens with which the grant's application acts for the same user.
    fn live_tokens_beside(&self, grant: &Grant) -> usize {
        let now = self.now();
        let same = |other: &Grant| {
            other.client_id == grant.client_id
                && other.workspace == grant.workspace
                && other.user == grant.user
        };
        let is_beside = |id: &str| self.grants.get(id).is_some_and(same);
        self.access
            .values()
            .filter(|record| record.is_live(now) && is_beside(&record.grant))
            .count()
    }

    /// An administrator changed which teams the bot may see.
    pub fn change_permissions(
        &mut self,
        client_id: &str,
        workspace: &str,
        added: Vec<String>,
        removed: Vec<String>,
    ) -> bool {
        let installation = self
            .app_mut(client_id)
            .and_then(|app| app.installations.get_mut(workspace));
        let Some(installation) = installation else {
            return false;
        };
        installation
            .removed_teams
            .retain(|team| !added.contains(team));
        installation.removed_teams.extend(removed.iter().cloned());
        let (all_public, bot) = (
            installation.removed_teams.is_empty(),
            installation.bot_user.clone(),
        );
        let fields = vec![
            ("appUserId", json!(bot)),
            ("oauthClientId", json!(self.application_name(client_id))),
            ("addedTeamIds", json!(added)),
            ("removedTeamIds", json!(removed)),
            ("canAccessAllPublicTeams", json!(all_public)),
        ];
        self.emit(
            workspace,
            &Event::new("PermissionChange", "teamAccessChanged", fields).about(client_id),
        );
        true
    }
}

pub fn person_json(workspace: &Workspace, user: &User) -> Value {
    let url = workspace.url(&format!("profiles/{}", user.display_name));
    json!({"id": user.id, "name": user.name, "email": user.email, "url": url, "avatarUrl": null})
}
