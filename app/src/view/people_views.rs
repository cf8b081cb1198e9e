//! The people who are linked in an organisation's workspaces, for all its connections at once.

use std::collections::HashMap;

use relink_engine::connection::{ActAs, Connection, State};
use relink_engine::identity::Person;
use relink_engine::people::LinkedMember;
use relink_engine::store::StoreError;
use relink_engine::{Engine, text};

use super::team_views::person_line;
use crate::view::{LinkedMemberView, Next, PeopleFacts, PeopleView};

pub struct People<'a> {
    /// The links by Linear's organization id.
    links: HashMap<String, Vec<LinkedMember>>,
    looking: &'a Person,
}

impl<'a> People<'a> {
    /// One query, however many connections and people there are.
    pub async fn load(engine: &Engine, looking: &'a Person) -> Result<People<'a>, StoreError> {
        Ok(People::of(engine.members(looking).linked().await?, looking))
    }

    fn of(rows: Vec<LinkedMember>, looking: &'a Person) -> People<'a> {
        let mut links: HashMap<String, Vec<LinkedMember>> = HashMap::new();
        for row in rows {
            links.entry(row.workspace_id.clone()).or_default().push(row);
        }
        People { links, looking }
    }

    fn linked(&self, connection: &Connection) -> &[LinkedMember] {
        self.links
            .get(&connection.workspace.id)
            .map_or(&[], Vec::as_slice)
    }

    pub fn facts(&self, connection: &Connection) -> PeopleFacts {
        let linked = self.linked(connection);
        PeopleFacts {
            linked: u32::try_from(linked.len()).unwrap_or(u32::MAX),
            me: linked
                .iter()
                .any(|link| link.user_id == self.looking.user_id),
        }
    }

    /// Lists the people of a connection's workspace; `None` for one that is history and had nobody.
    pub fn view(&self, connection: &Connection) -> Option<PeopleView> {
        let linked = self.linked(connection);
        let history = linked.is_empty() && matches!(connection.state, State::Disconnected { .. });
        (!history).then(|| PeopleView {
            workspace_id: connection.workspace.id.clone(),
            linked: linked.iter().map(|link| self.linked_member(link)).collect(),
        })
    }

    fn linked_member(&self, link: &LinkedMember) -> LinkedMemberView {
        LinkedMemberView {
            member: person_line(&link.user_name, &link.user_email),
            person: person_line(&link.linear_name, &link.linear_email),
            linear_id: link.linear_id.clone(),
            unlink: self.looking.manages() || link.user_id == self.looking.user_id,
        }
    }

    /// Asks those who may link themselves, and are nobody there yet, who they are. A person whom
    /// somebody else is already is not proposed.
    pub fn who_are_you(&self, connection: &Connection) -> Option<Next> {
        if !self.looking.manages() || self.facts(connection).me {
            return None;
        }
        let viewer = &connection.viewer;
        match connection.actor {
            ActAs::App => Some(Next::link("Which one is you?", "/team#me")),
            ActAs::User
                if self
                    .linked(connection)
                    .iter()
                    .any(|link| link.linear_id == viewer.id) =>
            {
                None
            }
            ActAs::User => Some(Next::AreYou {
                connection: connection.id.clone(),
                workspace: text::name(&connection.workspace.name),
                person: viewer.id.clone(),
                name: text::name(&viewer.name),
            }),
        }
    }
}

#[cfg(test)]
#[path = "people_views_tests.rs"]
mod tests;
