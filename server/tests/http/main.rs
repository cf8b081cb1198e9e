//! The real router in one process with the simulated Linear, on clocks that are moved by hand.

mod accounts;
mod connect;
mod disconnect;
mod headers;
mod pages;
mod truth;
mod world;
