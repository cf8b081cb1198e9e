//! The rights of each role: every server function, with every role and with none.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;
use relink_engine::identity::Role;

use crate::world::{Browser, World};

/// The least role that may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Least {
    Anybody,
    Member,
    Admin,
    Owner,
}

use Least::{Admin, Anybody, Member, Owner};

/// A field and its value. `{connection}` stands for the id of one; `filled` says which.
pub type Field = (&'static str, &'static str);

/// Path, fields, and who may. One that takes either of two ids stands there twice.
pub type Function = (&'static str, &'static [Field], Least);

pub const FUNCTIONS: [Function; 44] = [
    (
        "/signin",
        &[
            ("email", "x@example.com"),
            ("password", "wrong"),
            ("next", "/"),
        ],
        Anybody,
    ),
    (
        "/signup",
        &[
            ("organisation", ""),
            ("name", ""),
            ("email", ""),
            ("password", ""),
        ],
        Anybody,
    ),
    ("/signout", &[], Anybody),
    ("/theme", &[("theme", "dark")], Anybody),
    ("/link", &[("code", "none")], Anybody),
    (
        "/link/confirm",
        &[("preview", "none"), ("answer", "yes")],
        Anybody,
    ),
    ("/link/password", &[("password", "short")], Member),
    (
        "/organisation",
        &[("organisation", "{organisation}")],
        Member,
    ),
    (
        "/integrations/check",
        &[("connection", "{connection}")],
        Member,
    ),
    (
        "/password",
        &[("present", "wrong"), ("password", "short")],
        Member,
    ),
    ("/signout-elsewhere", &[], Member),
    (
        "/settings/sessions/end",
        &[("session", "{session}")],
        Member,
    ),
    (
        "/team/unlink",
        &[
            ("workspace", "{workspace}"),
            ("person", "{linear person}"),
            ("back", ""),
        ],
        Member,
    ),
    ("/link/prove", &[("preview", "none")], Anybody),
    (
        "/oauth/linear/prove",
        &[("workspace", "{connection}"), ("person", "")],
        Member,
    ),
    ("/team/email-code/send", &[], Member),
    ("/team/email-code", &[("code", "none")], Member),
    (
        "/oauth/linear/start",
        &[("connection", "{connection}")],
        Admin,
    ),
    (
        "/oauth/linear/start",
        &[("app", "{app}"), ("actor", "app"), ("scopes[]", "read")],
        Admin,
    ),
    (
        "/integrations/refresh",
        &[("connection", "{connection}")],
        Admin,
    ),
    (
        "/integrations/disconnect",
        &[("connection", "{connection}")],
        Admin,
    ),
    (
        "/integrations/webhook-secret",
        &[("connection", "{connection}"), ("secret", "none")],
        Admin,
    ),
    (
        "/integrations/webhook-secret/stop",
        &[("connection", "{connection}"), ("secret", "{secret}")],
        Admin,
    ),
    (
        "/integrations/webhook-check",
        &[
            ("connection", "{connection}"),
            ("body", "none"),
            ("signature", "none"),
        ],
        Admin,
    ),
    (
        "/deliveries/destinations",
        &[("url", "none"), ("events[]", "Issue"), ("ordered", "")],
        Admin,
    ),
    (
        "/deliveries/destinations/pause",
        &[("destination", "{destination}")],
        Admin,
    ),
    (
        "/deliveries/destinations/resume",
        &[("destination", "{destination}")],
        Admin,
    ),
    (
        "/deliveries/destinations/remove",
        &[("destination", "{destination}")],
        Admin,
    ),
    (
        "/deliveries/resend",
        &[
            ("delivery", "{delivery}"),
            ("destination", "{destination}"),
            ("back", ""),
        ],
        Admin,
    ),
    (
        "/deliveries/resend-newest",
        &[("destination", "{destination}"), ("newest", "10")],
        Admin,
    ),
    (
        "/team/invites",
        &[
            ("workspace", "{connection}"),
            ("person", "ben@acme.example"),
            ("valid", "24"),
        ],
        Admin,
    ),
    (
        "/team/invites/several",
        &[("people[]", "{pick}"), ("valid", "24")],
        Admin,
    ),
    ("/team/invites/again", &[("invite", "{invite}")], Admin),
    (
        "/team/invites/dismiss",
        &[("invite", "{declined invite}")],
        Admin,
    ),
    ("/team/invites/revoke", &[("invite", "{invite}")], Admin),
    (
        "/team/me",
        &[("workspace", "{connection}"), ("person", "{linear person}")],
        Admin,
    ),
    (
        "/team/role",
        &[("member", "{member}"), ("role", "admin")],
        Owner,
    ),
    ("/team/vouch", &[("member", "{member}")], Owner),
    (
        "/team/remove",
        &[("member", "{member}"), ("keys", "")],
        Owner,
    ),
    (
        "/settings/apps",
        &[
            ("name", ""),
            ("client_id", ""),
            ("client_secret", ""),
            ("webhook_secret", ""),
        ],
        Owner,
    ),
    (
        "/settings/apps/secrets",
        &[
            ("app", "{app}"),
            ("client_secret", "a-client-secret"),
            ("webhook_secret", ""),
        ],
        Owner,
    ),
    ("/settings/apps/remove", &[("app", "{app}")], Owner),
    ("/settings/keys/new", &[("name", "ci")], Owner),
    ("/settings/keys/revoke", &[("key", "{key}")], Owner),
];

/// Finds the thing that a value stands for.
pub fn placeholder(value: &'static str) -> Option<&'static str> {
    value.strip_prefix('{')?.strip_suffix('}')
}

/// The fields with an id wherever one is meant.
pub fn filled(
    fields: &'static [Field],
    id: impl Fn(&'static str) -> String,
) -> Vec<(&'static str, String)> {
    fields
        .iter()
        .map(|(name, value)| {
            (
                *name,
                placeholder(value).map_or_else(|| (*value).to_owned(), &id),
            )
        })
        .collect()
}

#[test]
fn the_table_names_every_server_function() {
    let there: BTreeSet<String> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let told: BTreeSet<String> = FUNCTIONS
        .iter()
        .map(|(path, ..)| (*path).to_owned())
        .collect();
    assert_eq!(
        told.difference(&there).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "gone"
    );
    assert_eq!(
        there.difference(&told).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "new"
    );
}

/// Every server function with the names of its arguments, as they are written.
pub fn written() -> BTreeMap<String, BTreeSet<String>> {
    let sources =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/api")).unwrap();
    let sources = sources.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    sources
        .flat_map(|source| {
            source
                .split("#[server(prefix = ")
                .skip(1)
                .map(signature)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Reads the path and the fields from what follows `#[server(prefix = `.
fn signature(written: &str) -> (String, BTreeSet<String>) {
    let (prefix, endpoint) = (
        written.split('"').nth(1).unwrap(),
        written.split('"').nth(3).unwrap(),
    );
    let path = if endpoint.starts_with('/') {
        endpoint.to_owned()
    } else {
        format!("{prefix}/{endpoint}")
    };
    let (_, arguments) = written
        .split_once("pub async fn")
        .unwrap()
        .1
        .split_once('(')
        .unwrap();
    let arguments = arguments
        .split_once(") -> Result")
        .unwrap()
        .0
        .replace("#[server(default)]", "");
    let names = arguments
        .split(',')
        .filter_map(|argument| Some(argument.split_once(':')?.0.trim().to_owned()));
    (path, names.collect())
}

#[test]
fn the_table_names_every_argument() {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, fields, _) in FUNCTIONS {
        let names = fields
            .iter()
            .map(|(name, _)| name.split('[').next().unwrap().to_owned());
        told.entry(path.to_owned()).or_default().extend(names);
    }
    assert_eq!(told, written());
}

async fn status(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> u16 {
    browser
        .send(
            Method::POST,
            path,
            fields,
            &[
                ("accept", "application/json"),
                ("sec-fetch-site", "same-origin"),
            ],
        )
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_no_more() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let connection = owner.connect("acme-robotics").await;
    let member = world
        .add("northwind-labs", "someone@northwind.dev", Role::Member)
        .await
        .user_id;
    let mut wrong = Vec::new();
    for (number, (path, fields, least)) in FUNCTIONS.into_iter().enumerate() {
        for role in [
            None,
            Some(Role::Member),
            Some(Role::Admin),
            Some(Role::Owner),
        ] {
            // Somebody new each time: some of these end the session.
            let mut browser = match role {
                None => world.browser(),
                Some(role) => {
                    world
                        .member(
                            "northwind-labs",
                            &format!("{}{number}@northwind.dev", role.name()),
                            role,
                        )
                        .await
                }
            };
            let has = match role {
                None => Anybody,
                Some(Role::Member) => Member,
                Some(Role::Admin) => Admin,
                Some(Role::Owner) => Owner,
            };
            // Where the id is of nothing, whoever may try is told so, and everybody else that they
            // may not.
            let real = |what: &str| match what {
                "connection" => connection.clone(),
                "member" => member.clone(),
                _ => "none".to_owned(),
            };
            let fields = filled(fields, real);
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
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
