//! The output of commands: results on stdout, messages on stderr. That a reader has gone is no
//! failure; that a result could not be written is one. Everything that is written goes through
//! here, where names from anywhere become text of which nothing moves the terminal's cursor or
//! begins a line.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use relink_engine::text;
use serde_json::Value;

/// The command may have done what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("the result could not be written to stdout: {0}")]
pub struct Unwritten(#[from] io::Error);

/// A secret that nobody has seen opens nothing.
#[derive(Debug, thiserror::Error)]
#[error("the secret could not be written to stdout, so nothing was made: {0}")]
pub struct Unseen(#[from] io::Error);

/// Prints a result, in one line.
///
/// # Errors
/// When it could not be written, unless that is because nobody reads.
pub fn print(json: bool, value: &Value, words: &str) -> Result<(), Unwritten> {
    print_lines(json, value, &[words])
}

/// Prints a list with a line for each, or that there is nothing.
///
/// # Errors
/// When it could not be written, unless that is because nobody reads.
pub fn print_list(
    json: bool,
    value: &Value,
    lines: &[String],
    nothing: &str,
) -> Result<(), Unwritten> {
    if lines.is_empty() {
        print(json, value, nothing)
    } else {
        print_lines(json, value, lines)
    }
}

/// Prints a result of several lines.
///
/// # Errors
/// When it could not be written, unless that is because nobody reads.
pub fn print_lines(json: bool, value: &Value, lines: &[impl AsRef<str>]) -> Result<(), Unwritten> {
    if json {
        return stream(&format!("{value}\n")).map(drop);
    }
    let lines: Vec<_> = lines.iter().map(|line| text::line(line.as_ref())).collect();
    stream(&format!("{}\n", lines.join("\n"))).map(drop)
}

/// Prints a part of a result, whose lines are ours. `false`: nobody reads any more.
///
/// # Errors
/// When it could not be written, unless that is because nobody reads.
pub fn stream(text: &str) -> Result<bool, Unwritten> {
    match write(text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Prints an object that holds a secret, but for its end: it is seen before what it opens is made.
/// Whoever reads a line without its end knows that this did not come about.
///
/// # Errors
/// When nobody can have seen it.
pub fn print_secret(value: &Value) -> Result<(), Unseen> {
    if leads_nowhere() {
        return Err(Unseen(io::Error::other("it leads nowhere")));
    }
    let text = value.to_string();
    Ok(write(text.strip_suffix('}').unwrap_or(&text))?)
}

/// Prints the end of what [`print_secret`] began, with what was not known then.
///
/// # Errors
/// When it could not be written, unless that is because nobody reads.
pub fn print_end(rest: &Value) -> Result<(), Unwritten> {
    let rest = rest.to_string();
    let rest = rest.strip_prefix('{').unwrap_or(&rest);
    let comma = if rest == "}" { "" } else { "," };
    stream(&format!("{comma}{rest}\n")).map(drop)
}

/// A message, in one line. Where it cannot be written nobody is there to be told so.
pub fn say(words: &str) {
    let _ = io::stderr().write_all(format!("{}\n", text::line(words)).as_bytes());
}

/// A message that goes on in the same line.
pub fn ask(words: &str) {
    let _ = io::stderr().write_all(text::line(words).as_bytes());
}

/// Texts in JSON may hold everything but the first of the control characters.
fn write(words: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text::escaped(words, &['\n']).as_bytes())?;
    out.flush()
}

/// A stdout that was closed is `/dev/null` by the time that a program in Rust begins.
fn leads_nowhere() -> bool {
    let here = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stdout| File::from(stdout).metadata());
    let nowhere = fs::metadata("/dev/null");
    here.and_then(|here| Ok(here.rdev() != 0 && here.rdev() == nowhere?.rdev()))
        .unwrap_or(false)
}
