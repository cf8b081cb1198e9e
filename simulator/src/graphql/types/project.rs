//! Projects.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{ComplexObject, Context, Result};

use super::absent::{
    DocumentContent, ExternalEntityInfo, Favorite, IntegrationsSettings, ProjectUpdate, Template,
};
use super::enums::{PaginationOrderBy, ProjectStatusType};
pub use super::fields::project::{Project, ProjectStatus};
use super::issue::Issue;
use super::team::{Team, TeamConnection};
use super::user::User;
use crate::graphql::caller::look;
use crate::graphql::filter::TeamFilter;
use crate::graphql::paging::{Window, connection};
use crate::graphql::scalars::DateTime;
use crate::world::dice::named_uuid;
use crate::world::workspace::{self, Workspace};

connection!(ProjectConnection, ProjectEdge, Project);

impl Project {
    pub fn of(home: &Workspace, project: &workspace::Project) -> Project {
        Project {
            color: "#5e6ad2".into(),
            created_at: DateTime(project.created_ms),
            description: project.description.clone(),
            id: project.id.clone().into(),
            name: project.name.clone(),
            priority_label: "No priority".into(),
            slug_id: project.slug_id.clone(),
            state: "started".into(),
            updated_at: DateTime(project.updated_ms),
            url: home.url(&format!("project/{}", project.slug_id)),
            ..Project::default()
        }
    }
}

impl ProjectStatus {
    pub fn of(workspace: &str) -> ProjectStatus {
        ProjectStatus {
            color: "#f2c94c".into(),
            id: named_uuid(&format!("{workspace}/project status")).into(),
            name: "In Progress".into(),
            r#type: ProjectStatusType::Started,
            ..ProjectStatus::default()
        }
    }
}

#[ComplexObject]
impl Project {
    async fn teams(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<TeamFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<TeamConnection> {
        let _ = include_archived;
        let ids = look(ctx, |world, caller| {
            let project = caller.home(world)?.project(self.id.as_str());
            Ok(project
                .map(|project| project.team_ids.clone())
                .unwrap_or_default())
        })?;
        let mut teams = Team::all(ctx, filter.as_ref())?;
        teams.retain(|team| ids.iter().any(|id| *id == team.id.as_str()));
        TeamConnection::of(
            teams,
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

    async fn lead(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let lead = home
                .project(self.id.as_str())
                .and_then(|project| project.lead_id.as_deref());
            Ok(lead
                .and_then(|id| home.user(id))
                .map(|user| User::of(home, user, caller)))
        })
    }

    async fn status(&self, ctx: &Context<'_>) -> Result<ProjectStatus> {
        look(ctx, |_, caller| Ok(ProjectStatus::of(&caller.workspace)))
    }

    async fn creator(&self) -> Option<User> {
        None
    }

    async fn converted_from_issue(&self) -> Option<Issue> {
        None
    }

    async fn integrations_settings(&self) -> Option<IntegrationsSettings> {
        None
    }

    async fn last_applied_template(&self) -> Option<Template> {
        None
    }

    async fn last_update(&self) -> Option<ProjectUpdate> {
        None
    }

    async fn favorite(&self) -> Option<Favorite> {
        None
    }

    async fn document_content(&self) -> Option<DocumentContent> {
        None
    }

    async fn synced_with(&self) -> Option<Vec<ExternalEntityInfo>> {
        None
    }
}
