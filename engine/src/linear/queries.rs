//! The questions that Relink asks Linear. Every query is valid by Linear's published schema.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{CallError, Linear, LinearPerson};
use crate::connection::state::{Viewer, Workspace};

/// The user and the workspace of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub viewer: Viewer,
    pub workspace: Workspace,
}

/// The person whose token it is, and the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoAmI {
    pub person: LinearPerson,
    pub workspace: Workspace,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Team {
    pub key: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub name: String,
    pub url: String,
    /// Name of its first team.
    pub team: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub teams: Vec<Team>,
    pub projects: Vec<Project>,
    /// There is more than one page of either.
    pub truncated: bool,
}

const IDENTITY: &str = "query RelinkIdentity { viewer { id name } organization { id name urlKey \
    logoUrl } }";

const WHO_AM_I: &str = "query RelinkWhoAmI { viewer { id name email avatarUrl guest app active } \
    organization { id name urlKey logoUrl } }";

const CONTENT: &str = "query RelinkContent { \
    teams(first: 100) { nodes { key name } pageInfo { hasNextPage } } \
    projects(first: 100) { nodes { name url teams(first: 1) { nodes { key name } } } pageInfo { \
    hasNextPage } } }";

const APPLICATION: &str = "query RelinkApplication($client: String!) { applicationInfo(clientId: \
    $client) { id } }";

impl Linear {
    /// Linear's id of the application with this client id.
    pub async fn application(
        &self,
        token: &SecretString,
        client_id: &str,
    ) -> Result<String, CallError> {
        let reply: ApplicationReply = self
            .ask(token, APPLICATION, json!({ "client": client_id }))
            .await?;
        Ok(reply.application_info.id)
    }

    /// Asks who and which workspace a token stands for; the token endpoint does not say.
    pub async fn identity(&self, token: &SecretString) -> Result<Identity, CallError> {
        let reply: IdentityReply = self.ask(token, IDENTITY, json!({})).await?;
        let viewer = Viewer {
            id: reply.viewer.id,
            name: reply.viewer.name,
        };
        Ok(Identity {
            viewer,
            workspace: reply.organization.into(),
        })
    }

    /// Asks who somebody is, with a token that they gave for nothing else.
    pub async fn who_am_i(&self, token: &SecretString) -> Result<WhoAmI, CallError> {
        let reply: WhoAmIReply = self.ask(token, WHO_AM_I, json!({})).await?;
        Ok(WhoAmI {
            person: reply.viewer,
            workspace: reply.organization.into(),
        })
    }

    /// The first hundred teams and projects.
    pub async fn content(&self, token: &SecretString) -> Result<Content, CallError> {
        let reply: ContentReply = self.ask(token, CONTENT, json!({})).await?;
        let truncated =
            reply.teams.page_info.has_next_page || reply.projects.page_info.has_next_page;
        let projects = reply.projects.nodes.into_iter().map(|project| Project {
            name: project.name,
            url: project.url,
            team: project.teams.nodes.into_iter().next().map(|team| team.name),
        });
        Ok(Content {
            projects: projects.collect(),
            teams: reply.teams.nodes,
            truncated,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApplicationReply {
    application_info: Application,
}

#[derive(Deserialize)]
struct Application {
    id: String,
}

#[derive(Deserialize)]
struct IdentityReply {
    viewer: ViewerReply,
    organization: OrganizationReply,
}

#[derive(Deserialize)]
struct WhoAmIReply {
    viewer: LinearPerson,
    organization: OrganizationReply,
}

#[derive(Deserialize)]
struct ViewerReply {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationReply {
    id: String,
    name: String,
    url_key: String,
    logo_url: Option<String>,
}

impl From<OrganizationReply> for Workspace {
    fn from(reply: OrganizationReply) -> Workspace {
        Workspace {
            id: reply.id,
            name: reply.name,
            url_key: reply.url_key,
            logo_url: reply.logo_url,
        }
    }
}

#[derive(Deserialize)]
struct ContentReply {
    teams: Page<Team>,
    projects: Page<ProjectReply>,
}

#[derive(Deserialize)]
struct ProjectReply {
    name: String,
    url: String,
    teams: Nodes<Team>,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}
