//! A request to the webhook endpoint, and what becomes of it.

use bytes::Bytes;

use crate::names::named;
use crate::store::StoreError;

/// Linear's largest body, as its own client has it.
pub const BODY_MAX: usize = 5 * 1024 * 1024;

/// A request as it came, before anything about it is believed.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    pub body: Bytes,
    /// `Linear-Signature`, if there was exactly one.
    pub signature: Option<Bytes>,
    /// `Linear-Delivery`. Not signed.
    pub delivery_id: Option<String>,
    /// Linear's own headers, to be handed on. Not signed.
    pub headers: Vec<(String, String)>,
}

named! {
    /// The fate of a webhook that Linear need not send again.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Receipt {
        /// The delivery is stored and committed.
        Accepted = "accepted",
        /// The same event is stored already.
        Duplicate = "duplicate",
        /// The delivery is rightly signed, but nobody here wants it.
        Ignored = "ignored",
    }
}

/// A webhook that was taken, and what that says of whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub receipt: Receipt,
    /// The signer, if nobody can have seen it before: what is sent again may come from somebody who
    /// was handed it.
    pub signer: Option<Signer>,
}

/// The owner of the secret that signed a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The operator's app: nobody but the operator and Linear knows it.
    Operator,
    /// This organisation: its admins know the secret, whether it is its app's or a workspace's own.
    Organisation(String),
}

/// The reason why a webhook was not taken.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The signature is missing, or by no secret that may sign for this workspace.
    #[error("signature missing or wrong")]
    Unsigned,
    #[error("signed, but not the JSON of a webhook")]
    Malformed,
    #[error("signed, but without webhookTimestamp")]
    MissingTimestamp,
    /// Older than Linear's last retry can be.
    #[error("signed, but too old")]
    Stale,
    #[error("signed, but from the future")]
    Future,
    /// Too many wait to be stored.
    #[error("too many deliveries are waiting")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WebhookError {
    /// Names it for metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            WebhookError::Unsigned => "unsigned",
            WebhookError::Malformed => "malformed",
            WebhookError::MissingTimestamp => "missing_timestamp",
            WebhookError::Stale => "stale",
            WebhookError::Future => "future",
            WebhookError::Busy => "busy",
            WebhookError::Store(_) => "unstored",
        }
    }
}
