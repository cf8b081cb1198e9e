//! Redeeming a link code: typed, looked at, answered.

use serde::{Deserialize, Serialize};

use super::{Choice, Complaint, Notice};

/// The page `/link`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkView {
    Enter {
        /// The code that was typed and refused.
        typed: String,
        problem: Option<LinkProblem>,
        /// Connections whose workspaces Linear can say for, by name; for those who are signed in.
        workspaces: Vec<Choice>,
    },
    Preview(PreviewView),
    Ended(LinkEnd),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkProblem {
    /// Wrong, used, revoked or out of date: the same for all.
    Invalid,
    /// Minutes until the next try.
    Paused { minutes: u32 },
    /// The session with the code ran out before the answer.
    Forgotten,
    /// The store failed; the code may be good.
    Unavailable,
}

/// The person and the workspace that a code is for, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewView {
    pub name: String,
    pub initials: String,
    pub email: String,
    pub workspace: String,
    pub workspace_initials: String,
    pub asker: AskerView,
    pub account: LinkAccount,
    /// The reason why Linear's word did not do.
    pub told: Option<Notice>,
    /// Names this very preview: an answer to another one does not count.
    pub preview: String,
    /// "in 23 h 58 min"
    pub runs_out: String,
}

/// The member who made the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskerView {
    /// `None` if the code came by command.
    pub name: Option<String>,
    pub organisation: String,
}

/// The account that the Linear person is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkAccount {
    /// An account that is made for it.
    New,
    /// The one that is signed in.
    Yours { email: String },
    /// One with the person's e-mail is there, and nobody is signed in.
    SignInFirst,
}

/// The end of an attempt to redeem a code. Kept in the session, for the page and for the password
/// that may follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkEnd {
    Linked {
        person: LinkedPerson,
        /// They were linked before.
        again: bool,
        password: FirstPassword,
    },
    /// "That's not me."
    Declined { person: LinkedPerson },
    /// Another member is that person.
    Taken { person: LinkedPerson },
    /// The member is another person of that workspace: their name.
    Other {
        person: LinkedPerson,
        account: String,
        name: String,
    },
}

/// The Linear person that a code named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedPerson {
    pub name: String,
    pub initials: String,
    pub workspace: String,
    pub workspace_initials: String,
    pub asker: AskerView,
}

/// The answer to whether a password can be chosen for a new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstPassword {
    /// The account was there before.
    NotOffered,
    /// The account was opened, and nobody is signed in.
    SignIn,
    Offered {
        email: String,
    },
    Refused {
        email: String,
        complaint: Complaint,
    },
    Saved {
        email: String,
    },
}
