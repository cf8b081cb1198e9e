//! Issues as webhooks tell of them.

use serde_json::{Value, json};

use super::World;
use super::events::{Event, person_json};
use super::issues::{STATES, issue_url, priority_label, state_id};
use super::workspace::{Issue, User, Workspace};
use crate::stamp::iso;

impl World {
    pub(super) fn emit_issue(
        &mut self,
        workspace: &str,
        by: &str,
        action: &str,
        issue: &Issue,
        before: Option<&Issue>,
    ) {
        let Some(home) = self.workspace(workspace) else {
            return;
        };
        let mut fields = vec![
            ("actor", self.actor_json(workspace, by)),
            ("data", issue_json(home, issue)),
            ("url", json!(issue_url(home, issue))),
        ];
        fields.extend(before.map(|before| ("updatedFrom", updated_from(before, issue))));
        self.emit(workspace, &Event::new("Issue", action, fields));
    }

    /// The one who did it: a person, or an application as itself.
    pub(super) fn actor_json(&self, workspace: &str, by: &str) -> Value {
        let Some(home) = self.workspace(workspace) else {
            return Value::Null;
        };
        if let Some(app) = self.apps.iter().find(|app| app.bot_user(workspace) == by) {
            return json!({"id": app.client_id, "name": app.name, "type": "oauthClient"});
        }
        home.user(by).map_or(Value::Null, |user| {
            with_type(person_json(home, user), "user")
        })
    }
}

fn with_type(mut actor: Value, kind: &str) -> Value {
    actor["type"] = json!(kind);
    actor
}

fn updated_from(before: &Issue, after: &Issue) -> Value {
    let mut changed = serde_json::Map::new();
    let mut note = |name: &str, differs: bool, value: Value| {
        if differs {
            changed.insert(name.to_owned(), value);
        }
    };
    note("updatedAt", true, json!(iso(before.updated_ms)));
    note("title", before.title != after.title, json!(before.title));
    note(
        "description",
        before.description != after.description,
        json!(before.description),
    );
    note(
        "priority",
        before.priority != after.priority,
        json!(before.priority),
    );
    note(
        "assigneeId",
        before.assignee_id != after.assignee_id,
        json!(before.assignee_id),
    );
    note(
        "projectId",
        before.project_id != after.project_id,
        json!(before.project_id),
    );
    note(
        "stateId",
        before.state != after.state,
        json!(state_id(&before.team_id, &before.state)),
    );
    Value::Object(changed)
}

fn issue_json(workspace: &Workspace, issue: &Issue) -> Value {
    let child = |user: &User| json!({"id": user.id, "name": user.name, "email": user.email});
    let person = |id: &str| workspace.user(id).map(child);
    let team = workspace
        .team(&issue.team_id)
        .map(|team| json!({"id": team.id, "key": team.key, "name": team.name}));
    let state = STATES
        .iter()
        .find(|(name, ..)| *name == issue.state)
        .copied()
        .unwrap_or(STATES[0]);
    json!({
        "id": issue.id, "createdAt": iso(issue.created_ms), "updatedAt": iso(issue.updated_ms),
        "number": issue.number, "title": issue.title, "description": issue.description,
        "identifier": issue.identifier, "priority": issue.priority,
        "priorityLabel": priority_label(issue.priority),
        "prioritySortOrder": 0, "sortOrder": 0, "url": issue_url(workspace, issue),
        "labelIds": [], "labels": [], "previousIdentifiers": [], "reactionData": [],
        "subscriberIds": [],
        "teamId": issue.team_id, "team": team, "projectId": issue.project_id,
        "assigneeId": issue.assignee_id, "assignee": issue.assignee_id.as_deref().and_then(person),
        "creatorId": issue.creator_id, "creator": person(&issue.creator_id),
        "stateId": state_id(&issue.team_id, state.0),
        "state": {"id": state_id(&issue.team_id, state.0), "name": state.0, "type": state.1,
            "color": state.2},
    })
}
