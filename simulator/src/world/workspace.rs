//! The content of a Linear workspace: people, teams, projects, issues, comments.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    pub id: String,
    pub name: String,
    pub url_key: String,
    pub previous_url_keys: Vec<String>,
    pub created_ms: i64,
    pub users: Vec<User>,
    pub teams: Vec<Team>,
    pub projects: Vec<Project>,
    pub issues: Vec<Issue>,
    pub comments: Vec<Comment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Member,
    Guest,
    /// An application's or integration's own account.
    App,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub role: Role,
    pub active: bool,
    pub created_ms: i64,
    pub updated_ms: i64,
}

impl User {
    pub fn is_admin(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
    }

    pub fn is_app(&self) -> bool {
        self.role == Role::App
    }

    pub fn can_sign_in(&self) -> bool {
        self.active && !self.is_app()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Team {
    pub id: String,
    pub key: String,
    pub name: String,
    pub private: bool,
    pub created_ms: i64,
    pub next_number: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Project {
    pub id: String,
    pub name: String,
    pub slug_id: String,
    pub description: String,
    pub team_ids: Vec<String>,
    pub lead_id: Option<String>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Issue {
    pub id: String,
    pub team_id: String,
    pub number: u32,
    pub identifier: String,
    pub title: String,
    pub description: Option<String>,
    pub priority: i32,
    pub state: String,
    pub assignee_id: Option<String>,
    pub project_id: Option<String>,
    pub creator_id: String,
    /// The name and icon an application acted under, if it gave one.
    pub created_as: Option<CreatedAs>,
    pub trashed: bool,
    pub created_ms: i64,
    pub updated_ms: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedAs {
    pub name: String,
    pub icon_url: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comment {
    pub id: String,
    pub issue_id: String,
    pub body: String,
    pub user_id: String,
    pub created_as: Option<CreatedAs>,
    pub created_ms: i64,
}

impl Workspace {
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub fn user_by_id_or_email(&self, key: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.id == key || user.email == key)
    }

    pub fn first_admin(&self) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.is_admin() && user.can_sign_in())
    }

    pub fn team(&self, id_or_key: &str) -> Option<&Team> {
        self.teams
            .iter()
            .find(|team| team.id == id_or_key || team.key == id_or_key)
    }

    pub fn project(&self, id_or_slug: &str) -> Option<&Project> {
        self.projects
            .iter()
            .find(|project| project.id == id_or_slug || project.slug_id == id_or_slug)
    }

    pub fn issue(&self, id_or_identifier: &str) -> Option<&Issue> {
        self.issues
            .iter()
            .find(|issue| issue.id == id_or_identifier || issue.identifier == id_or_identifier)
    }

    pub fn url(&self, rest: &str) -> String {
        format!("https://linear.app/{}/{rest}", self.url_key)
    }
}
