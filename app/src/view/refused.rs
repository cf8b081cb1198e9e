//! Refused forms: what was typed, and what is wrong with it.

use serde::{Deserialize, Serialize};

use super::{AppDraft, Draft, InviteDraft};

/// A refused form: the values (never a password) and what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refused {
    SignIn {
        email: String,
        complaint: Complaint,
    },
    SignUp(SignUpDraft),
    Password(Complaint),
    /// The name of a new API key.
    Key {
        name: String,
    },
    /// It has not the shape of one.
    SigningSecret,
    Destination {
        draft: Draft,
        complaint: Complaint,
    },
    Invite(InviteDraft),
    App(AppDraft),
}

/// The fields that were typed to sign up, and the complaint of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUpDraft {
    pub organisation: String,
    pub name: String,
    pub email: String,
    pub complaints: Vec<Complaint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Complaint {
    OrganisationMissing,
    NameMissing,
    EmailInvalid,
    /// Somebody has an account with it.
    EmailTaken,
    PasswordTooShort,
    PasswordTooLong,
    /// Guessing begins with it.
    PasswordCommon,
    /// Their own address or organisation with little else.
    PasswordOwn,
    /// A control character is in it.
    PasswordUnusable,
    /// Sign-in: no such pair of e-mail and password. How many tries are left before a pause.
    NoMatch {
        tries_left: u32,
    },
    /// Sign-in: too many tries. Minutes until the next one.
    Paused {
        minutes: u32,
    },
    /// Sign-up: somebody else was quicker; there is an owner now.
    AlreadyOwned,
    /// Settings: the present one was wrong, or asked for too often.
    PasswordWrong,
    /// Deliveries: not an https address, or too long a one.
    DestinationUrl,
    /// The destination is not on the public internet.
    DestinationPrivate,
    /// There is no such type of event.
    DestinationEvent,
    DestinationsTooMany,
}
