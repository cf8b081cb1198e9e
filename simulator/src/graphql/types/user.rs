//! Users: filled from the world, and what they lead to.

// The published schema gives every connection its own long list of arguments.
#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{ComplexObject, Context, Result};

use super::enums::PaginationOrderBy;
pub use super::fields::user::User;
use super::issue::{Issue, IssueConnection};
use super::organization::Organization;
use super::team::{Team, TeamConnection};
use crate::graphql::caller::{Caller, look};
use crate::graphql::filter::{IssueFilter, TeamFilter};
use crate::graphql::paging::{Window, connection};
use crate::graphql::scalars::DateTime;
use crate::world::workspace::{self, Role, Workspace};

connection!(UserConnection, UserEdge, User);

impl User {
    pub fn of(home: &Workspace, user: &workspace::User, caller: &Caller) -> User {
        let person = !user.is_app();
        User {
            active: user.active,
            admin: user.is_admin(),
            app: user.is_app(),
            avatar_background_color: "#5e6ad2".into(),
            can_access_any_public_team: user.role != Role::Guest,
            created_at: DateTime(user.created_ms),
            created_issue_count: count(
                home.issues
                    .iter()
                    .filter(|issue| issue.creator_id == user.id),
            ),
            disable_reason: (!user.active).then(|| "suspended".into()),
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            guest: user.role == Role::Guest,
            id: user.id.clone().into(),
            initials: user
                .name
                .split(' ')
                .filter_map(|word| word.chars().next())
                .take(2)
                .collect(),
            is_assignable: person && user.active,
            is_me: user.id == caller.user,
            is_mentionable: user.active,
            name: user.name.clone(),
            owner: user.role == Role::Owner,
            timezone: person.then(|| "Europe/Lisbon".into()),
            updated_at: DateTime(user.updated_ms),
            url: home.url(&format!("profiles/{}", user.display_name)),
            ..User::default()
        }
    }
}

pub fn count<T>(items: impl Iterator<Item = T>) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

#[ComplexObject]
impl User {
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        look(ctx, |world, caller| {
            Ok(Organization::of(caller.home(world)?))
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

    async fn assigned_issues(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<IssueFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<IssueConnection> {
        let mine =
            |issue: &workspace::Issue| issue.assignee_id.as_deref() == Some(self.id.as_str());
        let issues = Issue::all(ctx, filter.as_ref(), include_archived, mine)?;
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

    async fn created_issues(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        filter: Option<IssueFilter>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<IssueConnection> {
        let mine = |issue: &workspace::Issue| issue.creator_id == self.id.as_str();
        let issues = Issue::all(ctx, filter.as_ref(), include_archived, mine)?;
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
