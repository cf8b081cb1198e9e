//! Structured logs on stderr, for people or machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::Config;

/// From here on events are written. Calling it again changes nothing.
pub fn start(config: &Config) {
    let filter = EnvFilter::new(&config.log);
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).with_ansi(std::io::stderr().is_terminal());
    // A second subscriber in one process (tests) is refused, which is what is wanted.
    let _ = if config.log_json { lines.json().flatten_event(true).with_current_span(true).try_init() } else { lines.try_init() };
}
