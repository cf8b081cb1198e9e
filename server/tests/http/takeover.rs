//! The account of somebody else: what an admin who hands over link codes can and cannot make of it.

use relink_engine::identity::Role;

use crate::support::team::{acme, invite, redeem};
use crate::world::{PASSWORD, World};

const THEIRS: &str = "the attacker's own sentence";

#[tokio::test]
async fn an_admin_does_not_come_to_own_somebody_elses_account() {
    let world = World::new().await;
    let (mut owner, id) = acme(&world).await;
    let mut admin = world
        .member("northwind-labs", "mallory@northwind.dev", Role::Admin)
        .await;
    // Linear's owner is who they say.
    admin
        .post(
            "/team/me",
            &[("workspace", &id), ("person", "ada@acme.example")],
        )
        .await;
    owner
        .get("/team")
        .await
        .shows("Some Body mallory@northwind.dev Admin Not linked yet");
    // A code for somebody else, redeemed in a private window.
    let code = invite(&mut admin, &id, "elif@acme.example").await;
    let mut private = world.browser();
    redeem(&mut private, &code).await.shows("You are linked");
    private
        .post("/link/password", &[("password", THEIRS)])
        .await;
    // The operator gives Elif an organisation of her own.
    let add = world
        .engine
        .member_add(
            "elifs-own",
            "Elif",
            "elif@acme.example",
            PASSWORD.into(),
            Role::Owner,
        )
        .await;
    add.expect_err("the password that was typed would be nobody's");
    let mut signed_in = world.browser();
    signed_in.sign_in("elif@acme.example", THEIRS).await;
    signed_in.get("/integrations").await.hides("elifs-own");
    assert!(
        world
            .store
            .organisation_by_slug("elifs-own")
            .await
            .unwrap()
            .is_none()
    );
    let members = world
        .store
        .members(&world.organisation().await)
        .await
        .unwrap();
    let elif = members
        .iter()
        .find(|member| member.email == "elif@acme.example")
        .unwrap();
    assert_eq!(elif.role, "member");
}
