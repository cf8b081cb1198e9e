//! The arguments of control calls.

use serde::Deserialize;
use serde_json::Value;

use crate::world::workspace::Role;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWorkspace {
    pub name: String,
    pub url_key: String,
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub users: Vec<NewPerson>,
    #[serde(default)]
    pub teams: Vec<NewTeam>,
    #[serde(default)]
    pub projects: Vec<NewProject>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// The workspace; only for `POST /control/users`.
    #[serde(default)]
    pub workspace: Option<String>,
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    /// A member unless something else is said.
    #[serde(default)]
    pub role: Option<Role>,
    #[serde(default)]
    pub active: Option<bool>,
    #[serde(default)]
    pub id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    pub key: String,
    pub name: String,
    #[serde(default)]
    pub private: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    pub name: String,
    /// A team's key; the first team if absent.
    #[serde(default)]
    pub team: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    pub name: String,
    #[serde(default)]
    pub client_id: Option<String>,
    #[serde(default)]
    pub client_secret: Option<String>,
    #[serde(default)]
    pub webhook_secret: Option<String>,
    /// The address of its webhooks, which are not delivered without one.
    #[serde(default)]
    pub webhook_url: Option<String>,
    /// The one workspace that may use it; public if absent.
    #[serde(default)]
    pub private_to_workspace: Option<String>,
    /// The addresses; those of the first application if absent.
    #[serde(default)]
    pub redirect_uris: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    pub workspace: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub url_key: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockMove {
    #[serde(default)]
    pub manual: Option<bool>,
    #[serde(default)]
    pub set_ms: Option<i64>,
    #[serde(default)]
    pub advance_s: Option<i64>,
    #[serde(default)]
    pub advance_ms: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    pub authorize_url: String,
    pub workspace: String,
    #[serde(default)]
    pub user: Option<String>,
    /// `approve` unless it says `cancel`.
    #[serde(default)]
    pub decision: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    #[serde(default)]
    pub token: Option<String>,
    #[serde(default)]
    pub workspace: Option<String>,
    /// `access` or `refresh`, of the workspace's newest living grant.
    #[serde(default)]
    pub which: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uninstall {
    pub workspace: String,
    /// The first application if absent.
    #[serde(default)]
    pub client_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    pub workspace: String,
    /// The first application if absent.
    #[serde(default)]
    pub client_id: Option<String>,
    #[serde(default)]
    pub added_team_ids: Vec<String>,
    #[serde(default)]
    pub removed_team_ids: Vec<String>,
}

/// An event sent by hand, right or wrong in the ways a test wants. It is sent once, without
/// retries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandMade {
    pub workspace: String,
    /// The body's `type` and the `Linear-Event` header; `Issue` if absent.
    #[serde(default)]
    pub r#type: Option<String>,
    /// `create` if absent.
    #[serde(default)]
    pub action: Option<String>,
    /// Further fields of the body; one of the standard names takes its place.
    #[serde(default)]
    pub fields: serde_json::Map<String, Value>,
    /// The whole body instead, as it is.
    #[serde(default)]
    pub body: Option<String>,
    /// `app` (the default) or a client id for an application's own, or the id of a webhook.
    #[serde(default)]
    pub webhook: Option<String>,
    /// The address to deliver to instead of the webhook's own.
    #[serde(default)]
    pub url: Option<String>,
    /// Signed with this instead of the webhook's own secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// Sent as the signature; an empty one leaves the header out.
    #[serde(default)]
    pub signature: Option<String>,
    /// `Linear-Delivery`; an empty one leaves the header out.
    #[serde(default)]
    pub delivery_id: Option<String>,
    /// `webhookTimestamp` instead of now.
    #[serde(default)]
    pub timestamp_ms: Option<i64>,
    /// The number of times that the same delivery is sent; once if absent.
    #[serde(default)]
    pub times: Option<u32>,
}
