use super::*;
use crate::rendered;
use crate::view::{ActsAs, Moment, PeopleFacts, PersonLineView, WebhookFacts, WorkspaceView};

fn acme(status: Status) -> ConnectionView {
    let workspace = WorkspaceView {
        name: "Acme Robotics".to_owned(),
        url_key: "acme".to_owned(),
        initials: "AR".to_owned(),
        logo: None,
    };
    ConnectionView {
        id: "c1".to_owned(),
        status,
        workspace,
        acts_as: ActsAs::App {
            name: "Relink".to_owned(),
        },
        scopes: Vec::new(),
        connected_by: "Priya Raman".to_owned(),
        connected_at: Moment::new(String::new(), String::new()),
        verified: None,
        fingerprint: None,
        life: None,
        waiting: None,
        trouble: None,
        farewell: None,
        webhook: WebhookFacts::default(),
        people: PeopleFacts::default(),
    }
}

fn who(name: &str, email: &str) -> PersonLineView {
    PersonLineView {
        initials: "ED".to_owned(),
        name: name.to_owned(),
        email: email.to_owned(),
    }
}

fn section(status: Status, linked: Vec<LinkedMemberView>, manages: bool) -> String {
    let people = PeopleView {
        workspace_id: "w1".to_owned(),
        linked,
    };
    rendered::html(|| view! { <LinkedPeople connection=acme(status) people manages /> })
        .replace("<!>", "")
}

fn elif(unlink: bool) -> LinkedMemberView {
    LinkedMemberView {
        member: who("Elif Demir", "elif@northwind.dev"),
        person: who("<b>Elif D", "elif@acme.example"),
        linear_id: "l1".to_owned(),
        unlink,
    }
}

#[test]
fn a_row_says_which_member_is_which_person() {
    let page = section(Status::Connected, vec![elif(true)], true);
    for part in [
        "Elif Demir",
        "elif@northwind.dev",
        "&lt;b&gt;Elif D",
        "elif@acme.example",
    ] {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
    for (name, value) in [("workspace", "w1"), ("person", "l1"), ("back", "c1")] {
        let field = format!(r#"<input type="hidden" name="{name}" value="{value}">"#);
        assert!(page.contains(&field), "{field} is missing in {page}");
    }
}

#[test]
fn who_may_not_unlink_is_offered_no_button() {
    let page = section(Status::Connected, vec![elif(false)], false);
    assert!(
        page.contains("Elif Demir") && !page.contains("<form") && !page.contains("Invite teammate")
    );
}

#[test]
fn an_empty_section_says_what_comes_next_where_somebody_can_be_invited() {
    let next = "Nobody is linked yet. Invite somebody: you pick the Linear person, they confirm \
        it.";
    let page = section(Status::LinearUnreachable, Vec::new(), true);
    assert!(page.contains(next) && page.contains(r##"href="/team#invite""##));
    for (status, manages) in [
        (Status::Connected, false),
        (Status::ReconnectRequired, true),
    ] {
        let page = section(status, Vec::new(), manages);
        assert!(
            page.contains("Nobody is linked yet.") && !page.contains("nvite"),
            "{page}"
        );
    }
}
