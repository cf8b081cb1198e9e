//! API keys on the settings page.

use std::time::Duration;

use relink_engine::clock::MINUTE;
use relink_engine::identity::Role;

use crate::support::{contains, on_disk, program};
use crate::world::{Browser, Reply, World};

const PAGE: &str = "/settings?shown=key";

/// Makes a key and reads it off the page, as its owner would.
async fn make(browser: &mut Browser<'_>, name: &str) -> String {
    assert_eq!(
        browser
            .post("/settings/keys/new", &[("name", name)])
            .await
            .location(),
        PAGE
    );
    shown(&browser.get(PAGE).await).expect("a new key")
}

/// Every page shows the start and the end of each key; only a new one is there as a whole.
fn shown(page: &Reply) -> Option<String> {
    let keys: Vec<_> = page
        .body
        .split("value=\"rlk_")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(keys.len() <= 1, "{keys:?}");
    keys.first().map(|key| format!("rlk_{key}"))
}

/// The id that the Revoke button of the only key sends.
fn id(page: &Reply) -> String {
    let field = page
        .body
        .split("name=\"key\" value=\"")
        .nth(1)
        .expect("a Revoke button");
    field.split('"').next().unwrap().to_owned()
}

async fn is_known(world: &World, key: &str) -> bool {
    world.engine.api_caller(key).await.unwrap().is_some()
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_listed_by_its_end() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let page = browser.get("/settings").await;
    page.shows(
        "No key yet. A key lets a program ask for tokens of every workspace of this organisation.",
    );
    assert_eq!(
        browser
            .post("/settings/keys/new", &[("name", "ci-runner")])
            .await
            .location(),
        PAGE
    );

    let page = browser.get(PAGE).await;
    page.shows("API key ci-runner, shown once. Relink keeps a hash, not the key.");
    assert_eq!(page.header("cache-control"), "no-store");
    let key = shown(&page).expect("a new key");
    assert!(is_known(&world, &key).await);

    let again = browser.get(PAGE).await;
    again.shows("This key was shown already. Make a new one if it got lost.");
    again.hides(&key);
    let list = browser.get("/settings").await;
    list.hides(&key);
    list.hides("shown already");
    list.shows(&format!("ci-runner rlk_····{}", &key[key.len() - 4..]));
}

#[tokio::test]
async fn a_key_says_when_it_was_last_used() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let key = make(&mut browser, "ci-runner").await;
    browser.get("/settings").await.shows("Never");
    assert!(is_known(&world, &key).await);
    world.advance(2 * MINUTE);
    browser.get("/settings").await.shows("2 min ago");
}

#[tokio::test]
async fn a_key_on_its_way_to_its_page_is_sealed() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser
        .post("/settings/keys/new", &[("name", "on its way")])
        .await;
    let waiting = on_disk(&world);
    let key = shown(&browser.get(PAGE).await).expect("a new key");
    assert!(
        contains(&waiting, "on its way"),
        "the name shows that the right files were read"
    );
    assert!(!contains(&waiting, &key) && !contains(&on_disk(&world), &key));
}

#[tokio::test]
async fn a_new_key_is_shown_to_nobody_else() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let mut other = world
        .member("northwind-labs", "olga@northwind.dev", Role::Owner)
        .await;
    browser
        .post("/settings/keys/new", &[("name", "ci-runner")])
        .await;
    let page = other.get(PAGE).await;
    assert_eq!(shown(&page), None);
    page.shows("ci-runner");
    assert!(shown(&browser.get(PAGE).await).is_some());
}

#[tokio::test]
async fn a_revoked_key_is_worth_nothing_at_once() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let key = make(&mut browser, "ci-runner").await;
    assert!(is_known(&world, &key).await);
    let id = id(&browser.get("/settings").await);
    assert_eq!(
        browser
            .post("/settings/keys/revoke", &[("key", &id)])
            .await
            .location(),
        "/settings"
    );
    assert!(!is_known(&world, &key).await);
    let page = browser.get("/settings").await;
    page.shows("The key ci-runner is revoked. Programs that use it are refused from now on.");
    page.shows("No key yet.");
    browser.post("/settings/keys/revoke", &[("key", &id)]).await;
    browser
        .get("/integrations")
        .await
        .shows("There is nothing here.");
}

#[tokio::test]
async fn only_owners_manage_keys() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let key = make(&mut owner, "ci-runner").await;
    let id = id(&owner.get("/settings").await);
    for (email, role) in [
        ("mia@northwind.dev", Role::Member),
        ("ada@northwind.dev", Role::Admin),
    ] {
        let mut browser = world.member("northwind-labs", email, role).await;
        for path in ["/settings", PAGE] {
            let page = browser.get(path).await;
            page.hides("API key");
            page.hides("ci-runner");
            page.hides("shown already");
        }
        assert_eq!(
            program(&browser, "/settings/keys/new", "name=mine").await,
            403
        );
        assert_eq!(
            program(&browser, "/settings/keys/revoke", &format!("key={id}")).await,
            403
        );
        assert_eq!(
            browser
                .post("/settings/keys/revoke", &[("key", &id)])
                .await
                .location(),
            "/integrations"
        );
        browser
            .get("/integrations")
            .await
            .shows("Your role does not allow this.");
    }
    assert!(is_known(&world, &key).await);
    owner.get("/settings").await.hides("mine");
}

#[tokio::test]
async fn another_organisations_owner_sees_and_revokes_nothing() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let key = make(&mut owner, "ci-runner").await;
    let id = id(&owner.get("/settings").await);
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    other.get("/settings").await.hides("ci-runner");
    assert_eq!(
        program(&other, "/settings/keys/revoke", &format!("key={id}")).await,
        404
    );
    assert!(is_known(&world, &key).await);
}

#[tokio::test]
async fn a_wrong_name_stays_in_its_field_and_says_what_is_wrong() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let long = "x".repeat(101);
    for name in ["", "   ", long.as_str()] {
        assert_eq!(
            browser
                .post("/settings/keys/new", &[("name", name)])
                .await
                .location(),
            "/settings"
        );
        let page = browser.get("/settings").await;
        page.shows("Error: Settings, Relink");
        page.shows("Enter a name of 1 to 100 characters.");
        let field = page
            .body
            .split("<input")
            .find(|field| field.contains("id=\"name\""))
            .expect("the field");
        let field = field.split('>').next().unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"") && field.contains("autofocus"),
            "{field}"
        );
        assert!(
            name.trim().is_empty() || field.contains(&format!("value=\"{name}\"")),
            "{field}"
        );
        assert_eq!(page.body.matches("aria-invalid").count(), 1);
    }
    let page = browser.get("/settings").await;
    page.hides("Enter a name");
    page.shows("No key yet.");
}

#[tokio::test]
async fn a_name_with_markup_stays_text() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    make(&mut browser, "<img src=x>").await;
    browser.get("/settings").await.hides("<img src=x");
}

/// The lines of an act in the trail: who, what, from where.
async fn lines(world: &World, act: &str) -> Vec<(String, String, String)> {
    let lines = world
        .store
        .audit_after(&world.organisation().await, 0, 200)
        .await
        .unwrap();
    let of_act = lines.into_iter().filter(|line| line.act == act);
    of_act
        .map(|line| (line.who, line.subject, line.address))
        .collect()
}

#[tokio::test]
async fn a_key_says_who_made_it_and_is_asked_for_before_it_is_revoked() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let key = make(&mut browser, "ci-runner").await;
    world.program().await;
    let page = browser.get("/settings").await;
    page.shows(&format!(
        "ci-runner rlk_····{} Priya Raman Never",
        &key[key.len() - 4..]
    ));
    page.shows("Command line");
    let id = id(&page);
    let asked = browser
        .get(&format!("/settings?key={id}&confirm=key"))
        .await;
    assert!(
        asked.body.contains("<dialog open"),
        "the question comes without scripts too"
    );
    asked.hides("<dialog open=\"\"></dialog>");
    asked.shows("Programs that use it are refused from now on");
    assert!(
        !browser
            .get("/settings?key=nothing&confirm=key")
            .await
            .body
            .contains("<dialog open")
    );
}

#[tokio::test]
async fn removing_a_member_offers_to_revoke_the_keys_that_they_made() {
    for (keys, good) in [("yes", false), ("", true)] {
        let world = World::new().await;
        let mut owner = world.owner().await;
        let mut leaving = world
            .member("northwind-labs", "olga@northwind.dev", Role::Owner)
            .await;
        let (theirs, own) = (
            make(&mut leaving, "olgas").await,
            make(&mut owner, "priyas").await,
        );
        assert!(is_known(&world, &theirs).await);
        let user = world
            .store
            .user_by_email("olga@northwind.dev")
            .await
            .unwrap()
            .unwrap()
            .id;
        let asked = owner
            .get(&format!("/team?member={user}&confirm=remove"))
            .await;
        asked.shows("Also revoke the API key that they made: olgas");
        asked.hides("priyas");
        owner
            .post("/team/remove", &[("member", &user), ("keys", keys)])
            .await;
        assert_eq!(is_known(&world, &theirs).await, good);
        assert!(is_known(&world, &own).await);
        assert_eq!(lines(&world, "key.revoked").await.len(), usize::from(!good));
        owner.get("/settings").await.shows("priyas");
    }
}

#[tokio::test]
async fn reading_a_token_leaves_a_line_once_an_hour_for_each_key_and_connection() {
    let world = World::new().await;
    let (_, one, connection) = world.connected().await;
    let other = world.program().await;
    let read = async || {
        for program in [&one, &other, &one] {
            program.token(&connection).await.token();
        }
        assert_eq!(
            world.engine.afterwards_done(Duration::from_secs(10)).await,
            0
        );
        lines(&world, "token.read").await
    };
    let found = read().await;
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|(who, what, _)| who.starts_with("API key ") && what == "Acme Robotics"),
        "{found:?}"
    );
    // Another process knows nothing of what this one remembers.
    let elsewhere = world.another(0).await;
    let caller = elsewhere.api_caller(&one.key).await.unwrap().unwrap();
    elsewhere.token_read(&caller, &connection, String::new());
    assert_eq!(elsewhere.afterwards_done(Duration::from_secs(10)).await, 0);
    world.advance(59 * MINUTE);
    assert_eq!(read().await.len(), 2);
    world.advance(MINUTE);
    assert_eq!(read().await.len(), 4);
}

#[tokio::test]
async fn what_people_press_leaves_its_line() {
    let world = World::new().await;
    let (mut browser, _, connection) = world.connected().await;
    browser
        .post("/integrations/refresh", &[("connection", &connection)])
        .await;
    let found = lines(&world, "connection.refresh").await;
    assert_eq!(
        found,
        [(
            "priya@northwind.dev".to_owned(),
            "Acme Robotics".to_owned(),
            "unknown".to_owned()
        )]
    );
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member
        .post("/integrations/refresh", &[("connection", &connection)])
        .await;
    assert_eq!(
        lines(&world, "connection.refresh").await.len(),
        1,
        "who may not did nothing"
    );
}
