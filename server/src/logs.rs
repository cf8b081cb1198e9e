//! Structured logs on stderr, for people or machines. A thread of their own writes them: whoever
//! logs waits for nobody and never fails, also when the disk is full, nobody reads, or stderr is
//! gone. What is lost is counted, and said.

mod lines;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use self::lines::Lines;
use crate::config::Config;

pub use self::lines::Lost;

/// The time in which the last words have to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

static LINES: OnceLock<Lines> = OnceLock::new();

/// Begins to write events. Calling it again changes nothing.
pub fn start(config: &Config) {
    let Ok(lines) = Lines::to(stderr(), |lost| {
        tracing::error!(lost, "log lines could not be written and are lost")
    }) else {
        return;
    };
    let lines = LINES.get_or_init(|| lines);
    let format = fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(lines.clone())
        .log_internal_errors(false)
        .with_target(false)
        // A colour begins with an escape, and no escape gets into the log: names hold them too.
        .with_ansi(false);
    // A second subscriber in one process (tests) is refused, which is what is wanted.
    let started = if config.log_json {
        format
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init()
    } else {
        format.try_init()
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(panicked));
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
}

/// Waits until everything is written, but not long: whoever should read it may have stopped.
pub fn finish() {
    if let Some(lines) = LINES.get() {
        lines.finish(LAST_WORDS);
    }
}

/// Lines that nobody will read.
pub fn lost() -> Lost {
    LINES.get().map(Lines::lost).unwrap_or_default()
}

/// Opens a handle of our own, not the one that others share: its lock is held for as long as a
/// write takes, which may be for ever.
fn stderr() -> Box<dyn Write + Send> {
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(file) => Box::new(File::from(file)),
        Err(_) => Box::new(io::stderr()),
    }
}

/// The standard library would write to stderr itself, and wait.
fn panicked(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(
        place,
        trace,
        "panicked: {}",
        info.payload_as_str().unwrap_or("without words")
    );
    if std::thread::current().name() == Some("main") {
        // Nothing comes after it.
        finish();
    }
}
