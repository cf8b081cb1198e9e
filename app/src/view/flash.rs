//! Messages that are shown once.

use serde::{Deserialize, Serialize};

use super::{CheckView, Complaint, EmailCodeView, InviteProblem, LentView, ProofProblem};
use crate::view::Failure;

/// What is said once at the top of the next page. Words are made where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flash {
    Connected {
        connection: String,
        workspace: String,
        /// The app's own webhook delivers: no other one is needed.
        #[serde(default)]
        delivers: bool,
        /// Asked once, of somebody who is nobody there yet.
        you: Option<WhoAreYou>,
    },
    Reconnected {
        workspace: String,
        viewer: String,
    },
    Disconnected {
        workspace: String,
        revoked: bool,
    },
    /// The tokens wait for the end of another organisation's connection.
    DisconnectedKept {
        workspace: String,
    },
    /// The tokens wait for the end of somebody's consent.
    DisconnectedLater {
        workspace: String,
    },
    /// A real call worked, in so many milliseconds.
    Checked {
        millis: u64,
    },
    CheckUnreachable,
    CheckRefused,
    /// Until when the new token is good: "14:02 UTC on 20 Nov".
    Refreshed {
        until: String,
    },
    RefreshPutOff,
    /// Linear gave nothing to refresh it with.
    NotRefreshable {
        until: String,
    },
    PasswordChanged,
    PasswordRefused(Complaint),
    /// The present one was wrong, or asked for too often.
    PasswordWrong,
    SignedOutElsewhere,
    /// "Firefox on Linux"; empty where that is not known.
    SessionEnded {
        browser: String,
    },
    KeyRevoked {
        name: String,
    },
    /// The first signing secret of a workspace, or a new one beside those before.
    SecretSaved {
        #[serde(default)]
        replaced: bool,
    },
    /// It was the current one already.
    SecretUnchanged,
    /// As many are accepted as are kept.
    SecretsTooMany,
    /// "lin_wh_····k2Rd"
    SecretStopped {
        secret: String,
    },
    DeliveryChecked(CheckView),
    DestinationPaused {
        name: String,
    },
    DestinationResumed {
        name: String,
    },
    DestinationRemoved {
        name: String,
    },
    /// So many deliveries are on their way to a destination once more.
    SentAgain {
        name: String,
        count: u64,
        paused: bool,
    },
    CodeRevoked {
        name: String,
    },
    /// A code was not made again.
    NoNewCode(InviteProblem),
    /// Who looks at the page is this person from now on.
    SelfLinked {
        name: String,
        workspace: String,
    },
    SelfNotLinked(InviteProblem),
    /// They are this person in the workspace already.
    SelfOther {
        name: String,
    },
    Unlinked {
        name: String,
        workspace: String,
    },
    RoleChanged {
        name: String,
        role: String,
    },
    MemberRemoved {
        name: String,
    },
    LastOwner,
    /// A member was given no other role: the sentence says why.
    NotRaised {
        name: String,
        sentence: String,
    },
    Vouched {
        name: String,
    },
    /// There was nothing to vouch for.
    NotVouched,
    /// Linear says that who looks at the page is this person.
    ProvedAtLinear {
        name: String,
        workspace: String,
        email_proved: bool,
        lent: LentView,
    },
    NotProved(ProofProblem),
    EmailCode(EmailCodeView),
    AppAdded {
        name: String,
    },
    AppSecretsReplaced {
        name: String,
    },
    AppRemoved {
        name: String,
    },
    /// It was not removed: workspaces are connected through it.
    AppInUse {
        name: String,
    },
    /// Another of the person's organisations is the one that they look at.
    InOrganisation {
        name: String,
    },
    ConnectFailed(ConnectError),
    /// A form was refused.
    Failed(Failure),
}

/// What to ask whoever has just connected a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhoAreYou {
    /// They approved as this person: Linear's id, and the name.
    Viewer { id: String, name: String },
    /// The app acts, so it may be anybody.
    Anybody,
}

/// Why a connect or reconnect did not work; the contract's codes in `?error=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectError {
    AccessDenied,
    AuthorizationFailed,
    StateMismatch,
    ExchangeFailed,
    LinearUnreachable,
    /// The workspace that the Reconnect was for, if known.
    WrongWorkspace {
        expected: Option<ExpectedWorkspace>,
    },
    /// It is connected in this very organisation.
    AlreadyConnected(ExpectedWorkspace),
    /// Who connected it, in another organisation.
    WorkspaceAlreadyLinked {
        email: Option<String>,
    },
    /// No OAuth app is configured on this instance.
    NotConfigured,
    /// Relink was stopped in the middle of it.
    Interrupted,
    /// Relink's own store failed on the way.
    Internal,
    /// Any other value in the address bar.
    Unknown,
}

impl ConnectError {
    /// The contract's code in `?error=`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ConnectError::AccessDenied => "access_denied",
            ConnectError::AuthorizationFailed => "authorization_failed",
            ConnectError::StateMismatch => "state_mismatch",
            ConnectError::ExchangeFailed => "exchange_failed",
            ConnectError::LinearUnreachable => "linear_unreachable",
            ConnectError::WrongWorkspace { .. } => "wrong_workspace",
            ConnectError::AlreadyConnected(_) | ConnectError::WorkspaceAlreadyLinked { .. } => {
                "workspace_already_linked"
            }
            // Of the contract's codes the one that says: try again in a minute.
            ConnectError::Interrupted | ConnectError::Internal => "linear_unreachable",
            ConnectError::NotConfigured => "not_configured",
            ConnectError::Unknown => "unknown",
        }
    }

    /// From the address bar, which anybody can write: what is not one of ours is never echoed.
    #[must_use]
    pub fn from_code(code: &str) -> ConnectError {
        match code {
            "access_denied" => ConnectError::AccessDenied,
            "authorization_failed" => ConnectError::AuthorizationFailed,
            "state_mismatch" => ConnectError::StateMismatch,
            "exchange_failed" => ConnectError::ExchangeFailed,
            "linear_unreachable" => ConnectError::LinearUnreachable,
            "wrong_workspace" => ConnectError::WrongWorkspace { expected: None },
            "workspace_already_linked" => ConnectError::WorkspaceAlreadyLinked { email: None },
            "not_configured" => ConnectError::NotConfigured,
            _ => ConnectError::Unknown,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedWorkspace {
    pub connection: String,
    pub name: String,
}
