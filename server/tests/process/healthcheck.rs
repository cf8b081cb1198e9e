//! The exit codes of `relink healthcheck`.

use crate::process::{Place, Running, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn a_healthcheck_says_whether_the_server_here_is_ready() {
    let port = free_port();
    let place = Place::new().set("RELINK_ADDR", &format!("0.0.0.0:{port}"));
    let check = || place.run(&["healthcheck"], "");
    let asked = check();
    assert_eq!(asked.status.code(), Some(1));
    let said = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(said.contains("does not answer"), "{said}");

    let running = Running::serve_on(&place, port).await;
    let asked = check();
    assert_eq!(asked.status.code(), Some(0), "{}", running.said());
    assert_eq!(
        place.json(&["healthcheck", "--json"], "")["status"],
        "ready"
    );

    // Whatever is in the way of serving, it is not ready, and says why.
    std::fs::remove_file(place.path().join("data/relink.db")).unwrap();
    let mut code = check();
    for _ in 0..200 {
        if code.status.code() == Some(1) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        code = check();
    }
    let said = String::from_utf8_lossy(&code.stderr).into_owned();
    assert!(said.contains("503") && said.contains("storage"), "{said}");
}
