//! Faults a test queues: what goes wrong at which endpoint, how often, and for which requests.

pub mod apply;
pub(crate) mod outcome;
pub mod reply;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Migrate,
    Graphql,
    Upload,
}

impl Endpoint {
    pub fn name(self) -> &'static str {
        match self {
            Endpoint::Authorize => "authorize",
            Endpoint::Token => "token",
            Endpoint::Revoke => "revoke",
            Endpoint::Migrate => "migrate",
            Endpoint::Graphql => "graphql",
            Endpoint::Upload => "upload",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    // Instead of processing the request:
    Status,
    #[serde(rename = "html_500")]
    Html500,
    InvalidClient,
    InvalidGrant,
    RateLimited,
    AuthError,
    Hang,
    ConnectionReset,
    Redirect,
    // Before processing it:
    Delay,
    // After processing it:
    DropReply,
    DelayReply,
    GarbageJson,
    NoExpiresIn,
    NoRefreshToken,
    HugeBody,
    /// The answer names the refresh token that was shown instead of the new one.
    SameRefreshToken,
    /// `fields` take the place of the answer's own.
    OddFields,
}

impl Kind {
    /// The request is worked on, with all its effects, before the fault shows.
    pub fn lets_through(self) -> bool {
        use Kind::{
            Delay, DelayReply, DropReply, GarbageJson, HugeBody, NoExpiresIn, NoRefreshToken,
            OddFields, SameRefreshToken,
        };
        matches!(
            self,
            Delay
                | DelayReply
                | DropReply
                | GarbageJson
                | HugeBody
                | NoExpiresIn
                | NoRefreshToken
                | OddFields
                | SameRefreshToken
        )
    }

    /// The name under which it is counted.
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(String::from))
            .unwrap_or_default()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub endpoint: Endpoint,
    pub kind: Kind,
    #[serde(default)]
    pub delay_ms: Option<u64>,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub retry_after_s: Option<u64>,
    /// The number of requests that it hits; one if nothing is said.
    #[serde(default = "once")]
    pub count: u64,
    /// Requests of the kind that pass before the first hit.
    #[serde(default)]
    pub after: u64,
    /// The text that the body of a request must hold.
    #[serde(default)]
    pub operation: Option<String>,
    /// The `grant_type` that a token request must have.
    #[serde(default)]
    pub grant_type: Option<String>,
    /// The fields that [`Kind::OddFields`] puts into the answer.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

fn once() -> u64 {
    1
}

/// Faults that wait at a time.
pub const FAULTS_MAX: usize = 1_000;

impl Fault {
    fn matches(&self, endpoint: Endpoint, body: &str) -> bool {
        let grant_type = self
            .grant_type
            .as_ref()
            .map(|kind| format!("grant_type={kind}"));
        self.endpoint == endpoint
            && self
                .operation
                .as_ref()
                .is_none_or(|text| body.contains(text.as_str()))
            && grant_type.is_none_or(|pair| body.split('&').any(|part| part == pair))
    }
}

/// The first fault that fits this request, used up by one.
pub fn take(faults: &mut Vec<Fault>, endpoint: Endpoint, body: &str) -> Option<Fault> {
    let at = faults
        .iter()
        .position(|fault| fault.matches(endpoint, body))?;
    if faults[at].after > 0 {
        faults[at].after -= 1;
        return None;
    }
    faults[at].count = faults[at].count.saturating_sub(1);
    let hit = faults[at].clone();
    if hit.count == 0 {
        faults.remove(at);
    }
    Some(hit)
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Fault, take};

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).expect("a fault")
    }

    #[test]
    fn a_fault_hits_as_often_as_it_says() {
        let mut faults = vec![fault(r#"{"endpoint":"token","kind":"hang","count":2}"#)];
        assert!(take(&mut faults, Endpoint::Token, "").is_some());
        assert!(take(&mut faults, Endpoint::Token, "").is_some());
        assert!(take(&mut faults, Endpoint::Token, "").is_none());
    }

    #[test]
    fn a_fault_leaves_other_requests_alone() {
        let json = r#"{"endpoint":"token","kind":"html_500","grant_type":"refresh_token"}"#;
        let mut faults = vec![fault(json)];
        assert!(take(&mut faults, Endpoint::Graphql, "grant_type=refresh_token").is_none());
        assert!(
            take(
                &mut faults,
                Endpoint::Token,
                "grant_type=authorization_code"
            )
            .is_none()
        );
        assert!(take(&mut faults, Endpoint::Token, "a=b&grant_type=refresh_token").is_some());
    }

    #[test]
    fn a_fault_may_let_some_requests_pass_first() {
        let mut faults = vec![fault(r#"{"endpoint":"token","kind":"hang","after":1}"#)];
        assert!(take(&mut faults, Endpoint::Token, "").is_none());
        assert!(take(&mut faults, Endpoint::Token, "").is_some());
    }
}
