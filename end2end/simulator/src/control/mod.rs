//! The control API for tests, and the page for people.

pub mod asked;
pub mod authorisations;
pub mod error;
pub mod events;
pub mod forms;
pub mod page;
pub mod people;
pub mod routes;
pub mod show;
pub mod switches;

pub(crate) use routes::routes;
