//! From what the engine knows to what a page may show. This is the wall that tokens do not pass.

use relink_engine::account::Person;
use relink_engine::clock::Millis;
use relink_engine::connection::{Actor, Connection, Evidence, Reason, State, TokenTimes};
use relink_engine::scope;

use super::words;
use crate::view::{
    ActsAs, ConnectionView, Farewell, GrantedScope, LastFailure, PersonView, ScopeView, Status, TokenLife, Trouble, WorkspaceView,
};

pub fn person_view(person: &Person) -> PersonView {
    PersonView {
        name: person.name.clone(),
        email: person.email.clone(),
        initials: initials(&person.name),
        organisation: person.organisation.clone(),
        role: person.role.name().to_owned(),
        manages: person.manages(),
    }
}

/// The page's order: what needs a person first, then by name.
pub fn connection_views(connections: &[Connection], now: Millis) -> Vec<ConnectionView> {
    let mut views: Vec<_> = connections.iter().map(|connection| connection_view(connection, now)).collect();
    views.sort_by_cached_key(|view| (view.status, view.workspace.name.to_lowercase(), view.id.clone()));
    views
}

pub fn connection_view(connection: &Connection, now: Millis) -> ConnectionView {
    let token = match &connection.state {
        State::Connected { token } => Some(token),
        State::ReconnectRequired { token, .. } => token.as_ref(),
        State::Disconnected { .. } => None,
    };
    ConnectionView {
        id: connection.id.clone(),
        status: status(connection),
        workspace: WorkspaceView {
            name: connection.workspace.name.clone(),
            url_key: connection.workspace.url_key.clone(),
            initials: initials(&connection.workspace.name),
            logo: connection.workspace.logo_url.clone().filter(|url| url.starts_with("https://")),
        },
        acts_as: match connection.actor {
            Actor::App => ActsAs::App { name: connection.viewer.name.clone() },
            Actor::User => ActsAs::User { name: connection.viewer.name.clone() },
        },
        scopes: connection.scopes.clone(),
        connected_by: connection.connected_by.clone(),
        connected_at: words::on_day(connection.connected_at, now),
        verified: connection.last_verified_at.map(|at| words::moment(at, now)),
        fingerprint: token.map(|token| format!("{}·{}", &token.fingerprint[..4], &token.fingerprint[4..8])),
        life: token.map(|token| life(connection, token, now)),
        failure: failure(connection, now),
        trouble: trouble(connection, now),
        farewell: farewell(connection, now),
    }
}

pub fn status(connection: &Connection) -> Status {
    match connection.state {
        // An error is kept only until the next call that works.
        State::Connected { .. } if connection.passing_error().is_some() => Status::LinearUnreachable,
        State::Connected { .. } => Status::Connected,
        State::ReconnectRequired { .. } => Status::ReconnectRequired,
        State::Disconnected { .. } => Status::NotConnected,
    }
}

fn life(connection: &Connection, token: &TokenTimes, now: Millis) -> TokenLife {
    let percent = |at: Millis| {
        let whole = (token.expires_at - token.issued_at).max(1);
        // Two decimals are finer than any screen.
        (((at - token.issued_at) * 10_000 / whole).clamp(0, 10_000) as f64) / 100.0
    };
    let verified = connection.last_verified_at;
    let (left, note) = match status(connection) {
        Status::ReconnectRequired | Status::NotConnected => {
            let note = verified.map(|at| format!("Worked until {}", words::at_clock(at, now).text));
            ("Stopped".to_owned(), note.unwrap_or_default())
        }
        Status::LinearUnreachable => (left(token, now), "Nothing for you to do".to_owned()),
        Status::Connected => (left(token, now), verified.map(|at| format!("Proved working {}", words::ago(now - at))).unwrap_or_default()),
    };
    TokenLife {
        issued: words::moment(token.issued_at, now),
        refresh_due: words::moment(token.refresh_due_at(), now),
        expires: words::moment(token.expires_at, now),
        now_percent: percent(now),
        due_percent: percent(token.refresh_due_at()),
        left,
        note,
    }
}

fn left(token: &TokenTimes, now: Millis) -> String {
    if token.expires_at > now {
        format!("{} left", words::span(token.expires_at - now))
    } else {
        format!("Ran out {}", words::ago(now - token.expires_at))
    }
}

fn failure(connection: &Connection, now: Millis) -> Option<LastFailure> {
    let error = connection.passing_error().filter(|_| status(connection) == Status::LinearUnreachable)?;
    Some(LastFailure { status: error.status, at: words::at_clock(error.at, now) })
}

fn trouble(connection: &Connection, now: Millis) -> Option<Trouble> {
    let State::ReconnectRequired { since, reason, evidence, token } = &connection.state else { return None };
    let ran_out = token.as_ref().is_some_and(|token| token.expires_at <= *since);
    let (answer_note, likely) = match reason {
        Reason::Revoked if ran_out => ("to a token that had run out", "The token reached the end of its life and was not renewed"),
        Reason::Revoked => ("to a token that should have worked", "The app was removed in Linear, or an admin revoked it"),
        Reason::InvalidGrant => ("to the newest refresh token", "The app was removed in Linear, or an admin revoked it"),
        Reason::NoRefreshToken => ("", "This connection is from before refresh tokens"),
        Reason::Unreadable => ("", "The key that sealed this token is not among the keys of this Relink any more"),
        Reason::ByPerson | Reason::Duplicate => ("", "Another connection took its place"),
    };
    Some(Trouble {
        since: words::at_clock(*since, now),
        answer: evidence.as_ref().map(|Evidence { status, code, .. }| format!("{status} {code}")),
        answer_note: answer_note.to_owned(),
        likely: likely.to_owned(),
    })
}

fn farewell(connection: &Connection, now: Millis) -> Option<Farewell> {
    let State::Disconnected { at, by, revoked, .. } = &connection.state else { return None };
    Some(Farewell { at: words::on_day(*at, now), by: by.clone().unwrap_or_else(|| "Relink".to_owned()), revoked: *revoked })
}

/// The first letters of the first and last word, or the first two of a single one.
pub fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let letters: String = match words.as_slice() {
        [] => "?".to_owned(),
        [one] => one.chars().take(2).collect(),
        [first, .., last] => first.chars().take(1).chain(last.chars().take(1)).collect(),
    };
    letters.to_uppercase()
}

/// The list on the connect form.
pub fn scope_views() -> Vec<ScopeView> {
    scope::OFFERED
        .iter()
        .map(|scope| ScopeView {
            name: scope.name.to_owned(),
            explained: scope.explained.to_owned(),
            preselected: scope.name == scope::READ,
            always: scope.name == scope::READ,
            user_only: scope.only == Some(Actor::User),
            app_only: scope.only == Some(Actor::App),
        })
        .collect()
}

/// Every scope in words, the granted ones first; one that Linear granted and the list does not know keeps its name.
pub fn granted_scopes(connection: &Connection) -> Vec<GrantedScope> {
    let granted = |name: &str| connection.scopes.iter().any(|scope| scope == name);
    let mut scopes: Vec<_> = scope::OFFERED
        .iter()
        .filter(|scope| granted(scope.name) || scope.only.is_none_or(|only| only == connection.actor))
        .map(|scope| GrantedScope { name: scope.name.to_owned(), explained: scope.explained.to_owned(), granted: granted(scope.name) })
        .collect();
    let unknown = connection.scopes.iter().filter(|name| !scope::OFFERED.iter().any(|scope| scope.name == **name));
    scopes.extend(unknown.map(|name| GrantedScope { name: name.clone(), explained: "Granted by Linear".to_owned(), granted: true }));
    scopes.sort_by_key(|scope| !scope.granted);
    scopes
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_fit_any_name() {
        assert_eq!(initials("Acme Robotics"), "AR");
        assert_eq!(initials("globex"), "GL");
        assert_eq!(initials("Ana Maria de Souza"), "AS");
        assert_eq!(initials("  "), "?");
        assert_eq!(initials("日本 語"), "日語");
    }
}
