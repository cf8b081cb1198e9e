//! The way from what the engine knows to what a page may show. This is the wall that tokens do not
//! pass.

use relink_engine::clock::Millis;
use relink_engine::connection::{
    self, ActAs, CLIENT_ID_CHANGED, Connection, Evidence, FailedCall, Reason, RefreshTrouble,
    State, TokenTimes,
};
use relink_engine::identity::Person;
use relink_engine::scope::{self, Scope};
use relink_engine::{ASKED_FOR, ApiKey, linear, text};

use super::time;
use crate::view::{
    ActsAs, Answer, ConnectionView, Farewell, Fault, GrantedScope, KeyView, Moment, PeopleFacts,
    PersonView, ScopeView, Status, TokenLife, Trouble, Waiting, WebhookFacts, WorkspaceView,
};

pub fn person_view(person: &Person) -> PersonView {
    PersonView {
        name: text::name(&person.name),
        email: text::email(&person.email),
        initials: initials(&person.name),
        organisation: text::name(&person.organisation),
        organisation_id: person.organisation_id.clone(),
        role: person.role.name().to_owned(),
        manages: person.manages(),
    }
}

/// Makes the view without what is known of its webhook and its people.
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
            name: text::name(&connection.workspace.name),
            url_key: text::name(&connection.workspace.url_key),
            initials: initials(&connection.workspace.name),
            logo: connection
                .workspace
                .logo_url
                .clone()
                .filter(|url| linear::serves_picture(url)),
        },
        acts_as: match connection.actor {
            ActAs::App => ActsAs::App {
                name: text::name(&connection.viewer.name),
            },
            ActAs::User => ActsAs::User {
                name: text::name(&connection.viewer.name),
            },
        },
        scopes: connection.scopes.clone(),
        connected_by: connection.connected_by.clone(),
        connected_at: time::on_day(connection.connected_at, now),
        verified: connection.last_verified_at.map(|at| time::moment(at, now)),
        fingerprint: token
            .map(|token| format!("{}·{}", &token.fingerprint[..4], &token.fingerprint[4..8])),
        life: token.map(|token| life(connection, token, now)),
        waiting: waiting(connection, now),
        trouble: trouble(connection, now),
        farewell: farewell(connection, now),
        webhook: WebhookFacts::default(),
        people: PeopleFacts::default(),
    }
}

pub fn status(connection: &Connection) -> Status {
    match connection.state {
        // An error is kept only until the next call that works.
        State::Connected { .. } if connection.passing_error().is_some() => {
            Status::LinearUnreachable
        }
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
    let stopped = if let State::ReconnectRequired { since, .. } = connection.state {
        Some(since)
    } else {
        None
    };
    let (left, note) = match status(connection) {
        Status::ReconnectRequired | Status::NotConnected => {
            let note = verified.map(|at| format!("Worked until {}", time::at_clock(at, now).text));
            ("Stopped".to_owned(), note.unwrap_or_default())
        }
        Status::LinearUnreachable => (left(token, now), patience(connection, now)),
        Status::Connected => (
            left(token, now),
            verified
                .map(|at| format!("Proved working {}", time::ago(now - at)))
                .unwrap_or_default(),
        ),
    };
    TokenLife {
        issued: time::moment(token.issued_at, now),
        refresh_due: time::moment(token.refresh_due_at(), now),
        expires: time::moment(token.expires_at, now),
        now_percent: percent(stopped.unwrap_or(now)),
        due_percent: percent(token.refresh_due_at()),
        left,
        note,
    }
}

/// Says until when the present token is good: "14:02 UTC on 20 Nov". `None` if it was lost
/// meanwhile, which the page shows.
pub fn good_until(connection: &Connection, now: Millis) -> Option<String> {
    match &connection.state {
        State::Connected { token } => Some(time::at_clock(token.expires_at, now).text),
        State::ReconnectRequired { .. } | State::Disconnected { .. } => None,
    }
}

fn left(token: &TokenTimes, now: Millis) -> String {
    if token.expires_at > now {
        format!("{} left", time::span(token.expires_at - now))
    } else {
        format!("Ran out {}", time::ago(now - token.expires_at))
    }
}

/// "Nothing for you to do. Next try in 40 s", as far as it is true and known.
fn patience(connection: &Connection, now: Millis) -> String {
    let calm = (fault(connection) == Fault::Linear).then(|| "Nothing for you to do".to_owned());
    let next = next_try(connection, now).map(|next| format!("Next try {next}"));
    calm.into_iter().chain(next).collect::<Vec<_>>().join(". ")
}

fn next_try(connection: &Connection, now: Millis) -> Option<String> {
    let at = connection.refresh_trouble.as_ref()?.next_attempt_at?;
    Some(time::within(at - now))
}

/// Finds who can help a connection that does not get on.
pub fn fault(connection: &Connection) -> Fault {
    match connection
        .refresh_trouble
        .as_ref()
        .map(RefreshTrouble::fault)
    {
        None | Some(connection::Fault::Linear) => Fault::Linear,
        Some(connection::Fault::App) if connection.app_id.is_some() => Fault::OwnApp,
        Some(connection::Fault::App) => Fault::App,
        Some(connection::Fault::OtherApp) => Fault::OtherApp,
        Some(connection::Fault::Keys) => Fault::Keys,
    }
}

pub fn waiting(connection: &Connection, now: Millis) -> Option<Waiting> {
    let State::Connected { token } = &connection.state else {
        return None;
    };
    let newest = connection.passing_error()?;
    let (trouble, fault) = (connection.refresh_trouble.as_ref(), fault(connection));
    // Several failures in a row say more than a call that failed since.
    let error = trouble
        .filter(|trouble| fault != Fault::Linear || trouble.failures > 1)
        .map_or(newest, |trouble| &trouble.error);
    Some(Waiting {
        answer: answer(&error.code, error.status),
        at: time::at_clock(error.at, now),
        failures: trouble.map_or(0, |trouble| {
            u32::try_from(trouble.failures).unwrap_or(u32::MAX)
        }),
        next_try: next_try(connection, now),
        meaning: meaning(token, fault, now),
        fault,
    })
}

fn meaning(token: &TokenTimes, fault: Fault, now: Millis) -> String {
    let until = time::at_clock(token.expires_at, now).text;
    match (token.expires_at > now, fault) {
        (true, Fault::Linear) => {
            format!(
                "The token is good until {until}, so calls work whenever Linear answers. Relink \
                    keeps trying."
            )
        }
        (true, Fault::App | Fault::OtherApp | Fault::OwnApp) => {
            format!("The token is still good until {until}; calls go through until then.")
        }
        (_, Fault::Keys) => format!(
            "Replicas that have the key go on; here, calls wait for it. The token is good until \
                {until}."
        ),
        (false, Fault::Linear) => format!("The token ran out at {until}. Relink keeps trying."),
        (false, Fault::App) => format!(
            "The token ran out at {until}. Calls wait until Linear accepts this Relink again."
        ),
        (false, Fault::OtherApp) => {
            format!(
                "The token ran out at {until}. Calls wait until the client ID is put back, or for \
                    a reconnect."
            )
        }
        (false, Fault::OwnApp) => {
            format!("The token ran out at {until}. Calls wait until Linear accepts the app again.")
        }
    }
}

/// Gives Linear's answer verbatim, or in words what kept it from answering.
pub fn answer(code: &str, status: Option<u16>) -> Answer {
    let words = match code {
        "timeout" => "no answer in time",
        "no_connection" => "no connection",
        "rate_limited" => "Linear asked for fewer questions",
        "unreadable_reply" => "an answer that could not be read",
        "broken_reply" => "the answer broke off",
        "database" => "Relink's own database did not answer",
        "disk_full" => "Relink's own disk was full",
        "database_read_only"
        | "database_file_gone"
        | "database_file_replaced"
        | "database_log_gone"
        | "disk_failing" => "Relink's own disk took nothing",
        "not_configured" => "no Linear app is set up here",
        "busy" => "another process was still at it",
        CLIENT_ID_CHANGED => "LINEAR_CLIENT_ID is not the app that this connection was made with",
        "asked_too_often" => "Relink asked for new tokens so often that it takes a breath",
        FailedCall::TOKEN_REFUSED => "it does not accept the token that it has just handed out",
        "key_missing" => "the key to the stored token is missing here",
        _ => return Answer::Verbatim(verbatim(code, status)),
    };
    Answer::Words(words.to_owned())
}

/// "503", "400 invalid_grant".
fn verbatim(code: &str, status: Option<u16>) -> String {
    match status {
        // Linear has no code of its own for it.
        Some(status) if code == "server_error" => status.to_string(),
        Some(status) => format!("{status} {code}"),
        None => code.to_owned(),
    }
}

fn trouble(connection: &Connection, now: Millis) -> Option<Trouble> {
    const REMOVED: &str = "The app was removed in Linear, or an admin revoked it";
    const COPIED: &str = "Another copy of this database may have used the token: a restored \
        backup, or a copy for tests";
    const LENT: &str = "Linear ended it together with a permission that somebody had lent to say \
        who they are, and that was handed back. From now on these are kept until the connection \
        ends";
    const LOST: &str = "An answer from Linear was lost and nobody asked again within its half \
        hour, so the new token is gone";

    let State::ReconnectRequired {
        since,
        reason,
        evidence,
        token,
    } = &connection.state
    else {
        return None;
    };
    let ran_out = token
        .as_ref()
        .is_some_and(|token| token.expires_at <= *since);
    let asked = evidence.as_ref().map_or(1, |evidence| evidence.asked);
    let late = evidence
        .as_ref()
        .is_some_and(|evidence| evidence.late_by_s.is_some());
    // Asked twice and no more: the token had never been shown from here.
    let copied = *reason == Reason::InvalidGrant && asked == 2 && !late;
    let (answer_note, likely) = match reason {
        // Nobody asked: Linear said so by itself.
        Reason::Revoked if evidence.is_none() => {
            ("Linear sent word that the app was removed", REMOVED)
        }
        Reason::Revoked if asked > 1 => ("to a token that it had just handed out", REMOVED),
        Reason::Revoked if ran_out => (
            "to a token that had run out",
            "The token reached the end of its life and was not renewed",
        ),
        Reason::Revoked => ("to a token that should have worked", REMOVED),
        Reason::InvalidGrant => ("to the newest refresh token", REMOVED),
        Reason::NoRefreshToken => ("", "This connection is from before refresh tokens"),
        Reason::Unreadable => (
            "",
            "The stored token is damaged: it does not open with the key that sealed it",
        ),
        Reason::ByPerson | Reason::Duplicate => ("", "Another connection took its place"),
    };
    Some(Trouble {
        since: time::at_clock(*since, now),
        answer: evidence
            .as_ref()
            .map(|Evidence { status, code, .. }| format!("{status} {code}")),
        answer_note: match (reason, asked) {
            (Reason::InvalidGrant, 2) => format!("{answer_note}, asked twice"),
            (Reason::InvalidGrant, 3..) => format!("{answer_note}, asked {asked} times"),
            _ => answer_note.to_owned(),
        },
        likely: if evidence.as_ref().is_some_and(|evidence| evidence.with_loan) {
            vec![LENT.to_owned()]
        } else {
            copied
                .then_some(COPIED)
                .into_iter()
                .chain([if late { LOST } else { likely }])
                .map(str::to_owned)
                .collect()
        },
    })
}

fn farewell(connection: &Connection, now: Millis) -> Option<Farewell> {
    let State::Disconnected {
        at, by, revoked, ..
    } = &connection.state
    else {
        return None;
    };
    let by = by.clone().unwrap_or_else(|| "Relink".to_owned());
    Some(Farewell {
        at: time::on_day(*at, now),
        by,
        revoked: *revoked,
        kept: connection.kept,
        asking: now - *at < ASKED_FOR,
        app: connection.app_id.clone(),
    })
}

/// Makes the line of an API key; only the end of the key itself is known.
pub fn key_view(key: ApiKey, now: Millis) -> KeyView {
    KeyView {
        id: key.id,
        name: text::name(&key.name),
        key: format!("rlk_····{}", key.last_four),
        made_by: key.made_by.map(|(_, name)| text::name(&name)),
        last_used: key
            .last_used_at
            .map(|at| Moment::new(time::iso(at), time::ago(now - at))),
    }
}

/// The first letters of the first and last word, or the first two of a single one.
pub fn initials(name: &str) -> String {
    let name = text::line(name);
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
            user_only: scope.only == Some(ActAs::User),
            app_only: scope.only == Some(ActAs::App),
        })
        .collect()
}

/// Lists what may be done, then what may not and somebody might miss. A scope that Linear granted
/// and the list does not know keeps its name; what a wider one covers is not missed.
pub fn granted_scopes(connection: &Connection) -> Vec<GrantedScope> {
    let granted = |name: &str| connection.scopes.iter().any(|scope| scope == name);
    let covered = |scope: &Scope| scope.part_of.is_some_and(granted);
    // What only agents have, people do not miss.
    let missed = |scope: &Scope| {
        !covered(scope) && (scope.only != Some(ActAs::App) || connection.actor == ActAs::App)
    };
    let (have, lack): (Vec<&Scope>, Vec<&Scope>) =
        scope::OFFERED.iter().partition(|scope| granted(scope.name));
    let unknown = connection
        .scopes
        .iter()
        .filter(|name| !scope::OFFERED.iter().any(|scope| scope.name == **name));
    let line = |name: &str, explained: &str, granted| GrantedScope {
        name: name.to_owned(),
        explained: explained.to_owned(),
        granted,
    };
    have.into_iter()
        .map(|scope| line(scope.name, scope.explained, true))
        .chain(unknown.map(|name| line(name, "Granted by Linear", true)))
        .chain(
            lack.into_iter()
                .filter(|scope| missed(scope))
                .map(|scope| line(scope.name, scope.without, false)),
        )
        .collect()
}

#[cfg(test)]
#[path = "connection_view_tests.rs"]
mod tests;
