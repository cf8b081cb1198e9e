//! Webhooks set up inside a workspace, and events made by hand.

use serde_json::{Value, json};

use super::asked::HandMade;
use super::error::ControlError;
use crate::Simulator;
use crate::world::World;
use crate::world::events::Event;
use crate::world::hooks::{Delivery, DeliveryState, Webhook, WebhookSource};
use crate::world::issues::{IssueChange, NewIssue, Refusal};
use crate::world::workspace::Issue;

const TIMES_MAX: u32 = 1_000;

impl From<Refusal> for ControlError {
    fn from(refused: Refusal) -> ControlError {
        match refused {
            Refusal::NotFound(entity) => ControlError::Unknown(entity),
            Refusal::Invalid(message) => ControlError::Invalid(message),
        }
    }
}

impl Simulator {
    /// Sets up a webhook of a workspace's own. Answers its id and secret.
    ///
    /// # Errors
    /// There is no such workspace.
    pub fn add_webhook(
        &self,
        workspace: &str,
        url: &str,
        secret: Option<String>,
        resource_types: Option<Vec<String>>,
    ) -> Result<(String, String), ControlError> {
        self.change(|world| {
            let workspace = world
                .workspace(workspace)
                .ok_or(ControlError::Unknown("workspace"))?
                .id
                .clone();
            let secret = secret.unwrap_or_else(|| world.mint("webhook_secret", "lin_wh_"));
            let resource_types =
                resource_types.unwrap_or_else(|| world.settings.webhook_resource_types.clone());
            let (url, id) = (url.to_owned(), world.dice.uuid());
            let source = WebhookSource::Workspace {
                url,
                secret: secret.clone(),
                label: None,
                resource_types,
            };
            let created_ms = world.now();
            world.webhooks.push(Webhook {
                id: id.clone(),
                workspace,
                source,
                enabled: true,
                failures_in_row: 0,
                created_ms,
            });
            Ok((id, secret))
        })
    }

    /// Switches a webhook on again after it was switched off for failing.
    ///
    /// # Errors
    /// There is no such webhook.
    pub fn enable_webhook(&self, id: &str) -> Result<(), ControlError> {
        self.change(|world| {
            let webhook = world.webhooks.iter_mut().find(|webhook| webhook.id == id);
            let webhook = webhook.ok_or(ControlError::Unknown("webhook"))?;
            webhook.enabled = true;
            webhook.failures_in_row = 0;
            Ok(())
        })
    }

    /// Sends an event once, also a wrong one. Answers the delivery ids.
    ///
    /// # Errors
    /// There is no such workspace or webhook, or no address to send to.
    pub fn send_event(&self, asked: &HandMade) -> Result<Vec<String>, ControlError> {
        self.change(|world| {
            let delivery = hand_made(world, asked)?;
            let times = asked.times.unwrap_or(1).min(TIMES_MAX);
            let queued = (0..times)
                .filter(|_| world.push_delivery(delivery.clone()))
                .count();
            Ok(vec![delivery.id; queued])
        })
    }

    /// Sends a logged delivery again, byte for byte and under the same id.
    ///
    /// # Errors
    /// There is no such delivery in the log.
    pub fn redeliver(&self, id: &str) -> Result<(), ControlError> {
        self.change(|world| {
            let found = world
                .deliveries
                .iter()
                .find(|delivery| delivery.id == id)
                .cloned();
            let mut again = found.ok_or(ControlError::Unknown("delivery"))?;
            again.state = DeliveryState::Waiting {
                due_ms: world.now(),
            };
            again.attempts.clear();
            again.by_hand = true;
            world.push_delivery(again);
            Ok(())
        })
    }

    /// Creates an issue as a person (an administrator if none is named), with its event.
    ///
    /// # Errors
    /// There is no such workspace, person or team.
    pub fn create_issue(
        &self,
        workspace: &str,
        title: &str,
        team: Option<&str>,
        user: Option<&str>,
    ) -> Result<(String, String), ControlError> {
        self.change(|world| {
            let (home, by) = world
                .find_person(workspace, user)
                .ok_or(ControlError::Unknown("person"))?;
            let team = team.map_or_else(|| home.teams.first(), |key| home.team(key));
            let team = team.ok_or(ControlError::Unknown("team"))?.id.clone();
            let (workspace, by) = (home.id.clone(), by.id.clone());
            let new = NewIssue {
                team,
                title: title.to_owned(),
                ..NewIssue::default()
            };
            let issue = world.create_issue(&workspace, &by, new)?;
            Ok((issue.id, issue.identifier))
        })
    }

    /// # Errors
    /// There is no such workspace or issue.
    pub fn update_issue(&self, workspace: &str, id: &str, title: &str) -> Result<(), ControlError> {
        let change = IssueChange {
            title: Some(title.to_owned()),
            ..IssueChange::default()
        };
        self.as_admin(workspace, |world, home, by| {
            world.update_issue(home, by, id, change)
        })
    }

    /// # Errors
    /// There is no such workspace or issue.
    pub fn remove_issue(&self, workspace: &str, id: &str) -> Result<(), ControlError> {
        self.as_admin(workspace, |world, home, by| {
            world.remove_issue(home, by, id)
        })
    }

    fn as_admin(
        &self,
        workspace: &str,
        act: impl FnOnce(&mut World, &str, &str) -> Result<Issue, Refusal>,
    ) -> Result<(), ControlError> {
        self.change(|world| {
            let (home, by) = world
                .find_person(workspace, None)
                .ok_or(ControlError::Unknown("workspace"))?;
            let (home, by) = (home.id.clone(), by.id.clone());
            act(world, &home, &by)?;
            Ok(())
        })
    }
}

fn hand_made(world: &mut World, asked: &HandMade) -> Result<Delivery, ControlError> {
    let workspace = world
        .workspace(&asked.workspace)
        .ok_or(ControlError::Unknown("workspace"))?
        .id
        .clone();
    let webhook = webhook_for(world, &workspace, asked.webhook.as_deref())?;
    let url = asked
        .url
        .clone()
        .or_else(|| world.target_of(&webhook).map(|(url, _)| url));
    let url =
        url.ok_or_else(|| ControlError::Invalid("there is no webhook address to send to".into()))?;
    let secret = asked
        .secret
        .clone()
        .or_else(|| world.secret_of(&webhook))
        .ok_or(ControlError::Unknown("webhook"))?;
    let kind = asked.r#type.clone().unwrap_or_else(|| "Issue".into());
    let body = match &asked.body {
        Some(body) => body.clone(),
        None => body_of(world, asked, &kind, &webhook)?,
    };
    let now = world.now();
    Ok(Delivery {
        id: asked
            .delivery_id
            .clone()
            .unwrap_or_else(|| world.dice.uuid()),
        webhook: webhook.id,
        workspace,
        event: kind,
        url,
        secret,
        body,
        created_ms: now,
        state: DeliveryState::Waiting { due_ms: now },
        attempts: Vec::new(),
        by_hand: true,
        signature: asked.signature.clone(),
    })
}

/// An application's webhook may be spoken for even where it was never installed.
fn webhook_for(
    world: &World,
    workspace: &str,
    wanted: Option<&str>,
) -> Result<Webhook, ControlError> {
    let app = match wanted {
        None | Some("app") => Some(world.first_app()),
        Some(client_id) => world.app(client_id),
    };
    let found = match app {
        Some(app) => {
            let known = world.app_webhook(&app.client_id, workspace).cloned();
            known.or_else(|| world.new_app_webhook(&app.client_id, workspace))
        }
        None => world
            .webhooks
            .iter()
            .find(|webhook| Some(webhook.id.as_str()) == wanted)
            .cloned(),
    };
    found.ok_or(ControlError::Unknown("webhook"))
}

fn body_of(
    world: &World,
    asked: &HandMade,
    kind: &str,
    webhook: &Webhook,
) -> Result<String, ControlError> {
    let action = asked.action.as_deref().unwrap_or("create");
    let plain = world.body_of(&Event::new(kind, action, Vec::new()), webhook);
    let mut body: Value =
        serde_json::from_str(&plain).map_err(|error| ControlError::Invalid(error.to_string()))?;
    if let Some(stamp) = asked.timestamp_ms {
        body["webhookTimestamp"] = json!(stamp);
    }
    for (name, value) in &asked.fields {
        body[name.as_str()] = value.clone();
    }
    Ok(body.to_string())
}
