//! Issues and comments: what may be created, and which event that causes.

use serde_json::json;

use super::World;
use super::dice::is_uuid_v4;
use super::events::Event;
use super::workspace::{Comment, CreatedAs, Issue, Workspace};
use crate::stamp::iso;

pub const STATES: [(&str, &str, &str); 5] = [
    ("Backlog", "backlog", "#bec2c8"),
    ("Todo", "unstarted", "#e2e2e2"),
    ("In Progress", "started", "#f2c94c"),
    ("Done", "completed", "#5e6ad2"),
    ("Canceled", "canceled", "#95a2b3"),
];

/// Issues kept per workspace; a benchmark must not eat the machine.
const ISSUES_MAX: usize = 10_000;

#[derive(Clone, Debug, Default)]
pub struct NewIssue {
    pub id: Option<String>,
    pub team: String,
    pub title: String,
    pub description: Option<String>,
    pub priority: Option<i32>,
    pub assignee: Option<String>,
    pub project: Option<String>,
    pub state: Option<String>,
    pub created_as: Option<CreatedAs>,
}

#[derive(Clone, Debug, Default)]
pub struct IssueChange {
    pub title: Option<String>,
    /// `Some(None)` empties it.
    pub description: Option<Option<String>>,
    pub priority: Option<i32>,
    pub assignee: Option<Option<String>>,
    pub project: Option<Option<String>>,
    pub state: Option<String>,
    pub trashed: Option<bool>,
}

#[derive(Clone, Debug)]
pub struct NewComment {
    pub id: Option<String>,
    pub issue: String,
    pub body: String,
    pub created_as: Option<CreatedAs>,
}

/// The reason why something could not be created or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound(&'static str),
    Invalid(String),
}

/// The id of one of a team's states, as the GraphQL API names it.
pub fn state_id(team: &str, state: &str) -> String {
    super::dice::named_uuid(&format!("{team}/state/{state}"))
}

fn check_new_id(
    id: Option<&String>,
    taken: impl Fn(&str) -> bool,
    entity: &str,
) -> Result<(), Refusal> {
    match id {
        Some(id) if !is_uuid_v4(id) => Err(Refusal::Invalid("id must be a UUID".into())),
        Some(id) if taken(id) => Err(Refusal::Invalid(format!(
            "{entity} with this id already exists: {id}"
        ))),
        _ => Ok(()),
    }
}

fn check_links(
    workspace: &Workspace,
    assignee: Option<&String>,
    project: Option<&String>,
) -> Result<(), Refusal> {
    if assignee.is_some_and(|id| workspace.user(id).is_none()) {
        return Err(Refusal::NotFound("User"));
    }
    if project.is_some_and(|id| workspace.project(id).is_none()) {
        return Err(Refusal::NotFound("Project"));
    }
    Ok(())
}

fn state_named(team: &str, id: &str) -> Result<String, Refusal> {
    let found = STATES.iter().find(|(name, ..)| state_id(team, name) == id);
    found
        .map(|(name, ..)| (*name).to_owned())
        .ok_or(Refusal::NotFound("WorkflowState"))
}

impl World {
    pub fn create_issue(
        &mut self,
        workspace: &str,
        by: &str,
        new: NewIssue,
    ) -> Result<Issue, Refusal> {
        let now = self.now();
        let fresh_id = self.dice.uuid();
        let home = self
            .workspace_mut(workspace)
            .ok_or(Refusal::NotFound("Organization"))?;
        check_new_id(new.id.as_ref(), |id| home.issue(id).is_some(), "Issue")?;
        check_links(home, new.assignee.as_ref(), new.project.as_ref())?;
        let team = home
            .teams
            .iter_mut()
            .find(|team| team.id == new.team)
            .ok_or(Refusal::NotFound("Team"))?;
        let state = new
            .state
            .map_or(Ok("Backlog".to_owned()), |id| state_named(&team.id, &id))?;
        let issue = Issue {
            id: new.id.unwrap_or(fresh_id),
            team_id: team.id.clone(),
            number: team.next_number,
            identifier: format!("{}-{}", team.key, team.next_number),
            title: new.title,
            description: new.description,
            priority: new.priority.unwrap_or(0),
            state,
            assignee_id: new.assignee,
            project_id: new.project,
            creator_id: by.to_owned(),
            created_as: new.created_as,
            trashed: false,
            created_ms: now,
            updated_ms: now,
        };
        team.next_number += 1;
        if home.issues.len() >= ISSUES_MAX {
            home.issues.remove(0);
        }
        home.issues.push(issue.clone());
        self.emit_issue(workspace, by, "create", &issue, None);
        Ok(issue)
    }

    pub fn update_issue(
        &mut self,
        workspace: &str,
        by: &str,
        id: &str,
        change: IssueChange,
    ) -> Result<Issue, Refusal> {
        let now = self.now();
        let home = self
            .workspace_mut(workspace)
            .ok_or(Refusal::NotFound("Organization"))?;
        check_links(
            home,
            change.assignee.iter().flatten().next(),
            change.project.iter().flatten().next(),
        )?;
        let issue = home
            .issues
            .iter_mut()
            .find(|issue| issue.id == id || issue.identifier == id);
        let issue = issue.ok_or(Refusal::NotFound("Issue"))?;
        let state = change
            .state
            .as_ref()
            .map(|state| state_named(&issue.team_id, state))
            .transpose()?;
        let before = issue.clone();
        issue.title = change.title.unwrap_or(before.title.clone());
        issue.description = change.description.unwrap_or(before.description.clone());
        issue.priority = change.priority.unwrap_or(before.priority);
        issue.assignee_id = change.assignee.unwrap_or(before.assignee_id.clone());
        issue.project_id = change.project.unwrap_or(before.project_id.clone());
        issue.state = state.unwrap_or(before.state.clone());
        issue.trashed = change.trashed.unwrap_or(before.trashed);
        issue.updated_ms = now;
        let after = issue.clone();
        self.emit_issue(workspace, by, "update", &after, Some(&before));
        Ok(after)
    }

    pub fn remove_issue(&mut self, workspace: &str, by: &str, id: &str) -> Result<Issue, Refusal> {
        let home = self
            .workspace_mut(workspace)
            .ok_or(Refusal::NotFound("Organization"))?;
        let at = home
            .issues
            .iter()
            .position(|issue| issue.id == id || issue.identifier == id);
        let issue = home.issues.remove(at.ok_or(Refusal::NotFound("Issue"))?);
        self.emit_issue(workspace, by, "remove", &issue, None);
        Ok(issue)
    }

    pub fn create_comment(
        &mut self,
        workspace: &str,
        by: &str,
        new: NewComment,
    ) -> Result<Comment, Refusal> {
        let now = self.now();
        let fresh_id = self.dice.uuid();
        let home = self
            .workspace_mut(workspace)
            .ok_or(Refusal::NotFound("Organization"))?;
        check_new_id(
            new.id.as_ref(),
            |id| home.comments.iter().any(|comment| comment.id == id),
            "Comment",
        )?;
        let issue = home.issue(&new.issue).ok_or(Refusal::NotFound("Issue"))?;
        let comment = Comment {
            id: new.id.unwrap_or(fresh_id),
            issue_id: issue.id.clone(),
            body: new.body,
            user_id: by.to_owned(),
            created_as: new.created_as,
            created_ms: now,
        };
        let url = format!("{}#comment-{}", issue_url(home, issue), &comment.id[..8]);
        if home.comments.len() >= ISSUES_MAX {
            home.comments.remove(0);
        }
        home.comments.push(comment.clone());
        let data = json!({
            "id": comment.id, "createdAt": iso(now), "updatedAt": iso(now), "body": comment.body,
            "issueId": comment.issue_id, "userId": by, "reactionData": [],
        });
        let fields = vec![
            ("actor", self.actor_json(workspace, by)),
            ("data", data),
            ("url", json!(url)),
        ];
        self.emit(workspace, &Event::new("Comment", "create", fields));
        Ok(comment)
    }
}

pub fn issue_url(workspace: &Workspace, issue: &Issue) -> String {
    workspace.url(&format!("issue/{}", issue.identifier))
}

pub fn priority_label(priority: i32) -> &'static str {
    match priority {
        1 => "Urgent",
        2 => "High",
        3 => "Medium",
        4 => "Low",
        _ => "No priority",
    }
}
