//! The pages: each loads one view type and shows it.

mod account;
mod apps;
mod audit;
#[cfg(feature = "ssr")]
mod broken;
mod callback;
mod chain;
mod connection;
mod content;
mod deliveries;
mod delivery;
mod destination_forms;
mod destinations;
mod door;
mod granted;
mod handed;
mod history;
mod integrations;
mod invites;
mod keys;
mod link;
mod link_end;
mod load;
mod manage;
mod missing;
mod new_code;
mod people;
mod search;
mod settings;
mod several;
mod team;
mod verdict;
mod webhook;
mod webhook_forms;
mod you;

#[cfg(feature = "ssr")]
pub use broken::{Broken, broken};
pub use callback::CallbackPage;
pub use connection::ConnectionPage;
pub use deliveries::DeliveriesPage;
pub use door::{SignInPage, SignUpPage};
pub use integrations::IntegrationsPage;
pub use link::LinkPage;
pub use missing::MissingPage;
pub use settings::SettingsPage;
pub use team::TeamPage;
pub use verdict::verdict;
