//! The plain fields of a comment. What leads to other objects is resolved beside it.

use async_graphql::{ID, SimpleObject};

use crate::graphql::scalars::{DateTime, JsonObject};

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct Comment {
    pub archived_at: Option<DateTime>,
    pub body: String,
    pub body_data: String,
    pub created_at: DateTime,
    pub document_content_id: Option<String>,
    pub edited_at: Option<DateTime>,
    pub hide_in_linear: bool,
    pub id: ID,
    pub initiative_id: Option<String>,
    pub initiative_update_id: Option<String>,
    pub is_artificial_agent_session_root: bool,
    pub issue_id: Option<String>,
    pub parent_id: Option<String>,
    pub project_id: Option<String>,
    pub project_update_id: Option<String>,
    pub quoted_text: Option<String>,
    pub reaction_data: JsonObject,
    pub resolved_at: Option<DateTime>,
    pub resolving_comment_id: Option<String>,
    pub thread_summary: Option<JsonObject>,
    pub updated_at: DateTime,
    pub url: String,
}
