//! The real binary in real processes.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod bad_days;
mod cable;
mod cli;
mod deliveries;
mod disk;
mod doctor;
mod few_connections;
#[expect(dead_code, reason = "benchmarks do more with a fleet")]
mod fleet;
mod healthcheck;
mod logs;
mod output;
mod process;
mod replicas;
mod restores;
mod secrets;
mod start;
mod stops;
mod walk;
