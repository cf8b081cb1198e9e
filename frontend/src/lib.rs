//! Everything that runs in the browser. The server renders the islands into its pages, and in the
//! browser the entry finds them there and brings them to life.

#[cfg(target_arch = "wasm32")]
mod entry;
mod islands;

pub use islands::*;
