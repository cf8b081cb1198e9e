//! Forms that no page of ours sends: fields that are missing, repeated, of another kind, or no text
//! at all.

use axum::http::{Method, header};
use relink_simulator::{NewPerson, NewWorkspace, Role};

use crate::support::empty_database;
use crate::support::functions::written;
use crate::world::{Browser, Reply, Setup, World};

const EVIL: &str = "https://evil.example/page?x=1";

/// Faults of a field, as they are written into a form.
const WRONG: [&str; 12] = [
    "",
    "=x",
    "=a&{}=b",
    "[]=a&{}[]=b",
    "[a]=x",
    "[0][b]=x",
    "[99999999999999999999]=x",
    "[=x",
    "=%FF",
    "=%00",
    "=%",
    "=\u{FFFD}",
];

/// Bodies that are empty, no form, or no text.
const BODIES: [&[u8]; 5] = [
    b"",
    b"=&&=",
    br#"{"email":1}"#,
    b"\xFF\xFE=\xFF",
    b"%FF%FE=%00&x[[[]=1",
];

fn bodies(names: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
    let wrong = |name: String| {
        WRONG.map(|wrong| format!("{name}{}", wrong.replace("{}", &name)).into_bytes())
    };
    names
        .into_iter()
        .flat_map(wrong)
        .chain(BODIES.map(<[u8]>::to_vec))
        .collect()
}

/// Refused in words or taken, and never led to where the sender says that it comes from.
fn assert_answered(reply: &Reply, world: &World, html: bool, what: &str) {
    let led = reply
        .headers
        .get(header::LOCATION)
        .map(|location| location.to_str().unwrap());
    match reply.status.as_u16() {
        200 if !html => {}
        302 | 303 => {
            let led = led.unwrap();
            let ours = led.starts_with('/') && !led.starts_with("//");
            assert!(
                ours || led.starts_with(&world.linear_url()),
                "{what} leads to {led}"
            );
        }
        400..=499 if html => assert!(
            led.is_none() && reply.body.contains("<h1>"),
            "{what}: {led:?} {}",
            reply.body
        ),
        400..=499 => assert!(led.is_none(), "{what} leads to {led:?}"),
        status => panic!("{what}: {status} {}", reply.body),
    }
}

async fn send(browser: &mut Browser<'_>, path: &str, body: &[u8], accept: &str) -> Reply {
    let headers = [
        ("accept", accept),
        ("sec-fetch-site", "same-origin"),
        ("referer", EVIL),
    ];
    browser
        .send_body(Method::POST, path, Some(body.to_vec()), &headers)
        .await
}

async fn tries_everything(world: World) {
    let mut browser = world.owner().await;
    browser.connect("acme-robotics").await;
    let signed_in = browser.cookies.clone();
    for (path, names) in written() {
        for body in bodies(names) {
            for accept in ["text/html", "application/json"] {
                let what = format!(
                    "{path} with {:?} for {accept}",
                    String::from_utf8_lossy(&body)
                );
                let reply = send(&mut browser, &path, &body, accept).await;
                assert_answered(&reply, &world, accept == "text/html", &what);
                assert!(!reply.body.contains("evil.example"), "{what}");
            }
        }
        browser.cookies.clone_from(&signed_in);
        if browser.get("/settings").await.status != 200 {
            assert_eq!(
                browser
                    .sign_in("priya@northwind.dev", crate::world::PASSWORD)
                    .await
                    .location(),
                "/integrations",
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn no_form_breaks_a_server_function_and_none_leads_elsewhere() {
    tries_everything(World::new().await).await;
}

#[tokio::test]
async fn no_form_breaks_a_server_function_on_postgres() {
    let Some(postgres) = empty_database().await else {
        return;
    };
    tries_everything(
        World::with(Setup {
            postgres: Some(postgres),
            ..Setup::default()
        })
        .await,
    )
    .await;
}

#[tokio::test]
async fn a_form_with_a_field_of_another_kind_is_refused_in_words() {
    let world = World::new().await;
    let mut browser = world.owner().await;
    let reply = send(
        &mut browser,
        "/team/invites/several",
        b"people=x",
        "text/html",
    )
    .await;
    assert_eq!(reply.status, 400);
    reply.shows("This was not understood");
    reply.shows("Nothing was changed.");
}

/// PostgreSQL takes no NUL in a text, and that is nobody's trouble but the sender's.
#[tokio::test]
async fn a_nul_in_what_a_program_asks_for_is_not_the_databases_trouble() {
    for postgres in [None, empty_database().await] {
        let world = World::with(Setup {
            postgres,
            ..Setup::default()
        })
        .await;
        let mut owner = world.owner().await;
        let id = owner.connect("acme-robotics").await;
        let program = world.program().await;
        for (method, path) in [
            (Method::POST, "/api/v1/connections/a%00b/token".to_owned()),
            (Method::POST, format!("/api/v1/connections/{id}%00/graphql")),
            (Method::GET, "/api/v1/deliveries?after=%00".to_owned()),
            (
                Method::GET,
                format!("/api/v1/deliveries?connection={id}%00"),
            ),
            (Method::GET, "/api/v1/people?workspace=%00".to_owned()),
        ] {
            let answer = program.call(method, &path, "{}").await;
            let expected = if path.contains('?') {
                (400, "invalid_request")
            } else {
                (404, "not_found")
            };
            assert_eq!((answer.status, answer.code()), expected, "{path}");
        }
        for body in [
            r#"{"rejected":"\u0000"}"#,
            r#"{"rejected":"\u0000000000000000"}"#,
        ] {
            let answer = program
                .call(
                    Method::POST,
                    &format!("/api/v1/connections/{id}/token"),
                    body,
                )
                .await;
            assert!(answer.status < 500, "{answer:?}");
        }
    }
}

/// Nor in what Linear calls people and places.
#[tokio::test]
async fn a_nul_in_a_name_at_linear_keeps_nobody_from_connecting() {
    for postgres in [None, empty_database().await] {
        let world = World::with(Setup {
            postgres,
            ..Setup::default()
        })
        .await;
        let admin = NewPerson {
            name: "Ad\0a".to_owned(),
            email: Some("ada@nul.example".to_owned()),
            role: Some(Role::Admin),
            ..NewPerson::default()
        };
        let workspace = NewWorkspace {
            name: "N\0ul".to_owned(),
            url_key: "nul".to_owned(),
            users: vec![admin],
            ..NewWorkspace::default()
        };
        world.linear.add_workspace(workspace).unwrap();
        let mut owner = world.owner().await;
        owner.connect("nul").await;
        owner.get("/integrations").await.shows("Nul");
    }
}
