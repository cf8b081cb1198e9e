//! What webhooks are told, and to whom it goes.

use serde_json::{Value, json};

use super::World;
use super::dice::named_uuid;
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
}

impl Event {
    pub fn new(kind: &str, action: &str, fields: Vec<(&str, Value)>) -> Event {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Event { kind: kind.to_owned(), action: action.to_owned(), fields }
    }
}

impl World {
    /// One webhook per application and workspace, however often it is installed.
    pub fn ensure_app_webhook(&mut self, workspace: &str) {
        if self.app_webhook(workspace).is_some() {
            return;
        }
        let webhook = Webhook {
            id: named_uuid(&format!("{}/{workspace}/webhook", self.app.id)),
            workspace: workspace.to_owned(),
            source: WebhookSource::App,
            enabled: true,
            failures_in_row: 0,
            created_ms: self.now(),
        };
        self.webhooks.push(webhook);
    }

    pub fn app_webhook(&self, workspace: &str) -> Option<&Webhook> {
        let of_app = |webhook: &&Webhook| webhook.workspace == workspace && webhook.source == WebhookSource::App;
        self.webhooks.iter().find(of_app)
    }

    /// Where and with which secret a webhook is delivered at present.
    pub fn target_of(&self, webhook: &Webhook) -> Option<(String, String)> {
        match &webhook.source {
            WebhookSource::App if self.settings.webhook_enabled => {
                self.settings.webhook_url.clone().map(|url| (url, self.app.webhook_secret.clone()))
            }
            WebhookSource::App => None,
            WebhookSource::Workspace { url, secret, .. } => Some((url.clone(), secret.clone())),
        }
    }

    fn wants(&self, webhook: &Webhook, kind: &str) -> bool {
        let types = match &webhook.source {
            WebhookSource::App if kind == "OAuthApp" => return true,
            WebhookSource::App => &self.settings.webhook_resource_types,
            WebhookSource::Workspace { resource_types, .. } => resource_types,
        };
        types.iter().any(|wanted| wanted == kind)
    }

    /// Queues an event for every webhook of the workspace that asked for it.
    pub fn emit(&mut self, workspace: &str, event: &Event) {
        let wanting = |webhook: &&Webhook| webhook.workspace == workspace && webhook.enabled && self.wants(webhook, &event.kind);
        let webhooks: Vec<Webhook> = self.webhooks.iter().filter(wanting).cloned().collect();
        for webhook in webhooks {
            if let Some((url, secret)) = self.target_of(&webhook) {
                let body = self.body_of(event, &webhook);
                self.queue(&webhook, &event.kind, url, secret, body);
            }
        }
    }

    /// The body as it is signed: fields in Linear's order, the stamp behind everything people can write.
    pub fn body_of(&self, event: &Event, webhook: &Webhook) -> String {
        let now = self.now();
        let mut fields = vec![("action", json!(event.action)), ("createdAt", json!(iso(now)))];
        fields.extend(event.fields.iter().map(|(name, value)| (name.as_str(), value.clone())));
        fields.push(("type", json!(event.kind)));
        fields.push(("organizationId", json!(webhook.workspace)));
        fields.push(("webhookTimestamp", json!(now)));
        fields.push(("webhookId", json!(webhook.id)));
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
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
        let is_finished = |entry: &Delivery| matches!(entry.state, DeliveryState::Delivered | DeliveryState::Exhausted);
        let finished = self.deliveries.iter().filter(|entry| is_finished(entry)).count();
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
    pub fn note_app_revoked(&mut self, workspace: &str) {
        let fields = vec![("oauthClientId", json!(self.app.client_id))];
        self.emit(workspace, &Event::new("OAuthApp", "revoked", fields));
        self.webhooks.retain(|webhook| webhook.workspace != workspace || webhook.source != WebhookSource::App);
    }

    pub fn note_authorised(&mut self, grant: &str) {
        if let Some(grant) = self.grants.get(grant).cloned() {
            self.note_authorisation(&grant, "created");
        }
    }

    pub fn note_authorisation(&mut self, grant: &Grant, action: &str) {
        let Some(workspace) = self.workspace(&grant.workspace) else { return };
        let Some(user) = workspace.user(&grant.user).map(|user| person_json(workspace, user)) else { return };
        let fields = vec![
            ("oauthClientId", json!(self.app.client_id)),
            ("oauthClient", json!({"id": self.app.client_id, "name": self.app.name})),
            ("userId", json!(grant.user)),
            ("user", user),
            ("activeTokensForUser", json!(self.live_tokens_of(&grant.workspace, &grant.user))),
        ];
        self.emit(&grant.workspace, &Event::new("OAuthAuthorization", action, fields));
    }

    fn live_tokens_of(&self, workspace: &str, user: &str) -> usize {
        let now = self.now();
        let of_user = |grant: &str| self.grants.get(grant).is_some_and(|grant| grant.workspace == workspace && grant.user == user);
        self.access.values().filter(|record| record.is_live(now) && of_user(&record.grant)).count()
    }

    /// An administrator changed which teams the bot may see.
    pub fn change_permissions(&mut self, workspace: &str, added: Vec<String>, removed: Vec<String>) -> bool {
        let Some(installation) = self.installations.get_mut(workspace) else { return false };
        installation.removed_teams.retain(|team| !added.contains(team));
        installation.removed_teams.extend(removed.iter().cloned());
        let all_public = installation.removed_teams.is_empty();
        let fields = vec![
            ("appUserId", json!(installation.bot_user)),
            ("oauthClientId", json!(self.app.client_id)),
            ("addedTeamIds", json!(added)),
            ("removedTeamIds", json!(removed)),
            ("canAccessAllPublicTeams", json!(all_public)),
        ];
        self.emit(workspace, &Event::new("PermissionChange", "teamAccessChanged", fields));
        true
    }
}

pub fn person_json(workspace: &Workspace, user: &User) -> Value {
    let url = workspace.url(&format!("profiles/{}", user.display_name));
    json!({"id": user.id, "name": user.name, "email": user.email, "url": url, "avatarUrl": null})
}
