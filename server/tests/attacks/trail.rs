//! Sessions, passwords, keys and the trail.

use crate::process::client;
use crate::site::{OWNER, Site};

#[tokio::test]
async fn a_stranger_without_the_password_gets_no_page() {
    let site = Site::open().await;
    site.connect("acme-robotics").await;
    assert!(site.page("/integrations").await.contains("Acme Robotics"));
    let listed = site.place.json(&["connection", "list", "--org", "north", "--json"], "");
    assert_eq!(listed["connections"].as_array().unwrap().len(), 1);
    let minted = site.linear.minted().len();
    let stranger = client();
    let fields = [("email", OWNER), ("password", "four lamps beside the quiet harbor")];
    let tried = stranger.post(format!("{}/signin", site.relink.url)).form(&fields).send().await.unwrap();
    assert!(tried.status() != 303 || tried.headers()["location"] != "/integrations");
    let reply = stranger.get(format!("{}/integrations", site.relink.url)).send().await.unwrap();
    assert!(!reply.text().await.unwrap().contains("Acme Robotics"));
    assert_eq!(site.linear.minted().len(), minted, "Linear is asked for nothing");
}
