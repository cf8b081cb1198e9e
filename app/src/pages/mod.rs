//! The pages: each loads one view type and shows it.

mod audit;
mod callback;
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
mod settings;
mod team;
mod verdict;
mod webhook;
mod webhook_forms;

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
