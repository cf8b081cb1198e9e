//! Handing deliveries on: to each destination of an organisation, at least once, until it has taken them.

mod address;
mod client;
mod destinations;
mod pace;
mod standard;
mod worker;

use tokio::sync::Notify;

pub use address::is_public;
pub(crate) use client::Client;
pub use destinations::{Destination, DestinationError, EVENTS, NewDestination, NewDestinationSecret};

/// What handing on needs.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub client: Client,
    pub allow_private: bool,
    /// This process, as others see its claims.
    pub owner: String,
    /// Wakes the worker: there may be something to send.
    pub wake: Notify,
}
