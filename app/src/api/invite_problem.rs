//! Why nobody was invited or linked, for whoever can do something about it.

use relink_engine::linear::CallError;
use relink_engine::people::InviteError;
use relink_engine::{CallFailed, TokenError};

use crate::view::{Failure, InviteProblem};

/// Why no code was made, as far as whoever asked for it can do something about it.
pub fn problem(error: InviteError) -> Result<InviteProblem, Failure> {
    match error {
        InviteError::NoSuchPerson => Ok(InviteProblem::Nobody),
        InviteError::Linked { email } => Ok(InviteProblem::Linked { email }),
        InviteError::Linear(error) => call_problem(error),
        error => Err(error.into()),
    }
}

pub fn call_problem(error: CallFailed) -> Result<InviteProblem, Failure> {
    match error {
        CallFailed::Linear(CallError::Transient(_))
        | CallFailed::Token(TokenError::Unreachable { .. }) => Ok(InviteProblem::Unreachable),
        CallFailed::Linear(_) => Ok(InviteProblem::Refused),
        CallFailed::Token(TokenError::ReconnectRequired { .. }) => Ok(InviteProblem::Reconnect),
        CallFailed::Token(TokenError::NotFound) => Err(Failure::NotFound),
        CallFailed::Token(TokenError::Store(error)) => Err(error.into()),
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Failure {
        match error {
            InviteError::Forbidden => Failure::Forbidden,
            InviteError::NotFound => Failure::NotFound,
            InviteError::NoSuchPerson
            | InviteError::Linked { .. }
            | InviteError::Valid
            | InviteError::Linear(_) => Failure::Malformed,
            InviteError::Store(error) => error.into(),
        }
    }
}
