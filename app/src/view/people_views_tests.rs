use relink_engine::identity::Role;

use super::*;
use crate::view::samples::{NOW, connection, person};

/// The member is the person "l-" and their id in Acme.
fn link(user: &str) -> LinkedMember {
    LinkedMember {
        workspace_id: "w-acme".to_owned(),
        linear_id: format!("l-{user}"),
        linear_name: "Elif D".to_owned(),
        linear_email: "elif@acme.example".to_owned(),
        user_id: user.to_owned(),
        user_name: "Elif Demir".to_owned(),
        user_email: "elif@northwind.dev".to_owned(),
        linked_at: NOW,
    }
}

fn acme(actor: ActAs, viewer: &str) -> Connection {
    let mut acme = Connection {
        actor,
        ..connection("acme", "Acme Robotics")
    };
    viewer.clone_into(&mut acme.viewer.id);
    acme
}

#[test]
fn people_are_counted_for_each_workspace() {
    let priya = person("u1", Role::Owner);
    let people = People::of(vec![link("u1"), link("u2")], &priya);
    assert_eq!(
        people.facts(&acme(ActAs::App, "v1")),
        PeopleFacts {
            linked: 2,
            me: true
        }
    );
    assert_eq!(
        people.facts(&connection("globex", "Globex")),
        PeopleFacts {
            linked: 0,
            me: false
        }
    );
}

#[test]
fn members_unlink_themselves_and_those_who_manage_anybody() {
    let unlink = |role| {
        let priya = person("u1", role);
        let view = People::of(vec![link("u1"), link("u2")], &priya)
            .view(&acme(ActAs::App, "v1"))
            .expect("people");
        view.linked
            .into_iter()
            .map(|linked| linked.unlink)
            .collect::<Vec<_>>()
    };
    assert_eq!(unlink(Role::Member), [true, false]);
    assert_eq!(unlink(Role::Admin), [true, true]);
}

#[test]
fn history_without_people_has_no_section() {
    let priya = person("u1", Role::Owner);
    let ended = State::Disconnected {
        at: NOW,
        reason: relink_engine::connection::Reason::ByPerson,
        by: None,
        revoked: true,
    };
    let ended = Connection {
        state: ended,
        ..acme(ActAs::App, "v1")
    };
    assert_eq!(People::of(Vec::new(), &priya).view(&ended), None);
    assert!(
        People::of(vec![link("u2")], &priya)
            .view(&ended)
            .is_some_and(|view| view.linked.len() == 1)
    );
    let alive = People::of(Vec::new(), &priya)
        .view(&acme(ActAs::App, "v1"))
        .expect("an empty section");
    assert_eq!(
        (alive.workspace_id.as_str(), alive.linked.len()),
        ("w-acme", 0)
    );
}

#[test]
fn who_connects_is_asked_who_they_are_where_it_is_open() {
    let viewer = || Next::AreYou {
        connection: "acme".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        person: "l-u2".to_owned(),
        name: "Relink".to_owned(),
    };
    let asked = |role, linked: &[&str], actor| {
        let priya = person("u1", role);
        People::of(linked.iter().map(|user| link(user)).collect(), &priya)
            .who_are_you(&acme(actor, "l-u2"))
    };
    assert_eq!(asked(Role::Admin, &[], ActAs::User), Some(viewer()));
    assert_eq!(asked(Role::Admin, &["u3"], ActAs::User), Some(viewer()));
    assert_eq!(
        asked(Role::Admin, &["u2"], ActAs::User),
        None,
        "somebody else is the viewer"
    );
    assert_eq!(
        asked(Role::Admin, &["u1"], ActAs::User),
        None,
        "they are somebody there"
    );
    assert_eq!(
        asked(Role::Admin, &["u2"], ActAs::App),
        Some(Next::link("Which one is you?", "/team#me"))
    );
    assert_eq!(asked(Role::Admin, &["u1"], ActAs::App), None);
    assert_eq!(asked(Role::Member, &[], ActAs::User), None);
}
