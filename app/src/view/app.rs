//! Linear apps of an organisation's own, beside the operator's.

use serde::{Deserialize, Serialize};

use super::Moment;

/// Linear's page for a new app, with every field filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAppView {
    pub url: String,
    /// The address for webhooks is among them: Linear takes none that the internet does not reach.
    pub webhook: bool,
}

/// The part of the settings page that owners see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAppsView {
    /// The oldest first.
    pub apps: Vec<AppView>,
    pub draft: AppDraft,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    pub id: String,
    pub name: String,
    pub client_id: String,
    /// The app has a secret; without one it relies on PKCE alone.
    pub has_secret: bool,
    pub has_webhook_secret: bool,
    /// The previous signing secret is accepted until the present one has verified something.
    pub overlap_open: bool,
    /// The time until which the previous signing secret is accepted.
    pub overlap_until: Option<Moment>,
    /// Workspaces that are connected through it.
    pub workspaces: u64,
}

/// The forms about apps: empty, or as one was sent and refused. Never a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppDraft {
    /// The app whose secrets were to be replaced; empty for a new one.
    pub app: String,
    pub name: String,
    pub client_id: String,
    pub problem: Option<AppProblem>,
}

/// The reason why an app was not added, or its secrets not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppProblem {
    Name,
    /// The value has not the shape of a client ID.
    ClientId,
    /// The client ID is that of an app which is there already.
    Known,
    /// The value has not the shape of a client secret.
    ClientSecret,
    /// The value has not the shape of a signing secret.
    WebhookSecret,
    /// Neither secret was given.
    NoSecret,
    TooMany,
}

/// The app of its own that a connection goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThroughView {
    pub name: String,
    pub client_id: String,
    /// Whoever looks at the page may change it.
    pub owned: bool,
}
