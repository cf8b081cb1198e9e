//! The command line: results on stdout, messages on stderr, exit 0, 1 (it failed) or 2 (wrong
//! usage).

mod apps;
mod args;
mod audit;
mod commands;
mod doctor;
mod healthcheck;
mod output;
mod people;
mod shared;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser as _;
use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use tokio::runtime::Runtime;

use self::args::Args;
use self::output::{Unwritten, say};
use crate::{config, logs};

const WRONG_USAGE: u8 = 2;

pub fn run(clock: Clock, entropy: Entropy) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(answer) => return explained(&answer),
    };
    let config = match config::from_environment() {
        Ok(config) => config,
        Err(error) => {
            say(&format!("relink: {error}"));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    logs::start(&config);
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(commands::run(args, config, clock, entropy));
    // What still hangs is waited for by nobody.
    runtime.shutdown_background();
    logs::finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    say(&format!("relink: {error}"));
    ExitCode::FAILURE
}

/// Prints what was asked for instead of a command, or why it is none.
fn explained(answer: &clap::Error) -> ExitCode {
    match answer.print() {
        _ if answer.use_stderr() => ExitCode::from(WRONG_USAGE),
        Err(error) if error.kind() != ErrorKind::BrokenPipe => failed(&Unwritten::from(error)),
        _ => ExitCode::SUCCESS,
    }
}
