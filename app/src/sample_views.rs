//! The views that tests give to pages.

use crate::view::{
    ActsAs, ConnectionView, Freshness, Moment, PeopleFacts, PersonView, Status, Trouble,
    WebhookFacts, WorkspaceView,
};

/// The time as machines read it, the same in all samples.
const ISO: &str = "2026-11-19T14:02:11Z";

pub fn moment(text: &str) -> Moment {
    Moment::new(ISO.to_owned(), text.to_owned())
}

/// One that a sentence goes on with by "at".
pub fn at(text: &str) -> Moment {
    Moment::at(ISO.to_owned(), text.to_owned())
}

/// The age of a page that was made this second.
pub fn as_of() -> Freshness {
    Freshness {
        at: moment("14:02:11 UTC"),
        mark: "7-3".to_owned(),
        organisation: "o1".to_owned(),
    }
}

pub fn owner() -> PersonView {
    PersonView {
        name: "Priya Raman".to_owned(),
        email: "priya@northwind.dev".to_owned(),
        initials: "PR".to_owned(),
        organisation: "Northwind Labs".to_owned(),
        organisation_id: "org-1".to_owned(),
        role: "owner".to_owned(),
        manages: true,
    }
}

pub fn trouble(answer_note: &str) -> Trouble {
    Trouble {
        since: at("09:42 UTC today"),
        answer: Some("400 invalid_grant".to_owned()),
        answer_note: answer_note.to_owned(),
        likely: vec!["The app was removed in Linear, or an admin revoked it".to_owned()],
    }
}

/// A connection that needs somebody.
pub fn broken(workspace: &str) -> ConnectionView {
    ConnectionView {
        id: "c1".to_owned(),
        status: Status::ReconnectRequired,
        workspace: WorkspaceView {
            name: workspace.to_owned(),
            url_key: "globex".to_owned(),
            initials: "GX".to_owned(),
            logo: None,
        },
        acts_as: ActsAs::App {
            name: "Relink".to_owned(),
        },
        scopes: Vec::new(),
        connected_by: "Tomas Okafor".to_owned(),
        connected_at: moment("9 Nov"),
        verified: None,
        fingerprint: None,
        life: None,
        waiting: None,
        trouble: Some(trouble("to the newest refresh token")),
        farewell: None,
        webhook: WebhookFacts::default(),
        people: PeopleFacts::default(),
    }
}
