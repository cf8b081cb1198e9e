//! Every server function, with its fields and who may call it.

use std::collections::{BTreeMap, BTreeSet};

use Least::{Admin, Anybody, Member, Owner};

/// The least role that may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Least {
    Anybody,
    Member,
    Admin,
    Owner,
}

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
