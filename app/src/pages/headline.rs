//! The headline of `/integrations`: does anyone have to act, before anything else.

use leptos::prelude::*;

use crate::parts::Mark;
use crate::view::{Fault, Status, TallyView};

/// The first that fits. Disconnected workspaces are history and do not count. Who does not manage
/// reads whom a connection needs.
#[must_use]
pub fn headline(tally: &TallyView, wrong_set_up: Option<Fault>, manages: bool) -> String {
    let (needs, need) = if manages {
        ("needs you", "need you")
    } else {
        ("needs an admin", "need an admin")
    };
    let named = |then: &str, else_say: String| {
        tally
            .only
            .as_ref()
            .map_or(else_say, |name| format!("{name} {then}"))
    };
    match tally {
        TallyView {
            reconnect: broken @ 1..,
            ..
        } => named(needs, format!("{broken} connections {need}")),
        _ if let Some(headline) = wrong_set_up.and_then(wrong) => headline.to_owned(),
        TallyView { waiting: 1.., .. } => "Waiting for Linear".to_owned(),
        TallyView { connected: 1.., .. } => {
            named("is connected", "Everything is connected".to_owned())
        }
        TallyView { ended: 1.., .. } => "No workspace is connected".to_owned(),
        _ => "Connect your first workspace".to_owned(),
    }
}

/// Explains a fault that does not pass by itself: somebody has to set it right.
fn wrong(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::Linear => None,
        Fault::App => Some("Linear refuses this Relink"),
        Fault::OtherApp => Some("This Relink has another client ID"),
        Fault::OwnApp => Some("Linear refuses an app of your own"),
        Fault::Keys => Some("This Relink lacks a key"),
    }
}

/// "5 connected, 1 waiting, 1 to reconnect": the tally for those who hear it.
fn sentence(tally: &TallyView) -> String {
    let parts = [
        (tally.connected, "connected"),
        (tally.waiting, "waiting"),
        (tally.reconnect, "to reconnect"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    said.join(", ")
}

/// "1 to reconnect", "1 waiting", "1 connected", as far as there are any; heard as one sentence.
#[component]
pub fn Tally(tally: TallyView) -> impl IntoView {
    let entry = |count: u32, status: Status, words: &'static str| {
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
        entry(tally.reconnect, Status::ReconnectRequired, "to reconnect"),
        entry(tally.waiting, Status::LinearUnreachable, "waiting"),
        entry(tally.connected, Status::Connected, "connected"),
    ];
    let any = entries.iter().any(Option::is_some);
    any.then(|| {
        view! {
            <p class="sr">{sentence(&tally)}</p>
            <ul class="verdict" aria-hidden="true">
                {entries.collect_view()}
            </ul>
        }
    })
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(reconnect: u32, waiting: u32, connected: u32, ended: u32, only: &str) -> TallyView {
        TallyView {
            reconnect,
            waiting,
            connected,
            ended,
            only: (!only.is_empty()).then(|| only.to_owned()),
        }
    }

    #[test]
    fn the_first_headline_that_fits() {
        let cases = [
            (tally(0, 0, 0, 0, ""), "Connect your first workspace"),
            (
                tally(0, 0, 1, 0, "Acme Robotics"),
                "Acme Robotics is connected",
            ),
            (tally(0, 0, 2, 0, ""), "Everything is connected"),
            (tally(0, 1, 1, 0, "Initech"), "Waiting for Linear"),
            (tally(0, 2, 0, 0, ""), "Waiting for Linear"),
            (tally(1, 1, 1, 0, "Globex"), "Globex needs you"),
            (tally(2, 0, 0, 0, ""), "2 connections need you"),
            (tally(0, 0, 1, 1, "Acme"), "Acme is connected"),
            (tally(0, 0, 0, 1, "Hooli"), "No workspace is connected"),
        ];
        for (tally, words) in cases {
            assert_eq!(headline(&tally, None, true), words, "{tally:?}");
        }
    }

    #[test]
    fn who_cannot_act_reads_who_can() {
        assert_eq!(
            headline(&tally(1, 0, 1, 0, "Globex"), None, false),
            "Globex needs an admin"
        );
        assert_eq!(
            headline(&tally(2, 0, 0, 0, ""), None, false),
            "2 connections need an admin"
        );
    }

    #[test]
    fn a_wrong_set_up_is_nothing_to_wait_for() {
        let waiting = |fault| headline(&tally(0, 2, 0, 0, ""), Some(fault), true);
        assert_eq!(waiting(Fault::App), "Linear refuses this Relink");
        assert_eq!(
            waiting(Fault::OtherApp),
            "This Relink has another client ID"
        );
        assert_eq!(waiting(Fault::OwnApp), "Linear refuses an app of your own");
        assert_eq!(waiting(Fault::Keys), "This Relink lacks a key");
        assert_eq!(
            headline(&tally(1, 2, 0, 0, "Globex"), Some(Fault::App), true),
            "Globex needs you",
            "what one can mend first"
        );
    }

    #[test]
    fn the_tally_is_heard_as_one_sentence() {
        assert_eq!(
            sentence(&tally(1, 0, 5, 3, "Globex")),
            "5 connected, 1 to reconnect"
        );
        assert_eq!(
            sentence(&tally(2, 1, 0, 0, "")),
            "1 waiting, 2 to reconnect"
        );
        assert_eq!(sentence(&tally(0, 0, 0, 1, "Hooli")), "");
    }

    #[test]
    fn the_order_of_states_is_the_order_of_cards() {
        let mut states = [
            Status::NotConnected,
            Status::Connected,
            Status::LinearUnreachable,
            Status::ReconnectRequired,
        ];
        states.sort();
        assert_eq!(states.map(Status::tone), ["bad", "wait", "ok", "off"]);
    }
}
