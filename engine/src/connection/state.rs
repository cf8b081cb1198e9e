//! A connection: one Linear workspace, held by one organisation, in one of three states.

use serde::{Deserialize, Serialize};

use crate::clock::{MINUTE, Millis};
use crate::names::{column, named};
use crate::store::DiskTrouble;
use crate::vault::KEY_MISSING;

/// A refresh is due when less than this is left of a token's life.
pub const REFRESH_DUE_BEFORE: Millis = 90 * MINUTE;

named! {
    /// The one who acts in Linear through the connection (`actor` of the authorize request).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum ActAs {
        /// The app's own bot user.
        #[default]
        App = "app",
        /// The person who approved.
        User = "user",
    }
}

named! {
    /// The reason why a connection does not work, or ended; names as in the API.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Reason {
        /// Linear refused the newest refresh token.
        InvalidGrant = "invalid_grant",
        /// Linear refuses the access token although it should be good.
        Revoked = "revoked",
        /// The token ran out and there never was a refresh token.
        NoRefreshToken = "no_refresh_token",
        /// The sealed token does not open.
        Unreadable = "unreadable",
        /// Somebody pressed Disconnect.
        ByPerson = "by_person",
        /// Another connection took its place.
        Duplicate = "duplicate",
    }
}

column!(Reason);

named! {
    /// The state of a connection; names as in the API.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Phase {
        Connected = "connected",
        ReconnectRequired = "reconnect_required",
        Disconnected = "disconnected",
    }
}
column!(Phase);

/// A Linear workspace. Known by `id` alone: names and url keys change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Linear's organization id.
    pub id: String,
    pub name: String,
    pub url_key: String,
    pub logo_url: Option<String>,
}

/// The user whom Linear takes the token for: the app's bot user or the person who approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub id: String,
    pub name: String,
}

/// The life of the current access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTimes {
    pub issued_at: Millis,
    pub expires_at: Millis,
    /// See [`crate::digest::fingerprint`].
    pub fingerprint: String,
}

impl TokenTimes {
    /// The time from which the background refresh takes it up; never before it was issued.
    #[must_use]
    pub fn refresh_due_at(&self) -> Millis {
        (self.expires_at - REFRESH_DUE_BEFORE).max(self.issued_at)
    }
}

/// The answer of Linear's that broke the connection, for the page and for operators. Never a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// HTTP status.
    pub status: u16,
    /// Linear's code, for example `AUTHENTICATION_ERROR` or `invalid_grant`.
    pub code: String,
    /// The number of times that it was asked, with the same answer.
    #[serde(default = "once")]
    pub asked: u32,
    /// Seconds by which a replay missed Linear's window: an earlier answer was lost, and nobody
    /// asked again in time.
    #[serde(default)]
    pub late_by_s: Option<i64>,
    /// It ended as soon as a permission was handed back that somebody had lent to say who they are.
    #[serde(default)]
    pub with_loan: bool,
}

impl Evidence {
    /// One answer.
    #[must_use]
    pub fn new(status: u16, code: &str) -> Evidence {
        Evidence {
            status,
            code: code.to_owned(),
            asked: once(),
            late_by_s: None,
            with_loan: false,
        }
    }
}

fn once() -> u32 {
    1
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Connected {
        token: TokenTimes,
    },
    ReconnectRequired {
        since: Millis,
        reason: Reason,
        evidence: Option<Evidence>,
        token: Option<TokenTimes>,
    },
    Disconnected {
        at: Millis,
        reason: Reason,
        /// Name of the person who did it.
        by: Option<String>,
        /// Linear confirmed that both tokens are void, or knew already.
        revoked: bool,
    },
}

/// A connection that a person ended, or that Linear itself said to be removed, wants no webhooks
/// any more. One that only lost its tokens does: its webhooks go on, and somebody will reconnect
/// it. So does one that Linear refuses, as far as we can tell: where there is evidence nobody told
/// us.
#[must_use]
pub fn wants_webhooks(phase: Phase, reason: Option<Reason>, has_evidence: bool) -> bool {
    phase != Phase::Disconnected && (reason != Some(Reason::Revoked) || has_evidence)
}

impl State {
    /// See [`wants_webhooks`].
    #[must_use]
    pub fn wants_webhooks(&self) -> bool {
        let has_evidence = matches!(
            self,
            State::ReconnectRequired {
                evidence: Some(_),
                ..
            }
        );
        wants_webhooks(self.phase(), self.reason(), has_evidence)
    }

    /// The name in the API and the database.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.phase().name()
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        match self {
            State::Connected { .. } => Phase::Connected,
            State::ReconnectRequired { .. } => Phase::ReconnectRequired,
            State::Disconnected { .. } => Phase::Disconnected,
        }
    }

    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            State::Connected { .. } => None,
            State::ReconnectRequired { reason, .. } | State::Disconnected { reason, .. } => {
                Some(*reason)
            }
        }
    }
}

/// A call that failed for a reason that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// The code, for example `timeout` or `server_error`.
    pub code: String,
    /// HTTP status, where there was one.
    pub status: Option<u16>,
    pub at: Millis,
}

impl FailedCall {
    /// The code for a failure of Relink's own database.
    pub const DATABASE: &str = "database";
    /// Linear's API does not accept the token that Linear has just handed out.
    pub const TOKEN_REFUSED: &str = "token_refused";

    /// Says whether it is Relink's own fault, and not Linear's.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.code == FailedCall::DATABASE || DiskTrouble::from_name(&self.code).is_some()
    }
}

/// Refreshing fails for a reason that passes. The token may well be valid still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshTrouble {
    pub error: FailedCall,
    /// The number of failures in a row.
    pub failures: i64,
    pub next_attempt_at: Option<Millis>,
}

/// The tokens were given to another Linear app than the one that Relink is set up with now.
pub const CLIENT_ID_CHANGED: &str = "client_id_changed";

/// The party that can help when refreshing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes by itself.
    Linear,
    /// Whoever runs this Relink: Linear does not accept it as a client.
    App,
    /// The same: the connection was made with another Linear app.
    OtherApp,
    /// The same: tokens are sealed with a key that this process lacks.
    Keys,
}

impl RefreshTrouble {
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self.error.code.as_str() {
            "invalid_client" | "unauthorized_client" | "not_configured" => Fault::App,
            CLIENT_ID_CHANGED => Fault::OtherApp,
            KEY_MISSING => Fault::Keys,
            _ => Fault::Linear,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub id: String,
    pub organisation_id: String,
    /// The organisation's Linear app that it goes through; the operator's if absent.
    pub app_id: Option<String>,
    pub workspace: Workspace,
    pub actor: ActAs,
    pub viewer: Viewer,
    pub scopes: Vec<String>,
    pub state: State,
    /// Counts pairs of tokens; a writer names the one it read.
    pub generation: i64,
    /// Name of the person who approved last.
    pub connected_by: String,
    pub connected_at: Millis,
    /// The last time that Linear answered a call made with this connection's token.
    pub last_verified_at: Option<Millis>,
    /// The last failure of a call of the passing kind, cleared by the next success.
    pub last_error: Option<FailedCall>,
    /// Cleared by the next refresh that works.
    pub refresh_trouble: Option<RefreshTrouble>,
    /// Its tokens outlive it: when it has ended they wait for the end of another organisation's
    /// connection through the same Linear app, as nobody says whether revoking them harms that one.
    pub kept: bool,
}

impl Connection {
    /// The newest failure of the passing kind, of a call or of a refresh, if there is one that
    /// nothing cleared.
    #[must_use]
    pub fn passing_error(&self) -> Option<&FailedCall> {
        let refresh = self.refresh_trouble.as_ref().map(|trouble| &trouble.error);
        self.last_error
            .iter()
            .chain(refresh)
            .max_by_key(|error| error.at)
    }
}
