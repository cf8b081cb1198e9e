//! The rights of each role: every server function, with every role and with none.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;
use relink_engine::identity::Role;

use crate::support::functions::Least::{Admin, Anybody, Member, Owner};
use crate::support::functions::{FUNCTIONS, filled, written};
use crate::world::{Browser, World};

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
