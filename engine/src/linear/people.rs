//! The people of a workspace. Every query is valid by Linear's published schema.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{CallError, Linear};

/// People that Linear gives in one page; it takes no more.
const PAGE: usize = 250;
/// Pages read. A workspace of more people is searched by e-mail.
const PAGES_MAX: usize = 20;

/// A person who can be linked: active, and no bot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinearPerson {
    pub id: String,
    pub name: String,
    pub email: String,
    pub avatar_url: Option<String>,
    /// Sees only the teams that they were invited to.
    pub guest: bool,
    app: bool,
    active: bool,
}

impl LinearPerson {
    /// Says whether they are active, and no bot.
    pub(crate) fn can_be_linked(&self) -> bool {
        self.active && !self.app
    }
}

const PEOPLE: &str = "query RelinkPeople($first: Int!, $after: String) { \
    users(first: $first, after: $after, filter: { active: { eq: true }, app: { eq: false } }) { \
    nodes { id name email avatarUrl guest app active } pageInfo { hasNextPage endCursor } } }";
const PERSON: &str = "query RelinkPerson($key: String!, $id: ID!) { \
    users(first: 2, filter: { or: [{ id: { eq: $id } }, { email: { eqIgnoreCase: $key } }] }) { \
    nodes { id name email avatarUrl guest app active } pageInfo { hasNextPage endCursor } } }";

impl Linear {
    /// Lists everybody who can be linked, by name.
    pub async fn people(&self, token: &SecretString) -> Result<Vec<LinearPerson>, CallError> {
        let (mut people, mut after) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let reply: Reply = self
                .ask(token, PEOPLE, json!({ "first": PAGE, "after": after }))
                .await?;
            people.extend(
                reply
                    .users
                    .nodes
                    .into_iter()
                    .filter(LinearPerson::can_be_linked),
            );
            after = reply
                .users
                .page_info
                .end_cursor
                .filter(|_| reply.users.page_info.has_next_page);
            if after.is_none() {
                break;
            }
        }
        people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id.clone()));
        Ok(people)
    }

    /// The person with this id or e-mail, if they can be linked.
    pub async fn person(
        &self,
        token: &SecretString,
        key: &str,
    ) -> Result<Option<LinearPerson>, CallError> {
        let reply: Reply = self
            .ask(token, PERSON, json!({ "key": key, "id": key }))
            .await?;
        let is_them =
            |person: &LinearPerson| person.id == key || person.email.eq_ignore_ascii_case(key);
        Ok(reply
            .users
            .nodes
            .into_iter()
            .filter(LinearPerson::can_be_linked)
            .find(is_them))
    }
}

#[derive(Deserialize)]
struct Reply {
    users: Users,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Users {
    nodes: Vec<LinearPerson>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}
