//! Leases, rotation and history in the store.

use relink_engine::connection::{FailedCall, Phase, Reason, State};
use relink_engine::identity::{Person, Role};
use relink_engine::refresh::{Attempt, By, Cause, Lease, Outcome};
use relink_engine::store::{Due, NewGrant, PutOff, Rotated, Rotation, Store};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{Fresh, adoption, member};

on_both!(
    of_many_processes_one_gets_the_lease,
    a_lease_is_taken_over_only_as_it_was_seen,
    a_beat_moves_the_owners_leases_only,
    of_many_rotations_of_one_generation_one_is_written,
    a_rotation_loses_against_a_person,
    a_reply_without_a_refresh_token_leaves_the_intent_open_while_it_is_to_be_asked_again,
    a_rotation_heals_a_verdict_on_the_same_generation,
    a_failure_keeps_the_intent_and_lets_go_of_the_lease,
    what_is_due_is_found_in_the_order_of_ids,
    tries_that_ended_alike_share_a_line,
    what_this_process_writes_is_read_at_once,
    a_rotation_remembers_the_app_that_it_was_given_to,
);

async fn connected(fresh: &Fresh) -> Person {
    let person = member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    fresh
        .store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    person
}

fn rotation(number: u8) -> Rotation {
    let grant = NewGrant {
        access_sealed: vec![number],
        refresh_sealed: Some(vec![number, number]),
        fingerprint: format!("{number:016}"),
        issued_at: 1_000,
        expires_at: 2_000,
    };
    Rotation {
        grant,
        client_id: "the app".to_owned(),
        scopes: None,
        ask_again_at: None,
    }
}

fn line(outcome: Outcome, code: &str, at: i64) -> Attempt {
    Attempt {
        outcome,
        cause: Cause::Schedule,
        code: code.to_owned(),
        status: None,
        at,
        took_ms: 5,
    }
}

pub async fn rotate(store: &Store, generation: i64, number: u8) -> Rotated {
    store
        .grant_rotate(
            "c1",
            generation,
            &rotation(number),
            &line(Outcome::Refreshed, "", 1_000),
        )
        .await
        .unwrap()
}

/// Takes the lease, and answers when the token was first shown, if the lease was to be had.
async fn take(
    store: &Store,
    generation: i64,
    owner: &str,
    dead: Option<&Lease>,
    now: i64,
) -> Option<i64> {
    store
        .lease_take("c1", generation, owner, dead, now)
        .await
        .unwrap()
        .map(|grant| grant.attempt_began_at.unwrap())
}

async fn of_many_processes_one_gets_the_lease(fresh: Fresh) {
    connected(&fresh).await;
    let mut tries = JoinSet::new();
    for number in 0..64 {
        let store = fresh.store.clone();
        tries.spawn(async move { take(&store, 1, &format!("p{number}"), None, 50).await });
    }
    let taken: Vec<_> = tries.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken, [50]);
    assert_eq!(
        take(&fresh.store, 0, "late", None, 60).await,
        None,
        "of an older generation"
    );
}

async fn a_lease_is_taken_over_only_as_it_was_seen(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    store
        .lease_take("c1", 1, "dead", None, 50)
        .await
        .unwrap()
        .unwrap();
    let seen = store
        .grant(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap()
        .lease()
        .unwrap();
    assert_eq!(seen.owner, "dead");
    store.leases_beat("dead", &["c1".to_owned()]).await.unwrap();
    assert_eq!(
        take(store, 1, "me", Some(&seen), 60).await,
        None,
        "it moved meanwhile"
    );
    let seen = Lease {
        beat: seen.beat + 1,
        ..seen
    };
    assert_eq!(
        take(store, 1, "me", Some(&seen), 60).await,
        Some(50),
        "the first intent counts"
    );
    assert_eq!(
        take(store, 1, "another", Some(&seen), 60).await,
        None,
        "only once"
    );
    assert_eq!(
        take(store, 1, "me", None, 70).await,
        Some(50),
        "one's own is one's own"
    );
}

async fn a_beat_moves_the_owners_leases_only(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    store
        .lease_take("c1", 1, "me", None, 50)
        .await
        .unwrap()
        .unwrap();
    let beat = async || {
        store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .lease()
            .unwrap()
            .beat
    };
    let before = beat().await;
    store
        .leases_beat("somebody else", &["c1".to_owned()])
        .await
        .unwrap();
    store.leases_beat("me", &["c2".to_owned()]).await.unwrap();
    store.leases_beat("me", &[]).await.unwrap();
    assert_eq!(beat().await, before);
    store
        .leases_beat("me", &["c1".to_owned(), "c2".to_owned()])
        .await
        .unwrap();
    assert_eq!(beat().await, before + 1);
    store.lease_release("c1", "somebody else").await.unwrap();
    beat().await;
    store.lease_release("c1", "me").await.unwrap();
    assert!(
        store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .lease()
            .is_none()
    );
}

async fn of_many_rotations_of_one_generation_one_is_written(fresh: Fresh) {
    let person = connected(&fresh).await;
    fresh
        .store
        .lease_take("c1", 1, "me", None, 50)
        .await
        .unwrap()
        .unwrap();
    let mut tries = JoinSet::new();
    for number in 0..32 {
        let store = fresh.store.clone();
        tries.spawn(async move { (number, rotate(&store, 1, number).await) });
    }
    let outcomes = tries.join_all().await;
    let won: Vec<u8> = outcomes
        .iter()
        .filter(|(_, rotated)| *rotated == Rotated::Done)
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(won.len(), 1);
    assert!(
        outcomes
            .iter()
            .all(|(_, rotated)| matches!(rotated, Rotated::Done | Rotated::Overtaken(By::Refresh)))
    );
    let grant = fresh
        .store
        .grant(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            grant.generation,
            grant.access_sealed.clone(),
            grant.attempt_began_at
        ),
        (2, Some(vec![won[0]]), None)
    );
    assert!(grant.lease().is_none());
    assert_eq!(
        fresh.store.attempts("c1", 9).await.unwrap().len(),
        1,
        "the losers left no line"
    );
}

async fn a_rotation_loses_against_a_person(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    assert_eq!(rotate(store, 1, 7).await, Rotated::Overtaken(By::Person));
    assert_eq!(rotate(store, 2, 8).await, Rotated::Done);
    assert_eq!(rotate(store, 2, 9).await, Rotated::Overtaken(By::Refresh));
    assert_eq!(rotate(store, 1, 9).await, Rotated::Overtaken(By::Person));
    store
        .connection_disconnect(
            "c1",
            &crate::support::act(&person.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    assert_eq!(rotate(store, 3, 9).await, Rotated::Overtaken(By::Person));
    assert_eq!(
        rotate(store, 4, 9).await,
        Rotated::Overtaken(By::Person),
        "not even of the generation that ended it"
    );
    assert!(
        store
            .lease_take("c1", 4, "me", None, 40)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .access_sealed,
        Some(vec![8])
    );
}

async fn a_reply_without_a_refresh_token_leaves_the_intent_open_while_it_is_to_be_asked_again(
    fresh: Fresh,
) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    let open = async |generation: i64, ask_again_at: Option<i64>| {
        store
            .lease_take("c1", generation, "me", None, 50)
            .await
            .unwrap()
            .unwrap();
        let mut untokened = rotation(7);
        untokened.grant.refresh_sealed = None;
        untokened.ask_again_at = ask_again_at;
        store
            .grant_rotate(
                "c1",
                generation,
                &untokened,
                &line(Outcome::Refreshed, "", 1_000),
            )
            .await
            .unwrap();
        let grant = store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(grant.refresh_sealed, Some(vec![2]), "the old one stays");
        (grant.attempt_began_at, grant.untokened)
    };
    assert_eq!(open(1, Some(1_500)).await, (Some(50), 1));
    assert_eq!(open(2, Some(1_900)).await, (Some(50), 2));
    let due = store.intents_open(1_899, 9).await.unwrap();
    assert!(
        due.is_empty() && store.intents_open(1_900, 9).await.unwrap().len() == 1,
        "then, and not earlier"
    );
    assert_eq!(open(3, None).await, (None, 0));
}

async fn a_rotation_heals_a_verdict_on_the_same_generation(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    assert!(
        store
            .connection_break("c1", 1, Reason::InvalidGrant, None, 20)
            .await
            .unwrap()
    );
    assert_eq!(rotate(store, 1, 7).await, Rotated::Done);
    let healed = store
        .connection(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(healed.state, State::Connected { .. }),
        "Linear has just honoured it"
    );
}

async fn a_failure_keeps_the_intent_and_lets_go_of_the_lease(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    let error = FailedCall {
        code: "timeout".to_owned(),
        status: None,
        at: 60,
    };
    for _ in 0..2 {
        store
            .lease_take("c1", 1, "me", None, 50)
            .await
            .unwrap()
            .unwrap();
        let put_off = PutOff {
            connection: "c1",
            generation: 1,
            owner: "me",
            until: 70,
            error: &error,
        };
        store
            .refresh_put_off(&PutOff {
                owner: "another",
                ..put_off
            })
            .await
            .unwrap();
        assert!(
            store
                .grant(&person.organisation_id, "c1")
                .await
                .unwrap()
                .unwrap()
                .lease()
                .is_some(),
            "not by others"
        );
        store.refresh_put_off(&put_off).await.unwrap();
        let grant = store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!((grant.attempt_began_at, grant.lease()), (Some(50), None));
    }
    assert!(
        store.intents_open(69, 9).await.unwrap().is_empty(),
        "it is put off"
    );
    assert_eq!(store.intents_open(70, 9).await.unwrap().len(), 1);
    let trouble = store
        .connection(&person.organisation_id, "c1")
        .await
        .unwrap()
        .unwrap()
        .refresh_trouble
        .unwrap();
    assert_eq!(
        (trouble.failures, trouble.next_attempt_at, trouble.error),
        (2, Some(70), error)
    );
}

async fn what_is_due_is_found_in_the_order_of_ids(fresh: Fresh) {
    let store = &fresh.store;
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    for id in ["c1", "c2", "c3", "c4", "c5"] {
        let mut new = adoption(&person, id, id);
        new.grant.expires_at = if id == "c3" { 900 } else { 100 };
        new.grant.refresh_sealed = new.grant.refresh_sealed.filter(|_| id != "c4");
        store.connection_adopt(&new).await.unwrap();
    }
    store
        .connection_break("c2", 1, Reason::Revoked, None, 20)
        .await
        .unwrap();
    let due = async |after: &str, expires_by: i64, now: i64, limit: i64| {
        let due = Due {
            after,
            before: "~",
            expires_by,
            put_off_until: now,
            now,
            limit,
        };
        let found = store.grants_due(due).await.unwrap();
        found
            .into_iter()
            .map(|grant| grant.connection_id)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        due("", 100, 50, 9).await,
        "c1 c5",
        "what has no refresh token is not due before it has run out"
    );
    assert_eq!(due("", 100, 100, 9).await, "c1 c4 c5");
    assert_eq!(due("c1", 900, 50, 9).await, "c3 c5");
    assert_eq!(due("", 900, 50, 1).await, "c1");
    store
        .lease_take("c3", 1, "me", None, 50)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        due("", 100, 50, 9).await,
        "c1 c3 c5",
        "an unknown outcome is due at once"
    );
    let error = FailedCall {
        code: "timeout".to_owned(),
        status: None,
        at: 60,
    };
    store
        .refresh_put_off(&PutOff {
            connection: "c1",
            generation: 1,
            owner: "me",
            until: 70,
            error: &error,
        })
        .await
        .unwrap();
    assert_eq!(due("", 100, 69, 9).await, "c3 c5", "what is put off waits");
    assert_eq!(
        due("", 50, 70, 9).await,
        "c1 c3",
        "and is due whatever is left"
    );
    assert_eq!(due("", 100, 70, 9).await, "c1 c3 c5");
}

async fn tries_that_ended_alike_share_a_line(fresh: Fresh) {
    let store = &fresh.store;
    connected(&fresh).await;
    for at in [10, 20, 30] {
        store
            .attempt_note("c1", 1, &line(Outcome::BackedOff, "timeout", at))
            .await
            .unwrap();
    }
    store
        .attempt_note("c1", 1, &line(Outcome::BackedOff, "server_error", 40))
        .await
        .unwrap();
    store
        .attempt_note("c1", 2, &line(Outcome::BackedOff, "timeout", 50))
        .await
        .unwrap();
    let lines = store.attempts("c1", 9).await.unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.generation,
                line.code.as_str(),
                line.tries,
                line.first_at,
                line.last_at,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, "timeout", 1, 50, 50),
            (1, "server_error", 1, 40, 40),
            (1, "timeout", 3, 10, 30)
        ]
    );
    assert_eq!(store.attempts_forget(45, 1).await.unwrap(), 1);
    assert_eq!(store.attempts_forget(45, 9).await.unwrap(), 1);
    assert_eq!(store.attempts("c1", 9).await.unwrap().len(), 1);
}

async fn a_rotation_remembers_the_app_that_it_was_given_to(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    let known = async || {
        store
            .grant(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
            .client_id
            .clone()
    };
    assert_eq!(known().await.as_deref(), Some("the app"));
    crate::support::sql(&fresh, "UPDATE connections SET client_id = NULL").await;
    rotate(store, 1, 7).await;
    assert_eq!(known().await.as_deref(), Some("the app"));
}

async fn what_this_process_writes_is_read_at_once(fresh: Fresh) {
    let (person, store) = (connected(&fresh).await, &fresh.store);
    let recent = async || {
        store
            .grant_recent(&person.organisation_id, "c1")
            .await
            .unwrap()
            .unwrap()
    };
    assert_eq!(recent().await.generation, 1);
    rotate(store, 1, 7).await;
    assert_eq!(recent().await.generation, 2);
    store
        .connection_break("c1", 2, Reason::Revoked, None, 20)
        .await
        .unwrap();
    assert_eq!(recent().await.phase, Phase::ReconnectRequired);
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    assert_eq!(
        (recent().await.generation, recent().await.phase),
        (3, Phase::Connected)
    );
    store
        .connection_disconnect(
            "c1",
            &crate::support::act(&person.organisation_id, "connection.disconnected", 30),
        )
        .await
        .unwrap();
    assert_eq!(recent().await.phase, Phase::Disconnected);
    assert!(
        store
            .grant_recent("org-south", "c1")
            .await
            .unwrap()
            .is_none()
    );
}
