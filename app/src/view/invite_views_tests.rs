use relink_engine::clock::DAY;

use super::*;
use crate::view::samples::{NOW, connection};

fn someone(name: &str, email: &str, guest: bool) -> LinearPerson {
    let json = serde_json::json!({ "id": email, "name": name, "email": email, "avatarUrl": null,
        "guest": guest, "app": false, "active": true });
    serde_json::from_value(json).unwrap()
}

fn asked(name: &str, people: Vec<LinearPerson>, linked: &[&str]) -> WorkspacePeople {
    let linked = linked.iter().map(|id| (*id).to_owned()).collect();
    WorkspacePeople {
        connection: connection(name, name),
        people: Some(people),
        linked,
    }
}

#[test]
fn a_suggestion_says_who_is_a_guest_and_who_is_linked() {
    let people = || {
        vec![
            someone("Elif Demir", "elif@acme.example", false),
            someone("Farid Nasser", "farid@acme.example", true),
        ]
    };
    let one = [asked("Acme", people(), &["farid@acme.example"])];
    assert_eq!(
        suggested(&one),
        [
            "Elif Demir, elif@acme.example",
            "Farid Nasser, farid@acme.example (guest, linked)"
        ]
    );
    let two = [
        asked("Acme", people(), &[]),
        asked(
            "Globex",
            vec![someone("Jun Li", "jun@globex.example", false)],
            &[],
        ),
    ];
    assert_eq!(suggested(&two)[0], "Elif Demir, elif@acme.example (Acme)");
    assert_eq!(suggested(&two)[2], "Jun Li, jun@globex.example (Globex)");
}

#[test]
fn an_answered_code_says_whose_the_person_is_by_now() {
    let invite = |outcome| Invite {
        id: "i".to_owned(),
        workspace: "Acme".to_owned(),
        name: "Elif Demir".to_owned(),
        email: "elif@acme.example".to_owned(),
        made_by: None,
        expires_at: NOW + DAY,
        opened_at: None,
        outcome,
        ended_at: Some(NOW),
    };
    assert_eq!(
        answered_code(invite(Outcome::Declined), &[], NOW).answer,
        CodeAnswer::NotMe
    );
    assert_eq!(
        answered_code(invite(Outcome::Refused), &[], NOW).answer,
        CodeAnswer::Taken { email: None }
    );
    assert_eq!(
        waiting_code(invite(Outcome::Open), NOW).runs_out.text,
        "in 24 h 0 min"
    );
}
