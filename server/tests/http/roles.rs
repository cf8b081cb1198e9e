//! What each role may do: every server function, with every role and with none.

use std::collections::BTreeSet;

use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;
use relink_engine::account::Role;

use crate::world::{Browser, World};

/// Who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Least {
    Anybody,
    Member,
    Admin,
    Owner,
}

use Least::{Admin, Anybody, Member, Owner};

/// Stands for the id of a connection, and of a member.
const CONNECTION: &str = "{connection}";
const MEMBER: &str = "{member}";

/// Path, fields, and who may.
type Function = (&'static str, &'static [(&'static str, &'static str)], Least);

/// Where the id is of nothing, whoever may try is told so, and everybody else that they may not.
const FUNCTIONS: [Function; 40] = [
    ("/signin", &[("email", "x@example.com"), ("password", "wrong")], Anybody),
    ("/signup", &[], Anybody),
    ("/signout", &[], Anybody),
    ("/theme", &[("theme", "dark")], Anybody),
    ("/link", &[("code", "none")], Anybody),
    ("/link/confirm", &[("answer", "yes")], Anybody),
    ("/link/password", &[("password", "short")], Member),
    ("/fn/load-door", &[], Anybody),
    ("/fn/load-link", &[("ended", "false")], Anybody),
    ("/fn/load-shell", &[], Anybody),
    ("/fn/load-integrations", &[], Member),
    ("/fn/load-connection", &[("id", "none")], Member),
    ("/fn/load-deliveries", &[("query[event]", "")], Member),
    ("/fn/load-settings", &[], Member),
    ("/fn/load-team", &[], Member),
    ("/fn/finish-connect", &[("query", "")], Anybody),
    ("/integrations/check", &[("connection", CONNECTION)], Member),
    ("/password", &[("present", "wrong"), ("password", "short")], Member),
    ("/signout-elsewhere", &[], Member),
    ("/team/unlink", &[("workspace", "none"), ("person", "none")], Member),
    ("/oauth/linear/start", &[], Admin),
    ("/integrations/refresh", &[("connection", CONNECTION)], Admin),
    ("/integrations/disconnect", &[("connection", CONNECTION)], Admin),
    ("/integrations/webhook-secret", &[("connection", CONNECTION), ("secret", "none")], Admin),
    ("/integrations/webhook-secret/stop", &[("connection", CONNECTION), ("secret", "none")], Admin),
    ("/integrations/webhook-check", &[("connection", CONNECTION), ("body", "{}"), ("signature", "none")], Admin),
    ("/deliveries/destinations", &[("url", "none")], Admin),
    ("/deliveries/destinations/pause", &[("destination", "none")], Admin),
    ("/deliveries/destinations/resume", &[("destination", "none")], Admin),
    ("/deliveries/destinations/remove", &[("destination", "none")], Admin),
    ("/deliveries/resend", &[("delivery", "1"), ("destination", "none")], Admin),
    ("/deliveries/resend-newest", &[("destination", "none"), ("newest", "10")], Admin),
    ("/team/invites", &[("workspace", CONNECTION), ("person", "ben@acme.example"), ("valid", "24")], Admin),
    ("/team/invites/again", &[("invite", "none")], Admin),
    ("/team/invites/revoke", &[("invite", "none")], Admin),
    ("/team/me", &[("workspace", "none"), ("person", "none")], Admin),
    ("/team/role", &[("member", MEMBER), ("role", "admin")], Owner),
    ("/team/remove", &[("member", MEMBER)], Owner),
    ("/settings/keys/new", &[("name", "ci")], Owner),
    ("/settings/keys/revoke", &[("key", "none")], Owner),
];

#[test]
fn the_table_names_every_server_function() {
    let there: BTreeSet<String> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let told: BTreeSet<String> = FUNCTIONS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(told.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "gone");
    assert_eq!(there.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "new");
}

async fn status(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> u16 {
    browser.send(Method::POST, path, fields, &[("accept", "application/json"), ("sec-fetch-site", "same-origin")]).await.status.as_u16()
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_no_more() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let member = world.add("northwind-labs", "someone@northwind.dev", Role::Member).await.user_id;
    let mut wrong = Vec::new();
    for (path, fields, least) in FUNCTIONS {
        for role in [None, Some(Role::Member), Some(Role::Admin), Some(Role::Owner)] {
            // Somebody new each time: some of these end the session.
            let mut browser = match role {
                None => world.browser(),
                Some(role) => world.member("northwind-labs", &format!("{}@{}.example", role.name(), path.replace('/', "-")), role).await,
            };
            let has = match role {
                None => Anybody,
                Some(Role::Member) => Member,
                Some(Role::Admin) => Admin,
                Some(Role::Owner) => Owner,
            };
            let real = |value: &str| value.replace(CONNECTION, &connection).replace(MEMBER, &member);
            let fields: Vec<(&str, String)> = fields.iter().map(|(name, value)| (*name, real(value))).collect();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let told = status(&mut browser, path, &fields).await;
            let right = match (has >= least, role) {
                (true, _) => !matches!(told, 401 | 403 | 500..),
                (false, None) => told == 401,
                (false, Some(_)) => told == 403,
            };
            if !right {
                wrong.push(format!("{path} as {role:?}: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
