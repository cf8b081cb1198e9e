use super::*;
use crate::view::samples::connection;

fn someone(id: &str, name: &str) -> LinearPerson {
    let json = serde_json::json!({ "id": id, "name": name, "email": format!("{id}@acme.example"),
        "avatarUrl": null, "guest": id == "farid",
            "app": false, "active": true });
    serde_json::from_value(json).unwrap()
}

fn asked(name: &str, people: Option<Vec<LinearPerson>>, linked: &[&str]) -> WorkspacePeople {
    WorkspacePeople {
        connection: connection(name, name),
        people,
        linked: linked.iter().map(|id| (*id).to_owned()).collect(),
    }
}

fn picked(count: usize) -> Vec<Picked> {
    (0..count)
        .map(|number| Picked::read(&format!("c1:l{number}:Somebody")).unwrap())
        .collect()
}

#[test]
fn who_is_picked_is_read_as_it_was_offered() {
    let asked = [asked(
        "Acme",
        Some(vec![someone("elif", "Elif: the \"first\"")]),
        &[],
    )];
    let offered = pickable(&asked, &InviteDraft::default(), 9);
    let read = Picked::read(&offered[0].people[0].value).unwrap();
    assert_eq!(
        read,
        Picked {
            connection: "Acme".to_owned(),
            linear_id: "elif".to_owned(),
            name: "Elif: the \"first\"".to_owned()
        }
    );
    for nobody in ["", "c1", "c1:l1", ":l1:Elif", "c1::Elif"] {
        assert_eq!(Picked::read(nobody), None, "{nobody:?}");
    }
    assert_eq!(
        Picked::read(&format!("c1:l1:{}", "x".repeat(9_000)))
            .unwrap()
            .name
            .chars()
            .count(),
        100
    );
}

#[test]
fn only_those_who_are_not_linked_are_offered_workspace_by_workspace() {
    let acme = || {
        Some(vec![
            someone("elif", "Elif Demir"),
            someone("farid", "Farid Nasser"),
        ])
    };
    let all = [
        asked("Acme", acme(), &["elif"]),
        asked("Silent", None, &[]),
        asked("Globex", acme(), &[]),
    ];
    let draft = InviteDraft {
        picked: vec!["Globex:elif".to_owned()],
        ..InviteDraft::default()
    };
    let groups = pickable(&all, &draft, 9);
    let offered = groups.iter().flat_map(|group| {
        group.people.iter().map(|one| {
            (
                group.workspace.as_str(),
                one.name.as_str(),
                one.guest,
                one.picked,
            )
        })
    });
    let expected = [
        ("Acme", "Farid Nasser", true, false),
        ("Globex", "Elif Demir", false, true),
        ("Globex", "Farid Nasser", true, false),
    ];
    assert_eq!(offered.collect::<Vec<_>>(), expected);
    let few = pickable(&all, &draft, 2);
    assert_eq!(
        few.iter()
            .map(|group| group.people.len())
            .collect::<Vec<_>>(),
        [1, 1],
        "no more than the page can hold"
    );
    assert!(pickable(&[asked("Acme", acme(), &["elif", "farid"])], &draft, 9).is_empty());
}

#[test]
fn nobody_and_too_many_are_sent_back_with_their_picks() {
    let problem = |count| {
        draft_of(&picked(count), "24".to_owned())
            .map(|draft| (draft.problem.unwrap(), draft.picked.len()))
    };
    assert_eq!(problem(0), Some((InviteProblem::NobodyPicked, 0)));
    assert_eq!((problem(1), problem(20)), (None, None));
    assert_eq!(problem(21), Some((InviteProblem::TooMany, 21)));
    assert_eq!(
        problem(700),
        Some((InviteProblem::TooMany, KEPT_MAX)),
        "the session stays small"
    );
    assert_eq!(
        draft_of(&picked(21), "1".to_owned()).unwrap().picked[20],
        "c1:l20"
    );
}
