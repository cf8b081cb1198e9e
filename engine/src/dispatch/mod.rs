//! Handing deliveries on: to each destination of an organisation, at least once, until it has taken
//! them.

mod address;
mod client;
mod destinations;
mod retry_schedule;
mod standard_webhooks;
mod worker;

use std::sync::atomic::AtomicBool;

use tokio::sync::{Notify, Semaphore};

pub use crate::store::Message;
pub use address::is_public;
use client::Client;
pub use destinations::{
    Destination, DestinationError, Destinations, EVENTS, NewDestination, NewDestinationSecret,
};

use crate::clock::Clock;

/// Large bodies in memory at a time.
const LARGE_MAX: usize = 8;

/// The parts that handing on needs.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub client: Client,
    pub allow_private: bool,
    /// This process, as others see its claims.
    pub owner: String,
    /// Turns to have a large body in memory.
    pub large: Semaphore,
    serving: worker::Serving,
    life: worker::Life,
    /// The process stops: no more is claimed.
    pub stopping: AtomicBool,
    /// Wakes the worker: there may be something to send.
    pub wake: Notify,
}

impl Outgoing {
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub fn new(
        owner: String,
        allow_private: bool,
        clock: Clock,
    ) -> Result<Outgoing, reqwest::Error> {
        Ok(Outgoing {
            client: Client::new(allow_private, clock)?,
            allow_private,
            owner,
            large: Semaphore::new(LARGE_MAX),
            serving: worker::Serving::default(),
            life: worker::Life::default(),
            stopping: AtomicBool::new(false),
            wake: Notify::new(),
        })
    }
}
