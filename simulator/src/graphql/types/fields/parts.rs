//! Smaller types that stand inside others. What leads to other objects is resolved beside it.

use async_graphql::{ID, SimpleObject};

use crate::graphql::scalars::{DateTime, JsonObject};

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct ActorBot {
    pub avatar_url: Option<String>,
    pub id: Option<ID>,
    pub name: Option<String>,
    pub sub_type: Option<String>,
    pub r#type: String,
    pub user_display_name: Option<String>,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct Application {
    pub client_id: String,
    pub description: Option<String>,
    pub developer: String,
    pub developer_url: String,
    pub id: String,
    pub image_url: Option<String>,
    pub name: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct RateLimitResultPayload {
    pub allowed_amount: f64,
    pub period: f64,
    pub remaining_amount: f64,
    pub requested_amount: f64,
    pub reset: f64,
    pub r#type: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct RateLimitPayload {
    pub identifier: Option<String>,
    pub kind: String,
    pub limits: Vec<RateLimitResultPayload>,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct UploadFileHeader {
    pub key: String,
    pub value: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct UploadFile {
    pub asset_url: String,
    pub content_type: String,
    pub filename: String,
    pub headers: Vec<UploadFileHeader>,
    pub meta_data: Option<JsonObject>,
    pub size: i32,
    pub upload_url: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct UploadPayload {
    pub last_sync_id: f64,
    pub success: bool,
    pub upload_file: Option<UploadFile>,
}

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct Webhook {
    pub all_public_teams: bool,
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub enabled: bool,
    pub id: ID,
    pub label: Option<String>,
    pub resource_types: Vec<String>,
    pub secret: Option<String>,
    pub team_ids: Option<Vec<String>>,
    pub updated_at: DateTime,
    pub url: Option<String>,
}
