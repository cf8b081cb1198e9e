//! The pages: each loads one view type and shows it.

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
mod keys;
mod load;
mod missing;
mod settings;
mod verdict;
mod webhook;
mod webhook_forms;

pub use callback::CallbackPage;
pub use connection::ConnectionPage;
pub use deliveries::DeliveriesPage;
pub use door::{SignInPage, SignUpPage};
pub use integrations::IntegrationsPage;
pub use missing::MissingPage;
pub use settings::SettingsPage;
pub use verdict::verdict;
