//! The real router in one process with the simulated Linear, on clocks that are moved by hand.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod accounts;
mod api;
mod apps;
mod clock;
mod connect;
mod cuts;
mod deliveries;
mod destination_pages;
mod destinations;
mod disconnect;
mod documents;
mod headers;
mod keys;
mod link_pages;
mod live;
mod mail;
mod malformed;
mod names;
mod organisations;
mod overlap;
mod overview;
mod pages;
mod people;
mod proofs;
mod proxy;
mod refresh;
mod roles;
mod sessions;
mod several;
mod support;
mod takeover;
mod team_pages;
mod truth;
mod webhook_pages;
mod webhooks;
mod world;
