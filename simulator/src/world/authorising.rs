//! The decisions of the authorize page: send back at once, ask, or turn away; and what an answer
//! leads to.

use super::grants::{Actor, AuthorizeRequest, Code};
use super::workspace::{User, Workspace};
use super::{Person, World};

/// The next address of the browser, without a question to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// The person approved all this before: straight back with a code.
    Approved(Person),
    /// The application is already installed; without `prompt=consent` there is no code.
    AlreadyInstalled,
}

/// The result of a person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Redirect(String),
    /// Only an administrator can install; the callback may never come.
    NeedsAdmin,
    /// The workspace is unknown, or nobody like that could sign in.
    NoSuchPerson,
}

impl World {
    /// `prompt=consent` always asks. Otherwise it depends on who is signed in.
    pub fn shortcut(
        &self,
        request: &AuthorizeRequest,
        person: Option<&Person>,
    ) -> Option<Shortcut> {
        let person = person.filter(|_| !request.force_consent)?;
        let app = self.app(&request.client_id)?;
        match request.actor {
            Actor::App => app
                .is_installed(&person.workspace)
                .then_some(Shortcut::AlreadyInstalled),
            Actor::User => app
                .is_approved(person, &request.scopes)
                .then(|| Shortcut::Approved(person.clone())),
        }
    }

    /// Follows a shortcut back to the application.
    pub fn take_shortcut(&mut self, request: &AuthorizeRequest, shortcut: &Shortcut) -> String {
        match shortcut {
            Shortcut::AlreadyInstalled => back(request, &[("error", "access_denied")]),
            Shortcut::Approved(person) => self.code_for(request, person),
        }
    }

    /// The person pressed Cancel.
    pub fn decline(&self, request: &AuthorizeRequest) -> String {
        back(request, &[("error", "access_denied")])
    }

    /// The person pressed Approve. Without a user an administrator of the workspace is meant.
    pub fn approve(
        &mut self,
        request: &AuthorizeRequest,
        workspace: &str,
        user: Option<&str>,
    ) -> Answer {
        let Some((workspace, user)) = self.find_person(workspace, user) else {
            return Answer::NoSuchPerson;
        };
        let (person, is_admin) = (
            Person {
                workspace: workspace.id.clone(),
                user: user.id.clone(),
            },
            user.is_admin(),
        );
        if !self
            .app(&request.client_id)
            .is_some_and(|app| app.may_be_used_in(workspace))
        {
            return Answer::Redirect(back(request, &[("error", "access_denied")]));
        }
        self.signed_in = Some(person.clone());
        if request.actor == Actor::App && !is_admin {
            return Answer::NeedsAdmin;
        }
        Answer::Redirect(self.code_for(request, &person))
    }

    pub fn find_person(&self, workspace: &str, user: Option<&str>) -> Option<(&Workspace, &User)> {
        let workspace = self.workspace(workspace)?;
        let user = match user {
            Some(key) => workspace
                .user_by_id_or_email(key)
                .filter(|user| user.can_sign_in()),
            None => workspace.first_admin(),
        };
        Some((workspace, user?))
    }

    fn code_for(&mut self, request: &AuthorizeRequest, person: &Person) -> String {
        let code = self.mint("code", "");
        let record = Code {
            request: request.clone(),
            workspace: person.workspace.clone(),
            user: person.user.clone(),
            created_ms: self.now(),
            used: false,
        };
        self.codes.insert(code.clone(), record);
        back(request, &[("code", &code)])
    }
}

/// The redirect URI as it was registered, with the answer and the state verbatim.
fn back(request: &AuthorizeRequest, answer: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = &request.state {
        query.append_pair("state", state);
    }
    let separator = if request.redirect_uri.contains('?') {
        '&'
    } else {
        '?'
    };
    format!("{}{separator}{}", request.redirect_uri, query.finish())
}

#[cfg(test)]
mod tests {
    use super::{Actor, AuthorizeRequest, back};

    #[test]
    fn the_state_comes_back_verbatim_and_an_existing_query_stays() {
        let request = AuthorizeRequest {
            client_id: "client".into(),
            redirect_uri: "http://localhost/cb?x=1".into(),
            scopes: vec!["read".into()],
            state: Some("a b&c=d".into()),
            actor: Actor::User,
            force_consent: true,
            code_challenge: None,
        };
        let url = url::Url::parse(&back(&request, &[("code", "k")])).expect("a URL");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(
            pairs,
            [("x", "1"), ("code", "k"), ("state", "a b&c=d")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
    }
}
