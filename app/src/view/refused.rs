//! Refused forms: what was typed, and what is wrong with it.

use serde::{Deserialize, Serialize};

use super::{AppDraft, Draft, InviteDraft};

/// A refused form: the values (never a password) and the complaint of each field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub organisation: String,
    pub name: String,
    pub email: String,
    pub destination: Draft,
    pub invite: InviteDraft,
    pub app: AppDraft,
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
    /// Settings: no name for a key, or too long a one.
    KeyName,
    /// A connection's page: not the shape of a signing secret.
    SigningSecret,
    /// Deliveries: not an https address, or too long a one.
    DestinationUrl,
    /// Not on the public internet.
    DestinationPrivate,
    /// There is no such type of event.
    DestinationEvent,
    DestinationsTooMany,
}
