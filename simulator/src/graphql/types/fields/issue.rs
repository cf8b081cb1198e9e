//! The plain fields of an issue and its state. What leads to other objects is resolved beside it.

use async_graphql::{ID, SimpleObject};

use crate::graphql::scalars::{DateTime, JsonObject, TimelessDate};
use crate::graphql::types::enums::IntegrationService;

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct Issue {
    pub activity_summary: Option<JsonObject>,
    pub added_to_cycle_at: Option<DateTime>,
    pub added_to_project_at: Option<DateTime>,
    pub added_to_team_at: Option<DateTime>,
    pub archived_at: Option<DateTime>,
    pub auto_archived_at: Option<DateTime>,
    pub auto_closed_at: Option<DateTime>,
    pub board_order: f64,
    pub branch_name: String,
    pub canceled_at: Option<DateTime>,
    pub completed_at: Option<DateTime>,
    pub created_at: DateTime,
    pub customer_ticket_count: i32,
    pub description: Option<String>,
    pub description_state: Option<String>,
    pub due_date: Option<TimelessDate>,
    pub estimate: Option<f64>,
    pub id: ID,
    pub identifier: String,
    pub inherits_shared_access: bool,
    pub integration_source_type: Option<IntegrationService>,
    pub label_ids: Vec<String>,
    pub number: f64,
    pub previous_identifiers: Vec<String>,
    pub priority: f64,
    pub priority_label: String,
    pub priority_sort_order: f64,
    pub reaction_data: JsonObject,
    pub sla_breaches_at: Option<DateTime>,
    pub sla_high_risk_at: Option<DateTime>,
    pub sla_medium_risk_at: Option<DateTime>,
    pub sla_started_at: Option<DateTime>,
    pub sla_type: Option<String>,
    pub snoozed_until_at: Option<DateTime>,
    pub sort_order: f64,
    pub started_at: Option<DateTime>,
    pub started_triage_at: Option<DateTime>,
    pub sub_issue_sort_order: Option<f64>,
    pub suggestions_generated_at: Option<DateTime>,
    pub title: String,
    pub trashed: Option<bool>,
    pub triaged_at: Option<DateTime>,
    pub trusted: Option<bool>,
    pub updated_at: DateTime,
    pub url: String,
}

#[derive(SimpleObject, Clone, Debug, Default)]
#[graphql(complex)]
pub struct WorkflowState {
    pub archived_at: Option<DateTime>,
    pub color: String,
    pub created_at: DateTime,
    pub description: Option<String>,
    pub id: ID,
    pub name: String,
    pub position: f64,
    pub r#type: String,
    pub updated_at: DateTime,
}
