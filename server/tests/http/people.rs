//! The list of members and their Linear people, for programs; and the audit trail.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use relink_engine::identity::Role;
use relink_engine::people::{CodeError, ConfirmError, Guesser, InviteError, VALID_DEFAULT};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::{Program, World};

const CHIARA: &str = "chiara@acme.example";
const HERE: Guesser<'static> = Guesser {
    address: "192.0.2.7",
    browser: "b",
};

async fn people(program: &Program<'_>, query: &str) -> Value {
    program
        .call(
            Method::GET,
            &format!("/api/v1/people{query}"),
            Body::empty(),
        )
        .await
        .body
}

#[tokio::test]
async fn programs_look_people_up_by_linear_id_and_email() {
    let world = World::new().await;
    let (_browser, program, id) = world.connected().await;
    let person = world
        .add("northwind-labs", "chi@northwind.dev", Role::Owner)
        .await;
    assert_eq!(people(&program, "").await, json!({ "people": [] }));
    let chiara = world
        .engine
        .invites(&person)
        .linear_people(&id)
        .await
        .unwrap()
        .into_iter()
        .find(|one| one.email == CHIARA)
        .unwrap();
    world
        .engine
        .link_self(&person, &id, &chiara.id)
        .await
        .unwrap();
    let all = people(&program, "").await;
    let one = &all["people"][0];
    assert_eq!(
        (
            &one["member"]["email"],
            &one["linear"]["id"],
            &one["linear"]["name"]
        ),
        (
            &json!("chi@northwind.dev"),
            &json!(chiara.id),
            &json!("Chiara Rossi")
        )
    );
    for found in [
        format!("linear_user_id={}", chiara.id),
        "email=CHI@northwind.dev".to_owned(),
        format!("email={CHIARA}"),
    ] {
        assert_eq!(people(&program, &format!("?{found}")).await, all, "{found}");
    }
    for nobody in [
        "linear_user_id=none",
        "email=ben@acme.example",
        "workspace=none",
    ] {
        assert_eq!(
            people(&program, &format!("?{nobody}")).await,
            json!({ "people": [] }),
            "{nobody}"
        );
    }
    assert_eq!(
        people(&program, "?nonsense=1").await["code"],
        "invalid_request"
    );
    world
        .member("initech", "sam@initech.dev", Role::Owner)
        .await;
    assert_eq!(
        people(&world.program_of("initech").await, "").await,
        json!({ "people": [] }),
        "another organisation"
    );
}

#[tokio::test]
async fn only_people_who_can_be_linked_are_listed_and_invited() {
    let world = World::new().await;
    let (_browser, _program, id) = world.connected().await;
    let person = world
        .add("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let listed = world
        .engine
        .invites(&person)
        .linear_people(&id)
        .await
        .unwrap();
    let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Ada Okafor",
            "Ben Castillo",
            "Chiara Rossi",
            "Devon Park",
            "Elif Demir",
            "Farid Nasser"
        ],
        "no bots, nobody who left"
    );
    assert_eq!(
        listed
            .iter()
            .filter(|one| one.guest)
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>(),
        ["Farid Nasser"]
    );
    for nobody in ["gwen@acme.example", "nobody@acme.example", "none", ""] {
        let refused = world
            .engine
            .invites(&person)
            .make(&id, nobody, VALID_DEFAULT)
            .await;
        assert!(
            matches!(refused, Err(InviteError::NoSuchPerson)),
            "{nobody:?}: {refused:?}"
        );
    }
    // A token that was revoked at Linear is replaced on the way.
    world.kill_access_token("acme-robotics");
    world
        .engine
        .invites(&person)
        .make(&id, CHIARA, VALID_DEFAULT)
        .await
        .unwrap();
}

#[tokio::test]
async fn guessing_is_limited_and_shows_and_a_right_code_waits_for_nobody() {
    let world = World::new().await;
    let (_browser, _program, id) = world.connected().await;
    let person = world
        .add("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let invited = world
        .engine
        .invites(&person)
        .make(&id, CHIARA, VALID_DEFAULT)
        .await
        .unwrap();
    let code = invited.code.expose_secret();
    let (mut wrong, mut paused) = (0, 0);
    for number in 0..100_000 {
        let guess = format!("0000-0000-{:04}-{:04}", number / 10_000, number % 10_000);
        let address = format!("192.0.2.{}", number % 3);
        match world
            .engine
            .code_preview(
                &guess,
                Guesser {
                    address: &address,
                    browser: "",
                },
            )
            .await
        {
            Err(CodeError::Invalid) => wrong += 1,
            Err(CodeError::Paused { .. }) => paused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((wrong, paused), (60, 99_940), "20 for each address");
    assert_eq!(
        world
            .engine
            .code_guesses()
            .await
            .unwrap()
            .map(|guesses| guesses.tries),
        Some(60)
    );
    let here = Guesser {
        address: "192.0.2.1",
        browser: "",
    };
    assert!(
        world.engine.code_preview(code, here).await.is_ok(),
        "a right one is taken, from whatever address"
    );
    assert_eq!(
        world.engine.code_preview(code, HERE).await.unwrap().name,
        "Chiara Rossi"
    );
    world.advance(10 * 60_000);
    assert_eq!(world.engine.code_guesses().await.unwrap(), None);
}

#[tokio::test]
async fn wrong_codes_from_a_hundred_addresses_keep_nobody_waiting_and_admins_hear_of_them() {
    let world = World::new().await;
    let (_browser, _program, id) = world.connected().await;
    let person = world
        .add("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let invited = world
        .engine
        .invites(&person)
        .make(&id, CHIARA, VALID_DEFAULT)
        .await
        .unwrap();
    for number in 0..2_050 {
        let address = format!("2001:db8:0:{:x}::{:x}", number % 103, number + 1);
        let guess = world
            .engine
            .code_preview(
                &format!("{number:016}"),
                Guesser {
                    address: &address,
                    browser: "",
                },
            )
            .await;
        assert!(
            matches!(guess, Err(CodeError::Invalid)),
            "20 for each subscriber: {guess:?}"
        );
    }
    assert_eq!(
        world
            .engine
            .code_guesses()
            .await
            .unwrap()
            .map(|guesses| guesses.tries),
        Some(2_050)
    );
    let confirmed = world
        .engine
        .code_confirm(invited.code.expose_secret(), None, HERE)
        .await
        .unwrap();
    assert_eq!(confirmed.name, "Chiara Rossi");
}

#[tokio::test]
async fn the_trail_tells_what_was_done_and_by_whom() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let id = owner.connect("acme-robotics").await;
    world
        .browser()
        .sign_in("priya@northwind.dev", "not the password")
        .await;
    world.engine.afterwards_done(Duration::from_secs(10)).await;
    let person = world
        .add("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let invited = world
        .engine
        .invites(&person)
        .make(&id, CHIARA, VALID_DEFAULT)
        .await
        .unwrap();
    let confirmed = world
        .engine
        .code_confirm(invited.code.expose_secret(), None, HERE)
        .await
        .unwrap();
    assert!(confirmed.new_account && !confirmed.again);
    let again = world
        .engine
        .code_confirm(invited.code.expose_secret(), None, HERE)
        .await;
    assert!(matches!(again, Err(ConfirmError::Code(CodeError::Invalid))));
    owner
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    let store = &world.store;
    let rows = store
        .audit_after(&person.organisation_id, 0, 100)
        .await
        .unwrap();
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.act.as_str(), row.subject.as_str()))
        .collect();
    let expected = [
        ("member.added", "priya@northwind.dev as owner"),
        ("connection.connected", "Acme Robotics as app"),
        ("sign-in.failed", "priya@northwind.dev"),
        ("member.added", "ada@northwind.dev as admin"),
        ("invite.made", "Chiara Rossi in Acme Robotics"),
        ("person.linked", "Chiara Rossi in Acme Robotics"),
        ("connection.disconnected", "Acme Robotics"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        (rows[5].who.as_str(), rows[5].address.as_str()),
        ("holder of the code", "192.0.2.7")
    );
    assert_eq!(
        (rows[6].who.as_str(), rows[6].user_id.is_some()),
        ("priya@northwind.dev", true)
    );
    let whole = format!("{rows:?}");
    assert!(!whole.contains(invited.code.expose_secret()) && !whole.contains("not the password"));
    assert_eq!(
        store
            .audit_verify(&person.organisation_id)
            .await
            .unwrap()
            .broken_at,
        None
    );
}

#[tokio::test]
async fn the_trail_is_shown_and_exported_to_owners() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    for number in 0..25 {
        owner
            .post("/settings/keys/new", &[("name", &format!("key {number}"))])
            .await;
    }
    let page = owner.get("/settings").await;
    page.shows("Audit trail");
    page.shows("priya@northwind.dev Made an API key key 24 ····");
    page.hides("key 4 ····");
    let older = owner.get("/settings?before=7").await;
    older.shows("Made an API key key 4 ····");
    older.shows("Added a member priya@northwind.dev as owner");
    let export = owner.get("/settings/audit.jsonl").await;
    let lines: Vec<Value> = export
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (
            lines.len(),
            lines[0]["act"].as_str(),
            lines[25]["number"].as_i64()
        ),
        (26, Some("member.added"), Some(26))
    );
    assert!(
        export
            .header("content-disposition")
            .starts_with("attachment")
    );
    let mut admin = world
        .member("northwind-labs", "mia@northwind.dev", Role::Admin)
        .await;
    admin.get("/settings").await.hides("Audit trail");
    assert_eq!(admin.get("/settings/audit.jsonl").await.status, 403);
    assert_eq!(
        world.browser().get("/settings/audit.jsonl").await.status,
        401
    );
}
