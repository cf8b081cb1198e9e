//! The end of a proof at Linear.

use serde::{Deserialize, Serialize};

use super::redeem::{CodeError, Confirmed};
use crate::apps::AppUnavailable;
use crate::connection::consent::BeginError;
use crate::connection::voiding::Voided;
use crate::linear::ExchangeError;
use crate::store::StoreError;
use crate::vault::Unreadable;

/// The person whom Linear says that somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub name: String,
    pub email: String,
    /// The workspace's name.
    pub workspace: String,
}

/// The result of a proof.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Proof {
    /// A member is this person of the workspace, and was it before if `again`. `lent`: what became
    /// of the permission to look.
    Member {
        told: Told,
        linear_id: String,
        again: bool,
        email_proved: bool,
        lent: Voided,
        /// A connection ended with the permission. Nobody could know that it would.
        #[serde(default)]
        ended_more: bool,
    },
    /// A link code was redeemed by it.
    Code(Confirmed),
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum ProofError {
    #[error("the person or Linear denied access")]
    AccessDenied,
    #[error("Linear stopped the approval")]
    AuthorizationFailed,
    #[error("somebody else is signed in by now")]
    StateMismatch,
    #[error("Linear refused the code: {0}")]
    ExchangeFailed(String),
    #[error("Linear did not answer usefully: {0}")]
    LinearUnreachable(String),
    /// The connection, the member or the code: whatever was to be proved.
    #[error("what was to be proved is gone")]
    Gone,
    #[error("another workspace was approved than {expected}")]
    OtherWorkspace { told: Told, expected: String },
    #[error("Linear says that it is somebody else")]
    SomebodyElse { told: Told },
    #[error("they are a bot, or left the workspace")]
    NotLinkable { told: Told },
    #[error("another member is this person")]
    PersonTaken { told: Told, email: String },
    #[error("they are {name} in this workspace already")]
    OtherPerson { told: Told, name: String },
    #[error("somebody has an account with this e-mail and has to sign in")]
    EmailTaken,
    #[error("nobody proved the e-mail of the account")]
    Unproved,
    /// The same attempt failed when this browser came back with it before; the log says why.
    #[error("it failed here before")]
    Failed,
    /// The same attempt of this browser was stopped; a crash leaves no word of how far it came.
    #[error("its process stopped before it ended")]
    Stopped,
    #[error(transparent)]
    #[serde(skip)]
    Sealed(#[from] Unreadable),
    #[error(transparent)]
    #[serde(skip)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ProofBeginError {
    #[error(transparent)]
    Code(#[from] CodeError),
    #[error(transparent)]
    Begin(#[from] BeginError),
}

/// The end of a proof, and what it was for.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProofEnd {
    /// A link code was to be redeemed by it.
    pub of_code: bool,
    /// This browser came back with it before.
    #[serde(skip)]
    pub repeated: bool,
    pub outcome: Result<Proof, ProofError>,
}

impl From<ExchangeError> for ProofError {
    fn from(error: ExchangeError) -> ProofError {
        match error {
            ExchangeError::Refused { code, .. } => ProofError::ExchangeFailed(code),
            error @ (ExchangeError::NotShown | ExchangeError::Transient(_)) => {
                ProofError::LinearUnreachable(error.to_string())
            }
        }
    }
}

impl From<AppUnavailable> for ProofError {
    fn from(error: AppUnavailable) -> ProofError {
        match error {
            AppUnavailable::NotConfigured | AppUnavailable::AnotherApp => {
                ProofError::ExchangeFailed("not_configured".to_owned())
            }
            AppUnavailable::Sealed(unreadable) => unreadable.into(),
            AppUnavailable::Store(error) => error.into(),
        }
    }
}
