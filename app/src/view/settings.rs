//! The settings page: the app, the keys, this machine.

use std::fmt;

use super::{
    AuditView, ClockView, CreateAppView, Moment, Notice, OwnAppsView, PersonView, Refused,
    SessionView, Theme,
};

#[derive(Clone, Debug)]
pub struct SettingsView {
    pub client_id: Option<String>,
    pub redirect_uri: String,
    pub secret_set: bool,
    pub simulated: bool,
    /// Something can be connected, be it through an app that this page does not show.
    pub app_configured: bool,
    pub create_app: CreateAppView,
    /// `None` for those who do not own.
    pub own_apps: Option<OwnAppsView>,
    pub theme: Theme,
    pub person: PersonView,
    /// The sessions that they are signed in with, this browser first.
    pub sessions: Vec<SessionView>,
    pub version: String,
    /// "SQLite" or "PostgreSQL".
    pub database: String,
    /// The id of the key that seals.
    pub sealing_key: String,
    /// The time until this process looks again for tokens that are due, "in 8 s"; `None` where
    /// nothing does.
    pub next_sweep: Option<Moment>,
    pub clock: ClockView,
    /// The sender of mails; `None` without a mail server.
    pub mail_from: Option<String>,
    /// The newest first; `None` for those who do not manage keys.
    pub keys: Option<Vec<KeyView>>,
    pub new_key: Option<NewKeyView>,
    /// `None` for those who may not read it.
    pub audit: Option<AuditView>,
    /// The name of a new key that was refused.
    pub refused: Option<Refused>,
    pub notice: Option<Notice>,
}

/// An API key as its owners see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    pub id: String,
    pub name: String,
    /// "rlk_····8fQ2"
    pub key: String,
    /// "2 min ago"; `None` if never.
    pub last_used: Option<Moment>,
    /// "Priya Raman"; `None` when it was made by command.
    pub made_by: Option<String>,
}

/// The page after a key was made.
#[derive(Clone, PartialEq, Eq)]
pub enum NewKeyView {
    Shown {
        name: String,
        key: String,
    },
    /// It was shown before.
    Gone,
}

/// Leaves out the key, which must not get into a log.
impl fmt::Debug for NewKeyView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NewKeyView::Shown { name, .. } => formatter
                .debug_struct("Shown")
                .field("name", name)
                .finish_non_exhaustive(),
            NewKeyView::Gone => formatter.write_str("Gone"),
        }
    }
}
