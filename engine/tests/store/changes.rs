//! The news that open pages hear.

use relink_engine::connection::{FailedCall, Reason};
use relink_engine::identity::{Person, Role};
use relink_engine::store::{LinearPersonRow, NewInvite, Store};

use crate::on_both;
use crate::support::{Fresh, act, adoption, delivery, member};

on_both!(
    what_people_see_is_told_and_what_they_do_not_is_not,
    each_organisation_hears_of_its_own,
    old_changes_are_forgotten,
    the_newest_delivery_of_each_organisation,
);

const ORG: &str = "org-north";

async fn connected(store: &Store) -> Person {
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    person
}

/// Topics since the last call.
async fn told(store: &Store, seen: &mut i64) -> Vec<String> {
    let rows = store.changes_after(*seen, 100).await.unwrap();
    *seen = rows.last().map_or(*seen, |row| row.seq);
    assert!(
        rows.iter().all(|row| row.organisation_id == ORG),
        "{rows:?}"
    );
    let mut topics: Vec<String> = rows.into_iter().map(|row| row.topic).collect();
    topics.dedup();
    topics
}

async fn what_people_see_is_told_and_what_they_do_not_is_not(fresh: Fresh) {
    let store = &fresh.store;
    let mut seen = 0;
    let person = connected(store).await;
    assert_eq!(told(store, &mut seen).await, ["people", "connections"]);
    store.connection_verified("c1", 1, 50).await.unwrap();
    store
        .connections_verified(&[("c1".to_owned(), 1)], 60)
        .await
        .unwrap();
    assert!(
        store
            .lease_take("c1", 1, "me", None, 70)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        told(store, &mut seen).await,
        Vec::<String>::new(),
        "proofs and leases are nothing to look at"
    );
    let error = FailedCall {
        code: "timeout".to_owned(),
        status: None,
        at: 80,
    };
    store.connection_failed("c1", 1, &error).await.unwrap();
    assert_eq!(told(store, &mut seen).await, ["connections"]);
    store
        .connection_failed("c1", 1, &FailedCall { at: 90, ..error })
        .await
        .unwrap();
    assert_eq!(
        told(store, &mut seen).await,
        Vec::<String>::new(),
        "the same as before"
    );
    assert!(
        store
            .connection_break("c1", 1, Reason::Revoked, None, 100)
            .await
            .unwrap()
    );
    assert_eq!(told(store, &mut seen).await, ["connections"]);
    let invite = NewInvite {
        id: "i1".to_owned(),
        person: LinearPersonRow {
            organisation_id: ORG.to_owned(),
            workspace_id: "w".to_owned(),
            linear_id: "l1".to_owned(),
            name: "Jun".to_owned(),
            email: "jun@acme.example".to_owned(),
            avatar_url: None,
        },
        code_hash: "hash".to_owned(),
        made_by: Some(person.user_id),
        now: 110,
        expires_at: 1_000,
    };
    store
        .invite_add(&invite, &act(ORG, "invite.made", 110))
        .await
        .unwrap();
    assert_eq!(told(store, &mut seen).await, ["people"]);
    assert!(store.invite_open("hash", 120).await.unwrap().is_some());
    assert_eq!(
        told(store, &mut seen).await,
        ["people"],
        "somebody looked at the code"
    );
}

async fn each_organisation_hears_of_its_own(fresh: Fresh) {
    let store = &fresh.store;
    connected(store).await;
    let seen = store.changes_last().await.unwrap();
    let other = member(store, "south", "b@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&other, "c2", "v"))
        .await
        .unwrap();
    assert_eq!(
        store.topics_changed(ORG, seen).await.unwrap(),
        Vec::<String>::new()
    );
    let mut topics = store.topics_changed("org-south", seen).await.unwrap();
    topics.sort();
    assert_eq!(topics, ["connections", "people"]);
}

async fn old_changes_are_forgotten(fresh: Fresh) {
    let store = &fresh.store;
    store.changes_forget(5).await.unwrap();
    connected(store).await;
    for now in 0..10 {
        let error = FailedCall {
            code: format!("code{now}"),
            status: None,
            at: now,
        };
        store.connection_failed("c1", 1, &error).await.unwrap();
    }
    let last = store.changes_last().await.unwrap();
    store.changes_forget(5).await.unwrap();
    let kept: Vec<i64> = store
        .changes_after(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|row| row.seq)
        .collect();
    assert_eq!(kept, (last - 4..=last).collect::<Vec<_>>());
}

async fn the_newest_delivery_of_each_organisation(fresh: Fresh) {
    let store = &fresh.store;
    connected(store).await;
    let asked = [ORG.to_owned(), "org-none".to_owned()];
    assert!(store.delivery_numbers(&asked).await.unwrap().is_empty());
    store
        .deliveries_put(&[delivery("w", b"one", 1), delivery("w", b"two", 1)])
        .await
        .unwrap();
    let last = store.delivery_numbers(&asked).await.unwrap();
    assert_eq!((last.len(), last[ORG]), (1, 2));
}
