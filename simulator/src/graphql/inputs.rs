//! The arguments of mutations. Fields the simulation does nothing with are not taken, rather than
//! ignored.

use async_graphql::{InputObject, MaybeUndefined, Result};

use super::caller::Caller;
use super::failure::input_error;
use crate::world::grants::Actor;
use crate::world::issues::{IssueChange, NewComment, NewIssue};
use crate::world::workspace::CreatedAs;

#[derive(InputObject, Clone, Debug)]
pub struct IssueCreateInput {
    assignee_id: Option<String>,
    create_as_user: Option<String>,
    description: Option<String>,
    display_icon_url: Option<String>,
    id: Option<String>,
    priority: Option<i32>,
    project_id: Option<String>,
    state_id: Option<String>,
    team_id: String,
    title: Option<String>,
}

#[derive(InputObject, Clone, Debug)]
pub struct IssueUpdateInput {
    assignee_id: MaybeUndefined<String>,
    description: MaybeUndefined<String>,
    priority: Option<i32>,
    project_id: MaybeUndefined<String>,
    state_id: Option<String>,
    title: Option<String>,
    trashed: Option<bool>,
}

#[derive(InputObject, Clone, Debug)]
pub struct CommentCreateInput {
    body: Option<String>,
    create_as_user: Option<String>,
    display_icon_url: Option<String>,
    id: Option<String>,
    issue_id: Option<String>,
}

#[derive(InputObject, Clone, Debug)]
pub struct WebhookCreateInput {
    pub all_public_teams: Option<bool>,
    #[graphql(default_with = "Some(true)")]
    pub enabled: Option<bool>,
    pub id: Option<String>,
    pub label: Option<String>,
    pub resource_types: Vec<String>,
    pub secret: Option<String>,
    pub team_id: Option<String>,
    pub url: String,
}

/// Another name and icon are for applications that act as themselves, and the icon only with the
/// name.
fn created_as(
    caller: &Caller,
    name: Option<String>,
    icon_url: Option<String>,
) -> Result<Option<CreatedAs>> {
    match (name, icon_url) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(input_error(
            "displayIconUrl can only be used together with createAsUser",
        )),
        (Some(_), _) if caller.actor != Actor::App => Err(input_error(
            "createAsUser can only be used by applications authorized with actor=app",
        )),
        (Some(name), icon_url) => Ok(Some(CreatedAs { name, icon_url })),
    }
}

fn priority(priority: Option<i32>) -> Result<Option<i32>> {
    match priority {
        Some(level) if !(0..=4).contains(&level) => {
            Err(input_error("priority must be between 0 and 4"))
        }
        other => Ok(other),
    }
}

impl IssueCreateInput {
    pub fn read(self, caller: &Caller) -> Result<NewIssue> {
        let title = self.title.filter(|title| !title.trim().is_empty());
        Ok(NewIssue {
            id: self.id,
            team: self.team_id,
            title: title.ok_or_else(|| input_error("title must not be empty"))?,
            description: self.description,
            priority: priority(self.priority)?,
            assignee: self.assignee_id,
            project: self.project_id,
            state: self.state_id,
            created_as: created_as(caller, self.create_as_user, self.display_icon_url)?,
        })
    }
}

/// Reads a change; one that is left out changes nothing. Null: emptied.
fn change_of(given: MaybeUndefined<String>) -> Option<Option<String>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl IssueUpdateInput {
    pub fn read(self) -> Result<IssueChange> {
        Ok(IssueChange {
            title: self.title,
            description: change_of(self.description),
            priority: priority(self.priority)?,
            assignee: change_of(self.assignee_id),
            project: change_of(self.project_id),
            state: self.state_id,
            trashed: self.trashed,
        })
    }
}

impl CommentCreateInput {
    pub fn read(self, caller: &Caller) -> Result<NewComment> {
        Ok(NewComment {
            id: self.id,
            issue: self
                .issue_id
                .ok_or_else(|| input_error("issueId must be given"))?,
            body: self.body.ok_or_else(|| input_error("body must be given"))?,
            created_as: created_as(caller, self.create_as_user, self.display_icon_url)?,
        })
    }
}
