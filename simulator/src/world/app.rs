//! The OAuth applications registered with the simulated Linear, each with everything that is its
//! own.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::Person;
use super::dice::named_uuid;
use super::workspace::Workspace;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct App {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    pub webhook_secret: String,
    pub name: String,
    pub developer: String,
    pub developer_url: String,
    pub description: String,
    pub redirect_uris: Vec<String>,
    /// The address that its webhooks are delivered to; none if absent.
    pub webhook_url: Option<String>,
    /// Url key or id of the one workspace that may use it; public if absent.
    pub private_to_workspace: Option<String>,
    /// The installations by workspace: it acts there as itself.
    pub installations: BTreeMap<String, Installation>,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Installation {
    pub bot_user: String,
    pub installed_ms: i64,
    /// Teams an administrator took away from the bot.
    pub removed_teams: Vec<String>,
}

/// A person's own approval, with which the consent page is skipped the next time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Approval {
    pub person: Person,
    pub scopes: Vec<String>,
}

impl App {
    /// Fixed values, so that a demo can be written down; they protect nothing real.
    pub fn demo(redirect_uris: Vec<String>) -> App {
        App {
            id: named_uuid("relink demo application"),
            client_id: "5f0c1d7a9be24c63a8e17f42d90b36ce".into(),
            client_secret: "c3b5e0d7418f4a2e96d1a7b80f52c94e".into(),
            webhook_secret: "lin_wh_Simu1at3dW3bh00kS3cr3tOfTh3D3m0App".into(),
            name: "Relink (demo)".into(),
            developer: "Northwind Labs".into(),
            developer_url: "http://localhost:3000".into(),
            description: "Keeps your Linear workspaces connected.".into(),
            redirect_uris,
            webhook_url: None,
            private_to_workspace: None,
            installations: BTreeMap::new(),
            approvals: Vec::new(),
        }
    }

    /// The application's own account in a workspace: the same one at every installation there.
    pub fn bot_user(&self, workspace: &str) -> String {
        named_uuid(&format!("{}/{workspace}/bot", self.id))
    }

    /// Makes the address of the bot user, which carries the application's id.
    pub fn bot_email(&self) -> String {
        format!("{}@oauthapp.linear.app", self.id)
    }

    /// One webhook in each workspace, however often the application is installed there.
    pub fn webhook_id(&self, workspace: &str) -> String {
        named_uuid(&format!("{}/{workspace}/webhook", self.id))
    }

    pub fn is_installed(&self, workspace: &str) -> bool {
        self.installations.contains_key(workspace)
    }

    pub fn may_be_used_in(&self, workspace: &Workspace) -> bool {
        self.private_to_workspace
            .as_ref()
            .is_none_or(|owner| *owner == workspace.url_key || *owner == workspace.id)
    }

    pub fn is_approved(&self, person: &Person, scopes: &[String]) -> bool {
        let covers =
            |approval: &Approval| scopes.iter().all(|scope| approval.scopes.contains(scope));
        self.approvals
            .iter()
            .any(|approval| approval.person == *person && covers(approval))
    }

    pub fn remember_approval(&mut self, person: Person, scopes: &[String]) {
        match self
            .approvals
            .iter_mut()
            .find(|approval| approval.person == person)
        {
            Some(approval) => {
                approval.scopes.extend(scopes.iter().cloned());
                approval.scopes.sort();
                approval.scopes.dedup();
            }
            None => self.approvals.push(Approval {
                person,
                scopes: scopes.to_vec(),
            }),
        }
    }
}

/// The addresses of the demo application when nobody says otherwise.
pub fn demo_redirect_uris() -> Vec<String> {
    ["http://localhost:3000", "http://127.0.0.1:3000"]
        .map(|base| format!("{base}/oauth/linear/callback"))
        .to_vec()
}

/// Reads the applications. There is always a first one, so a list without one is damaged.
pub fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<App>, D::Error> {
    let apps = Vec::<App>::deserialize(deserializer)?;
    if apps.is_empty() {
        Err(serde::de::Error::custom("there is no application"))
    } else {
        Ok(apps)
    }
}
