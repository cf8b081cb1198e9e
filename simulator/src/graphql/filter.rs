//! The filters, as far as the published ones are supported here.

use async_graphql::{InputObject, Result};

use super::caller::Caller;
use super::comparators::{BooleanComparator, IdComparator, NumberComparator, StringComparator};
use super::types::user::User;
use crate::world::workspace::{Comment, Issue, Project, Team, Workspace};

/// `and`, `or`, and every comparator that was given.
macro_rules! fits {
    ($filter:expr, $test:ident($($argument:expr),*), $($field:ident => $value:expr),+ $(,)?) => {
        $($filter.$field.as_ref().is_none_or(|comparator| comparator.fits($value)) &&)+
        $filter.and.as_ref().is_none_or(|all| all.iter().all(|one| one.$test($($argument),*)))
            && $filter.or.as_ref().is_none_or(|any| any.iter().any(|one| one.$test($($argument),*)))
    };
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct UserFilter {
    active: Option<BooleanComparator>,
    admin: Option<BooleanComparator>,
    and: Option<Vec<UserFilter>>,
    app: Option<BooleanComparator>,
    display_name: Option<StringComparator>,
    email: Option<StringComparator>,
    id: Option<IdComparator>,
    is_me: Option<BooleanComparator>,
    name: Option<StringComparator>,
    or: Option<Vec<UserFilter>>,
    owner: Option<BooleanComparator>,
}

impl UserFilter {
    pub fn lets_through(&self, user: &User) -> bool {
        fits!(
            self, lets_through(user),
            active => user.active,
            admin => user.admin,
            app => user.app,
            owner => user.owner,
            is_me => user.is_me,
            display_name => &user.display_name,
            email => &user.email,
            name => &user.name,
            id => user.id.as_str(),
        )
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct TeamFilter {
    and: Option<Vec<TeamFilter>>,
    id: Option<IdComparator>,
    key: Option<StringComparator>,
    name: Option<StringComparator>,
    or: Option<Vec<TeamFilter>>,
    private: Option<BooleanComparator>,
}

impl TeamFilter {
    pub fn lets_through(&self, team: &Team) -> bool {
        fits!(
            self, lets_through(team),
            id => &team.id,
            key => &team.key,
            name => &team.name,
            private => team.private,
        )
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct ProjectFilter {
    and: Option<Vec<ProjectFilter>>,
    id: Option<IdComparator>,
    name: Option<StringComparator>,
    or: Option<Vec<ProjectFilter>>,
    slug_id: Option<StringComparator>,
}

impl ProjectFilter {
    pub fn lets_through(&self, project: &Project) -> bool {
        fits!(
            self, lets_through(project),
            id => &project.id,
            name => &project.name,
            slug_id => &project.slug_id,
        )
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct IssueFilter {
    and: Option<Vec<IssueFilter>>,
    number: Option<NumberComparator>,
    or: Option<Vec<IssueFilter>>,
    team: Option<TeamFilter>,
    title: Option<StringComparator>,
}

impl IssueFilter {
    pub fn lets_through(&self, issue: &Issue, team: &Team) -> bool {
        self.team
            .as_ref()
            .is_none_or(|filter| filter.lets_through(team))
            && fits!(
                self, lets_through(issue, team),
                number => f64::from(issue.number),
                title => &issue.title,
            )
    }
}

#[derive(InputObject, Clone, Debug, Default)]
pub struct CommentFilter {
    and: Option<Vec<CommentFilter>>,
    body: Option<StringComparator>,
    id: Option<IdComparator>,
    or: Option<Vec<CommentFilter>>,
}

impl CommentFilter {
    pub fn lets_through(&self, comment: &Comment) -> bool {
        fits!(self, lets_through(comment), body => &comment.body, id => &comment.id)
    }
}

/// Users as the caller sees them, disabled ones only when asked for.
pub fn users(
    home: &Workspace,
    caller: &Caller,
    filter: Option<&UserFilter>,
    include_disabled: Option<bool>,
) -> Result<Vec<User>> {
    let shown = home
        .users
        .iter()
        .filter(|user| user.active || include_disabled == Some(true));
    let shown = shown.map(|user| User::of(home, user, caller));
    Ok(shown
        .filter(|user| filter.is_none_or(|filter| filter.lets_through(user)))
        .collect())
}
