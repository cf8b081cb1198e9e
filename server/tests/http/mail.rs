//! E-mail: link codes and alarms, to a mail server that is really spoken to.

use relink_engine::clock::{DAY, HOUR, SECOND};
use relink_engine::identity::Role;
use relink_simulator::NewPerson;

use crate::support::mail::with_mail;
use crate::world::World;

#[tokio::test]
async fn a_link_code_goes_to_its_person_and_says_so() {
    let (world, postbox) = with_mail().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let fields = [
        ("workspace", connection.as_str()),
        ("person", "ben@acme.example"),
        ("valid", "24"),
    ];
    owner.post("/team/invites", &fields).await;
    let page = owner.get("/team?shown=code").await;
    page.shows("Sent to ben@acme.example too");
    let mails = postbox.taken();
    assert_eq!(mails.len(), 1);
    let code = page.body.split("/link#").nth(1).unwrap()[..19].to_owned();
    assert!(
        mails[0].contains(&format!("https://relink.northwind.dev/link#{code}")),
        "{code} is not in {}",
        mails[0]
    );
    assert!(
        mails[0].contains("To: ") && mails[0].contains("ben@acme.example"),
        "{}",
        mails[0]
    );
    assert!(mails[0].contains("Priya Raman asks"), "{}", mails[0]);
    owner
        .get("/settings")
        .await
        .shows("Relink &lt;relink@northwind.dev&gt;");
}

#[tokio::test]
async fn a_code_whose_mail_is_refused_is_there_all_the_same() {
    let (world, postbox) = with_mail().await;
    postbox.refuse(true);
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let fields = [
        ("workspace", connection.as_str()),
        ("person", "ben@acme.example"),
        ("valid", "24"),
    ];
    owner.post("/team/invites", &fields).await;
    let page = owner.get("/team?shown=code").await;
    page.shows("could not be sent");
    page.shows("/link#");
    assert_eq!(postbox.taken(), Vec::<String>::new());
}

#[tokio::test]
async fn those_who_can_help_are_told_once_that_a_connection_needs_them() {
    let (world, postbox) = with_mail().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    world
        .add("northwind-labs", "admin@northwind.dev", Role::Admin)
        .await;
    world
        .add("northwind-labs", "member@northwind.dev", Role::Member)
        .await;
    assert_eq!(world.engine.send_alarms().await.unwrap(), 0);
    world.linear.revoke_grant("acme-robotics", None).unwrap();
    world.advance(10 * SECOND);
    owner.get("/integrations").await.shows("Reconnect required");
    postbox.refuse(true);
    assert_eq!(
        world.engine.send_alarms().await.unwrap(),
        0,
        "nobody could be told"
    );
    postbox.refuse(false);
    assert_eq!(world.engine.send_alarms().await.unwrap(), 2);
    assert_eq!(world.engine.send_alarms().await.unwrap(), 0, "once");
    let mails = postbox.taken();
    let to = |email: &str| {
        mails
            .iter()
            .filter(|mail| {
                mail.contains(&format!("<{email}>")) || mail.contains(&format!("To: {email}"))
            })
            .count()
    };
    assert_eq!(
        (
            to("priya@northwind.dev"),
            to("admin@northwind.dev"),
            to("member@northwind.dev")
        ),
        (1, 1, 0),
        "{mails:?}"
    );
    assert!(
        mails[0].contains(&format!(
            "https://relink.northwind.dev/integrations/{connection}"
        )),
        "{}",
        mails[0]
    );
}

#[tokio::test]
async fn a_disconnected_workspace_is_kept_for_a_month_and_then_forgotten() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let secret = [
        ("connection", connection.as_str()),
        ("secret", "lin_wh_AcmesOwnSecret0123"),
    ];
    owner.post("/integrations/webhook-secret", &secret).await;
    owner
        .post("/integrations/disconnect", &[("connection", &connection)])
        .await;
    world.advance(9 * DAY);
    assert_eq!(world.engine.forget_disconnected().await.unwrap(), 0);
    // A reconnect finds everything.
    owner.connect("acme-robotics").await;
    owner
        .get(&format!("/integrations/{connection}"))
        .await
        .shows("0123");
    owner
        .post("/integrations/disconnect", &[("connection", &connection)])
        .await;
    world.advance(30 * DAY - HOUR);
    assert_eq!(world.engine.forget_disconnected().await.unwrap(), 0);
    world.advance(HOUR);
    assert_eq!(world.engine.forget_disconnected().await.unwrap(), 1);
    assert_eq!(world.store.connections("any").await.unwrap(), []);
    let organisation = world
        .store
        .organisation_by_slug("northwind-labs")
        .await
        .unwrap()
        .unwrap()
        .id;
    assert_eq!(world.store.connections(&organisation).await.unwrap(), []);
    assert_eq!(
        world.store.webhook_secrets(&organisation).await.unwrap(),
        []
    );
    let last = world
        .store
        .audit_before(&organisation, i64::MAX, 1)
        .await
        .unwrap();
    assert_eq!(
        (last[0].act.as_str(), last[0].who.as_str()),
        ("connection.forgotten", "Relink")
    );
}

#[tokio::test]
async fn a_name_with_a_line_break_is_no_header_and_invites_as_any_other() {
    let (world, postbox) = with_mail().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let name = "Eve\r\nBcc: all@northwind.dev\r\n\r\nOpen\u{202e} evil\u{1b}[2J";
    let eve = NewPerson {
        name: name.to_owned(),
        email: Some("eve@acme.example".to_owned()),
        ..NewPerson::default()
    };
    world.linear.put_user("acme-robotics", eve).unwrap();
    let fields = [
        ("workspace", connection.as_str()),
        ("person", "eve@acme.example"),
    ];
    assert_eq!(
        owner.post("/team/invites", &fields).await.location(),
        "/team?shown=code"
    );
    owner
        .get("/team?shown=code")
        .await
        .shows("Sent to eve@acme.example too");
    let mails = postbox.taken();
    let (head, body) = mails[0].split_once("\n\n").unwrap();
    assert!(
        !head
            .lines()
            .any(|line| line.to_lowercase().starts_with("bcc")),
        "{head}"
    );
    assert!(
        !body.contains("\nOpen evil") && body.contains("Hello Eve,"),
        "{body}"
    );
    assert!(
        !mails[0].contains(|c| relink_engine::text::acts(c) && c != '\n'),
        "{:?}",
        mails[0]
    );
}
