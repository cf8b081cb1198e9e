//! Teams, as far as the caller sees them.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{ComplexObject, Context, Result};

use super::absent::{Cycle, IntegrationsSettings, Template, TriageResponsibility};
use super::enums::{PaginationOrderBy, TeamVisibility};
pub use super::fields::team::Team;
use super::issue::{Issue, IssueConnection};
use super::organization::Organization;
use super::state::{WorkflowState, WorkflowStateConnection};
use super::user::count;
use crate::graphql::caller::look;
use crate::graphql::filter::{IssueFilter, TeamFilter};
use crate::graphql::paging::{Window, connection};
use crate::graphql::scalars::DateTime;
use crate::world::issues::STATES;
use crate::world::workspace::{self, Workspace};

connection!(TeamConnection, TeamEdge, Team);

impl Team {
    pub fn of(home: &Workspace, team: &workspace::Team) -> Team {
        Team {
            auto_archive_period: 6.0,
            created_at: DateTime(team.created_ms),
            cycle_calender_url: home.url(&format!("team/{}/cycles.ics", team.key)),
            cycle_duration: 1.0,
            default_issue_estimate: 1.0,
            display_name: team.name.clone(),
            id: team.id.clone().into(),
            issue_estimation_type: "notUsed".into(),
            key: team.key.clone(),
            name: team.name.clone(),
            private: team.private,
            set_issue_sort_order_on_state_change: "first".into(),
            timezone: "Europe/Lisbon".into(),
            updated_at: DateTime(team.created_ms),
            visibility: if team.private {
                TeamVisibility::Private
            } else {
                TeamVisibility::Public
            },
            ..Team::default()
        }
    }

    /// Every team the caller sees and the filter lets through.
    pub fn all(ctx: &Context<'_>, filter: Option<&TeamFilter>) -> Result<Vec<Team>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let seen = home.teams.iter().filter(|team| caller.sees(team));
            let wanted = seen.filter(|team| filter.is_none_or(|filter| filter.lets_through(team)));
            Ok(wanted.map(|team| Team::of(home, team)).collect())
        })
    }

    fn state(&self, name: &str) -> Option<WorkflowState> {
        let found = STATES.iter().position(|(known, ..)| *known == name)?;
        Some(WorkflowState::of(
            self.id.as_str(),
            self.created_at.0,
            found,
        ))
    }
}

#[ComplexObject]
impl Team {
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        look(ctx, |world, caller| {
            Ok(Organization::of(caller.home(world)?))
        })
    }

    async fn parent(&self) -> Option<Team> {
        None
    }

    async fn active_cycle(&self) -> Option<Cycle> {
        None
    }

    async fn integrations_settings(&self) -> Option<IntegrationsSettings> {
        None
    }

    async fn triage_responsibility(&self) -> Option<TriageResponsibility> {
        None
    }

    async fn default_template_for_members(&self) -> Option<Template> {
        None
    }

    async fn default_template_for_non_members(&self) -> Option<Template> {
        None
    }

    async fn default_project_template(&self) -> Option<Template> {
        None
    }

    async fn default_issue_state(&self) -> Option<WorkflowState> {
        self.state("Backlog")
    }

    async fn draft_workflow_state(&self) -> Option<WorkflowState> {
        None
    }

    async fn start_workflow_state(&self) -> Option<WorkflowState> {
        self.state("In Progress")
    }

    async fn review_workflow_state(&self) -> Option<WorkflowState> {
        None
    }

    async fn mergeable_workflow_state(&self) -> Option<WorkflowState> {
        None
    }

    async fn merge_workflow_state(&self) -> Option<WorkflowState> {
        self.state("Done")
    }

    async fn triage_issue_state(&self) -> Option<WorkflowState> {
        None
    }

    async fn marked_as_duplicate_workflow_state(&self) -> Option<WorkflowState> {
        self.state("Canceled")
    }

    async fn issue_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(false)")] include_archived: Option<bool>,
    ) -> Result<i32> {
        look(ctx, |world, caller| {
            let issues = caller
                .home(world)?
                .issues
                .iter()
                .filter(|issue| issue.team_id == self.id.as_str());
            Ok(count(issues.filter(|issue| {
                include_archived == Some(true) || !issue.trashed
            })))
        })
    }

    async fn states(
        &self,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<WorkflowStateConnection> {
        let _ = include_archived;
        let state = |at| WorkflowState::of(self.id.as_str(), self.created_at.0, at);
        let states = (0..STATES.len()).map(state).collect();
        WorkflowStateConnection::of(
            states,
            &Window {
                after,
                before,
                first,
                last,
                order_by,
                sorted: false,
            },
        )
    }

    async fn issues(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<IssueFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        #[graphql(default_with = "Some(false)")] include_sub_teams: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<IssueConnection> {
        let _ = include_sub_teams;
        let here = |issue: &workspace::Issue| issue.team_id == self.id.as_str();
        let issues = Issue::all(ctx, filter.as_ref(), include_archived, here)?;
        IssueConnection::of(
            issues,
            &Window {
                after,
                before,
                first,
                last,
                order_by,
                sorted: false,
            },
        )
    }
}
