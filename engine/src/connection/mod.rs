//! Connections: how one is made, kept alive, used, proved and ended.

pub(crate) mod callback;
pub(crate) mod claims;
pub(crate) mod connections;
pub(crate) mod consent;
pub(crate) mod disconnect;
pub(crate) mod doubts;
pub(crate) mod loan;
pub(crate) mod minted;
pub(crate) mod probe;
pub(crate) mod rate_budget;
pub mod refresh;
pub(crate) mod repeated_callback;
mod repeated_consent;
pub mod scope;
pub(crate) mod state;
pub(crate) mod token;
pub(crate) mod voiding;

pub use connections::Connections;
pub use state::*;
