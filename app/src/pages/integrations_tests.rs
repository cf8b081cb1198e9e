use super::*;
use crate::rendered;
use crate::sample_views::{as_of, broken, moment};
use crate::view::{
    Answer, ConnectionView, Fault, PagerView, PeopleFacts, SearchView, Status, TallyView, Waiting,
};

fn waiting(answer: Answer, failures: u32, fault: Fault) -> ConnectionView {
    let waiting = Waiting {
        answer,
        at: moment("14:01 UTC today"),
        failures,
        next_try: None,
        meaning: String::new(),
        fault,
    };
    ConnectionView {
        status: Status::LinearUnreachable,
        trouble: None,
        waiting: Some(waiting),
        ..broken("Initech Studio")
    }
}

fn view(connections: Vec<ConnectionView>) -> IntegrationsView {
    let with = |status: Status| {
        connections
            .iter()
            .filter(|connection| connection.status == status)
            .map(|_| 1)
            .sum()
    };
    let (reconnect, waiting, connected) = (
        with(Status::ReconnectRequired),
        with(Status::LinearUnreachable),
        with(Status::Connected),
    );
    let only = connections
        .first()
        .filter(|_| connections.len() == 1)
        .map(|connection| connection.workspace.name.clone());
    IntegrationsView {
        tally: TallyView {
            reconnect,
            waiting,
            connected,
            ended: 0,
            only,
        },
        connections,
        wrong_set_up: Vec::new(),
        search: None,
        pager: None,
        here: "/integrations".to_owned(),
        notice: None,
        scopes: Vec::new(),
        app_configured: true,
        app_has_webhook: false,
        apps: Vec::new(),
        simulated: false,
        manages: true,
        owns: false,
        as_of: as_of(),
    }
}

fn shown(view: IntegrationsView) -> String {
    rendered::html(|| integrations(view).main)
}

fn page(connections: Vec<ConnectionView>, app_configured: bool, manages: bool) -> String {
    shown(IntegrationsView {
        app_configured,
        manages,
        ..view(connections)
    })
}

/// Connected, with this many people linked, and whether who looks at the page is one of them.
fn peopled(linked: u32, me: bool) -> ConnectionView {
    ConnectionView {
        status: Status::Connected,
        trouble: None,
        people: PeopleFacts { linked, me },
        ..broken("Acme")
    }
}

#[test]
fn a_broken_connection_shows_the_evidence_and_the_way_back() {
    let page = page(vec![broken("Globex")], true, true);
    for part in [
        "Globex needs you",
        "Reconnect required",
        "400 invalid_grant",
        "Approved by ",
        "Tomas Okafor",
    ] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    assert!(page.contains(r#"<input type="hidden" name="connection" value="c1">"#));
}

#[test]
fn a_card_counts_the_tries_that_failed() {
    let unavailable = || Answer::Verbatim("503".to_owned());
    let silent = || Answer::Words("no answer in time".to_owned());
    let cases = [
        (
            waiting(unavailable(), 3, Fault::Linear),
            "3 tries failed, last <code class=\"whole\">503</code> at <time",
        ),
        (
            waiting(unavailable(), 1, Fault::Linear),
            "Last try failed, <code class=\"whole\">503</code> at <time",
        ),
        (
            waiting(silent(), 3, Fault::Linear),
            "3 tries failed, last at <time",
        ),
        (
            waiting(silent(), 0, Fault::Linear),
            "Last try failed at <time",
        ),
    ];
    for (connection, fact) in cases {
        let page = page(vec![connection], true, true).replace("<!>", "");
        assert!(page.contains(fact), "{fact:?} is not in {page}");
        assert!(!page.contains(r#"role="alert""#));
    }
}

#[test]
fn a_wrong_set_up_is_said_once_above_all_connections() {
    let client = waiting(
        Answer::Verbatim("401 invalid_client".to_owned()),
        2,
        Fault::App,
    );
    let keys = waiting(
        Answer::Words("the key to the stored token is missing here".to_owned()),
        2,
        Fault::Keys,
    );
    let cases = [
        (
            client,
            [
                "Linear does not accept this Relink as a client",
                "<code>401 invalid_client</code>",
                "/settings#linear-app",
            ],
        ),
        (
            keys,
            [
                "This Relink lacks a key to its stored tokens",
                "the key to the stored token is missing here",
                "RELINK_KEYS",
            ],
        ),
    ];
    for (connection, parts) in cases {
        let view = view(vec![connection.clone(), connection.clone()]);
        let page = shown(IntegrationsView {
            wrong_set_up: connection.waiting.into_iter().collect(),
            manages: false,
            ..view
        });
        assert_eq!(page.matches(r#"role="alert""#).count(), 1);
        for part in parts {
            assert!(page.contains(part), "{part:?} is missing");
        }
    }
}

#[test]
fn who_does_not_manage_sees_the_state_and_who_can_help() {
    let page = page(vec![broken("Globex")], true, false);
    assert!(page.contains("An admin of your organisation can reconnect it."));
    assert!(!page.contains("<form") && !page.contains("<button"));
}

#[test]
fn without_an_app_the_first_step_is_open() {
    let page = page(Vec::new(), false, true);
    assert!(page.contains("/settings#linear-app") && !page.contains("Connect Linear"));
}

#[test]
fn the_first_connect_is_the_one_primary_button() {
    let page = page(Vec::new(), true, true);
    assert!(page.contains("Connect your first workspace"));
    assert_eq!(page.matches("btn primary").count(), 1);
}

#[test]
fn a_card_counts_who_is_linked_and_asks_who_is_not() {
    let (people, invite, me) = (
        r##"href="/integrations/c1#people""##,
        r##"href="/team#invite""##,
        r##"href="/team#me""##,
    );
    let cases = [
        (
            peopled(0, false),
            true,
            "Nobody linked yet",
            vec![invite, me],
        ),
        (peopled(1, true), true, "1 person linked", vec![people]),
        (peopled(4, false), true, "4 people linked", vec![people, me]),
        (peopled(4, false), false, "4 people linked", vec![people]),
    ];
    for (connection, manages, words, links) in cases {
        let page = page(vec![connection], true, manages);
        assert!(page.contains(words), "{words:?} is not in {page}");
        for link in [people, invite, me] {
            assert_eq!(
                page.contains(link),
                links.contains(&link),
                "{link} in {page}"
            );
        }
    }
}

#[test]
fn a_card_without_people_is_silent_where_nobody_can_be_invited() {
    for (connection, manages) in [(peopled(0, false), false), (broken("Globex"), true)] {
        let page = page(vec![connection], true, manages);
        assert!(
            !page.contains("linked") && !page.contains("is you"),
            "{page}"
        );
    }
}

#[test]
fn a_search_keeps_what_was_typed_and_counts() {
    let q = "\"><img src=x>".to_owned();
    let tally = TallyView {
        connected: 200,
        ..TallyView::default()
    };
    let found = SearchView {
        q: q.clone(),
        found: 12,
    };
    let page = shown(IntegrationsView {
        tally: tally.clone(),
        search: Some(found),
        ..view(vec![peopled(0, true)])
    })
    .replace("<!>", "");
    assert!(
        page.contains(r#"method="get""#)
            && page.contains("12 of 200")
            && page.contains("Everything is connected"),
        "{page}"
    );
    assert!(
        page.contains(r#"value="&quot;&gt;&lt;img src=x&gt;""#),
        "{page}"
    );
    let none = SearchView { q, found: 0 };
    let page = shown(IntegrationsView {
        tally,
        search: Some(none),
        ..view(Vec::new())
    })
    .replace("<!>", "");
    assert!(
        page.contains("No workspace matches “\"&gt;&lt;img src=x&gt;”."),
        "{page}"
    );
    assert!(
        page.contains(r#"<a href="/integrations">Show all</a>"#)
            && page.contains("Everything is connected")
    );
}

#[test]
fn without_a_search_nothing_is_counted() {
    let search = SearchView {
        q: String::new(),
        found: 9,
    };
    let page = shown(IntegrationsView {
        search: Some(search),
        ..view(vec![peopled(0, true)])
    });
    assert!(page.contains(r#"role="search""#) && !page.contains("Show all"));
    assert!(
        !shown(view(vec![peopled(0, true)])).contains(r#"role="search""#),
        "few need none"
    );
}

#[test]
fn pages_lead_to_each_other() {
    let pager = PagerView {
        first: 51,
        last: 100,
        of: 200,
        previous: Some("/integrations?q=a".to_owned()),
        next: None,
    };
    let page = shown(IntegrationsView {
        pager: Some(pager),
        ..view(vec![peopled(0, true)])
    });
    assert!(
        page.contains("51 to 100 of 200")
            && page.contains(r#"href="/integrations?q=a""#)
            && !page.contains("Next")
    );
}
