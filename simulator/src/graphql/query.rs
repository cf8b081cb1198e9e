//! The queries.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{Context, Object, Result};

use super::caller::look;
use super::failure::{input_error, not_found};
use super::filter::{IssueFilter, ProjectFilter, TeamFilter, UserFilter, users};
use super::paging::Window;
use super::sort::{self, IssueSortInput, ProjectSortInput, UserSortInput};
use super::types::comment::Comment;
use super::types::enums::PaginationOrderBy;
use super::types::issue::{Issue, IssueConnection};
use super::types::organization::Organization;
use super::types::parts::{
    Application, RateLimitPayload, RateLimitResultPayload, Webhook, WebhookConnection,
};
use super::types::project::{Project, ProjectConnection};
use super::types::state::{WorkflowState, WorkflowStateConnection};
use super::types::team::{Team, TeamConnection};
use super::types::user::{User, UserConnection};

#[derive(Debug)]
pub struct Query;

#[Object]
impl Query {
    async fn viewer(&self, ctx: &Context<'_>) -> Result<User> {
        look(ctx, |world, caller| {
            Ok(User::of(caller.home(world)?, caller.me(world)?, caller))
        })
    }

    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        look(ctx, |world, caller| {
            Ok(Organization::of(caller.home(world)?))
        })
    }

    async fn users(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<UserFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        include_disabled: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
        sort: Option<Vec<UserSortInput>>,
    ) -> Result<UserConnection> {
        let _ = include_archived;
        let mut all = look(ctx, |world, caller| {
            users(
                caller.home(world)?,
                caller,
                filter.as_ref(),
                include_disabled,
            )
        })?;
        sort::users(&mut all, sort.as_deref().unwrap_or_default());
        UserConnection::of(
            all,
            &Window {
                after,
                before,
                first,
                last,
                order_by,
                sorted: sort.is_some(),
            },
        )
    }

    async fn user(&self, ctx: &Context<'_>, id: String) -> Result<User> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let id = if id == "me" { &caller.user } else { &id };
            home.user(id)
                .map(|user| User::of(home, user, caller))
                .ok_or_else(|| not_found("User"))
        })
    }

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
        let teams = Team::all(ctx, filter.as_ref())?;
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

    async fn team(&self, ctx: &Context<'_>, id: String) -> Result<Team> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let team = home.team(&id).filter(|team| caller.sees(team));
            team.map(|team| Team::of(home, team))
                .ok_or_else(|| not_found("Team"))
        })
    }

    async fn projects(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<ProjectFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
        sort: Option<Vec<ProjectSortInput>>,
    ) -> Result<ProjectConnection> {
        let _ = include_archived;
        let mut projects: Vec<Project> = look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let fits = |project: &&crate::world::workspace::Project| {
                filter
                    .as_ref()
                    .is_none_or(|filter| filter.lets_through(project))
            };
            Ok(home
                .projects
                .iter()
                .filter(fits)
                .map(|project| Project::of(home, project))
                .collect())
        })?;
        sort::projects(&mut projects, sort.as_deref().unwrap_or_default());
        ProjectConnection::of(
            projects,
            &Window {
                after,
                before,
                first,
                last,
                order_by,
                sorted: sort.is_some(),
            },
        )
    }

    async fn project(&self, ctx: &Context<'_>, id: String) -> Result<Project> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            home.project(&id)
                .map(|project| Project::of(home, project))
                .ok_or_else(|| not_found("Project"))
        })
    }

    async fn issues(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<IssueFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
        sort: Option<Vec<IssueSortInput>>,
    ) -> Result<IssueConnection> {
        let mut issues = Issue::all(ctx, filter.as_ref(), include_archived, |_| true)?;
        sort::issues(&mut issues, sort.as_deref().unwrap_or_default());
        IssueConnection::of(
            issues,
            &Window {
                after,
                before,
                first,
                last,
                order_by,
                sorted: sort.is_some(),
            },
        )
    }

    async fn issue(&self, ctx: &Context<'_>, id: String) -> Result<Issue> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let issue = home.issue(&id);
            let issue = issue.filter(|issue| {
                home.team(&issue.team_id)
                    .is_some_and(|team| caller.sees(team))
            });
            issue
                .map(|issue| Issue::of(home, issue))
                .ok_or_else(|| not_found("Issue"))
        })
    }

    async fn workflow_state(&self, ctx: &Context<'_>, id: String) -> Result<WorkflowState> {
        let states = WorkflowState::all(ctx)?;
        states
            .into_iter()
            .find(|state| state.id.as_str() == id)
            .ok_or_else(|| not_found("WorkflowState"))
    }

    async fn workflow_states(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<WorkflowStateConnection> {
        let _ = include_archived;
        WorkflowStateConnection::of(
            WorkflowState::all(ctx)?,
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

    async fn comment(
        &self,
        ctx: &Context<'_>,
        hash: Option<String>,
        id: Option<String>,
    ) -> Result<Comment> {
        let id = id
            .or(hash)
            .ok_or_else(|| input_error("id or hash must be given"))?;
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let comment = home
                .comments
                .iter()
                .find(|comment| comment.id == id || comment.id.starts_with(&id));
            comment
                .map(|comment| Comment::of(home, comment))
                .ok_or_else(|| not_found("Comment"))
        })
    }

    async fn application_info(&self, ctx: &Context<'_>, client_id: String) -> Result<Application> {
        look(ctx, |world, _| {
            let app = world
                .app(&client_id)
                .ok_or_else(|| not_found("OauthClient"))?;
            Ok(Application {
                client_id: app.client_id.clone(),
                description: Some(app.description.clone()),
                developer: app.developer.clone(),
                developer_url: app.developer_url.clone(),
                id: app.id.clone(),
                image_url: None,
                name: app.name.clone(),
            })
        })
    }

    async fn rate_limit_status(&self, ctx: &Context<'_>) -> Result<RateLimitPayload> {
        look(ctx, |world, caller| {
            let standing = world.standing(Some(&caller.user));
            let limit = |kind: &str, allowed: u64, remaining: u64| RateLimitResultPayload {
                allowed_amount: allowed as f64,
                period: crate::world::budget::HOUR_MS as f64,
                remaining_amount: remaining as f64,
                requested_amount: 0.0,
                reset: standing.reset_ms() as f64,
                r#type: kind.into(),
            };
            let results = vec![
                limit(
                    "request",
                    standing.requests_limit,
                    standing.requests_remaining(),
                ),
                limit(
                    "complexity",
                    standing.complexity_limit,
                    standing.complexity_remaining(),
                ),
            ];
            let kind = if caller.scopes.is_some() {
                "oauth"
            } else {
                "apiKey"
            };
            Ok(RateLimitPayload {
                identifier: Some(caller.user.clone()),
                kind: kind.into(),
                limits: results,
            })
        })
    }

    /// Lists webhooks; only administrators' own keys and applications with the `admin` scope may
    /// look.
    async fn webhooks(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<WebhookConnection> {
        let _ = include_archived;
        let webhooks = look(ctx, |world, caller| {
            caller.need(&["admin"])?;
            let here = world
                .webhooks
                .iter()
                .filter(|webhook| webhook.workspace == caller.workspace);
            Ok(here
                .map(|webhook| Webhook::of(webhook, &world.settings.webhook_resource_types))
                .collect())
        })?;
        WebhookConnection::of(
            webhooks,
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
