//! The plain fields of a user. What leads to other objects is resolved beside it.

use async_graphql::{ID, SimpleObject};

use crate::graphql::scalars::DateTime;

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct User {
    pub active: bool,
    pub admin: bool,
    pub app: bool,
    pub archived_at: Option<DateTime>,
    pub avatar_background_color: String,
    pub avatar_url: Option<String>,
    pub calendar_hash: Option<String>,
    pub can_access_any_public_team: bool,
    pub created_at: DateTime,
    pub created_issue_count: i32,
    pub description: Option<String>,
    pub disable_reason: Option<String>,
    pub display_name: String,
    pub email: String,
    pub git_hub_user_id: Option<String>,
    pub guest: bool,
    pub has_git_hub_code_access: bool,
    pub id: ID,
    pub initials: String,
    pub invite_hash: String,
    pub is_assignable: bool,
    pub is_me: bool,
    pub is_mentionable: bool,
    pub last_seen: Option<DateTime>,
    pub name: String,
    pub owner: bool,
    pub status_emoji: Option<String>,
    pub status_label: Option<String>,
    pub status_until_at: Option<DateTime>,
    pub supports_agent_sessions: bool,
    pub timezone: Option<String>,
    pub title: Option<String>,
    pub updated_at: DateTime,
    pub url: String,
}
