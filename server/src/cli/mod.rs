//! The command line: results on stdout, messages on stderr, exit 0, 1 (it failed) or 2 (wrong usage).

mod apps;
mod args;
mod commands;
mod people;

use std::process::ExitCode;

use clap::Parser as _;
use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use tokio::runtime::Runtime;

use self::args::Args;
use crate::{config, logs};

const WRONG_USAGE: u8 = 2;

pub fn run(clock: Clock, entropy: Entropy) -> ExitCode {
    let args = Args::parse();
    let config = match config::from_environment() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("relink: {error}");
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
    eprintln!("relink: {error}");
    ExitCode::FAILURE
}
