//! Linear apps of an organisation's own: on the settings page, and on the way through them.

use relink_engine::clock::{DAY, HOUR, MINUTE};
use relink_engine::identity::Role;
use url::form_urlencoded::byte_serialize;

use crate::support::own_apps::{add, id, own_app, private};
use crate::support::webhooks::issue;
use crate::support::{contains, on_disk, program};
use crate::world::{Browser, Reply, Setup, World};

const CLIENT_ID: &str = "0123456789abcdef";
const CLIENT_SECRET: &str = "ClientSecretOfAcme0123";
/// The link around a client ID; the strip about the simulated Linear links to the same section.
const TO_THE_APP: &str = "<a href=\"/settings#linear-app\"><code>";
const WEBHOOK_SECRET: &str = "lin_wh_SecretOfAcmesApp0123";

async fn replace(
    browser: &mut Browser<'_>,
    app: &str,
    client_secret: &str,
    webhook_secret: &str,
) -> Reply {
    let fields = [
        ("app", app),
        ("client_secret", client_secret),
        ("webhook_secret", webhook_secret),
    ];
    assert_eq!(
        browser
            .post("/settings/apps/secrets", &fields)
            .await
            .location(),
        "/settings"
    );
    browser.get("/settings").await
}

async fn remove(browser: &mut Browser<'_>, app: &str) -> Reply {
    assert_eq!(
        browser
            .post("/settings/apps/remove", &[("app", app)])
            .await
            .location(),
        "/settings"
    );
    browser.get("/settings").await
}

#[tokio::test]
async fn an_owner_adds_an_app_replaces_its_secrets_and_removes_it() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser
        .get("/settings")
        .await
        .shows("None yet: workspaces are connected through this Relink’s app.");
    let page = add(&mut browser, " Acme internal ", CLIENT_ID, "", "").await;
    page.shows("Acme internal is added. Workspaces can be connected through it now.");
    page.shows("No secret, PKCE only No signing secret No workspace is connected through it.");
    assert!(page.body.contains(&format!("value=\"{CLIENT_ID}\"")));

    let id = id(&mut browser).await;
    let page = replace(&mut browser, &id, CLIENT_SECRET, WEBHOOK_SECRET).await;
    page.shows("The secrets of Acme internal are replaced.");
    page.shows("Client secret set Signing secret set");
    page.hides("The previous signing secret is accepted until");
    let page = replace(&mut browser, &id, "", "lin_wh_ANewSecretOfAcmesApp").await;
    page.shows(
        "The previous signing secret is accepted until a delivery signed with the new one arrives, \
            and for a while longer.",
    );

    browser
        .get(&format!("/settings?confirm=app&app={id}"))
        .await
        .shows("Remove Acme internal? The app in Linear stays as it is.");
    remove(&mut browser, &id)
        .await
        .shows("Acme internal is removed.");
    browser.get("/settings").await.shows("None yet");
    let trail = browser.get("/settings").await;
    for act in [
        "Added a Linear app",
        "Replaced secrets of a Linear app",
        "Removed a Linear app",
    ] {
        trail.shows(act);
    }
    browser.post("/settings/apps/remove", &[("app", &id)]).await;
    browser
        .get("/integrations")
        .await
        .shows("There is nothing here.");
}

#[tokio::test]
async fn a_refused_app_is_not_stored_and_its_form_says_why() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let own = world.linear.app().client_id;
    let long = "x".repeat(101);
    let cases = [
        (
            "",
            CLIENT_ID,
            "",
            "",
            "Enter a name of 1 to 100 characters.",
        ),
        (
            long.as_str(),
            CLIENT_ID,
            "",
            "",
            "Enter a name of 1 to 100 characters.",
        ),
        ("Acme", "", "", "", "This does not look like a client ID."),
        (
            "Acme",
            "two words",
            "",
            "",
            "This does not look like a client ID.",
        ),
        (
            "Acme",
            WEBHOOK_SECRET,
            "",
            "",
            "This does not look like a client ID.",
        ),
        (
            "Acme",
            own.as_str(),
            "",
            "",
            "The app with this client ID is here already.",
        ),
        (
            "Acme",
            CLIENT_ID,
            "short",
            "",
            "This does not look like a client secret.",
        ),
        (
            "Acme",
            CLIENT_ID,
            WEBHOOK_SECRET,
            "",
            "This does not look like a client secret.",
        ),
        (
            "Acme",
            CLIENT_ID,
            CLIENT_SECRET,
            "whsec_0123456789",
            "It starts with lin_wh_.",
        ),
    ];
    for (name, client_id, client_secret, webhook_secret, words) in cases {
        let page = add(&mut browser, name, client_id, client_secret, webhook_secret).await;
        page.shows("Error: Settings, Relink");
        page.shows(words);
        page.shows("None yet");
        assert_eq!(page.body.matches("aria-invalid").count(), 1);
        assert!(
            client_id == WEBHOOK_SECRET
                || client_id.is_empty()
                || page.body.contains(&format!("value=\"{client_id}\"")),
            "{words}"
        );
        for secret in [CLIENT_SECRET, WEBHOOK_SECRET, "whsec_0123456789"] {
            page.hides(secret);
        }
    }
    assert!(
        !browser.get("/settings").await.body.contains("aria-invalid"),
        "once"
    );
    assert!(
        world
            .store
            .apps(&organisation(&world).await)
            .await
            .unwrap()
            .is_empty()
    );
    add(&mut browser, "Acme", CLIENT_ID, "", "").await;
    add(&mut browser, "Again", CLIENT_ID, "", "")
        .await
        .shows("The app with this client ID is here already.");
    let id = id(&mut browser).await;
    replace(&mut browser, &id, " ", "")
        .await
        .shows("Enter at least one of the two secrets.");
    replace(&mut browser, &id, "", "whsec_0123456789")
        .await
        .shows("It starts with lin_wh_.");
    browser
        .get("/settings")
        .await
        .shows("No secret, PKCE only No signing secret");
}

async fn organisation(world: &World) -> String {
    world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id
}

#[tokio::test]
async fn no_secret_of_an_app_is_on_disk_or_on_a_page() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    // What was refused waits in the session.
    let refused = [
        ("name", WEBHOOK_SECRET),
        ("client_id", WEBHOOK_SECRET),
        ("client_secret", CLIENT_SECRET),
        ("webhook_secret", "x"),
    ];
    browser.post("/settings/apps", &refused).await;
    let waiting = on_disk(&world);
    let mut pages = vec![
        browser.get("/settings").await,
        add(
            &mut browser,
            "Acme internal",
            CLIENT_ID,
            CLIENT_SECRET,
            WEBHOOK_SECRET,
        )
        .await,
    ];
    let id = id(&mut browser).await;
    pages.push(replace(&mut browser, &id, CLIENT_SECRET, WEBHOOK_SECRET).await);
    for path in ["/integrations", "/settings"] {
        pages.push(browser.get(path).await);
    }
    let stored = on_disk(&world);
    assert!(
        contains(&stored, "Acme internal"),
        "the name shows that the right files were read"
    );
    for secret in [CLIENT_SECRET, WEBHOOK_SECRET] {
        assert!(!contains(&waiting, secret) && !contains(&stored, secret));
        pages.iter().for_each(|page| page.hides(secret));
    }
}

#[tokio::test]
async fn only_owners_see_and_manage_apps() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    add(&mut owner, "Acme internal", CLIENT_ID, "", "").await;
    let id = id(&mut owner).await;
    for (email, role) in [
        ("mia@northwind.dev", Role::Member),
        ("ada@northwind.dev", Role::Admin),
    ] {
        let mut browser = world.member("northwind-labs", email, role).await;
        for path in [
            "/settings".to_owned(),
            format!("/settings?confirm=app&app={id}"),
        ] {
            let page = browser.get(&path).await;
            page.shows("Redirect URI");
            for hidden in ["Apps of your own", "Acme internal", CLIENT_ID, "<dialog"] {
                page.hides(hidden);
            }
        }
        let secret: String = byte_serialize(CLIENT_SECRET.as_bytes()).collect();
        assert_eq!(
            program(
                &browser,
                "/settings/apps",
                "name=Mine&client_id=fedcba9876543210"
            )
            .await,
            403
        );
        assert_eq!(
            program(
                &browser,
                "/settings/apps/secrets",
                &format!("app={id}&client_secret={secret}")
            )
            .await,
            403
        );
        assert_eq!(
            program(&browser, "/settings/apps/remove", &format!("app={id}")).await,
            403
        );
    }
    let page = owner.get("/settings").await;
    page.shows("Acme internal");
    page.shows("No secret, PKCE only");
    page.hides("Mine");
}

#[tokio::test]
async fn the_link_to_linear_fills_in_what_linear_takes() {
    let world = World::with(Setup {
        no_app: true,
        ..Setup::default()
    })
    .await;
    let page = world.owner().await.get("/settings").await;
    page.shows("Linear takes no webhook address on localhost");
    page.hides("webhook.url=");
    assert_eq!(page.body.matches("oauth.client_name=Relink").count(), 2);
    let world = World::with(Setup {
        no_app: true,
        https: true,
        ..Setup::default()
    })
    .await;
    let page = world.owner().await.get("/settings").await;
    page.hides("Linear takes no webhook address");
    assert!(
        page.body
            .contains("webhook.url=https%3A//relink.example.com/webhooks/linear"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn the_app_is_chosen_where_there_are_several() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    browser.get("/integrations").await.hides("name=\"app\"");
    let (app, id) = own_app(&mut browser, private("acme-robotics")).await;
    let page = browser.get("/integrations").await;
    page.shows("Linear app This Relink’s app Acme internal");
    assert!(
        page.body
            .contains(&format!("<option value=\"{id}\">Acme internal</option>")),
        "{}",
        page.body
    );
    let asked = async |browser: &mut Browser<'_>, app: &str| {
        let url = browser.leave_for_linear(&[("app", app)]).await;
        url::Url::parse(&url)
            .unwrap()
            .query_pairs()
            .find(|(name, _)| name == "client_id")
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(asked(&mut browser, "").await, world.linear.app().client_id);
    assert_eq!(asked(&mut browser, &id).await, app.client_id);
}

#[tokio::test]
async fn without_the_operators_app_ones_own_is_enough() {
    let world = World::with(Setup {
        no_app: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    own_app(&mut browser, private("acme-robotics")).await;
    browser
        .get("/settings")
        .await
        .hides("nothing can be connected");
    browser.get("/integrations").await.hides("name=\"app\"");
    browser.connect("acme-robotics").await;
}

#[tokio::test]
async fn a_connection_lives_through_its_own_app() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let (app, id) = own_app(&mut browser, private("acme-robotics")).await;
    assert_eq!(
        browser
            .walk("acme-robotics", &[("app", &id)])
            .await
            .location(),
        "/integrations"
    );
    let connection = browser.connection_id("acme-robotics").await;
    let page = browser.get(&format!("/integrations/{connection}")).await;
    page.shows(&format!(
        "Linear app Through the app “Acme internal” {}",
        app.client_id
    ));
    assert!(page.body.contains(TO_THE_APP));

    let program = world.program().await;
    let first = program.token(&connection).await.token();
    world.advance(DAY);
    assert_ne!(
        program.token(&connection).await.token(),
        first,
        "it is refreshed as the app that it was given to"
    );

    let workspace = world.workspace_id(&connection).await;
    let body = issue(&workspace, 1, world.engine.now());
    assert_eq!(
        world.deliver(&world.app_secret(), &body).await.status,
        401,
        "the operator's app has no say there"
    );
    assert_eq!(
        World::told(&world.deliver(&app.webhook_secret, &body).await),
        (200, "accepted")
    );

    remove(&mut browser, &id)
        .await
        .shows("Workspaces are connected through it; disconnect them first. Nothing was changed.");
    browser
        .get("/settings")
        .await
        .shows("1 workspace is connected through it; to remove it, disconnect that first.");
    assert_eq!(
        browser
            .reconnect(&connection, "acme-robotics")
            .await
            .location(),
        "/integrations"
    );
    browser
        .post("/integrations/disconnect", &[("connection", &connection)])
        .await;
    let page = browser.get("/integrations").await;
    assert!(
        page.body.contains(&format!(
            "<input type=\"hidden\" name=\"app\" value=\"{id}\">"
        )),
        "it is connected again through its app"
    );
    remove(&mut browser, &id)
        .await
        .shows("Acme internal is removed.");
}

#[tokio::test]
async fn an_apps_webhook_secret_retires_when_the_next_one_has_verified_something() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let (app, id) = own_app(&mut browser, private("acme-robotics")).await;
    browser.walk("acme-robotics", &[("app", &id)]).await;
    let connection = browser.connection_id("acme-robotics").await;
    let workspace = world.workspace_id(&connection).await;
    let deliver = async |secret: &str, number: u32| {
        world
            .deliver(secret, &issue(&workspace, number, world.engine.now()))
            .await
            .status
    };
    let (mistyped, next) = ("lin_wh_AMistypedSecret0789", "lin_wh_TheAppsNextSecret01");
    assert_eq!(deliver(&app.webhook_secret, 1).await, 200);
    for secret in [mistyped, next] {
        replace(&mut browser, &id, "", secret).await;
        browser.get("/settings").await.shows(
            "The previous signing secret is accepted until a delivery signed with the new one \
                arrives",
        );
        world.advance(3 * DAY);
        assert_eq!(
            deliver(&app.webhook_secret, 2).await,
            200,
            "the new one has verified nothing"
        );
    }
    assert_eq!(
        (deliver(next, 3).await, deliver(mistyped, 4).await),
        (200, 401)
    );
    browser
        .until(
            "/settings",
            "The previous signing secret is accepted until 14:02 UTC tomorrow.",
        )
        .await;
    world.advance(DAY - MINUTE);
    assert_eq!(
        deliver(&app.webhook_secret, 5).await,
        200,
        "Linear's retries"
    );
    world.advance(MINUTE);
    assert_eq!(
        (
            deliver(&app.webhook_secret, 6).await,
            deliver(next, 7).await
        ),
        (401, 200)
    );
}

#[tokio::test]
async fn who_does_not_own_is_told_which_app_without_a_link_to_it() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let (app, id) = own_app(&mut owner, private("acme-robotics")).await;
    owner.walk("acme-robotics", &[("app", &id)]).await;
    let connection = owner.connection_id("acme-robotics").await;
    let mut admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    let page = admin.get(&format!("/integrations/{connection}")).await;
    page.shows(&format!(
        "Through the app “Acme internal” {}",
        app.client_id
    ));
    page.hides(TO_THE_APP);
}

#[tokio::test]
async fn a_wrong_client_secret_ends_nothing_and_names_where_to_mend_it() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let (app, id) = own_app(&mut browser, private("acme-robotics")).await;
    browser.walk("acme-robotics", &[("app", &id)]).await;
    let connection = browser.connection_id("acme-robotics").await;
    replace(&mut browser, &id, "not-its-secret-any-more", "").await;
    world.advance(DAY - HOUR);
    assert_eq!(world.engine.sweep_due().await.unwrap().failed, 1);
    for path in [
        "/integrations".to_owned(),
        format!("/integrations/{connection}"),
    ] {
        let page = browser.get(&path).await;
        page.shows("Linear does not accept an app of your own");
        page.shows("compare the client ID and secret in Settings with the app in Linear");
        page.hides("LINEAR_CLIENT_SECRET");
        page.hides("Reconnect required");
    }
    replace(&mut browser, &id, &app.client_secret, "").await;
    world.advance(10 * MINUTE);
    assert_eq!(
        world.engine.sweep_due().await.unwrap().refreshed,
        1,
        "mended, it goes on by itself"
    );
}

#[tokio::test]
async fn an_app_that_is_private_to_another_workspace_is_denied_with_the_way_on() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let (_, id) = own_app(&mut owner, private("globex")).await;
    let mut admin = world
        .member("northwind-labs", "ada@northwind.dev", Role::Admin)
        .await;
    for (browser, owns) in [(&mut owner, true), (&mut admin, false)] {
        let reply = browser.walk("acme-robotics", &[("app", &id)]).await;
        assert_eq!(reply.location(), "/integrations?error=access_denied");
        let page = browser.get(reply.location()).await;
        page.shows("Linear did not give access.");
        page.shows("or the Linear app is private to another workspace");
        assert_eq!(page.body.contains("Add an app of your own"), owns);
        assert!(
            page.body.contains("href=\"#connect\""),
            "which app to try again with is chosen anew"
        );
    }
    assert_eq!(world.living_tokens(), 0);
}
