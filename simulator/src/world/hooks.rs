//! Webhook configurations and the deliveries they cause.

use serde::{Deserialize, Serialize};

/// One receiver in one workspace: an application's own, or one set up inside the workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Webhook {
    pub id: String,
    pub workspace: String,
    pub source: WebhookSource,
    pub enabled: bool,
    /// Exhausted deliveries in a row.
    pub failures_in_row: u32,
    pub created_ms: i64,
}

impl Webhook {
    pub fn is_of_app(&self, client_id: &str) -> bool {
        matches!(&self.source, WebhookSource::App { client_id: own } if own == client_id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookSource {
    /// URL, secret and resource types are the application's, the same for every workspace.
    App { client_id: String },
    Workspace {
        url: String,
        secret: String,
        label: Option<String>,
        resource_types: Vec<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// `Linear-Delivery`.
    pub id: String,
    pub webhook: String,
    pub workspace: String,
    pub event: String,
    pub url: String,
    pub secret: String,
    pub body: String,
    pub created_ms: i64,
    pub state: DeliveryState,
    pub attempts: Vec<Attempt>,
    /// Sent once whatever comes back, with what a test asked to be wrong.
    pub by_hand: bool,
    /// Sent instead of the right signature; an empty one leaves the header out.
    pub signature: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Waiting { due_ms: i64 },
    Sending,
    Delivered,
    Exhausted,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    pub at_ms: i64,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub took_ms: u64,
}
