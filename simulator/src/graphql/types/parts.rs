//! Smaller types: names applications act under, webhooks, uploads, limits.

use async_graphql::{ComplexObject, Context, Result};

use super::fields::parts::ActorBot;
pub use super::fields::parts::{
    Application, RateLimitPayload, RateLimitResultPayload, UploadFile, UploadFileHeader,
    UploadPayload, Webhook,
};
use super::team::Team;
use super::user::User;
use crate::graphql::paging::connection;
use crate::graphql::scalars::DateTime;
use crate::world::hooks;
use crate::world::workspace::CreatedAs;

impl ActorBot {
    pub fn of(created_as: &CreatedAs) -> ActorBot {
        ActorBot {
            avatar_url: created_as.icon_url.clone(),
            r#type: "oauthClient".into(),
            user_display_name: Some(created_as.name.clone()),
            ..ActorBot::default()
        }
    }
}

connection!(WebhookConnection, WebhookEdge, Webhook);

impl Webhook {
    /// The application's own webhook has no URL and shows no secret: both belong to the
    /// application.
    pub fn of(webhook: &hooks::Webhook, app_types: &[String]) -> Webhook {
        let mut shown = Webhook {
            all_public_teams: true,
            created_at: DateTime(webhook.created_ms),
            enabled: webhook.enabled,
            id: webhook.id.clone().into(),
            resource_types: app_types.to_vec(),
            updated_at: DateTime(webhook.created_ms),
            ..Webhook::default()
        };
        if let hooks::WebhookSource::Workspace {
            url,
            secret,
            label,
            resource_types,
        } = &webhook.source
        {
            shown.url = Some(url.clone());
            shown.secret = Some(secret.clone());
            shown.label.clone_from(label);
            shown.resource_types.clone_from(resource_types);
        }
        shown
    }
}

#[ComplexObject]
impl Webhook {
    async fn team(&self, _ctx: &Context<'_>) -> Result<Option<Team>> {
        Ok(None)
    }

    async fn creator(&self, _ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(None)
    }
}
