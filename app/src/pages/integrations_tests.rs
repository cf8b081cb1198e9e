use super::*;
use crate::rendered;
use crate::view::{ActsAs, ConnectionView, Moment, Status, Trouble, WorkspaceView};

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
        failure: None,
        trouble: Some(trouble),
        farewell: None,
    }
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
