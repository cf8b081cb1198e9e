//! The OAuth application the operator registered with the simulated Linear.

use serde::{Deserialize, Serialize};

use super::dice::named_uuid;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OAuthApp {
    pub id: String,
    pub client_id: String,
    pub client_secret: String,
    pub webhook_secret: String,
    pub name: String,
    pub developer: String,
    pub developer_url: String,
    pub description: String,
    pub redirect_uris: Vec<String>,
}

impl OAuthApp {
    /// Fixed values, so that a demo can be written down; they protect nothing real.
    pub fn demo(redirect_uris: Vec<String>) -> OAuthApp {
        OAuthApp {
            id: named_uuid("relink demo application"),
            client_id: "5f0c1d7a9be24c63a8e17f42d90b36ce".into(),
            client_secret: "c3b5e0d7418f4a2e96d1a7b80f52c94e".into(),
            webhook_secret: "lin_wh_Simu1at3dW3bh00kS3cr3tOfTh3D3m0App".into(),
            name: "Relink (demo)".into(),
            developer: "Your own organisation".into(),
            developer_url: "http://localhost:3000".into(),
            description: "Keeps your Linear workspaces connected.".into(),
            redirect_uris,
        }
    }

    /// Bot users carry the application's id in their address.
    pub fn bot_email(&self) -> String {
        format!("{}@oauthapp.linear.app", self.id)
    }
}

/// Where the demo application lives when nobody says otherwise.
pub fn demo_redirect_uris() -> Vec<String> {
    ["http://localhost:3000", "http://127.0.0.1:3000"].map(|base| format!("{base}/oauth/linear/callback")).to_vec()
}
