use relink_engine::connection::{FailedCall, Reason, RefreshTrouble, State};

use super::*;
use crate::view::samples::{NOW, connection};

/// "Workspace 001" and so on, the last ones first.
fn many(count: usize) -> Vec<Connection> {
    (1..=count)
        .rev()
        .map(|number| connection(&format!("w{number:03}"), &format!("Workspace {number:03}")))
        .collect()
}

fn broken(id: &str, name: &str) -> Connection {
    let state = State::ReconnectRequired {
        since: NOW,
        reason: Reason::Revoked,
        evidence: None,
        token: None,
    };
    Connection {
        state,
        ..connection(id, name)
    }
}

fn put_off(id: &str, code: &str) -> Connection {
    let error = FailedCall {
        code: code.to_owned(),
        status: Some(401),
        at: NOW,
    };
    Connection {
        refresh_trouble: Some(RefreshTrouble {
            error,
            failures: 1,
            next_attempt_at: None,
        }),
        ..connection(id, id)
    }
}

fn names<'a>(overview: &Overview<'a>) -> Vec<&'a str> {
    overview
        .shown
        .iter()
        .map(|connection| connection.workspace.name.as_str())
        .collect()
}

#[test]
fn what_needs_a_person_is_first_on_the_first_page() {
    let mut connections = many(120);
    connections.insert(60, broken("z", "Zenith"));
    let first = Overview::of(&connections, None, None);
    assert_eq!(
        (first.shown.len(), &names(&first)[..3]),
        (50, &["Zenith", "Workspace 001", "Workspace 002"][..])
    );
    let last = Overview::of(&connections, None, Some("3"));
    assert_eq!(
        (names(&last).len(), names(&last)[20]),
        (21, "Workspace 120")
    );
}

#[test]
fn pages_name_their_neighbours() {
    let connections = many(120);
    let pager = |page: &str| {
        Overview::of(&connections, None, Some(page))
            .pager
            .expect("pages")
    };
    let (first, second, third) = (pager("1"), pager("2"), pager("3"));
    assert_eq!((first.first, first.last, first.of), (1, 50, 120));
    assert_eq!(
        (first.previous.as_deref(), first.next.as_deref()),
        (None, Some("/integrations?page=2"))
    );
    assert_eq!(
        (second.previous.as_deref(), second.next.as_deref()),
        (Some("/integrations"), Some("/integrations?page=3"))
    );
    assert_eq!((third.first, third.last, third.next), (101, 120, None));
    assert_eq!(Overview::of(&many(50), None, None).pager, None);
}

#[test]
fn what_is_no_page_is_the_nearest_one() {
    let connections = many(120);
    for (page, here) in [
        ("0", "/integrations"),
        ("x", "/integrations"),
        ("-1", "/integrations"),
        ("99", "/integrations?page=3"),
    ] {
        assert_eq!(
            Overview::of(&connections, None, Some(page)).here,
            here,
            "{page}"
        );
    }
}

#[test]
fn names_and_url_keys_are_found_in_any_case() {
    let mut connections = many(120);
    connections.push(connection("nordwind-gmbh", "Ärzte & Söhne"));
    for q in [" ärzte ", "SÖHNE", "Nordwind"] {
        assert_eq!(
            names(&Overview::of(&connections, Some(q), None)),
            ["Ärzte & Söhne"],
            "{q}"
        );
    }
    let found = Overview::of(&connections, Some("w"), Some("2"));
    assert_eq!(
        found.search,
        Some(SearchView {
            q: "w".to_owned(),
            found: 121
        })
    );
    assert_eq!(
        found.pager.and_then(|pager| pager.next).as_deref(),
        Some("/integrations?q=w&page=3")
    );
    let none = Overview::of(&connections, Some("a&page=2"), None);
    assert_eq!(
        (none.shown.len(), none.here.as_str()),
        (0, "/integrations?q=a%26page%3D2")
    );
}

#[test]
fn few_connections_are_not_searched() {
    let connections = many(8);
    let few = Overview::of(&connections, Some("Globex"), None);
    assert_eq!(
        (few.shown.len(), few.search, few.here.as_str()),
        (8, None, "/integrations")
    );
    assert!(Overview::of(&many(9), None, None).search.is_some());
}

#[test]
fn what_is_typed_is_kept_within_bounds() {
    let (connections, q) = (many(9), "ä".repeat(101));
    assert_eq!(
        Overview::of(&connections, Some(&q), None)
            .search
            .map(|search| search.q.chars().count()),
        Some(100)
    );
}

#[test]
fn the_tally_names_the_only_one_in_the_worst_state() {
    let tally = |connections: &[Connection]| tally(connections);
    let mut connections = many(3);
    assert_eq!(
        tally(&connections),
        TallyView {
            connected: 3,
            ..TallyView::default()
        }
    );
    connections.push(broken("globex", "Globex"));
    assert_eq!(
        tally(&connections),
        TallyView {
            connected: 3,
            reconnect: 1,
            only: Some("Globex".to_owned()),
            ..TallyView::default()
        }
    );
    connections.push(broken("hooli", "Hooli"));
    assert_eq!(tally(&connections).only, None);
    assert_eq!(tally(&[]), TallyView::default());
}

#[test]
fn a_wrong_set_up_is_told_from_linears_troubles() {
    let faults = |connections: &[Connection]| {
        wrong_set_up(connections, NOW)
            .into_iter()
            .map(|waiting| waiting.fault)
            .collect::<Vec<_>>()
    };
    assert_eq!(faults(&[put_off("a", "server_error")]), []);
    assert_eq!(
        faults(&[put_off("a", "server_error"), put_off("b", "invalid_client")]),
        [Fault::App]
    );
    let own = Connection {
        app_id: Some("a1".to_owned()),
        ..put_off("c", "invalid_client")
    };
    let both = [
        own.clone(),
        put_off("a", "invalid_client"),
        own,
        put_off("b", "invalid_client"),
    ];
    assert_eq!(faults(&both), [Fault::App, Fault::OwnApp], "each once");
}
