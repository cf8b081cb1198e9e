//! The audit trail on the settings page.

use super::Moment;

/// A page of it, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditView {
    pub lines: Vec<AuditLine>,
    /// The number below which the next page begins.
    pub older: Option<i64>,
    /// These are not the newest ones.
    pub is_old: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub number: i64,
    /// "Today 05:38"
    pub at: Moment,
    /// "priya@northwind.dev"
    pub who: String,
    /// "Disconnected"
    pub act: String,
    /// "Acme Robotics"
    pub subject: String,
    /// The address that the request came from; empty for commands.
    pub address: String,
}
