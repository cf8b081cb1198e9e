//! The overview with many workspaces, who is linked in them, and who somebody is in the one that
//! they have just connected.

use relink_engine::identity::Role;

use crate::support::program;
use crate::support::team::{acme, hidden, invite, redeem};
use crate::world::{Browser, Reply, World};

const HERE: &str = "/integrations";
const UNLINK: &str = "/team/unlink";

/// Acme and 199 more: "Workspace 001" and so on. Of each twenty the last needs a reconnect, of each
/// fifty the last is history.
const MANY: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
    WHERE n < 199) \
    INSERT INTO connections (id, organisation_id, workspace_id, workspace_name, workspace_url_key, \
    actor, viewer_id, viewer_name, scopes, \
    state, reason, state_since, generation, fingerprint, issued_at, expires_at, connected_by, \
    connected_at, last_verified_at) \
    SELECT printf('c%03d', n), organisation_id, printf('w%03d', n), printf('Workspace %03d', n), \
    printf('key-%03d', n), actor, viewer_id, \
    viewer_name, scopes, CASE WHEN n % 50 = 0 THEN 'disconnected' WHEN n % 20 = 0 THEN \
    'reconnect_required' ELSE 'connected' END, \
    CASE WHEN n % 50 = 0 THEN 'by_person' WHEN n % 20 = 0 THEN 'revoked' END, state_since, \
    generation, fingerprint, issued_at, \
    expires_at, connected_by, connected_at, last_verified_at FROM connections, numbers";

/// Makes many connections of which nothing is asked of Linear: as far as the clock tells, all were
/// proved just now.
async fn many(world: &World) -> (Browser<'_>, String) {
    let connected = acme(world).await;
    world.sql(MANY).await;
    connected
}

fn cards(page: &Reply) -> usize {
    page.body.matches("<article").count()
}

/// 180, 160 … 20 need a reconnect, but for 100, which is history like 50 and 150.
#[track_caller]
fn speaks_of_all(page: &Reply) {
    page.shows("8 connections need you");
    page.shows("189 connected, 8 to reconnect");
    page.shows("8 to reconnect 189 connected");
}

#[tokio::test]
async fn of_many_connections_fifty_are_on_a_page() {
    let world = World::new().await;
    let (mut owner, _) = many(&world).await;
    let first = owner.get(HERE).await;
    speaks_of_all(&first);
    assert_eq!(cards(&first), 50);
    first.shows("1 to 50 of 200 Next");
    let names: Vec<_> = (1..=9)
        .filter(|number| number * 20 != 100)
        .map(|number| format!("Workspace {:03}", number * 20))
        .collect();
    let places: Vec<_> = names
        .iter()
        .map(|name| {
            first
                .body
                .find(&format!(">{name}</a>"))
                .expect("on the first page")
        })
        .collect();
    assert!(
        places.is_sorted()
            && places
                .iter()
                .all(|place| *place < first.body.find(">Acme Robotics</a>").unwrap())
    );

    let second = owner.get("/integrations?page=2").await;
    speaks_of_all(&second);
    second.shows("51 to 100 of 200 Previous Next");
    second.hides("Acme Robotics");
    let last = owner.get("/integrations?page=99").await;
    last.shows("151 to 200 of 200 Previous");
    last.shows("Workspace 199");
    last.shows("Workspace 150");
    assert_eq!(cards(&last), 50);
}

#[tokio::test]
async fn a_workspace_is_found_among_many() {
    let world = World::new().await;
    let (mut owner, id) = many(&world).await;
    for (q, found) in [("aCmE", 1), ("workspace+12", 10), ("KEY-007", 1)] {
        let page = owner.get(&format!("/integrations?q={q}")).await;
        speaks_of_all(&page);
        assert_eq!(cards(&page), found, "{q}");
        page.shows(&format!("{found} of 200 workspaces. Show all"));
        assert!(
            page.body
                .contains(&format!("value=\"{}\"", q.replace('+', " "))),
            "what was typed stays"
        );
    }
    assert!(
        owner
            .get("/integrations?q=acme")
            .await
            .body
            .contains(&format!("/integrations/{id}\""))
    );

    let page = owner.get("/integrations?q=work&page=2").await;
    page.shows("199 of 200 workspaces");
    page.shows("51 to 100 of 199");
    assert!(
        page.body.contains("href=\"/integrations?q=work\"")
            && page
                .body
                .contains("href=\"/integrations?q=work&amp;page=3\"")
    );

    let page = owner.get("/integrations?q=%3Cimg+src%3Dx%3E").await;
    speaks_of_all(&page);
    page.shows("No workspace matches “&lt;img src=x&gt;”. Show all");
    page.hides("<img src=x");
    assert_eq!(cards(&page), 0);
}

#[tokio::test]
async fn few_connections_need_no_search() {
    let world = World::new().await;
    let (mut owner, _) = acme(&world).await;
    let page = owner.get("/integrations?q=globex").await;
    page.hides("type=\"search\"");
    page.shows("Acme Robotics");
}

#[tokio::test]
async fn linked_people_are_counted_on_the_card_and_named_on_the_page() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let (here, mut member) = (
        format!("/integrations/{id}"),
        world
            .member("northwind-labs", "mia@northwind.dev", Role::Member)
            .await,
    );
    let page = owner.get(HERE).await;
    page.shows(
        "Nobody linked yet. Invite someone in Acme Robotics. Which one is you? in Acme Robotics",
    );
    assert!(page.body.contains("href=\"/team#invite\"") && page.body.contains("href=\"/team#me\""));
    assert!(
        owner.get("/team").await.body.contains("id=\"me\""),
        "where the link leads"
    );
    member.get(HERE).await.hides("linked yet");
    owner.get(&here).await.shows(
        "Linked people Which member is which person in this workspace. Invite teammate Nobody is \
            linked yet.",
    );

    let code = invite(&mut owner, &id, "elif@acme.example").await;
    let mut elif = world.browser();
    redeem(&mut elif, &code).await.shows("You are linked");
    for browser in [&mut owner, &mut member] {
        let page = browser.get(HERE).await;
        page.shows("1 person linked in Acme Robotics");
        assert!(page.body.contains(&format!("href=\"{here}#people\"")));
        let page = browser.get(&here).await;
        assert!(page.body.contains("id=\"people\""), "where the link leads");
        page.shows("ED Elif Demir elif@acme.example is ED Elif Demir elif@acme.example");
    }
    owner
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ada@acme.example")],
        )
        .await;
    let page = owner.get(HERE).await;
    page.shows("2 people linked in Acme Robotics");
    page.hides("Which one is you");
    assert_eq!(
        hidden(&member.get(&here).await, UNLINK, "person").len(),
        0,
        "members leave others alone"
    );
    assert_eq!(
        hidden(&elif.get(&here).await, UNLINK, "person").len(),
        1,
        "but not themselves"
    );
    assert_eq!(hidden(&owner.get(&here).await, UNLINK, "person").len(), 2);

    owner
        .post("/integrations/disconnect", &[("connection", &id)])
        .await;
    owner.get(&here).await.shows("Linked people");
}

#[tokio::test]
async fn unlinking_leads_back_to_where_it_was_pressed() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let here = format!("/integrations/{id}");
    owner
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ada@acme.example")],
        )
        .await;
    let page = owner.get(&here).await;
    let names = ["workspace", "person", "back"];
    let values = names.map(|name| hidden(&page, UNLINK, name).remove(0));
    let [workspace, person, _] = &values;

    let foreign = world
        .member("initech", "bill@initech.example", Role::Owner)
        .await
        .connect("globex")
        .await;
    for back in ["//evil.example", "/settings", "none", &foreign] {
        let body = format!("workspace={workspace}&person={person}&back={back}");
        assert_eq!(program(&owner, UNLINK, &body).await, 404, "{back}");
    }
    owner.get(&here).await.shows("Ada Okafor");

    let fields: Vec<_> = names
        .into_iter()
        .zip(values.iter().map(String::as_str))
        .collect();
    assert_eq!(owner.post(UNLINK, &fields).await.location(), here);
    let page = owner.get(&here).await;
    page.shows("Ada Okafor in Acme Robotics is unlinked.");
    page.shows("Nobody is linked yet.");
}

#[tokio::test]
async fn who_approved_is_asked_once_whether_they_are_that_person() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    owner.walk("acme-robotics", &[("actor", "user")]).await;
    let page = owner.get(HERE).await;
    page.shows("Acme Robotics is connected. Next: paste its webhook secret");
    page.shows("Are you Ada Okafor in Acme Robotics? Yes, that’s me Not now");
    let fields =
        ["workspace", "person"].map(|name| (name, hidden(&page, "/team/me", name).remove(0)));
    owner.get(HERE).await.hides("Are you");

    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(owner.post("/team/me", &fields).await.location(), "/team");
    owner
        .get("/team")
        .await
        .shows("You are Ada Okafor in Acme Robotics.");
    owner
        .get(HERE)
        .await
        .shows("1 person linked in Acme Robotics");
}

#[tokio::test]
async fn where_the_app_acts_the_next_step_is_to_say_who_one_is() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    owner.walk("acme-robotics", &[]).await;
    let page = owner.get(HERE).await;
    page.shows("Paste the webhook secret Which one is you?");
    page.hides("Are you");
}
