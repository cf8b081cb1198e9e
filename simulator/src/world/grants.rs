//! Authorisations and the codes and tokens that stand for them.

use serde::{Deserialize, Serialize};

/// The one who acts with a token: the person who approved, or the application itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    User,
    App,
}

/// One approval that was redeemed for tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    /// The application it was given to.
    pub client_id: String,
    pub workspace: String,
    pub actor: Actor,
    /// The user who acts: the application's bot user or the person.
    pub user: String,
    pub authorised_by: String,
    pub scopes: Vec<String>,
    /// Made with a PKCE challenge: the client secret is then optional.
    pub pkce: bool,
    pub created_ms: i64,
    pub ended: bool,
    /// The pair handed out last. Both revoked means that the grant is over.
    pub current_access: Option<String>,
    pub current_refresh: Option<String>,
    pub counts: GrantCounts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantCounts {
    /// Refresh requests that named one of this grant's tokens.
    pub refreshes: u64,
    /// Requests that minted a new pair.
    pub rotations: u64,
    /// Requests answered with the pair already minted.
    pub replays: u64,
    /// Requests refused with `invalid_grant`.
    pub refused: u64,
}

impl GrantCounts {
    pub(crate) fn plus(self, other: &GrantCounts) -> GrantCounts {
        GrantCounts {
            refreshes: self.refreshes + other.refreshes,
            rotations: self.rotations + other.rotations,
            replays: self.replays + other.replays,
            refused: self.refused + other.refused,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessToken {
    pub grant: String,
    pub expires_ms: i64,
    pub revoked: bool,
    /// The grant is from before refresh tokens: ten years, can only be migrated.
    pub legacy: bool,
}

impl AccessToken {
    pub fn is_live(&self, now: i64) -> bool {
        !self.revoked && now < self.expires_ms
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshToken {
    pub grant: String,
    pub issued_ms: i64,
    pub state: RefreshState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    Live,
    /// Redeemed once. For a while the same request is answered with the same successors.
    Spent {
        at_ms: i64,
        access: String,
        refresh: String,
    },
    Revoked,
}

/// The request of a client at the authorize page, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub state: Option<String>,
    pub actor: Actor,
    pub force_consent: bool,
    pub code_challenge: Option<String>,
}

/// A consent page that waits for its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub request: AuthorizeRequest,
    pub created_ms: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    pub request: AuthorizeRequest,
    pub workspace: String,
    pub user: String,
    pub created_ms: i64,
    pub used: bool,
}
