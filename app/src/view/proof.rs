//! Proving who somebody is: at Linear, and by e-mail.

use serde::{Deserialize, Serialize};

/// The state of the permission that was lent for a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LentView {
    /// Linear confirmed that it is void.
    HandedBack,
    /// A connection that lives here may hang on it.
    Kept,
    /// Linear did not confirm it yet.
    Asked,
}

/// Why Linear's word linked nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProofProblem {
    /// Linear says that they are this person, and another one was meant.
    SomebodyElse {
        name: String,
        email: String,
        workspace: String,
    },
    /// They approved another workspace than the one that is expected.
    OtherWorkspace {
        name: String,
        email: String,
        workspace: String,
        expected: String,
    },
    /// A bot, or somebody who left.
    NotLinkable {
        name: String,
        workspace: String,
    },
    /// The member with this e-mail is that person.
    Taken {
        name: String,
        email: String,
    },
    /// Linear names another person than they are here already.
    Other {
        name: String,
        already: String,
    },
    Denied,
    Stopped,
    /// Somebody else is signed in by now.
    Mismatch,
    /// Linear refused the exchange.
    Refused,
    Unreachable,
    /// What was to be proved is gone.
    Gone,
    /// Nobody proved the account's e-mail, and the code is another organisation's.
    Unproved,
    /// They made the code themself, for a person with another e-mail.
    OwnCode,
    /// No Linear app is set up.
    NotConfigured,
    /// Relink was stopped in the middle of it.
    Interrupted,
    /// It is Relink that failed.
    Internal,
}

/// What became of a code that goes to somebody's own address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EmailCodeView {
    Sent { email: String },
    Proved { email: String },
    Invalid,
    Paused { minutes: u32 },
    NotSent,
    NotSetUp,
}
