//! Every server function. Each is three lines: session, engine, view. They are public endpoints, so each checks who asks.
//!
//! Functions that load are called while a page is rendered. Functions that change are the targets of plain forms: they
//! always answer 303, and what there is to say waits in the session for the next page (without JavaScript a returned
//! value would be lost, and an error would end up in the address bar).

mod apps;
mod connect;
mod connection;
mod deliveries;
mod destinations;
mod door;
mod failure;
mod integrations;
mod keys;
mod link;
mod members;
mod organisation;
mod proofs;
mod resend;
mod settings;
mod shell;
mod team;
mod webhooks;

#[cfg(feature = "ssr")]
mod app_views;
#[cfg(feature = "ssr")]
mod audit;
#[cfg(feature = "ssr")]
mod browser_name;
#[cfg(feature = "ssr")]
mod chain;
#[cfg(feature = "ssr")]
mod cookies;
#[cfg(feature = "ssr")]
mod create_app;
#[cfg(feature = "ssr")]
mod delivery_filter;
#[cfg(feature = "ssr")]
mod delivery_views;
#[cfg(feature = "ssr")]
mod destination_views;
#[cfg(feature = "ssr")]
mod evidence;
#[cfg(feature = "ssr")]
mod freshness;
#[cfg(feature = "ssr")]
mod held;
#[cfg(feature = "ssr")]
mod history;
#[cfg(feature = "ssr")]
mod instance;
#[cfg(feature = "ssr")]
mod invite_views;
#[cfg(feature = "ssr")]
mod json;
#[cfg(feature = "ssr")]
mod new_codes;
#[cfg(feature = "ssr")]
mod overview;
#[cfg(feature = "ssr")]
mod people_views;
#[cfg(feature = "ssr")]
mod picks;
#[cfg(feature = "ssr")]
mod present;
#[cfg(feature = "ssr")]
mod qr;
#[cfg(feature = "ssr")]
mod request;
#[cfg(all(test, feature = "ssr"))]
mod samples;
#[cfg(feature = "ssr")]
mod session_views;
#[cfg(feature = "ssr")]
mod team_views;
#[cfg(feature = "ssr")]
mod webhook_facts;
#[cfg(feature = "ssr")]
mod webhook_views;
#[cfg(feature = "ssr")]
mod words;
#[cfg(feature = "ssr")]
mod you_views;

pub use apps::*;
pub use connect::*;
pub use connection::*;
pub use deliveries::*;
pub use destinations::*;
pub use door::*;
pub use failure::Failure;
pub use integrations::*;
pub use keys::*;
pub use link::*;
pub use members::*;
pub use organisation::*;
pub use proofs::*;
pub use resend::*;
pub use settings::*;
pub use shell::*;
pub use team::*;
pub use webhooks::*;

#[cfg(feature = "ssr")]
pub use cookies::{cookie_of, device_of, instance_name, theme_of};
#[cfg(feature = "ssr")]
pub use request::{ClientAddress, Site, address_of, person_of};
