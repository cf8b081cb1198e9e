//! The page of deliveries.

use relink_engine::clock::{DAY, HOUR, MINUTE};
use relink_engine::identity::Role;
use serde_json::json;

use crate::support::webhooks::{OTHER, SECRET, acme, add_secret, issue, signed};
use crate::world::{Reply, START, Setup, World};

/// The subjects on a page, in its order.
fn subjects(page: &Reply) -> Vec<String> {
    let rows = page.body.split("class=\"ev\"").skip(1);
    let subject = |row: &str| {
        row.split("<span>")
            .nth(1)
            .and_then(|rest| rest.split("</span>").next())
            .unwrap_or_default()
            .to_owned()
    };
    rows.map(subject).collect()
}

/// Finds where a link with this text leads.
fn link(page: &Reply, text: &str) -> Option<String> {
    let before = page
        .body
        .split(&format!(">{text}</a>"))
        .next()
        .filter(|before| before.len() < page.body.len())?;
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

fn numbers(range: impl Iterator<Item = u32>) -> Vec<String> {
    range.map(|number| format!("ENG-{number}")).collect()
}

#[tokio::test]
async fn before_anything_came_the_page_says_what_to_do() {
    let by_app = World::new().await;
    let page = by_app.owner().await.get("/deliveries").await;
    page.shows("Nothing has arrived yet Switch webhooks on in the Linear app with this URL");
    page.hides("Settings, API, Webhooks");
    let world = World::with(Setup {
        no_app_webhook: true,
        ..Setup::default()
    })
    .await;
    let mut browser = world.owner().await;
    let page = browser.get("/deliveries").await;
    page.shows("Nothing has arrived yet Paste this URL into Linear under Settings, API, Webhooks.");
    assert!(
        page.body
            .contains("value=\"http://localhost:3000/webhooks/linear\"")
    );
    page.shows("As of 14:02:11 UTC. Refresh");
    assert_eq!(
        world.browser().get("/deliveries").await.location(),
        "/signin?next=/deliveries"
    );
}

#[tokio::test]
async fn a_delivery_is_shown_with_all_that_is_known_of_it() {
    let world = World::new().await;
    let (mut browser, _program, _id, workspace) = acme(&world).await;
    let body = issue(&workspace, 412, START - 300);
    world.deliver(SECRET, &body).await;
    world.advance(MINUTE);
    for _ in 0..2 {
        world.deliver(SECRET, &body).await;
    }
    let page = browser.get("/deliveries").await;
    page.shows("14:02:11 Issue update ENG-412 Acme Robotics Accepted");
    page.shows("×3 arrived 3 times signed with: Current");
    page.shows(
        "Signature Verified, current secret Who Mara Lindqvist Delivery d4c1f0a2…0001 Body digest \
            sha256",
    );
    page.shows("Sent, received 14:02:10.7, 11.0 Arrived 3 times, last at 14:03 UTC today");
    page.shows(&format!(
        "Body, {} bytes, laid out to be read. Copy takes it exactly as signed",
        body.len()
    ));
    page.shows("\"identifier\" : \"ENG-412\"");
    page.shows("1 delivery");
    let attribute = body.replace('&', "&amp;").replace('"', "&quot;");
    assert!(
        page.body.contains(&format!("data-copy=\"{attribute}\"")),
        "what is copied is the body as it came: {}",
        page.body
    );
}

#[tokio::test]
async fn how_a_delivery_ended_and_what_signed_it() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    let now = world.engine.now();
    world
        .deliver(&world.app_secret(), &issue(&workspace, 1, now))
        .await;
    world
        .deliver(SECRET, &issue(&workspace, 2, now - HOUR))
        .await;
    let foreign = json!({
        "type": "OAuthApp", "action": "revoked", "organizationId": workspace,
        "oauthClientId": "another", "webhookTimestamp": now,
    });
    world.send(signed(SECRET, &foreign.to_string(), None)).await;
    let rows = |page: &Reply| {
        page.text()
            .split("Took")
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    let text = rows(&browser.get("/deliveries").await);
    for part in [
        "Issue update ENG-1 Acme Robotics Accepted signed with: App’s",
        "ENG-2 Acme Robotics Accepted late signed with: Current",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(
        text.contains("OAuthApp revoked Acme Robotics Ignored signed with: Current"),
        "{text}"
    );
    assert!(
        text.contains("Delivery Linear sent no id")
            && text.contains("Verified, the Linear app’s secret"),
        "{text}"
    );
    add_secret(&world, &id, "lin_wh_AcmesNextSecret0456").await;
    browser
        .get("/deliveries")
        .await
        .shows("signed with: Previous");
    world
        .deliver("lin_wh_AcmesNextSecret0456", &issue(&workspace, 3, now))
        .await;
    browser
        .until(&format!("/integrations/{id}"), "Stops in 24 h 0 min")
        .await;
    world.advance(DAY);
    browser
        .get("/deliveries")
        .await
        .shows("19 Nov 14:02 OAuthApp revoked Acme Robotics Ignored signed with: Retired");
    world.sql("DELETE FROM webhook_secrets").await;
    browser
        .get("/deliveries")
        .await
        .shows("signed with: Removed");
}

#[tokio::test]
async fn the_page_is_narrowed_by_workspace_event_and_outcome() {
    let world = World::new().await;
    let (mut browser, _program, acme, workspace) = acme(&world).await;
    let globex = browser.connect("globex").await;
    add_secret(&world, &globex, OTHER).await;
    let other = world.workspace_id(&globex).await;
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    world
        .deliver(SECRET, &issue(&workspace, 2, START - HOUR))
        .await;
    world
        .deliver(
            SECRET,
            &issue(&workspace, 3, START).replace("\"Issue\"", "\"Comment\""),
        )
        .await;
    world.deliver(OTHER, &issue(&other, 4, START)).await;
    let cases = [
        ("".to_owned(), vec![4, 3, 2, 1]),
        ("?workspace=&event=&outcome=".to_owned(), vec![4, 3, 2, 1]),
        (format!("?workspace={globex}"), vec![4]),
        (format!("?workspace={acme}&event=Issue"), vec![2, 1]),
        ("?event=Comment".to_owned(), vec![3]),
        ("?outcome=late".to_owned(), vec![2]),
        ("?outcome=duplicate".to_owned(), vec![1]),
        ("?outcome=accepted&event=Issue".to_owned(), vec![4, 1]),
        (
            "?event=%3Cb%3Eevil&workspace=evil&outcome=evil".to_owned(),
            vec![4, 3, 2, 1],
        ),
    ];
    for (query, expected) in cases {
        let page = browser.get(&format!("/deliveries{query}")).await;
        assert_eq!(subjects(&page), numbers(expected.into_iter()), "{query}");
        page.hides("evil");
    }
    let chosen = browser
        .get(&format!("/deliveries?workspace={globex}&outcome=accepted"))
        .await;
    assert!(
        chosen.body.contains(&format!(
            "<option value=\"{globex}\" selected>Globex</option>"
        )),
        "{}",
        chosen.body
    );
    let none = browser.get("/deliveries?outcome=ignored").await;
    none.shows(
        "No delivery fits Deliveries came, but none that fits what you chose. Show all deliveries",
    );
    none.hides("Nothing has arrived yet");
}

#[tokio::test]
async fn pages_go_older_and_newer_and_miss_nothing() {
    let world = World::new().await;
    let (mut browser, _program, id, workspace) = acme(&world).await;
    for number in 1..=45 {
        world
            .deliver(SECRET, &issue(&workspace, number, START))
            .await;
    }
    let first = browser.get(&format!("/deliveries?workspace={id}")).await;
    assert_eq!(subjects(&first), numbers((26..=45).rev()));
    first.shows("Newest 20");
    assert_eq!(link(&first, "Newer"), None);
    let second = browser.get(&link(&first, "Older").unwrap()).await;
    assert_eq!(subjects(&second), numbers((6..=25).rev()));
    let third = browser.get(&link(&second, "Older").unwrap()).await;
    assert_eq!(
        (subjects(&third), link(&third, "Older")),
        (numbers((1..=5).rev()), None)
    );
    // What comes meanwhile moves no page.
    world.deliver(SECRET, &issue(&workspace, 46, START)).await;
    let back = browser.get(&link(&third, "Newer").unwrap()).await;
    assert_eq!(subjects(&back), subjects(&second));
    let newer = browser.get(&link(&back, "Newer").unwrap()).await;
    assert_eq!(subjects(&newer), subjects(&first));
    let newest = browser.get(&link(&newer, "Newer").unwrap()).await;
    assert_eq!(subjects(&newest), numbers((27..=46).rev()));
    assert!(
        link(&second, "Older")
            .unwrap()
            .contains(&format!("workspace={id}&before=")),
        "the filter goes along"
    );
    browser
        .get("/deliveries?before=1")
        .await
        .shows("Nothing older");
}

#[tokio::test]
async fn a_body_is_never_markup() {
    let world = World::new().await;
    let (mut browser, _program, _id, workspace) = acme(&world).await;
    let evil = "</pre></textarea><script>alert(1)</script><img src=x onerror=alert(1)>\\\" \
        onmouseover=\\\"alert(1)";
    let body = issue(&workspace, 1, START)
        .replace("Retry uploads", evil)
        .replace("ENG-1", "<i>ENG-1")
        .replace("Mara", "<b>Mara");
    assert_eq!(world.deliver(SECRET, &body).await.status, 200);
    let page = browser.get("/deliveries").await;
    page.shows("alert(1)");
    for markup in [
        "<script>alert",
        "<img src=x",
        "<i>ENG",
        "<b>Mara",
        "</textarea>",
        "\" onmouseover=\"alert",
    ] {
        page.hides(markup);
    }
    assert_eq!(page.body.matches("</pre>").count(), 1);
}

#[tokio::test]
async fn a_huge_body_is_cut_on_the_page() {
    let world = World::new().await;
    let (mut browser, _program, _id, workspace) = acme(&world).await;
    let frame = issue(&workspace, 1, START);
    for filler in ["x", "ü", "✓"] {
        let body = frame
            .replace("Retry", &filler.repeat(400_000))
            .replace("ENG-1", &format!("ENG-{filler}"));
        assert_eq!(world.deliver(SECRET, &body).await.status, 200);
    }
    let page = browser.get("/deliveries").await;
    page.shows("The first 16 384 of 1 200");
    page.hides("\u{fffd}");
    page.hides("exactly as signed");
    assert!(page.body.len() < 200_000, "{}", page.body.len());
}

#[tokio::test]
async fn members_see_deliveries_and_other_organisations_see_none() {
    let world = World::new().await;
    let (_browser, _program, id, workspace) = acme(&world).await;
    world.deliver(SECRET, &issue(&workspace, 1, START)).await;
    let mut member = world
        .member("northwind-labs", "mia@northwind.dev", Role::Member)
        .await;
    assert_eq!(subjects(&member.get("/deliveries").await), ["ENG-1"]);
    let mut other = world
        .member("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    for path in [
        "/deliveries".to_owned(),
        format!("/deliveries?workspace={id}"),
    ] {
        let page = other.get(&path).await;
        page.hides("ENG-1");
        page.hides("Acme Robotics");
        page.shows("Nothing has arrived yet");
    }
}

#[tokio::test]
async fn the_navigation_leads_there() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    assert_eq!(
        link_to_current(&browser.get("/deliveries").await).as_deref(),
        Some("/deliveries")
    );
    assert_eq!(
        link_to_current(&browser.get("/settings").await).as_deref(),
        Some("/settings")
    );
}

fn link_to_current(page: &Reply) -> Option<String> {
    let link = page.body.split("<a ").find(|link| {
        link.split('>')
            .next()
            .is_some_and(|tag| tag.contains("aria-current=\"page\""))
    })?;
    Some(link.split("href=\"").nth(1)?.split('"').next()?.to_owned())
}
