//! One's own sessions on the settings page.

use super::Moment;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The hash that it is stored under; it signs nobody in.
    pub id: String,
    /// "Firefox on Linux"; empty where that is not known, as of the address.
    pub browser: String,
    pub address: String,
    /// "2 h ago"; `None` where it was not used since that is noted.
    pub last_used: Option<Moment>,
    /// It is the one that looks at the page.
    pub here: bool,
}
