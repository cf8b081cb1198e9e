//! A workspace's webhook on its connection's page: signing secrets, what was refused, and whose a
//! delivery would be.

use std::time::Duration;

use axum::body::Body;
use relink_engine::Acting;
use relink_engine::clock::{DAY, HOUR, MINUTE, SECOND};
use relink_engine::identity::Role;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::support::webhooks::{OTHER, SECRET, acme, add_secret, issue, post, sign};
use crate::support::{contains, on_disk, program};
use crate::world::{Browser, Reply, START, Setup, World};

const NEXT: &str = "lin_wh_AcmesNextSecret0456";
const SAVE: &str = "/integrations/webhook-secret";
const STOP: &str = "/integrations/webhook-secret/stop";
const CHECK: &str = "/integrations/webhook-check";

impl Browser<'_> {
    /// The page, as soon as it says so: what verified something is written down while nobody waits
    /// for it.
    pub async fn until(&mut self, path: &str, words: &str) -> Reply {
        for _ in 0..100 {
            if self.get(path).await.text().contains(words) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let page = self.get(path).await;
        page.shows(words);
        page
    }

    async fn save(&mut self, connection: &str, secret: &str) -> Reply {
        let page = format!("/integrations/{connection}");
        assert_eq!(
            self.post(SAVE, &[("connection", connection), ("secret", secret)])
                .await
                .location(),
            page
        );
        self.get(&page).await
    }

    async fn stop(&mut self, connection: &str, ending: &str) -> Reply {
        let secret = secret_id(self.world, connection, ending).await;
        let page = format!("/integrations/{connection}");
        assert_eq!(
            self.post(STOP, &[("connection", connection), ("secret", &secret)])
                .await
                .location(),
            page
        );
        self.get(&page).await
    }

    async fn check(&mut self, connection: &str, body: &str, signature: &str) -> Reply {
        let page = format!("/integrations/{connection}");
        let fields = [
            ("connection", connection),
            ("body", body),
            ("signature", signature),
        ];
        assert_eq!(self.post(CHECK, &fields).await.location(), page);
        self.get(&page).await
    }
}

async fn secret_id(world: &World, connection: &str, ending: &str) -> String {
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap();
    let secrets = world
        .engine
        .webhook_secrets(Acting::command(&organisation.id))
        .list()
        .await
        .unwrap();
    secrets
        .into_iter()
        .find(|secret| secret.connection_id == connection && secret.last_four == ending)
        .unwrap()
        .id
}

#[tokio::test]
async fn a_secret_is_saved_replaced_stopped_and_removed() {
    let world = World::new().await;
    let (mut browser, _program, id) = world.connected().await;
    let workspace = world.workspace_id(&id).await;
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Webhook No delivery yet. See deliveries");
    page.shows("No signing secret yet.");
    assert!(
        page.body
            .contains("value=\"http://localhost:3000/webhooks/linear\"")
    );

    let page = browser.save(&id, &format!("  {SECRET}\n")).await;
    page.shows("Saved. Waiting for the first delivery signed with it.");
    page.shows(
        "Current lin_wh_····0123 Added at 14:02 UTC today by Priya Raman. Never matched yet \
            Remove",
    );
    page.hides("The one before");
    assert_eq!(
        world
            .deliver(SECRET, &issue(&workspace, 1, START))
            .await
            .status,
        200
    );
    world.advance(41 * SECOND);
    let page = browser.save(&id, SECRET).await;
    page.shows("This is the current secret already. Nothing was changed.");
    page.shows("Last verified delivery 41 s ago.");
    page.shows("Matched 41 s ago");
    page.hides("accepted until");

    let page = browser.save(&id, NEXT).await;
    page.shows(
        "Saved. Waiting for the first delivery signed with it. The one before is accepted until \
            then, and for a while longer.",
    );
    page.shows(
        "Both secrets are accepted until a delivery signed with the new one arrives Then the \
            previous one stays for a while",
    );
    page.shows("Current lin_wh_····0456");
    page.shows(
        "Previous lin_wh_····0123 Added at 14:02 UTC today by Priya Raman. Matched 41 s ago. Stops \
            after the new one has matched",
    );
    assert_eq!(
        world
            .deliver(NEXT, &issue(&workspace, 9, START))
            .await
            .status,
        200
    );
    let page = browser
        .until(&format!("/integrations/{id}"), "Matched just now")
        .await;
    page.shows(
        "Two secrets are accepted until 20 Nov 14:02 UTC Linear retries for up to seven hours with \
            the old signature.",
    );
    page.shows(
        "Previous lin_wh_····0123 Added at 14:02 UTC today by Priya Raman. Matched 41 s ago. Stops \
            in 24 h 0 min",
    );

    let page = browser.stop(&id, "0123").await;
    page.shows(
        "lin_wh_····0123 is accepted no more. What is signed with it is refused from now on.",
    );
    page.hides("Previous");
    assert_eq!(
        world
            .deliver(SECRET, &issue(&workspace, 2, START))
            .await
            .status,
        401
    );
    assert_eq!(
        world
            .deliver(NEXT, &issue(&workspace, 2, START))
            .await
            .status,
        200
    );
    browser
        .stop(&id, "0456")
        .await
        .shows("No signing secret yet.");
    assert_eq!(
        world
            .deliver(NEXT, &issue(&workspace, 3, START))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_secret_in_use_is_not_stopped_without_a_question() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    browser.save(&id, NEXT).await;
    let page = format!("/integrations/{id}");
    let previous = secret_id(&world, &id, "0123").await;
    let asked = format!("{page}?confirm=secret&secret={previous}");
    // The form that posts at once carries the id; the one that asks carries the question too.
    let asks = |reply: &Reply| {
        reply
            .body
            .split("<form")
            .any(|form| form.contains("name=\"confirm\"") && form.contains(&previous))
    };
    assert!(asks(&browser.get(&page).await));
    let question = browser.get(&asked).await;
    question.shows(
        "Stop accepting lin_wh_····0123? Linear used it just now. You can save it again later.",
    );
    question.shows(
        "Every delivery signed with it is refused from now on, Linear’s retries too Kept, it stops \
            by itself after the new one has matched",
    );
    question.shows("Stop accepting lin_wh_····0123? Relink");
    assert!(
        question.body.contains("<dialog open"),
        "without JavaScript it is open"
    );
    world.advance(HOUR);
    assert!(
        asks(&browser.get(&page).await),
        "the new one has verified nothing"
    );
    world
        .deliver(NEXT, &issue(&workspace, 2, world.engine.now()))
        .await;
    assert!(
        !asks(&browser.until(&page, "Stops in 24 h 0 min").await),
        "nobody used it for an hour"
    );
    let current = secret_id(&world, &id, "0456").await;
    let question = browser
        .get(&format!("{page}?confirm=secret&secret={current}"))
        .await;
    question.shows("Remove lin_wh_····0456? Linear used it just now. You can save it again later.");
    browser
        .get(&format!("{page}?confirm=secret&secret=nonsense"))
        .await
        .hides("<dialog open");
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    member.get(&asked).await.hides("<dialog");
}

#[tokio::test]
async fn what_is_no_signing_secret_is_refused_at_its_field_and_kept_nowhere() {
    let world = World::new().await;
    let (mut browser, _program, id) = world.connected().await;
    for wrong in [
        "",
        "lin_wh_",
        "AcmesOwnSecretWithoutItsStart",
        "lin_api_AcmesOwnApiKey0123",
        "lin_wh_with a space inside",
    ] {
        let page = browser.save(&id, wrong).await;
        page.shows("Error: Acme Robotics, Relink");
        page.shows("This does not look like a Linear signing secret. It starts with lin_wh_.");
        page.shows("No signing secret yet.");
        let field = page
            .body
            .split("<input")
            .find(|field| field.contains("id=\"secret\""))
            .unwrap()
            .split('>')
            .next()
            .unwrap();
        assert!(
            field.contains("aria-invalid=\"true\"")
                && field.contains("autofocus")
                && field.contains("value=\"\""),
            "{field}"
        );
        assert!(wrong.len() < 8 || !page.body.contains(wrong));
    }
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .hides("does not look like");
    assert!(contains(&on_disk(&world), "Acme Robotics") && !contains(&on_disk(&world), "AcmesOwn"));
}

#[tokio::test]
async fn only_those_who_manage_change_secrets_and_check_deliveries() {
    let world = World::new().await;
    let (mut owner, _program, id, workspace) = acme(&world).await;
    let secret = secret_id(&world, &id, "0123").await;
    let posts = [
        (SAVE, format!("connection={id}&secret={NEXT}")),
        (STOP, format!("connection={id}&secret={secret}")),
        (CHECK, format!("connection={id}&body=x&signature=x")),
    ];
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let page = member.get(&format!("/integrations/{id}")).await;
    page.shows("Current lin_wh_····0123");
    for hidden in [
        "Save secret",
        "Check a delivery",
        "Remove",
        SAVE,
        STOP,
        CHECK,
    ] {
        page.hides(hidden);
    }
    let other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    for (path, body) in &posts {
        assert_eq!(program(&member, path, body).await, 403, "{path}");
        assert_eq!(program(&other, path, body).await, 404, "{path}");
    }
    member
        .post(SAVE, &[("connection", &id), ("secret", NEXT)])
        .await;
    member
        .get("/integrations")
        .await
        .shows("Your role does not allow this.");
    assert_eq!(
        world
            .deliver(SECRET, &issue(&workspace, 1, START))
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .deliver(NEXT, &issue(&workspace, 2, START))
            .await
            .status,
        401
    );
    let admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    assert_eq!(program(&admin, SAVE, &posts[0].1).await, 303);
    owner
        .get(&format!("/integrations/{id}"))
        .await
        .shows("lin_wh_····0456 Added at 14:02 UTC today by Some Body.");
}

#[tokio::test]
async fn no_page_shows_a_secret() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    let saved = browser.save(&id, NEXT).await;
    let mut pages = vec![saved, browser.stop(&id, "0123").await];
    for path in [
        format!("/integrations/{id}"),
        "/integrations".to_owned(),
        "/deliveries".to_owned(),
        "/settings".to_owned(),
    ] {
        pages.push(browser.get(&path).await);
    }
    for page in pages {
        for secret in [SECRET, NEXT, &world.app_secret()] {
            page.hides(secret);
            page.hides(&secret["lin_wh_".len()..]);
        }
    }
}

#[tokio::test]
async fn a_secret_that_came_by_command_says_so_and_outlives_a_reconnect() {
    let world = World::new().await;
    let (mut browser, _program, id, _workspace) = acme(&world).await;
    browser.reconnect(&id, "acme-robotics").await;
    let page = browser.get(&format!("/integrations/{id}")).await;
    page.shows("Current lin_wh_····0123 Added at 14:02 UTC today by command. Never matched yet");
}

#[tokio::test]
async fn a_first_connect_leads_to_the_webhook() {
    let by_app = World::new().await;
    by_app
        .owner()
        .await
        .get("/integrations")
        .await
        .shows("Webhook Switched on in the Linear app, it delivers for every workspace.");
    let world = World::with(Setup {
        no_app_webhook: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    browser
        .get("/integrations")
        .await
        .shows("Webhook secret Paste it once, then see the first verified delivery arrive.");
    let id = browser.connect("acme-robotics").await;
    world.advance(MINUTE);
    let mut browser = world.browser();
    browser
        .sign_in("priya@northwind.dev", crate::world::PASSWORD)
        .await;
    browser.walk("globex", &[]).await;
    let page = browser.get("/integrations").await;
    page.shows(
        "Globex is connected. Next: paste its webhook secret, so deliveries can be verified. Paste \
            the webhook secret",
    );
    let globex = browser.connection_id("globex").await;
    assert!(
        page.body
            .contains(&format!("href=\"/integrations/{globex}#webhooks\""))
    );
    page.shows("No delivery yet. Add the webhook");
    add_secret(&world, &id, SECRET).await;
    let workspace = world.workspace_id(&id).await;
    world
        .deliver(SECRET, &issue(&workspace, 1, world.engine.now()))
        .await;
    world.advance(41 * SECOND);
    browser
        .get("/integrations")
        .await
        .shows("Last delivery 41 s ago");
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    let page = member.get("/integrations").await;
    page.shows("No delivery yet");
    page.hides("Add the webhook");
}

/// Acme with SECRET, Globex with OTHER.
async fn two(world: &World) -> (Browser<'_>, [String; 2], [String; 2]) {
    let (mut browser, _program, acme, acmes) = acme(world).await;
    let globex = browser.connect("globex").await;
    add_secret(world, &globex, OTHER).await;
    let globexs = world.workspace_id(&globex).await;
    (browser, [acme, globex], [acmes, globexs])
}

#[tokio::test]
async fn refused_requests_are_counted_with_the_likely_cause() {
    let world = World::new().await;
    let (mut browser, [_acme, globex], [_, workspace]) = two(&world).await;
    for number in 0..3 {
        assert_eq!(
            world
                .deliver(SECRET, &issue(&workspace, number, START))
                .await
                .status,
            401
        );
    }
    let cause = "They name Globex but are signed with the secret of Acme Robotics. Check which \
        secret is set on the webhook in Linear.";
    let page = browser.get("/deliveries").await;
    page.shows(&format!(
        "3 requests were refused in the last hour. {cause} Open Globex’s webhook"
    ));
    let page = browser.get(&format!("/integrations/{globex}")).await;
    page.shows(&format!(
        "3 requests were refused in the last 24 hours, and nothing arrived since. {cause} See its \
            webhook"
    ));
    browser
        .get("/integrations")
        .await
        .shows("3 delivery requests refused. See why");
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    for path in [
        "/deliveries".to_owned(),
        "/integrations".to_owned(),
        format!("/integrations/{globex}"),
    ] {
        member.get(&path).await.hides("refused");
    }
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    other.get("/deliveries").await.hides("refused");

    world.advance(SECOND);
    assert_eq!(
        world
            .deliver(OTHER, &issue(&workspace, 9, START))
            .await
            .status,
        200
    );
    browser
        .get(&format!("/integrations/{globex}"))
        .await
        .hides("were refused");
    browser.get("/integrations").await.hides("requests refused");
    browser
        .get("/deliveries")
        .await
        .shows("3 requests were refused in the last hour.");
    world.advance(HOUR);
    browser.get("/deliveries").await.hides("were refused");
}

#[tokio::test]
async fn every_cause_has_its_sentence() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let page = format!("/integrations/{id}");
    let body = issue(&workspace, 1, START);
    world
        .send(post().body(Body::from(body.clone())).unwrap())
        .await;
    browser.get(&page).await.shows(
        "1 request was refused in the last 24 hours, and nothing arrived since. It names Acme \
            Robotics but has no signature.",
    );
    world.advance(SECOND);
    world.deliver("lin_wh_SomebodyElses0123", &body).await;
    browser.get(&page).await.shows(
        "It names Acme Robotics but is signed with no secret known here. Save the signing secret \
            of the webhook in Linear.",
    );
    browser.save(&id, NEXT).await;
    browser.stop(&id, "0123").await;
    world.advance(SECOND);
    world.deliver(SECRET, &body).await;
    let reply = browser.get(&page).await;
    reply.shows(
        "It names Acme Robotics but is signed with its secret lin_wh_····0123, which is not \
            accepted any more.",
    );
    reply.shows("If Linear still uses it, save it again.");
    browser
        .save(&id, SECRET)
        .await
        .hides("signed with its secret");
    world.advance(DAY + SECOND);
    browser.get(&page).await.hides("was refused");
}

/// The database is slow while a refusal is on its way to it.
#[tokio::test]
async fn a_page_tells_of_a_refusal_that_is_being_written_down() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let mut other = SqliteConnection::connect(&format!(
        "sqlite://{}",
        world.dir.path().join("relink.db").display()
    ))
    .await
    .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    world
        .send(
            post()
                .body(Body::from(issue(&workspace, 1, START)))
                .unwrap(),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let free = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    };
    let page = format!("/integrations/{id}");
    let (page, ()) = tokio::join!(browser.get(&page), free);
    page.shows("1 request was refused in the last 24 hours");
}

#[tokio::test]
async fn a_checked_delivery_says_who_signed_it() {
    let world = World::new().await;
    let (mut browser, [acme, globex], [workspace, globexs]) = two(&world).await;
    let now = issue(&workspace, 1, START);
    let signed = |secret: &str, body: &str| sign(secret, body.as_bytes());
    let check = async |browser: &mut Browser<'_>, body: &str, signature: &str, sentence: &str| {
        browser.check(&acme, body, signature).await.shows(sentence);
    };
    let accepted = "The delivery is signed with the current secret of Acme Robotics, \
        lin_wh_····0123. It names Acme Robotics and would be accepted.";
    check(
        &mut browser,
        &now,
        &format!(" {} ", signed(SECRET, &now)),
        accepted,
    )
    .await;
    let app = "The delivery is signed with the secret of the Linear app. It names Acme Robotics \
        and would be accepted.";
    check(&mut browser, &now, &signed(&world.app_secret(), &now), app).await;
    let nobody = "The delivery is signed with no secret known here. It would be refused. The body \
        must be exactly what was sent, to the last byte";
    check(
        &mut browser,
        &now,
        &signed("lin_wh_SomebodyElses0123", &now),
        nobody,
    )
    .await;
    check(
        &mut browser,
        &now.replace("ENG-1", "ENG-2"),
        &signed(SECRET, &now),
        nobody,
    )
    .await;
    let others = issue(&globexs, 1, START);
    let mixed = "The delivery is signed with the current secret of Acme Robotics, lin_wh_····0123. \
        But it names Globex, so it would be refused.";
    check(&mut browser, &others, &signed(SECRET, &others), mixed).await;
    let old = issue(&workspace, 1, START - DAY);
    let aged = "would be accepted, were it not for its age: it was sent at 14:02 UTC yesterday.";
    check(&mut browser, &old, &signed(SECRET, &old), aged).await;
    let nameless = json!({ "type": "Issue" }).to_string();
    check(
        &mut browser,
        &nameless,
        &signed(SECRET, &nameless),
        "The body names no workspace, so it would not be accepted.",
    )
    .await;
    let unknown = issue("00000000-0000-4000-8000-00000000dead", 1, START);
    check(
        &mut browser,
        &unknown,
        &signed(SECRET, &unknown),
        "It names a workspace that is not connected here",
    )
    .await;
    browser.save(&acme, NEXT).await;
    let previous = "The delivery is signed with the previous secret of Acme Robotics, \
        lin_wh_····0123. It names Acme Robotics and would be accepted.";
    check(&mut browser, &now, &signed(SECRET, &now), previous).await;
    browser.stop(&acme, "0123").await;
    let retired = "The delivery is signed with a secret of Acme Robotics that is not accepted any \
        more, lin_wh_····0123. It names Acme Robotics, so it would be refused.";
    check(&mut browser, &now, &signed(SECRET, &now), retired).await;
    browser
        .post("/integrations/disconnect", &[("connection", &globex)])
        .await;
    check(
        &mut browser,
        &others,
        &signed(OTHER, &others),
        "It names a workspace that is not connected here",
    )
    .await;
    browser
        .get("/deliveries")
        .await
        .shows("Nothing has arrived yet");
    browser.get("/deliveries").await.hides("were refused");
}

#[tokio::test]
async fn a_pasted_body_survives_what_browsers_do_to_line_breaks() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let compact = issue(&workspace, 1, START);
    let value: serde_json::Value = serde_json::from_str(&compact).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let cases = [
        (pretty.clone(), pretty.replace('\n', "\r\n")),
        (pretty.replace('\n', "\r\n"), pretty.replace('\n', "\r\n")),
        (compact.clone(), format!("{compact}\r\n")),
        (format!("{compact}\n"), format!("{compact}\r\n")),
    ];
    for (sent, arrives) in cases {
        browser
            .check(&id, &arrives, &sign(SECRET, sent.as_bytes()))
            .await
            .shows("It names Acme Robotics and would be accepted.");
    }
}

#[tokio::test]
async fn what_was_pasted_is_kept_nowhere() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let body = issue(&workspace, 1, START).replace("ENG-1", "PASTED-HERE");
    let fields = [
        ("connection", id.as_str()),
        ("body", &body),
        ("signature", &sign(SECRET, body.as_bytes())),
    ];
    browser.post(CHECK, &fields).await;
    assert!(
        contains(&on_disk(&world), "and would be accepted."),
        "the verdict waits in the session"
    );
    assert!(!contains(&on_disk(&world), "PASTED-HERE"));
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .hides("PASTED-HERE");
}

#[tokio::test]
async fn a_form_that_is_too_large_is_told_so() {
    let world = World::new().await;
    let (mut browser, _program, id, _workspace) = acme(&world).await;
    browser
        .get(&format!("/integrations/{id}"))
        .await
        .shows("Exactly as it was sent, to the last byte; up to about 40 KB of JSON.");
    let reply = browser
        .post(
            CHECK,
            &[
                ("connection", &id),
                ("body", &"x".repeat(70_000)),
                ("signature", "x"),
            ],
        )
        .await;
    assert_eq!(reply.status, 413);
    reply.shows("A form may carry 64 KiB, and this one had more.");
}

#[tokio::test]
async fn more_secrets_than_are_kept_are_not_saved() {
    let world = World::new().await;
    let (mut browser, _program, id) = world.connected().await;
    for number in 0..relink_engine::webhook::SECRETS_MAX {
        browser
            .save(&id, &format!("lin_wh_AcmesSecretNumber{number:04}"))
            .await
            .shows("Saved.");
    }
    let page = browser.save(&id, "lin_wh_AcmesSecretNumber9999").await;
    page.shows(
        "The secret was not saved. No more can be accepted at a time. Stop accepting one of those \
            below, then save it again.",
    );
    page.shows("All these secrets are accepted until a delivery signed with the new one arrives");
    page.hides("9999");
    browser.stop(&id, "0000").await;
    browser
        .save(&id, "lin_wh_AcmesSecretNumber9999")
        .await
        .shows("Current lin_wh_····9999");
}
