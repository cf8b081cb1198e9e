use super::*;
use crate::rendered;
use crate::view::{ActsAs, Answer, ConnectionView, Moment, Status, Trouble, Waiting, WebhookFacts, WorkspaceView};

fn moment(text: &str) -> Moment {
    Moment { iso: "2026-11-19T09:42:00Z".to_owned(), text: text.to_owned() }
}

fn broken(name: &str) -> ConnectionView {
    let workspace = WorkspaceView { name: name.to_owned(), url_key: "globex".to_owned(), initials: "GX".to_owned(), logo: None };
    let trouble = Trouble {
        since: moment("09:42 UTC today"),
        answer: Some("400 invalid_grant".to_owned()),
        answer_note: "to the newest refresh token".to_owned(),
        likely: "The app was removed in Linear, or an admin revoked it".to_owned(),
    };
    ConnectionView {
        id: "c1".to_owned(),
        status: Status::ReconnectRequired,
        workspace,
        acts_as: ActsAs::App { name: "Relink".to_owned() },
        scopes: Vec::new(),
        connected_by: "Tomas Okafor".to_owned(),
        connected_at: moment("9 Nov"),
        verified: None,
        fingerprint: None,
        life: None,
        waiting: None,
        trouble: Some(trouble),
        farewell: None,
        webhook: WebhookFacts::default(),
    }
}

fn waiting(answer: Answer, failures: u32, fault: Fault) -> ConnectionView {
    let waiting = Waiting { answer, at: moment("14:01 UTC today"), failures, next_try: None, meaning: String::new(), fault };
    ConnectionView { status: Status::LinearUnreachable, trouble: None, waiting: Some(waiting), ..broken("Initech Studio") }
}

fn page(connections: Vec<ConnectionView>, app_configured: bool, manages: bool) -> String {
    let as_of = moment("14:02:11 UTC");
    let view = IntegrationsView { connections, flash: None, scopes: Vec::new(), app_configured, simulated: false, manages, as_of };
    rendered::html(|| integrations(view).main)
}

#[test]
fn a_broken_connection_shows_the_evidence_and_the_way_back() {
    let page = page(vec![broken("Globex")], true, true);
    for part in ["Globex needs you", "Reconnect required", "400 invalid_grant", "Approved by ", "Tomas Okafor"] {
        assert!(page.contains(part), "{part:?} is missing");
    }
    assert!(page.contains(r#"<input type="hidden" name="connection" value="c1">"#));
}

#[test]
fn a_card_counts_the_tries_that_failed() {
    let unavailable = || Answer::Verbatim("503".to_owned());
    let silent = || Answer::Words("no answer in time".to_owned());
    let cases = [
        (waiting(unavailable(), 3, Fault::Linear), "3 tries failed, last <code>503</code> at <time"),
        (waiting(unavailable(), 1, Fault::Linear), "Last try failed, <code>503</code> at <time"),
        (waiting(silent(), 3, Fault::Linear), "3 tries failed, last at <time"),
        (waiting(silent(), 0, Fault::Linear), "Last try failed at <time"),
    ];
    for (connection, fact) in cases {
        let page = page(vec![connection], true, true).replace("<!>", "");
        assert!(page.contains(fact), "{fact:?} is not in {page}");
        assert!(!page.contains(r#"role="alert""#));
    }
}

#[test]
fn a_wrong_set_up_is_said_once_above_all_connections() {
    let client = waiting(Answer::Verbatim("401 invalid_client".to_owned()), 2, Fault::App);
    let keys = waiting(Answer::Words("the key to the stored token is missing here".to_owned()), 2, Fault::Keys);
    let cases = [
        (client, ["Linear does not accept this Relink as a client", "<code>401 invalid_client</code>", "/settings#linear-app"]),
        (keys, ["This Relink lacks a key to its stored tokens", "the key to the stored token is missing here", "RELINK_KEYS"]),
    ];
    for (connection, parts) in cases {
        let page = page(vec![connection.clone(), connection], true, false);
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
