//! Webhooks: verified with the workspace's own secrets or the app's, stored before they are
//! acknowledged, accepted once.

mod applications;
mod check;
mod connection_events;
mod deliveries;
mod envelope;
mod incoming;
mod ingest;
mod receive;
mod recipients;
mod refusals;
mod retention;
mod secrets;
mod strays;

pub use crate::linear::signature::{PREFIX, SigningKey, parse_secret};
pub use crate::store::{Cursor, Delivery, DeliveryFilter, LastDelivery, Stray, ways};
pub(crate) use applications::Asked;

pub use check::{CheckedDelivery, SignedBy};
pub use deliveries::{After, Deliveries};
pub use envelope::{Envelope, EventKey, Timestamp};
pub use incoming::{BODY_MAX, Incoming, Receipt, Received, Signer, WebhookError};
pub(crate) use ingest::Ingest;
pub use receive::delivery_name;
pub(crate) use recipients::Listeners;
pub(crate) use refusals::Refusals;
pub use refusals::{Cause, Refused};
pub use retention::WebhookSettings;
pub use secrets::{SECRETS_MAX, SecretAdded, SecretError, SigningSecret, WebhookSecrets};
pub(crate) use strays::Strays;
