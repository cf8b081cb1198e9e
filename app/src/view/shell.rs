//! The frame around every page, and who looks at it.

use super::{InstanceTrouble, Status, Theme};

/// The frame around every page.
#[derive(Clone, Debug)]
pub struct ShellView {
    pub theme: Theme,
    /// The banner: everything talks to the simulated Linear.
    pub simulated: bool,
    /// What is wrong with this Relink itself.
    pub troubles: Vec<InstanceTrouble>,
    /// Host and port people see in the address bar.
    pub host: String,
    /// Nobody is signed in: `None`.
    pub person: Option<PersonView>,
    /// Where else they are a member.
    pub elsewhere: Vec<OrganisationView>,
    /// How many connections need a person; the count in the navigation and in the tab's title.
    pub needs_you: u32,
    /// The state that the favicon shows.
    pub worst: Status,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationView {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    pub name: String,
    pub email: String,
    pub initials: String,
    pub organisation: String,
    pub organisation_id: String,
    /// "owner", "admin" or "member".
    pub role: String,
    /// May connect, reconnect and disconnect.
    pub manages: bool,
}
