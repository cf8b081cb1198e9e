//! The real binary in real processes.

mod cli;
mod process;
mod secrets;
mod start;
