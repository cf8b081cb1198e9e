//! The frame around every page, and who looks at it.

use super::{InstanceTrouble, Status, Theme};

/// The frame around every page.
#[derive(Clone, Debug)]
pub struct ShellView {
    pub theme: Theme,
    /// The banner: everything talks to the simulated Linear.
    pub simulated: bool,
    /// The troubles of this Relink itself.
    pub troubles: Vec<InstanceTrouble>,
    /// Host and port people see in the address bar.
    pub host: String,
    /// The person who is signed in, if anybody is.
    pub person: Option<PersonView>,
    /// The other organisations that they are a member of.
    pub elsewhere: Vec<OrganisationView>,
    /// The number of connections that need a person: the count in the navigation and in the tab's
    /// title.
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
