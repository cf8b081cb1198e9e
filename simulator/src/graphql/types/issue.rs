//! Issues and the states they are in.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{ComplexObject, Context, Result};

use super::absent::{
    Cycle, DocumentContent, ExternalEntityInfo, ExternalUser, Favorite, IssueSharedAccess,
    ProjectMilestone, Reaction, Template,
};
use super::comment::{Comment, CommentConnection};
use super::enums::PaginationOrderBy;
pub use super::fields::issue::Issue;
use super::fields::parts::ActorBot;
use super::project::Project;
use super::state::WorkflowState;
use super::team::Team;
use super::user::User;
use crate::graphql::caller::look;
use crate::graphql::failure::not_found;
use crate::graphql::filter::{CommentFilter, IssueFilter};
use crate::graphql::paging::{Window, connection};
use crate::graphql::scalars::DateTime;
use crate::world::issues::{STATES, issue_url, priority_label};
use crate::world::workspace::{self, Workspace};

connection!(IssueConnection, IssueEdge, Issue);

impl Issue {
    pub fn of(home: &Workspace, issue: &workspace::Issue) -> Issue {
        Issue {
            branch_name: issue.identifier.to_lowercase(),
            created_at: DateTime(issue.created_ms),
            description: issue.description.clone(),
            id: issue.id.clone().into(),
            identifier: issue.identifier.clone(),
            number: issue.number.into(),
            priority: issue.priority.into(),
            priority_label: priority_label(issue.priority).into(),
            title: issue.title.clone(),
            trashed: issue.trashed.then_some(true),
            updated_at: DateTime(issue.updated_ms),
            url: issue_url(home, issue),
            ..Issue::default()
        }
    }

    /// Issues in teams the caller sees, as far as the filter and `keep` let them through.
    pub fn all(
        ctx: &Context<'_>,
        filter: Option<&IssueFilter>,
        include_archived: Option<bool>,
        keep: impl Fn(&workspace::Issue) -> bool,
    ) -> Result<Vec<Issue>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let seen = home
                .issues
                .iter()
                .filter(|issue| include_archived == Some(true) || !issue.trashed);
            let wanted = seen.filter(|issue| {
                let team = home.team(&issue.team_id).filter(|team| caller.sees(team));
                let fits = |team| filter.is_none_or(|filter| filter.lets_through(issue, team));
                team.is_some_and(fits) && keep(issue)
            });
            Ok(wanted.map(|issue| Issue::of(home, issue)).collect())
        })
    }

    /// The stored issue behind this one.
    fn stored<T>(
        &self,
        ctx: &Context<'_>,
        read: impl FnOnce(&Workspace, &workspace::Issue) -> Option<T>,
    ) -> Result<Option<T>> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            Ok(home
                .issue(self.id.as_str())
                .and_then(|issue| read(home, issue)))
        })
    }

    fn person(
        &self,
        ctx: &Context<'_>,
        pick: impl FnOnce(&workspace::Issue) -> Option<String>,
    ) -> Result<Option<User>> {
        let id = self.stored(ctx, |_, issue| pick(issue))?;
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            Ok(id
                .and_then(|id| home.user(&id))
                .map(|user| User::of(home, user, caller)))
        })
    }
}

#[ComplexObject]
impl Issue {
    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        let team = self.stored(ctx, |home, issue| {
            home.team(&issue.team_id).map(|team| Team::of(home, team))
        })?;
        team.ok_or_else(|| not_found("Team"))
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<WorkflowState> {
        let state = self.stored(ctx, |home, issue| {
            let at = STATES.iter().position(|(name, ..)| *name == issue.state)?;
            let team = home.team(&issue.team_id)?;
            Some(WorkflowState::of(&team.id, team.created_ms, at))
        })?;
        state.ok_or_else(|| not_found("WorkflowState"))
    }

    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        self.person(ctx, |issue| issue.assignee_id.clone())
    }

    async fn creator(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        self.person(ctx, |issue| Some(issue.creator_id.clone()))
    }

    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        self.stored(ctx, |home, issue| {
            issue
                .project_id
                .as_deref()
                .and_then(|id| home.project(id))
                .map(|project| Project::of(home, project))
        })
    }

    /// The name an application acted under.
    async fn bot_actor(&self, ctx: &Context<'_>) -> Result<Option<ActorBot>> {
        self.stored(ctx, |_, issue| issue.created_as.as_ref().map(ActorBot::of))
    }

    async fn comments(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<CommentFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<CommentConnection> {
        let _ = include_archived;
        let comments = look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let here = home
                .comments
                .iter()
                .filter(|comment| comment.issue_id == self.id.as_str());
            let here = here.filter(|comment| {
                filter
                    .as_ref()
                    .is_none_or(|filter| filter.lets_through(comment))
            });
            Ok(here.map(|comment| Comment::of(home, comment)).collect())
        })?;
        CommentConnection::of(
            comments,
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

    async fn shared_access(&self) -> IssueSharedAccess {
        IssueSharedAccess::default()
    }

    async fn reactions(&self) -> Vec<Reaction> {
        Vec::new()
    }

    async fn delegate(&self) -> Option<User> {
        None
    }

    async fn snoozed_by(&self) -> Option<User> {
        None
    }

    async fn asks_requester(&self) -> Option<User> {
        None
    }

    async fn asks_external_user_requester(&self) -> Option<ExternalUser> {
        None
    }

    async fn external_user_creator(&self) -> Option<ExternalUser> {
        None
    }

    async fn source_comment(&self) -> Option<Comment> {
        None
    }

    async fn cycle(&self) -> Option<Cycle> {
        None
    }

    async fn parent(&self) -> Option<Issue> {
        None
    }

    async fn project_milestone(&self) -> Option<ProjectMilestone> {
        None
    }

    async fn last_applied_template(&self) -> Option<Template> {
        None
    }

    async fn recurring_issue_template(&self) -> Option<Template> {
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
