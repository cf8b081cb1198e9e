//! The headline of `/integrations`: does anyone have to act, before anything else.

use leptos::prelude::*;

use crate::parts::Mark;
use crate::view::{ConnectionView, Status};

/// The first that fits. Disconnected workspaces are history and do not count.
#[must_use]
pub fn verdict(connections: &[ConnectionView]) -> String {
    let broken = named(connections, Status::ReconnectRequired);
    let connected = named(connections, Status::Connected);
    let waiting = count(connections, Status::LinearUnreachable);
    match (broken.as_slice(), waiting, connected.as_slice()) {
        ([name], _, _) => format!("{name} needs you"),
        ([_, ..], _, _) => format!("{} connections need you", broken.len()),
        ([], 1.., _) => "Waiting for Linear".to_owned(),
        ([], 0, [name]) => format!("{name} is connected"),
        ([], 0, [_, ..]) => "Everything is connected".to_owned(),
        ([], 0, []) if connections.is_empty() => "Connect your first workspace".to_owned(),
        ([], 0, []) => "No workspace is connected".to_owned(),
    }
}

fn named(connections: &[ConnectionView], status: Status) -> Vec<&str> {
    connections.iter().filter(|one| one.status == status).map(|one| one.workspace.name.as_str()).collect()
}

fn count(connections: &[ConnectionView], status: Status) -> usize {
    connections.iter().filter(|one| one.status == status).count()
}

/// "1 to reconnect", "1 waiting", "1 connected", as far as there are any.
#[component]
pub fn Tally(connections: Vec<ConnectionView>) -> impl IntoView {
    let entry = |status: Status, words: &'static str| {
        let count = count(&connections, status);
        (count > 0).then(|| {
            view! {
                <li class=status.tone()>
                    <Mark status />
                    <span><b>{count}</b> " " {words}</span>
                </li>
            }
        })
    };
    let entries = [
        entry(Status::ReconnectRequired, "to reconnect"),
        entry(Status::LinearUnreachable, "waiting"),
        entry(Status::Connected, "connected"),
    ];
    entries.iter().any(Option::is_some).then(|| view! { <ul class="verdict">{entries.collect_view()}</ul> }).into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{ActsAs, Moment, WebhookFacts, WorkspaceView};

    fn connection(name: &str, status: Status) -> ConnectionView {
        let moment = Moment { iso: String::new(), text: String::new() };
        let workspace = WorkspaceView { name: name.to_owned(), url_key: String::new(), initials: String::new(), logo: None };
        ConnectionView {
            id: name.to_owned(),
            status,
            workspace,
            acts_as: ActsAs::App { name: String::new() },
            scopes: Vec::new(),
            connected_by: String::new(),
            connected_at: moment,
            verified: None,
            fingerprint: None,
            life: None,
            waiting: None,
            trouble: None,
            farewell: None,
            webhook: WebhookFacts::default(),
        }
    }

    #[test]
    fn the_first_headline_that_fits() {
        use Status::{Connected, LinearUnreachable, NotConnected, ReconnectRequired};
        let cases: [(&[(&str, Status)], &str); 9] = [
            (&[], "Connect your first workspace"),
            (&[("Acme Robotics", Connected)], "Acme Robotics is connected"),
            (&[("Acme", Connected), ("Globex", Connected)], "Everything is connected"),
            (&[("Initech", LinearUnreachable), ("Acme", Connected)], "Waiting for Linear"),
            (&[("Initech", LinearUnreachable)], "Waiting for Linear"),
            (&[("Globex", ReconnectRequired), ("Initech", LinearUnreachable), ("Acme", Connected)], "Globex needs you"),
            (&[("Globex", ReconnectRequired), ("Hooli", ReconnectRequired)], "2 connections need you"),
            (&[("Acme", Connected), ("Hooli", NotConnected)], "Acme is connected"),
            (&[("Hooli", NotConnected)], "No workspace is connected"),
        ];
        for (connections, headline) in cases {
            let connections: Vec<_> = connections.iter().map(|&(name, status)| connection(name, status)).collect();
            assert_eq!(verdict(&connections), headline);
        }
    }

    #[test]
    fn the_order_of_states_is_the_order_of_cards() {
        let mut states = [Status::NotConnected, Status::Connected, Status::LinearUnreachable, Status::ReconnectRequired];
        states.sort();
        assert_eq!(states.map(Status::tone), ["bad", "wait", "ok", "off"]);
    }
}
