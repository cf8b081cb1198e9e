//! The findings of `relink doctor`, and what it leaves alone.

use serde_json::Value;

use crate::fleet::Fleet;
use crate::process::Place;

/// Runs the command, and gives its exit code and what it says about each thing.
fn examined(place: &Place) -> (Option<i32>, Vec<Value>) {
    let output = place.run(&["doctor", "--json"], "");
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (
        output.status.code(),
        said["checks"].as_array().unwrap().clone(),
    )
}

fn check<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:?}"))
}

#[test]
fn a_doctor_in_an_empty_folder_says_what_is_missing_and_makes_nothing() {
    let place = Place::new()
        .set("LINEAR_URL", "http://127.0.0.1:1")
        .set("LINEAR_API_URL", "http://127.0.0.1:1");
    let (code, checks) = examined(&place);
    assert_eq!(code, Some(1));
    let names: Vec<_> = checks.iter().map(|check| &check["name"]).collect();
    assert_eq!(
        names,
        [
            "redirect_uri",
            "reachability",
            "clock",
            "secrets",
            "app",
            "scopes",
            "webhooks",
            "database",
            "disk",
            "mail",
            "alarms"
        ]
    );
    for name in ["reachability", "app"] {
        let check = check(&checks, name);
        assert_eq!(check["ok"], false, "{check}");
        assert!(!check["help"].as_str().unwrap().is_empty(), "{check}");
    }
    let reachability = check(&checks, "reachability")["detail"].as_str().unwrap();
    assert!(reachability.contains("refused"), "{reachability}");
    let database = check(&checks, "database");
    assert_eq!(database["ok"], true);
    assert!(database["detail"].as_str().unwrap().contains("not there"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_names_the_connections_that_another_client_id_made() {
    let mut fleet = Fleet::on_sqlite().await;
    fleet.connect(2, crate::fleet::DAY_S).await;
    let (code, checks) = examined(&fleet.place);
    assert_eq!(code, Some(0), "{checks:?}");

    let place = std::mem::replace(&mut fleet.place, Place::new());
    let mut place = place.set("LINEAR_CLIENT_ID", "anotherclientid42");
    let (code, checks) = examined(&place);
    assert_eq!(code, Some(1));
    let app = check(&checks, "app");
    assert_eq!(app["ok"], false);
    let detail = app["detail"].as_str().unwrap();
    assert!(detail.contains(&fleet.linear.app().client_id), "{detail}");
    let output = place.run(&["doctor"], "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("BAD  app: made with another client ID"),
        "{said}"
    );

    place.environment.pop();
    assert_eq!(examined(&place).0, Some(0));
    fleet.place = place;
}
