//! The team's page: link codes that are made there, who is who, and who may do what about it.

use relink_engine::clock::{DAY, HOUR, MINUTE};
use relink_engine::identity::Role;
use relink_engine::people::Guesser;
use relink_simulator::{Endpoint, Kind};

use crate::support::team::{
    INVITE, SEVERAL, SHOWN, acme, code, enter, hidden, invite, manage, redeem, shown,
};
use crate::support::{contains, on_disk, program};
use crate::world::World;

const AGAIN: &str = "/team/invites/again";
const REVOKE: &str = "/team/invites/revoke";
const DISMISS: &str = "/team/invites/dismiss";

#[tokio::test]
async fn a_code_is_made_and_shown_once() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let page = browser.get("/team").await;
    page.shows("Team Who is who in Linear. You pick the Linear person, they confirm it.");
    page.hides("Waiting for an answer");
    assert_eq!(
        browser
            .post(
                INVITE,
                &[("workspace", &id), ("person", "elif@acme.example")]
            )
            .await
            .location(),
        SHOWN
    );
    let waiting = on_disk(&world);

    let page = browser.get(SHOWN).await;
    let code = code(&page).expect("a code");
    page.shows(
        "Link code for Elif Demir, shown once. Send it to Elif only. It works once, until 20 Nov \
            14:02 UTC.",
    );
    page.shows("Relink keeps a hash, not the code.");
    page.shows(&format!("24 h 0 min left {code} Link"));
    page.shows(
        "Hello Elif, Priya Raman asks which person you are in Linear, so that the tools of \
            Northwind Labs know. Open this link and",
    );
    page.shows(&format!(
        "say yes or no: http://localhost:3000/link#{code} It works once, until 20 Nov 14:02 UTC."
    ));
    page.shows(
        "Elif Demir elif@acme.example Acme Robotics invited by Priya Raman Not yet in 24 h 0 min",
    );
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(
        page.body.contains("aria-label=\"The link as a QR code\"") && !page.body.contains("style="),
        "drawn under the policy"
    );
    let bare = code.replace('-', "");
    assert!(
        contains(&waiting, "elif@acme.example"),
        "the e-mail shows that the right files were read"
    );
    for disk in [waiting, on_disk(&world)] {
        assert!(
            !contains(&disk, &code) && !contains(&disk, &bare),
            "only its hash is kept, and it is sealed on its way"
        );
    }

    let again = browser.get(SHOWN).await;
    again.shows("Link codes are shown once. Make a new one if one got lost.");
    again.hides(&code);
    browser.get("/team").await.hides("shown already");
}

#[tokio::test]
async fn the_form_suggests_people_and_no_bots() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let elif = invite(&mut browser, &id, "elif@acme.example").await;
    redeem(&mut world.browser(), &elif).await;
    let page = browser.get("/team").await;
    for person in [
        "Ada Okafor, ada@acme.example",
        "Farid Nasser, farid@acme.example (guest)",
        "Elif Demir, elif@acme.example (linked)",
    ] {
        assert!(
            page.body.contains(&format!("<option value=\"{person}\">")),
            "{person} is not in {}",
            page.body
        );
    }
    page.hides("integration.linear.app");
    page.hides("Gwen Mbeki");
}

#[tokio::test]
async fn somebody_is_named_by_suggestion_by_email_or_by_name() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    for person in [
        "Farid Nasser, farid@acme.example (guest)",
        " BEN@acme.example ",
        "chiara rossi",
    ] {
        invite(&mut browser, &id, person).await;
    }
    let page = browser.get("/team").await;
    for name in ["Farid Nasser", "Ben Castillo", "Chiara Rossi"] {
        page.shows(&format!("Revoke code for {name}"));
    }
}

#[tokio::test]
async fn who_cannot_be_invited_is_refused_at_the_field() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let code = invite(&mut browser, &id, "elif@acme.example").await;
    redeem(&mut world.browser(), &code).await;
    let nobody = "Nobody active in this workspace has that name or e-mail.";
    let cases = [
        ("", nobody),
        ("nobody@acme.example", nobody),
        ("gwen@acme.example", nobody),
        ("\"><img src=x>", nobody),
        (
            "elif@acme.example",
            "They are linked to elif@acme.example already.",
        ),
    ];
    for (person, words) in cases {
        let fields = [
            ("workspace", id.as_str()),
            ("person", person),
            ("valid", "168"),
        ];
        assert_eq!(
            browser.post(INVITE, &fields).await.location(),
            "/team",
            "{person}"
        );
        let page = browser.get("/team").await;
        page.shows("Error: Team, Relink");
        page.shows(words);
        page.hides("<img src=x");
        assert!(
            page.body.contains("value=\"168\" selected"),
            "what was picked is kept"
        );
    }
    browser.get("/team").await.hides("Error: ");
    for (workspace, valid, status) in [("nothing", "24", 404), (id.as_str(), "2", 400)] {
        let body = format!("workspace={workspace}&person=ada%40acme.example&valid={valid}");
        assert_eq!(program(&browser, INVITE, &body).await, status);
    }
}

#[tokio::test]
async fn without_a_list_an_email_is_enough() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    world.fault(Endpoint::Graphql, Kind::Status);
    let page = browser.get("/team").await;
    page.shows(
        "Linear does not list the people of Acme Robotics right now. Type an e-mail address.",
    );
    page.shows("Invite teammate");
    invite(&mut browser, &id, "ada@acme.example").await;
    world.fault(Endpoint::Graphql, Kind::Status);
    assert_eq!(
        browser
            .post(
                INVITE,
                &[("workspace", &id), ("person", "ben@acme.example")]
            )
            .await
            .location(),
        "/team"
    );
    browser
        .get("/team")
        .await
        .shows("Linear does not answer right now. Nothing was changed. Try again in a minute.");
}

#[tokio::test]
async fn a_code_is_revoked_or_made_again() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let first = invite(&mut browser, &id, "elif@acme.example").await;
    let page = browser.get("/team").await;
    let invite_id = hidden(&page, AGAIN, "invite").remove(0);
    assert_eq!(
        browser
            .post(AGAIN, &[("invite", &invite_id)])
            .await
            .location(),
        SHOWN
    );
    let second = shown(&mut browser).await;
    let mut phone = world.browser();
    enter(&mut phone, &first)
        .await
        .shows("This code is not valid.");
    enter(&mut phone, &second)
        .await
        .shows("Is this you in Linear?");
    world.advance(MINUTE);
    let page = browser.get("/team").await;
    page.shows(
        "Elif Demir elif@acme.example Acme Robotics invited by Priya Raman Today 14:02 in 23 h 59 \
            min",
    );
    let invite_id = hidden(&page, REVOKE, "invite").remove(0);
    assert_eq!(
        browser
            .post(REVOKE, &[("invite", &invite_id)])
            .await
            .location(),
        "/team"
    );
    let page = browser.get("/team").await;
    page.shows("Elif Demir’s code is revoked. It is worth nothing any more.");
    page.hides("Waiting for an answer");
    enter(&mut phone, &second)
        .await
        .shows("This code is not valid.");
    // The browser sends the form once more.
    browser.post(REVOKE, &[("invite", &invite_id)]).await;
    browser
        .get("/integrations")
        .await
        .shows("There is nothing here.");
}

#[tokio::test]
async fn an_answer_is_dismissed_by_anybody_who_manages() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let code = invite(&mut browser, &id, "elif@acme.example").await;
    let open = hidden(&browser.get("/team").await, REVOKE, "invite").remove(0);
    browser.post(DISMISS, &[("invite", &open)]).await;
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    preview.shows("Is this you in Linear?");
    let preview = hidden(&preview, "/link/confirm", "preview").remove(0);
    phone
        .post("/link/confirm", &[("preview", &preview), ("answer", "no")])
        .await;

    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    let page = admin.get("/team").await;
    page.shows("Pick the right person. Dismiss the answer to Elif Demir’s code");
    let answered = hidden(&page, DISMISS, "invite").remove(0);
    for browser in [&mut admin, &mut browser] {
        assert_eq!(
            browser
                .post(DISMISS, &[("invite", &answered)])
                .await
                .location(),
            "/team"
        );
        let page = browser.get("/team").await;
        page.hides("That’s not me");
        page.hides("That did not work");
    }
}

#[tokio::test]
async fn a_code_is_good_for_as_long_as_was_picked() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    for (valid, span) in [("1", HOUR), ("24", DAY), ("168", 7 * DAY)] {
        browser
            .post(
                INVITE,
                &[
                    ("workspace", &id),
                    ("person", "elif@acme.example"),
                    ("valid", valid),
                ],
            )
            .await;
        let code = shown(&mut browser).await;
        world.advance(span - MINUTE);
        assert!(
            world.engine.code_preview(&code, somewhere()).await.is_ok(),
            "{valid} h"
        );
        world.advance(MINUTE);
        assert!(
            world.engine.code_preview(&code, somewhere()).await.is_err(),
            "{valid} h"
        );
    }
}

fn somewhere() -> Guesser<'static> {
    Guesser {
        address: "192.0.2.1",
        browser: "",
    }
}

#[tokio::test]
async fn the_inviter_learns_of_a_no_and_of_somebody_who_is_taken() {
    let world = World::new().await;
    let (mut browser, id) = acme(&world).await;
    let code = invite(&mut browser, &id, "elif@acme.example").await;
    let mut phone = world.browser();
    let preview = enter(&mut phone, &code).await;
    let preview = hidden(&preview, "/link/confirm", "preview").remove(0);
    phone
        .post("/link/confirm", &[("preview", &preview), ("answer", "no")])
        .await;
    browser.get("/team").await.shows(
        "Elif Demir’s code for Acme Robotics was answered with “That’s not me” at 14:02 UTC today. \
            Pick the right person.",
    );

    // Ada says who she is while her code is on its way to somebody else.
    let code = invite(&mut browser, &id, "ada@acme.example").await;
    let mut ada = world
        .member("northwind-labs", "ada@northwind.dev", Role::Owner)
        .await;
    let page = ada.get("/team").await;
    let linear_id = page
        .body
        .split("Ada Okafor, ada@acme.example</option>")
        .next()
        .unwrap()
        .rsplit("value=\"")
        .next()
        .unwrap();
    let linear_id = linear_id.split('"').next().unwrap().to_owned();
    assert_eq!(
        ada.post("/team/me", &[("workspace", &id), ("person", &linear_id)])
            .await
            .location(),
        "/team"
    );
    ada.get("/team")
        .await
        .shows("You are Ada Okafor in Acme Robotics.");
    let mut other = world.browser();
    let ended = redeem(&mut other, &code).await;
    ended.shows(
        "Nothing was linked Another member is Ada Okafor in Acme Robotics already. The code no \
            longer works. Ask Priya Raman",
    );
    browser
        .get("/team")
        .await
        .shows("Ada Okafor is linked to ada@northwind.dev already.");
}

#[tokio::test]
async fn a_member_sees_who_is_who_and_changes_nothing() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    invite(&mut owner, &id, "elif@acme.example").await;
    let invite_id = hidden(&owner.get("/team").await, REVOKE, "invite").remove(0);
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let page = member.get("/team").await;
    page.shows("Members");
    page.shows("Priya Raman priya@northwind.dev Owner Not linked yet");
    page.shows("mia@northwind.dev Member, you Not linked yet");
    for hidden in [
        "Invite teammate",
        "Elif Demir",
        "Which one is you",
        "/team?member=",
        "action=\"/team",
    ] {
        page.hides(hidden);
    }
    let priya = world
        .store
        .user_by_email("priya@northwind.dev")
        .await
        .unwrap()
        .unwrap()
        .id;
    let posts = [
        (INVITE, format!("workspace={id}&person=ada%40acme.example")),
        (AGAIN, format!("invite={invite_id}")),
        (REVOKE, format!("invite={invite_id}")),
        (DISMISS, format!("invite={invite_id}")),
        (SEVERAL, format!("people[]={id}:1:Ada")),
        (SEVERAL, "valid=24".to_owned()),
        (
            "/team/me",
            format!("workspace={id}&person=ada%40acme.example"),
        ),
        ("/team/role", format!("member={priya}&role=member")),
        ("/team/remove", format!("member={priya}")),
    ];
    for (path, body) in &posts {
        assert_eq!(program(&member, path, body).await, 403, "{path}");
        assert_eq!(program(&world.browser(), path, body).await, 401, "{path}");
    }
    let admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    for (path, body) in posts
        .iter()
        .filter(|(path, _)| ["/team/role", "/team/remove"].contains(path))
    {
        assert_eq!(program(&admin, path, body).await, 403, "{path}");
    }
}

#[tokio::test]
async fn members_unlink_themselves_and_admins_anybody() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = world.browser();
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    redeem(&mut elif, &code).await.shows("You are linked");
    owner
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member E-mail never proved Acme Robotics Manage");

    let page = manage(&mut elif, "elif@acme.example").await;
    page.shows("Manage yourself");
    page.hides("Save role");
    let fields = [
        ("workspace", hidden(&page, "/team/unlink", "workspace")),
        ("person", hidden(&page, "/team/unlink", "person")),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, values)| (*name, values[0].as_str()));
    let body = fields
        .map(|(name, value)| format!("{name}={value}"))
        .join("&");
    let mia = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    assert_eq!(
        program(&mia, "/team/unlink", &body).await,
        403,
        "members leave others alone"
    );
    assert_eq!(elif.post("/team/unlink", &fields).await.location(), "/team");
    elif.get("/team")
        .await
        .shows("Elif Demir in Acme Robotics is unlinked. A new link code can link them again.");

    let again = invite(&mut owner, &id, "elif@acme.example").await;
    redeem(&mut elif, &again).await.shows("You are linked");
    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    assert_eq!(
        admin.post("/team/unlink", &fields).await.location(),
        "/team"
    );
    admin
        .get("/team")
        .await
        .shows("Elif Demir elif@acme.example Member E-mail never proved Not linked yet");
}

#[tokio::test]
async fn owners_give_roles_and_remove_members() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut elif = world.browser();
    let code = invite(&mut owner, &id, "elif@acme.example").await;
    redeem(&mut elif, &code).await;
    let page = manage(&mut owner, "elif@acme.example").await;
    page.shows("Nobody proved that elif@acme.example is theirs.");
    let member = hidden(&page, "/team/role", "member").remove(0);
    assert_eq!(
        owner
            .post("/team/vouch", &[("member", &member)])
            .await
            .location(),
        "/team"
    );

    assert_eq!(
        owner
            .post("/team/role", &[("member", &member), ("role", "admin")])
            .await
            .location(),
        "/team"
    );
    let page = owner.get("/team").await;
    page.shows("Elif Demir is an admin now. They were signed out everywhere.");
    page.shows("Elif Demir elif@acme.example Admin E-mail never proved, an owner vouched");
    assert!(elif.get("/team").await.location().starts_with("/signin"));

    let asked = owner
        .get(&format!("/team?member={member}&confirm=remove"))
        .await;
    asked.shows(
        "Remove Elif Demir? They can be invited again later. They are signed out everywhere",
    );
    asked.shows(
        "The link codes that they made, and that nobody has used, end Their link to Elif Demir in \
            Acme Robotics ends",
    );
    assert!(asked.body.contains("inert"), "the rest of the page waits");
    assert_eq!(
        owner
            .post("/team/remove", &[("member", &member)])
            .await
            .location(),
        "/team"
    );
    let page = owner.get("/team").await;
    page.shows("Elif Demir is removed.");
    page.hides("elif@acme.example Admin");

    let page = manage(&mut owner, "priya@northwind.dev").await;
    let priya = hidden(&page, "/team/role", "member").remove(0);
    for (path, fields) in [
        (
            "/team/role",
            vec![("member", priya.as_str()), ("role", "member")],
        ),
        ("/team/remove", vec![("member", &priya)]),
    ] {
        assert_eq!(owner.post(path, &fields).await.location(), "/team");
        owner.get("/team").await.shows(
            "An organisation needs an owner. Nothing was changed. Make somebody else an owner \
                first.",
        );
    }
    assert_eq!(
        program(
            &owner,
            "/team/role",
            &format!("member={priya}&role=emperor")
        )
        .await,
        400
    );
}

#[tokio::test]
async fn who_manages_says_who_they_are_without_a_code() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let page = owner.get("/team").await;
    page.shows("You in Linear So that tools know you too. You can skip this.");
    page.shows("Which one is you in Acme Robotics?");
    assert_eq!(
        owner
            .post(
                "/team/me",
                &[("workspace", &id), ("person", "ada@acme.example")]
            )
            .await
            .location(),
        "/team"
    );
    let page = owner.get("/team").await;
    page.shows(
        "You are Ada Okafor in Acme Robotics. Tools of your organisation know it from now on.",
    );
    page.shows("Priya Raman priya@northwind.dev Owner, you Acme Robotics");
    page.hides("Which one is you");
    owner
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ben@acme.example")],
        )
        .await;
    owner.get("/team").await.shows(
        "You were not linked. You are Ada Okafor in this workspace already. Unlink that first.",
    );
    let mut admin = world
        .member("northwind-labs", "lee@northwind.dev", Role::Admin)
        .await;
    admin
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ada@acme.example")],
        )
        .await;
    admin.get("/team").await.shows(
        "You were not linked. In Linear Ada Okafor has the e-mail ada@acme.example, which is not \
            yours here.",
    );
    let mut ben = world
        .member("northwind-labs", "Ben@acme.example", Role::Admin)
        .await;
    ben.get("/team")
        .await
        .shows("Which one is you in Acme Robotics?");
    ben.post(
        "/team/me",
        &[("workspace", &id), ("person", "ben@acme.example")],
    )
    .await;
    ben.get("/team")
        .await
        .shows("You are Ben Castillo in Acme Robotics.");
    let mut other = world
        .member("northwind-labs", "lou@northwind.dev", Role::Owner)
        .await;
    other
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ada@acme.example")],
        )
        .await;
    other
        .get("/team")
        .await
        .shows("You were not linked. They are linked to priya@northwind.dev already.");
}

#[tokio::test]
async fn many_wrong_codes_are_worth_a_warning() {
    let world = World::new().await;
    let (mut owner, _) = acme(&world).await;
    owner.get("/team").await.hides("wrong link codes");
    // From everywhere, so that no address pauses.
    for _ in 0..30 {
        let address = world.engine.entropy().id();
        let guesser = Guesser {
            address: &address,
            browser: "",
        };
        world
            .engine
            .code_preview("0000-0000-0000-0000", guesser)
            .await
            .unwrap_err();
    }
    let page = owner.get("/team").await;
    page.shows("30 wrong link codes were tried lately. Somebody may be guessing.");
    page.shows("the count starts anew at 14:12 UTC today.");
}

#[tokio::test]
async fn organisations_do_not_see_each_other() {
    let world = World::new().await;
    let (mut priya, acme) = acme(&world).await;
    let code = invite(&mut priya, &acme, "elif@acme.example").await;
    let mut elif = world.browser();
    let waiting = hidden(&priya.get("/team").await, REVOKE, "invite").remove(0);
    let member = world
        .store
        .user_by_email("priya@northwind.dev")
        .await
        .unwrap()
        .unwrap()
        .id;

    let mut other = world
        .member("initech", "bill@initech.example", Role::Owner)
        .await;
    let page = other.get("/team").await;
    for theirs in ["Elif", "priya", "Acme", &waiting] {
        page.hides(theirs);
    }
    let posts = [
        (
            INVITE,
            format!("workspace={acme}&person=ada%40acme.example"),
        ),
        (AGAIN, format!("invite={waiting}")),
        (REVOKE, format!("invite={waiting}")),
        (DISMISS, format!("invite={waiting}")),
        (SEVERAL, format!("people[]={acme}:1:Ada")),
        (
            "/team/me",
            format!("workspace={acme}&person=ada%40acme.example"),
        ),
        ("/team/role", format!("member={member}&role=member")),
        ("/team/remove", format!("member={member}")),
    ];
    for (path, body) in posts {
        assert_eq!(program(&other, path, &body).await, 404, "{path}");
    }
    other
        .get(&format!("/team?member={member}&confirm=remove"))
        .await
        .hides("Priya");
    redeem(&mut elif, &code).await.shows("You are linked");
    elif.get("/team").await.hides("bill@initech.example");
}

#[tokio::test]
async fn without_a_workspace_the_page_says_where_to_begin() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let page = owner.get("/team").await;
    page.shows(
        "Nobody can be invited yet People are picked from a connected workspace. Connect a \
            workspace",
    );
    page.shows("Priya Raman priya@northwind.dev Owner, you Not linked yet");
    let (_, id) = (
        owner.connect("acme-robotics").await,
        owner.connection_id("acme-robotics").await,
    );
    world.linear.uninstall("acme-robotics").unwrap();
    world.advance(HOUR);
    owner
        .post("/integrations/check", &[("connection", &id)])
        .await;
    owner
        .get("/team")
        .await
        .shows("Acme Robotics needs a reconnect before anybody there can be invited.");
}

#[tokio::test]
async fn workspaces_are_listed_by_name_whichever_was_connected_first() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    for workspace in ["initech", "globex", "acme-robotics"] {
        browser.connect(workspace).await;
    }
    world.linear.uninstall("globex").unwrap();
    world.linear.uninstall("initech").unwrap();
    world.advance(HOUR);
    browser
        .get("/integrations")
        .await
        .shows("2 connections need you");
    browser
        .get("/team")
        .await
        .shows("Globex and Initech Studio need a reconnect before anybody there can be invited.");
}
