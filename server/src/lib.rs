//! The binary's inside: configuration, command line, router, sessions, HTTP endpoints and headers.

// They panic where nobody reads: `cli::output` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod api;
mod asker;
mod assets;
mod audit;
mod background;
mod body;
mod bootstrap;
mod cli;
pub mod config;
mod connection;
mod csrf;
mod edge;
mod endpoint;
mod errors;
mod folder;
mod headers;
mod health;
mod html_fixup;
mod jobs;
mod key_file;
mod listen;
mod live;
mod logs;
mod metrics;
mod open_files;
mod own_name;
mod password_queue;
mod private;
mod proven;
mod proxies;
mod router;
mod serve;
mod sessions;
mod share;
mod state;
mod stop;
mod times;
mod webhooks;

use std::process::ExitCode;

use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

pub use router::router;
pub use state::Web;

/// Runs the command line of this process.
pub fn run(clock: Clock, entropy: Entropy) -> ExitCode {
    // Memory is full of what is sealed everywhere else. A crash writes none of it into a file, and
    // no other process of the same user reads it. Where the system refuses, that is as it was.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    cli::run(clock, entropy)
}
