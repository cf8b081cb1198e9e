//! The plain fields of a project and its status. What leads to other objects is resolved beside it.

use async_graphql::{ID, SimpleObject};

use crate::graphql::scalars::{DateTime, JsonObject, TimelessDate};
use crate::graphql::types::enums::{
    DateResolutionType, Day, FrequencyResolutionType, ProjectStatusType, ProjectUpdateHealthType,
};

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct Project {
    pub archived_at: Option<DateTime>,
    pub auto_archived_at: Option<DateTime>,
    pub canceled_at: Option<DateTime>,
    pub color: String,
    pub completed_at: Option<DateTime>,
    pub completed_issue_count_history: Vec<f64>,
    pub completed_scope_history: Vec<f64>,
    pub content: Option<String>,
    pub content_state: Option<String>,
    pub created_at: DateTime,
    pub current_progress: JsonObject,
    pub description: String,
    pub frequency_resolution: FrequencyResolutionType,
    pub health: Option<ProjectUpdateHealthType>,
    pub health_updated_at: Option<DateTime>,
    pub icon: Option<String>,
    pub id: ID,
    pub in_progress_scope_history: Vec<f64>,
    pub issue_count_history: Vec<f64>,
    pub label_ids: Vec<String>,
    pub microsoft_teams_channel_id: Option<String>,
    pub name: String,
    pub priority: i32,
    pub priority_label: String,
    pub priority_sort_order: f64,
    pub progress: f64,
    pub progress_history: JsonObject,
    pub project_update_reminders_paused_until_at: Option<DateTime>,
    pub scope: f64,
    pub scope_history: Vec<f64>,
    pub slack_channel_id: Option<String>,
    pub slack_issue_comments: bool,
    pub slack_issue_statuses: bool,
    pub slack_new_issue: bool,
    pub slug_id: String,
    pub sort_order: f64,
    pub start_date: Option<TimelessDate>,
    pub start_date_resolution: Option<DateResolutionType>,
    pub started_at: Option<DateTime>,
    pub state: String,
    pub target_date: Option<TimelessDate>,
    pub target_date_resolution: Option<DateResolutionType>,
    pub trashed: Option<bool>,
    pub update_reminder_frequency: Option<f64>,
    pub update_reminder_frequency_in_weeks: Option<f64>,
    pub update_reminders_day: Option<Day>,
    pub update_reminders_hour: Option<f64>,
    pub updated_at: DateTime,
    pub url: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
pub struct ProjectStatus {
    pub archived_at: Option<DateTime>,
    pub color: String,
    pub created_at: DateTime,
    pub description: Option<String>,
    pub id: ID,
    pub indefinite: bool,
    pub name: String,
    pub position: f64,
    pub r#type: ProjectStatusType,
    pub updated_at: DateTime,
}
