//! Several organisations in one Relink: nothing of one is there for another, and whoever is a
//! member of two goes from one to the other.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use leptos_axum::generate_route_list;
use relink_app::App;
use relink_engine::clock::SECOND;
use relink_engine::dispatch::NewDestination;
use relink_engine::identity::{Person, Role};
use relink_engine::people::{Guesser, VALID_DEFAULT};
use relink_engine::{AppSecrets, NewApp};
use relink_simulator::{NewPerson, NewWorkspace};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqlitePool};

use crate::support::functions::{FUNCTIONS, Field, filled, placeholder};
use crate::support::program;
use crate::support::webhooks::issue;
use crate::world::{Browser, PASSWORD, Program, Reply, World};

const SWITCH: &str = "/organisation";

/// Fields that name nothing of an organisation. Where the same name stands for an id elsewhere,
/// with the path.
const PLAIN: &[&str] = &[
    "/integrations/webhook-secret secret",
    "/signup organisation",
    // Linear's id, compared with what Linear says and looked up nowhere.
    "/oauth/linear/prove person",
    "/team/invites person",
    "actor",
    "answer",
    "back",
    "body",
    "client_id",
    "client_secret",
    "code",
    "email",
    "events[]",
    "keys",
    "name",
    "newest",
    "next",
    "ordered",
    "password",
    "present",
    "preview",
    "role",
    "scopes[]",
    "signature",
    "theme",
    "url",
    "valid",
    "webhook_secret",
];

/// The routes beside pages, server functions and the API: the way to the first page, the audit
/// trail, what operators ask of the whole instance, and that something of one's own organisation
/// changed.
const ROUTES: [&str; 7] = [
    "/",
    "/healthz",
    "/jobs/refresh",
    "/live",
    "/metrics",
    "/readyz",
    TRAIL,
];
const TRAIL: &str = "/settings/audit.jsonl";

/// An organisation with one of everything that has an id. Whatever has a name bears that of the
/// organisation.
struct Tenant<'a> {
    world: &'a World,
    name: String,
    owner: Person,
    browser: Browser<'a>,
    program: Program<'a>,
    ids: BTreeMap<&'static str, String>,
}

impl<'a> Tenant<'a> {
    async fn new(world: &'a World, name: impl Into<String>) -> Tenant<'a> {
        let name = name.into();
        let workspace = add_workspace(world, &name);
        let email = format!("owner@{name}.example");
        let owner = world.add(&name, &email, Role::Owner).await;
        let member = world
            .add(&name, &format!("member@{name}.example"), Role::Member)
            .await;
        let (mut browser, mut another) = (world.browser(), world.browser());
        another.sign_in(&email, PASSWORD).await;
        let session = world
            .engine
            .sessions(&owner)
            .await
            .unwrap()
            .remove(0)
            .id_hash;
        browser.sign_in(&email, PASSWORD).await;
        browser.walk(&name, &[]).await;
        let key = world.engine.keys(&owner).add(&name).await.unwrap();
        let connection = world
            .store
            .connections(&owner.organisation_id)
            .await
            .unwrap()
            .remove(0)
            .id;
        let mut ids = BTreeMap::from([
            ("app", add_app(world, &owner, &name).await),
            ("delivery", deliver(world, &owner, &workspace).await),
            ("destination", add_destination(world, &owner, &name).await),
            ("key", key.id),
            ("member", member.user_id),
            ("organisation", owner.organisation_id.clone()),
            ("session", session),
            ("secret", add_secret(world, &owner, &connection).await),
            ("workspace", workspace),
        ]);
        ids.extend(link_and_invite(world, &owner, &connection).await);
        ids.insert("connection", connection);
        Tenant {
            world,
            name,
            owner,
            browser,
            program: Program {
                world,
                key: key.key.expose_secret().to_owned(),
            },
            ids,
        }
    }

    async fn post(&mut self, path: &str, fields: &[(&str, String)]) -> Reply {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.browser
            .send(
                Method::POST,
                path,
                &fields,
                &[
                    ("accept", "application/json"),
                    ("sec-fetch-site", "same-origin"),
                ],
            )
            .await
    }

    /// Lists what would tell that something is of this organisation. A delivery's number tells
    /// nothing. A delivery's number tells nothing.
    fn marks(&self) -> Vec<String> {
        let ids = self
            .ids
            .iter()
            .filter(|(what, _)| **what != "delivery")
            .map(|(_, id)| id.clone());
        ids.chain([self.name.clone(), self.owner.user_id.clone()])
            .collect()
    }

    fn delivery(&self) -> i64 {
        self.ids["delivery"].parse().unwrap()
    }

    fn is_in(&self, text: &str) -> bool {
        self.marks().iter().any(|mark| text.contains(mark))
    }

    /// All that the database holds of it: every row of every table in which one of its marks
    /// stands.
    async fn rows(&self) -> Vec<String> {
        let marks: Vec<String> = self
            .marks()
            .iter()
            .map(|mark| mark.bytes().map(|byte| format!("{byte:02X}")).collect())
            .collect();
        let url = format!(
            "sqlite://{}",
            self.world.dir.path().join("relink.db").display()
        );
        let pool = SqlitePool::connect(&url).await.unwrap();
        let tables = "SELECT m.name, group_concat('hex(\"' || c.name || '\")', ' || '','' || ') \
            FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY \
            m.name";
        let tables: Vec<(String, String)> = sqlx::query_as(tables).fetch_all(&pool).await.unwrap();
        let mut all = Vec::new();
        for (table, columns) in tables {
            let sql = format!("SELECT {columns} FROM \"{table}\" ORDER BY 1");
            let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_all(&pool)
                .await
                .unwrap();
            let own = rows
                .into_iter()
                .filter(|row| marks.iter().any(|mark| row.contains(mark)));
            all.extend(own.map(|row| format!("{table} {row}")));
        }
        pool.close().await;
        assert!(all.len() > self.ids.len(), "there is a row for each");
        all
    }
}

/// Linear's id of it. Olive is its admin, and Ann can be invited.
fn add_workspace(world: &World, name: &str) -> String {
    let person = |given: &str, role| NewPerson {
        name: format!("{given} {name}"),
        role,
        ..NewPerson::default()
    };
    let users = vec![
        person("Olive", Some(relink_simulator::Role::Owner)),
        person("Ann", None),
    ];
    let new = NewWorkspace {
        name: format!("{name} Works"),
        url_key: name.to_owned(),
        users,
        ..NewWorkspace::default()
    };
    world.linear.add_workspace(new).unwrap()
}

async fn add_app(world: &World, owner: &Person, name: &str) -> String {
    let new = NewApp {
        name: name.to_owned(),
        client_id: format!("client-of-{name}"),
        secrets: AppSecrets::default(),
    };
    world.engine.apps(owner).add(new).await.unwrap()
}

async fn add_destination(world: &World, owner: &Person, name: &str) -> String {
    let url = format!("https://{name}.example/hook");
    world
        .engine
        .destinations(owner)
        .add(NewDestination {
            url: &url,
            ..NewDestination::default()
        })
        .await
        .unwrap()
        .id
}

async fn add_secret(world: &World, owner: &Person, connection: &str) -> String {
    world
        .engine
        .webhook_secrets(owner)
        .add(connection, "lin_wh_ASecretOfItsOwn01")
        .await
        .unwrap();
    world
        .engine
        .webhook_secrets(owner)
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|secret| secret.connection_id == connection)
        .unwrap()
        .id
}

/// The number of a delivery. The app's secret signs: that the workspace's own matched would be
/// written down later.
async fn deliver(world: &World, owner: &Person, workspace: &str) -> String {
    let delivered = world
        .deliver(
            &world.app_secret(),
            &issue(workspace, 1, world.engine.now()),
        )
        .await;
    assert_eq!(delivered.status, 200);
    world
        .store
        .deliveries_after(&owner.organisation_id, 0, 1, 1)
        .await
        .unwrap()[0]
        .number
        .to_string()
}

/// Olive is the owner. Ann said no to one code, and another one is on its way to her.
async fn link_and_invite(
    world: &World,
    owner: &Person,
    connection: &str,
) -> [(&'static str, String); 4] {
    let engine = &world.engine;
    let people = engine
        .invites(owner)
        .linear_people(connection)
        .await
        .unwrap();
    let [ann, olive] = people.as_slice() else {
        panic!("{people:?}")
    };
    let declined = engine
        .invites(owner)
        .make(connection, &ann.id, VALID_DEFAULT)
        .await
        .unwrap();
    let holder = Guesser {
        address: "192.0.2.7",
        browser: "",
    };
    engine
        .code_decline(declined.code.expose_secret(), None, holder)
        .await
        .unwrap();
    let open = engine
        .invites(owner)
        .make(connection, &ann.id, VALID_DEFAULT)
        .await
        .unwrap();
    engine
        .link_self(owner, connection, &olive.id)
        .await
        .unwrap();
    let pick = format!("{connection}:{}:{}", ann.id, ann.name);
    [
        ("declined invite", declined.id),
        ("invite", open.id),
        ("linear person", olive.id.clone()),
        ("pick", pick),
    ]
}

/// Makes the posts of somebody who names something of another organisation: each of its ids alone
/// beside one's own, and several together.
fn attempts(
    fields: &'static [Field],
    own: &Tenant<'_>,
    theirs: &Tenant<'_>,
) -> Vec<Vec<(&'static str, String)>> {
    let named: Vec<&str> = fields
        .iter()
        .filter_map(|(_, value)| placeholder(value))
        .collect();
    let is_theirs = |attempt: usize, what| {
        named
            .iter()
            .position(|name| *name == what)
            .is_some_and(|place| attempt >> place & 1 == 1)
    };
    let id = |attempt, what| {
        if is_theirs(attempt, what) {
            theirs.ids[what].clone()
        } else {
            own.ids[what].clone()
        }
    };
    (1..1 << named.len())
        .map(|attempt| filled(fields, |what| id(attempt, what)))
        .collect()
}

fn takes_an_id(fields: &[Field]) -> bool {
    fields.iter().any(|(_, value)| placeholder(value).is_some())
}

#[test]
fn every_field_of_every_server_function_is_an_id_or_known_not_to_be_one() {
    let unknown = FUNCTIONS.iter().flat_map(|(path, fields, _)| {
        let plain = fields
            .iter()
            .filter(|(_, value)| placeholder(value).is_none())
            .map(|(name, _)| *name);
        plain.map(move |name| (name, format!("{path} {name}")))
    });
    let unknown: Vec<String> = unknown
        .filter(|(name, whole)| !PLAIN.contains(name) && !PLAIN.contains(&whole.as_str()))
        .map(|(_, whole)| whole)
        .collect();
    assert!(
        unknown.is_empty(),
        "with an id in the table they are tried with another organisation's: {unknown:#?}"
    );
}

#[tokio::test]
async fn no_server_function_reaches_into_another_organisation() {
    let world = World::new().await;
    let mut northern = Tenant::new(&world, "borealis").await;
    let southern = Tenant::new(&world, "australis").await;
    // What is remembered of a connection must not be there for everybody.
    southern
        .program
        .token(&southern.ids["connection"])
        .await
        .token();
    assert_eq!(
        world.engine.afterwards_done(Duration::from_secs(10)).await,
        0
    );
    let before = southern.rows().await;
    let mut wrong = Vec::new();
    for (path, fields, _) in FUNCTIONS {
        for fields in attempts(fields, &northern, &southern) {
            let reply = northern.post(path, &fields).await;
            if reply.status != StatusCode::NOT_FOUND
                || southern.is_in(&format!("{:?} {}", reply.headers, reply.body))
            {
                wrong.push(format!(
                    "{path} with {fields:?}: {} {}",
                    reply.status, reply.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        southern.rows().await == before,
        "something of the other organisation was changed"
    );
}

/// The same post works for those of the organisation: if it does nothing for others, it is because
/// of whom they are.
#[tokio::test]
async fn every_server_function_takes_the_ids_of_its_own_organisation() {
    let world = World::new().await;
    for (number, (path, fields, _)) in FUNCTIONS
        .iter()
        .enumerate()
        .filter(|(_, (_, fields, _))| takes_an_id(fields))
    {
        // Another one each time: some of these end what has the id.
        let mut tenant = Tenant::new(&world, format!("tenant-{number}")).await;
        let fields = filled(fields, |what| tenant.ids[what].clone());
        let reply = tenant.post(path, &fields).await;
        assert!(
            reply.status.as_u16() < 400,
            "{path}: {} {}",
            reply.status,
            reply.body
        );
    }
}

#[test]
fn there_is_no_route_that_nobody_thought_of() {
    let written = include_str!("../../src/router.rs")
        .split(".route(\"")
        .skip(1);
    let mut unknown = written
        .map(|rest| rest.split('"').next().unwrap())
        .filter(|route| !ROUTES.contains(route));
    assert_eq!(
        unknown.next(),
        None,
        "what would it show of another organisation?"
    );
}

/// A page's address with what it may name in its path, and everything in its query.
fn address(page: &str, in_path: &Tenant<'_>, in_query: &Tenant<'_>) -> String {
    let path = page.replace("{id}", &in_path.ids["connection"]);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .extend_pairs(&in_query.ids)
        .append_pair("before", &in_query.ids["delivery"])
        .append_pair("q", &in_query.name);
    query.extend_pairs(&[
        ("confirm", "disconnect"),
        ("confirm", "secret"),
        ("shown", "code"),
    ]);
    format!("{path}?{}", query.finish())
}

#[tokio::test]
async fn no_page_shows_anything_of_another_organisation() {
    let world = World::new().await;
    let mut northern = Tenant::new(&world, "borealis").await;
    let southern = Tenant::new(&world, "australis").await;
    let before = southern.rows().await;
    let pages: Vec<String> = generate_route_list(App)
        .iter()
        .map(|route| route.path().to_owned())
        .collect();
    assert!(
        pages.iter().any(|page| page == "/integrations/{id}"),
        "{pages:?}"
    );
    for page in pages.iter().map(String::as_str).chain([TRAIL]) {
        let reply = northern
            .browser
            .get(&address(page, &northern, &southern))
            .await;
        assert!(!southern.is_in(&reply.body), "{page}: {}", reply.body);
        assert_ne!(reply.status, StatusCode::NOT_FOUND, "{page}");
        let there = address(page, &southern, &southern);
        if there.starts_with(page) {
            continue;
        }
        let reply = northern.browser.get(&there).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{page}");
        assert!(!southern.is_in(&reply.body), "{page}: {}", reply.body);
    }
    assert!(
        southern.rows().await == before,
        "something of the other organisation was changed"
    );
}

/// A call of the API that names everything of an organisation that it can.
fn call(path: &str, operation: &Value, theirs: &Tenant<'_>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let in_query = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query");
    for parameter in in_query {
        let name = parameter["name"].as_str().unwrap();
        let value = match name {
            // From the one before on.
            "after" => (theirs.delivery() - 1).to_string(),
            "email" => theirs.owner.email.clone(),
            "limit" => "1".to_owned(),
            "linear_user_id" => theirs.ids["linear person"].clone(),
            "workspace" => theirs.ids["workspace"].clone(),
            other => panic!("{path}: what of another organisation could {other} name?"),
        };
        query.append_pair(name, &value);
    }
    format!(
        "{}?{}",
        path.replace("{id}", &theirs.ids["connection"]),
        query.finish()
    )
}

#[tokio::test]
async fn no_key_opens_another_organisation() {
    let world = World::new().await;
    let (northern, southern) = (
        Tenant::new(&world, "borealis").await,
        Tenant::new(&world, "australis").await,
    );
    let described = southern
        .program
        .call(Method::GET, "/api/v1/openapi.json", "")
        .await
        .body;
    let operations = described["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (path, method.to_uppercase(), operation))
        });
    let operations: Vec<(&String, String, &Value)> = operations.collect();
    assert!(operations.len() > 3, "{described}");
    let asked = json!({ "query": "{ organization { urlKey } }" }).to_string();
    for (path, method, operation) in &operations {
        let (method, call) = (
            Method::from_bytes(method.as_bytes()).unwrap(),
            call(path, operation, &southern),
        );
        let own = southern.program.call(method, &call, asked.clone()).await;
        assert!(
            own.status == 200 && (southern.is_in(&own.text) || !own.body["access_token"].is_null()),
            "{call}: {own:?}"
        );
    }
    assert_eq!(
        world.engine.afterwards_done(Duration::from_secs(10)).await,
        0
    );
    let before = southern.rows().await;
    for (path, method, operation) in &operations {
        let (method, call) = (
            Method::from_bytes(method.as_bytes()).unwrap(),
            call(path, operation, &southern),
        );
        let answer = northern.program.call(method, &call, asked.clone()).await;
        assert_eq!(
            answer.status,
            if path.contains('{') { 404 } else { 200 },
            "{call}: {answer:?}"
        );
        assert!(!southern.is_in(&answer.text), "{call}: {answer:?}");
    }
    assert!(
        southern.rows().await == before,
        "something of the other organisation was changed"
    );
}

/// Kim, who owns Borealis and Australis, signed in to the first.
struct Kim<'a> {
    browser: Browser<'a>,
    borealis: Person,
    australis: Person,
}

impl<'a> Kim<'a> {
    async fn new(world: &'a World) -> Kim<'a> {
        let borealis = world.add("borealis", "kim@example.com", Role::Owner).await;
        // Signing in leads to the one that was joined first.
        world.advance(SECOND);
        let australis = world.add("australis", "kim@example.com", Role::Owner).await;
        let mut browser = world.browser();
        assert_eq!(
            browser
                .sign_in("kim@example.com", PASSWORD)
                .await
                .location(),
            "/integrations"
        );
        Kim {
            browser,
            borealis,
            australis,
        }
    }

    /// Answers the page after that.
    async fn switch_to(&mut self, person: &Person) -> Reply {
        let fields = [("organisation", person.organisation_id.as_str())];
        assert_eq!(
            self.browser.post(SWITCH, &fields).await.location(),
            "/integrations"
        );
        self.browser.get("/integrations").await
    }
}

/// Lists the organisations that the page offers.
fn offered(page: &Reply) -> Vec<String> {
    let buttons = page
        .body
        .split("<button")
        .filter(|button| button.contains("name=\"organisation\""));
    buttons
        .map(|button| {
            button
                .split("value=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn whoever_is_in_two_organisations_goes_from_one_to_the_other() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let (borealis, australis) = (kim.borealis.clone(), kim.australis.clone());
    kim.browser.connect("acme-robotics").await;
    let page = kim.browser.get("/integrations").await;
    page.shows("Organisation: borealis");
    assert_eq!(offered(&page), [australis.organisation_id.as_str()]);

    let page = kim.switch_to(&australis).await;
    page.shows("You are in australis now.");
    page.shows("Organisation: australis");
    assert_eq!(offered(&page), [borealis.organisation_id.as_str()]);
    kim.browser
        .get("/integrations")
        .await
        .hides("You are in australis now.");
    kim.browser.connect("globex").await;
    for path in ["/integrations", "/deliveries", "/team", "/settings"] {
        kim.browser.get(path).await.hides("Acme Robotics");
    }
    kim.browser.get("/integrations").await.shows("Globex");

    let page = kim.switch_to(&borealis).await;
    page.shows("Acme Robotics");
    page.hides("Globex");
}

#[tokio::test]
async fn whoever_is_in_one_organisation_is_offered_no_other() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    world
        .add("southwind", "sam@southwind.dev", Role::Owner)
        .await;
    let page = owner.get("/integrations").await;
    page.shows("Account: Priya Raman Northwind Labs");
    page.hides(SWITCH);
}

#[tokio::test]
async fn an_organisation_of_others_is_refused() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let third = world
        .add("southwind", "sam@southwind.dev", Role::Owner)
        .await
        .organisation_id;
    let cookies = kim.browser.cookies.clone();
    for nowhere in [third.as_str(), "southwind", "none", ""] {
        assert_eq!(
            program(&kim.browser, SWITCH, &format!("organisation={nowhere}")).await,
            404,
            "{nowhere:?}"
        );
        assert_eq!(
            kim.browser
                .post(SWITCH, &[("organisation", nowhere)])
                .await
                .location(),
            "/integrations"
        );
        let page = kim.browser.get("/integrations").await;
        page.shows("That did not work. There is nothing here.");
        page.shows("Organisation: borealis");
    }
    assert_eq!(kim.browser.cookies, cookies, "the session is the same one");
}

#[tokio::test]
async fn a_form_of_the_organisation_before_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let (borealis, australis) = (kim.borealis.clone(), kim.australis.clone());
    let connection = kim.browser.connect("acme-robotics").await;
    kim.switch_to(&australis).await;
    let living = world.living_tokens();
    assert_eq!(
        program(
            &kim.browser,
            "/integrations/disconnect",
            &format!("connection={connection}")
        )
        .await,
        404
    );
    assert_eq!(
        kim.browser
            .post("/integrations/disconnect", &[("connection", &connection)])
            .await
            .location(),
        "/integrations"
    );
    kim.browser
        .get("/integrations")
        .await
        .shows("That did not work. There is nothing here.");
    assert_eq!(world.living_tokens(), living);
    kim.switch_to(&borealis)
        .await
        .shows("Acme Robotics is connected");
}

/// The forms of a page that name nothing of the organisation it was made for, but the organisation
/// itself.
fn made_for(page: &Reply, organisation: &str) -> Vec<String> {
    let ending = format!("?organisation={organisation}");
    let actions = page
        .body
        .split("action=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    actions
        .filter(|action| action.ends_with(&ending))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn what_is_new_is_made_in_the_organisation_of_its_page_or_not_at_all() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let (borealis, australis) = (kim.borealis.clone(), kim.australis.clone());
    let mut forms = Vec::new();
    for page in ["/integrations", "/settings", "/deliveries"] {
        forms.extend(made_for(
            &kim.browser.get(page).await,
            &borealis.organisation_id,
        ));
    }
    let paths: Vec<&str> = forms
        .iter()
        .map(|form| form.split('?').next().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "/oauth/linear/start",
            "/settings/apps",
            "/settings/keys/new",
            "/deliveries/destinations"
        ]
    );

    kim.switch_to(&australis).await;
    for form in &forms {
        assert_eq!(
            program(&kim.browser, form, "name=ci-runner").await,
            409,
            "{form}"
        );
        assert_eq!(
            kim.browser
                .post(
                    form,
                    &[("name", "ci-runner"), ("url", "https://example.com/")]
                )
                .await
                .location(),
            "/integrations"
        );
        kim.browser
            .get("/integrations")
            .await
            .shows("This page was made for another organisation of yours. Nothing was changed.");
    }
    assert!(
        world
            .engine
            .keys(&australis)
            .list()
            .await
            .unwrap()
            .is_empty()
    );
    kim.switch_to(&borealis).await;
    assert!(
        kim.browser
            .post(&forms[2], &[("name", "ci-runner")])
            .await
            .location()
            .starts_with("/settings?shown=")
    );
}

#[tokio::test]
async fn what_waits_for_the_next_page_stays_behind() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let (borealis, australis) = (kim.borealis.clone(), kim.australis.clone());
    let connection = kim.browser.connect("acme-robotics").await;
    let shown_once = [
        (
            "/settings?shown=key",
            "This key was shown already",
            "value=\"rlk_",
        ),
        (
            "/deliveries?shown=secret",
            "This secret was shown already",
            "value=\"whsec_",
        ),
        ("/team?shown=code", "Link codes are shown once", "/link#"),
    ];
    for there in [&australis, &borealis] {
        kim.switch_to(&borealis).await;
        kim.browser
            .post("/settings/keys/new", &[("name", "ci")])
            .await;
        kim.browser
            .post(
                "/deliveries/destinations",
                &[("url", "https://hooks.example.com/")],
            )
            .await;
        kim.browser
            .post(
                "/team/invites",
                &[("workspace", &connection), ("person", "ada@acme.example")],
            )
            .await;
        kim.browser.post("/signout-elsewhere", &[]).await;
        kim.browser
            .post("/settings/keys/new", &[("name", "")])
            .await;
        kim.switch_to(there)
            .await
            .hides("Signed out everywhere else.");
        for (page, instead, secret) in shown_once {
            let page = kim.browser.get(page).await;
            page.shows(instead);
            page.hides(secret);
            page.hides("aria-invalid");
        }
    }
}

#[tokio::test]
async fn the_session_is_another_one_and_a_second_press_takes_nothing_away() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let before = kim.browser.cookies.clone();
    let australis = kim.australis.clone();
    kim.switch_to(&australis).await;
    let after = std::mem::replace(&mut kim.browser.cookies, before.clone());
    assert_ne!(before, after);
    let again = kim
        .browser
        .post(SWITCH, &[("organisation", &australis.organisation_id)])
        .await;
    assert_eq!(
        again.location(),
        "/signin?next=/integrations&timed-out=1",
        "the session before is worth nothing"
    );
    assert_eq!(
        kim.browser.cookies, before,
        "and the browser is not told to forget the new one"
    );
    kim.browser.cookies = after;
    assert_eq!(
        kim.browser.get(again.location()).await.location(),
        "/integrations"
    );
    kim.browser
        .get("/integrations")
        .await
        .shows("Organisation: australis");
}

#[tokio::test]
async fn a_connect_that_began_in_one_organisation_does_not_end_in_another() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let (borealis, australis) = (kim.borealis.clone(), kim.australis.clone());
    let leave = kim.browser.leave_for_linear(&[]).await;
    let back = kim.browser.decide(&leave, "acme-robotics", "approve");
    for person in [&australis, &borealis] {
        kim.switch_to(person).await;
        assert_eq!(
            kim.browser.get(&back).await.location(),
            "/integrations?error=state_mismatch"
        );
        assert!(
            world
                .store
                .connections(&person.organisation_id)
                .await
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(world.living_tokens(), 0);
}

#[tokio::test]
async fn whoever_is_removed_from_one_organisation_still_gets_into_the_other() {
    let world = World::new().await;
    let mut kim = Kim::new(&world).await;
    let other = world.add("borealis", "olga@example.com", Role::Owner).await;
    world
        .engine
        .members(&other)
        .remove(&kim.borealis.user_id, false)
        .await
        .unwrap();
    assert!(
        kim.browser
            .get("/integrations")
            .await
            .location()
            .starts_with("/signin")
    );
    assert_eq!(
        kim.browser
            .sign_in("kim@example.com", PASSWORD)
            .await
            .location(),
        "/integrations"
    );
    let page = kim.browser.get("/integrations").await;
    page.shows("australis");
    page.hides("borealis");
}
