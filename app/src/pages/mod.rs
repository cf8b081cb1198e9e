//! The pages: each loads one view type and shows it.

mod callback;
mod connection;
mod content;
mod door;
mod history;
mod integrations;
mod keys;
mod load;
mod missing;
mod settings;
mod verdict;

pub use callback::CallbackPage;
pub use connection::ConnectionPage;
pub use door::{SignInPage, SignUpPage};
pub use integrations::IntegrationsPage;
pub use missing::MissingPage;
pub use settings::SettingsPage;
pub use verdict::verdict;
