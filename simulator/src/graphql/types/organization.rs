//! The workspace itself.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection's arguments are the published schema's"
)]

use async_graphql::{ComplexObject, Context, Result};

use super::absent::{Integration, PaidSubscription};
use super::enums::PaginationOrderBy;
pub use super::fields::organization::Organization;
use super::project::ProjectStatus;
use super::team::{Team, TeamConnection};
use super::user::{User, UserConnection, count};
use crate::graphql::caller::look;
use crate::graphql::filter::TeamFilter;
use crate::graphql::paging::Window;
use crate::graphql::scalars::DateTime;
use crate::world::workspace::Workspace;

impl Organization {
    pub fn of(home: &Workspace) -> Organization {
        Organization {
            allowed_auth_services: vec!["google".into(), "email".into()],
            allowed_file_upload_content_types: None,
            created_at: DateTime(home.created_ms),
            created_issue_count: count(home.issues.iter()),
            feed_enabled: true,
            id: home.id.clone().into(),
            name: home.name.clone(),
            previous_url_keys: home.previous_url_keys.clone(),
            pull_request_issue_mode: "issue".into(),
            roadmap_enabled: true,
            slack_project_channel_prefix: "project-".into(),
            updated_at: DateTime(home.created_ms),
            url_key: home.url_key.clone(),
            user_count: count(home.users.iter().filter(|user| user.can_sign_in())),
            working_days: vec![1.0, 2.0, 3.0, 4.0, 5.0],
            ..Organization::default()
        }
    }
}

#[ComplexObject]
impl Organization {
    async fn subscription(&self) -> Option<PaidSubscription> {
        None
    }

    async fn project_statuses(&self) -> Vec<ProjectStatus> {
        vec![ProjectStatus::of(self.id.as_str())]
    }

    async fn slack_project_channel_integration(&self) -> Option<Integration> {
        None
    }

    async fn users(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        include_disabled: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<UserConnection> {
        let _ = include_archived;
        let users = look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let shown = home
                .users
                .iter()
                .filter(|user| user.active || include_disabled == Some(true));
            Ok(shown.map(|user| User::of(home, user, caller)).collect())
        })?;
        UserConnection::of(
            users,
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
}
