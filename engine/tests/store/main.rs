//! The store suite: every test runs on SQLite, on PostgreSQL, and on PostgreSQL behind a pooler.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod apps;
mod backlog;
mod changes;
mod deliveries;
mod delivery_pages;
mod epochs;
mod people;
mod postgres;
mod refresh;
mod rows;
mod stopped;
mod support;
mod trail;
