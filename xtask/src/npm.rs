//! Runs the tools that npm installs for us.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A command of one of the packages in `xtask/package.json`.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("node_modules/.bin")
            .join(name),
    );
    // Lightning CSS reports a mistake in the style as a panic, and its back trace would hide it.
    command.env("RUST_BACKTRACE", "0");
    command
}

/// Runs a command, which says itself what is wrong when it fails.
///
/// # Errors
/// When the command is missing or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_owned();
    let status = command.status();
    let status =
        status.with_context(|| format!("{}: `.ci/setup build` installs it", name.display()))?;
    ensure!(status.success(), "{} failed", name.display());
    Ok(())
}
