//! The simulated Linear over real HTTP: one property per test.

mod apps;
mod authorize;
mod control;
mod faults;
mod graphql;
mod limits;
mod migrate;
mod mutations;
mod receiver;
mod refresh;
mod revoke;
mod setup;
mod token;
mod webhooks;
