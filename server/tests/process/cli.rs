//! The command line, as scripts use it.

use crate::process::Place;

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for args in [
        &["--help"][..],
        &["serve", "--help"],
        &["simulate", "--help"],
        &["user", "add", "--help"],
        &["key", "new", "--help"],
        &["connection", "list", "--help"],
    ] {
        let output = place.run(args, "");
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage:"), "{args:?}");
    }
}

#[test]
fn wrong_usage_is_2_and_failure_is_1() {
    let place = Place::new();
    assert_eq!(place.run(&["user", "add"], "").status.code(), Some(2));
    assert_eq!(place.run(&["fly"], "").status.code(), Some(2));
    assert_eq!(place.run(&["connection", "list", "--org", "nobody"], "").status.code(), Some(1));
    let short = place.run(&["user", "add", "--email", "a@example.com", "--name", "A", "--org", "north"], "short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("12 characters"));
    assert!(short.stdout.is_empty(), "messages are on stderr");
}

#[test]
fn a_user_a_key_and_an_empty_list_on_a_database_that_was_not_there() {
    let place = Place::new();
    let add = ["user", "add", "--email", "A@Example.com", "--name", "Ada", "--org", "north", "--role", "owner", "--json"];
    let user = place.json(&add, "long enough password\n");
    assert_eq!(
        (user["email"].as_str(), user["role"].as_str(), user["organisation"].as_str()),
        (Some("a@example.com"), Some("owner"), Some("north"))
    );
    assert_eq!(place.run(&add, "long enough password\n").status.code(), Some(1), "a member already");
    let key = place.json(&["key", "new", "--org", "north", "--name", "ci", "--json"], "");
    assert!(key["key"].as_str().unwrap().starts_with("rlk_") && key["id"].is_string(), "{key}");
    let list = place.json(&["connection", "list", "--org", "north", "--json"], "");
    assert_eq!(list, serde_json::json!({ "connections": [] }));
    let stored = crate::process::all_bytes(place.path());
    let secret = key["key"].as_str().unwrap().as_bytes();
    assert!(!stored.windows(secret.len()).any(|window| window == secret), "only a hash is kept");
}
