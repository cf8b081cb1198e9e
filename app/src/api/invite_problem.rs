//! The reasons why nobody was invited or linked, or a call gave nothing, for whoever can do
//! something about it.

use relink_engine::linear::CallError;
use relink_engine::people::InviteError;
use relink_engine::{CallFailed, TokenError};

use crate::view::{Failure, InviteProblem};

/// Tells why no code was made, as far as whoever asked for it can do something about it.
pub fn problem(error: InviteError) -> Result<InviteProblem, Failure> {
    match error {
        InviteError::NoSuchPerson => Ok(InviteProblem::Nobody),
        InviteError::Linked { email } => Ok(InviteProblem::Linked { email }),
        InviteError::Linear(error) => Ok(call_problem(error)?.into()),
        InviteError::Valid => Err(Failure::Malformed),
        InviteError::Denied(_) => Err(Failure::Forbidden),
        InviteError::NotFound => Err(Failure::NotFound),
        InviteError::Store(error) => Err(error.into()),
    }
}

/// The reason why a call through a connection gave nothing, where it is not Relink that failed.
pub enum CallProblem {
    Unreachable,
    /// Linear answered that it does not.
    Refused,
    Reconnect,
}

pub fn call_problem(error: CallFailed) -> Result<CallProblem, Failure> {
    match error {
        CallFailed::Linear(CallError::Transient(_))
        | CallFailed::Token(TokenError::Unreachable { .. }) => Ok(CallProblem::Unreachable),
        CallFailed::Linear(_) => Ok(CallProblem::Refused),
        CallFailed::Token(TokenError::ReconnectRequired { .. }) => Ok(CallProblem::Reconnect),
        CallFailed::Token(TokenError::NotFound) => Err(Failure::NotFound),
        CallFailed::Token(TokenError::Store(error)) => Err(error.into()),
    }
}

impl From<CallProblem> for InviteProblem {
    fn from(problem: CallProblem) -> InviteProblem {
        match problem {
            CallProblem::Unreachable => InviteProblem::Unreachable,
            CallProblem::Refused => InviteProblem::Refused,
            CallProblem::Reconnect => InviteProblem::Reconnect,
        }
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Failure {
        problem(error).err().unwrap_or(Failure::Malformed)
    }
}
