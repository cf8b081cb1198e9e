//! The attacks of strangers, names, proxies and machines on the real binary, each of which must
//! come to nothing.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod answers;
mod behind_proxies;
mod edge;
mod grants;
mod markup;
mod names;
mod people;
#[expect(dead_code, reason = "other suites do more with processes")]
#[path = "../process/process.rs"]
mod process;
mod settings;
mod site;
mod support;
mod trail;
#[path = "../process/walk.rs"]
mod walk;
