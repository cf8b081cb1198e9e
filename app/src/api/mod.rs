//! Every server function. Each is three lines: session, engine, view. They are public endpoints, so
//! each checks who asks.
//!
//! Functions that load are called while a page is rendered. Functions that change are the targets
//! of plain forms: they always answer 303, and what there is to say waits in the session for the
//! next page (without JavaScript a returned value would be lost, and an error would end up in the
//! address bar).

mod apps;
mod connect;
mod connection;
mod deliveries;
mod destinations;
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
mod sign_in;
mod team;
mod webhooks;

mod audit;
mod bulk_invite;
mod connect_failure;
mod cookies;
mod create_app;
mod delivery_check;
mod delivery_filter;
mod freshness;
mod instance;
mod invite_problem;
mod inviting;
mod new_codes;
mod pending_code;
mod person;
mod proof_failure;
mod request;
mod session;

pub use apps::*;
pub use connect::*;
pub use connection::*;
pub use deliveries::*;
pub use delivery_filter::DeliveriesQuery;
pub use destinations::*;
pub use integrations::*;
pub use keys::*;
pub use link::*;
pub use members::*;
pub use organisation::*;
pub use proofs::*;
pub use resend::*;
pub use settings::*;
pub use shell::*;
pub use sign_in::*;
pub use team::*;
pub use webhooks::*;

pub use cookies::{cookie_of, device_of, instance_name, theme_of};
pub use person::person_of;
pub use request::{ClientAddress, Site, address_of, set_status};
