//! The types that are always absent here, but named in the queries of clients that ask for
//! everything.

use async_graphql::{ID, SimpleObject, Union};

use super::comment::Comment;
use super::enums::{ExternalSyncService, IssueSharedAccessDisallowedField};
use super::issue::Issue;
use super::project::Project;
use super::user::User;
use crate::graphql::scalars::DateTime;

/// Types of which clients ask only the id.
macro_rules! only_an_id {
    ($($name:ident),+) => {
        $(
            #[derive(SimpleObject, Clone, Debug)]
            pub struct $name {
                pub id: ID,
            }
        )+
    };
}

only_an_id!(
    AgentSession,
    Cycle,
    Document,
    ExternalUser,
    Favorite,
    Initiative,
    InitiativeUpdate,
    Integration,
    IntegrationsSettings,
    ProjectMilestone,
    ProjectUpdate,
    Template,
    TriageResponsibility
);

#[derive(SimpleObject, Clone, Debug)]
pub struct DocumentContent {
    pub ai_prompt_rules: Option<AiPromptRules>,
    pub archived_at: Option<DateTime>,
    pub content: Option<String>,
    pub content_state: Option<String>,
    pub created_at: DateTime,
    pub document: Option<Document>,
    pub id: ID,
    pub initiative: Option<Initiative>,
    pub issue: Option<Issue>,
    pub project: Option<Project>,
    pub project_milestone: Option<ProjectMilestone>,
    pub restored_at: Option<DateTime>,
    pub updated_at: DateTime,
    pub welcome_message: Option<WelcomeMessage>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct AiPromptRules {
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub id: ID,
    pub updated_at: DateTime,
    pub updated_by: Option<User>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct WelcomeMessage {
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub enabled: bool,
    pub id: ID,
    pub title: Option<String>,
    pub updated_at: DateTime,
    pub updated_by: Option<User>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct ExternalEntityInfo {
    pub id: String,
    pub metadata: Option<ExternalEntityInfoMetadata>,
    pub service: ExternalSyncService,
}

#[derive(Union, Clone, Debug)]
pub enum ExternalEntityInfoMetadata {
    Github(ExternalEntityInfoGithubMetadata),
    Jira(ExternalEntityInfoJiraMetadata),
    Slack(ExternalEntitySlackMetadata),
}

#[derive(SimpleObject, Clone, Debug)]
pub struct ExternalEntityInfoGithubMetadata {
    pub number: Option<f64>,
    pub owner: Option<String>,
    pub repo: Option<String>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct ExternalEntityInfoJiraMetadata {
    pub issue_key: Option<String>,
    pub issue_type_id: Option<String>,
    pub project_id: Option<String>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct ExternalEntitySlackMetadata {
    pub channel_id: Option<String>,
    pub channel_name: Option<String>,
    pub is_from_slack: bool,
    pub message_url: Option<String>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct SyncedExternalThread {
    pub display_name: Option<String>,
    pub id: Option<ID>,
    pub is_connected: bool,
    pub is_personal_integration_connected: bool,
    pub is_personal_integration_required: bool,
    pub name: Option<String>,
    pub sub_type: Option<String>,
    pub r#type: String,
    pub url: Option<String>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct PaidSubscription {
    pub archived_at: Option<DateTime>,
    pub cancel_at: Option<DateTime>,
    pub canceled_at: Option<DateTime>,
    pub collection_method: String,
    pub created_at: DateTime,
    pub id: ID,
    pub next_billing_at: Option<DateTime>,
    pub pending_change_type: Option<String>,
    pub seats: f64,
    pub seats_maximum: Option<f64>,
    pub seats_minimum: Option<f64>,
    pub r#type: String,
    pub updated_at: DateTime,
    pub creator: Option<User>,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct IssueSharedAccess {
    pub disallowed_issue_fields: Vec<IssueSharedAccessDisallowedField>,
    pub is_shared: bool,
    pub shared_with_count: i32,
    pub viewer_has_only_shared_access: bool,
    pub shared_with_users: Vec<User>,
}

#[derive(SimpleObject, Clone, Debug)]
pub struct Reaction {
    pub archived_at: Option<DateTime>,
    pub created_at: DateTime,
    pub emoji: String,
    pub id: ID,
    pub updated_at: DateTime,
    pub comment: Option<Comment>,
    pub external_user: Option<ExternalUser>,
    pub initiative_update: Option<InitiativeUpdate>,
    pub issue: Option<Issue>,
    pub project_update: Option<ProjectUpdate>,
    pub user: Option<User>,
}
