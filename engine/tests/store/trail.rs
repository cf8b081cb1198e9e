//! The audit trail: what Relink writes into it, and what others do to it.

use relink_engine::entropy::Entropy;
use relink_engine::identity::{Person, Role};
use relink_engine::store::{Act, AuditCheck, Store};
use relink_engine::vault::{KeyRing, Place, Vault};
use relink_engine::{CANARY_KEY, OpenError, prove_keys};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, adoption, member, sql};

on_both!(
    the_trail_is_unbroken_however_many_write,
    an_act_that_fails_leaves_no_line,
    whatever_is_done_to_the_trail_shows,
    no_later_line_vouches_for_what_is_left,
    a_trail_without_a_key_is_carried_over_once,
    what_was_changed_before_it_was_carried_over_shows,
    every_ring_that_opens_the_key_proves_the_trail,
    a_database_whose_proof_is_gone_is_not_begun_anew,
);

const ORG: &str = "org-north";
const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "new:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn act(act: &'static str, at: i64) -> Act {
    support::act(ORG, act, at)
}

async fn owner(fresh: &Fresh) -> Person {
    let person = member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    fresh
        .store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    person
}

/// Five lines.
async fn trail(fresh: &Fresh) {
    owner(fresh).await;
    for at in 2..5 {
        fresh.store.audit_note(&act("sign-in", at)).await.unwrap();
    }
}

async fn check(store: &Store) -> AuditCheck {
    store.audit_verify(ORG).await.unwrap()
}

async fn broken_at(store: &Store) -> Option<i64> {
    check(store).await.broken_at
}

/// Puts the trail back as it was kept.
async fn put_back(fresh: &Fresh) {
    sql(fresh, "DELETE FROM audit; DELETE FROM audit_heads").await;
    sql(
        fresh,
        "INSERT INTO audit SELECT * FROM kept; INSERT INTO audit_heads SELECT * FROM kept_heads",
    )
    .await;
}

async fn the_trail_is_unbroken_however_many_write(fresh: Fresh) {
    owner(&fresh).await;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = if writer % 4 == 0 {
            support::open(&fresh.url).await
        } else {
            fresh.store.clone()
        };
        writers.spawn(async move {
            for at in 0..10 {
                store.audit_note(&act("sign-in", at)).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let check = check(&fresh.store).await;
    assert_eq!(
        (check.good, check.broken_at),
        (82, None),
        "and how the owner came, and the connection"
    );
    let newest = fresh.store.audit_before(ORG, 83, 3).await.unwrap();
    assert_eq!(
        newest.iter().map(|row| row.number).collect::<Vec<_>>(),
        [82, 81, 80]
    );
    assert_eq!(newest[0].hash, check.hash, "what the last line is known by");
}

async fn an_act_that_fails_leaves_no_line(fresh: Fresh) {
    let owner = owner(&fresh).await;
    fresh
        .store
        .member_remove(&owner.user_id, false, &act("member.removed", 6))
        .await
        .unwrap();
    fresh
        .store
        .person_unlink("w", "nobody", &act("person.unlinked", 6))
        .await
        .unwrap();
    assert_eq!(
        check(&fresh.store).await.good,
        2,
        "that of the owner and that of the connection"
    );
}

async fn whatever_is_done_to_the_trail_shows(fresh: Fresh) {
    trail(&fresh).await;
    assert_eq!(broken_at(&fresh.store).await, None);
    sql(
        &fresh,
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_heads AS SELECT * FROM \
            audit_heads",
    )
    .await;
    let another = |number: &str| {
        let line =
            format!("organisation_id, {number}, at, user_id, who, act, subject, address, hash");
        format!("INSERT INTO audit SELECT {line} FROM audit WHERE number = 5")
    };
    let moved_to = "UPDATE audit_heads SET last_hash = (SELECT hash FROM audit WHERE number =";
    for (done, shows_at) in [
        (
            "UPDATE audit SET who = 'nobody' WHERE number = 3".to_owned(),
            3,
        ),
        (
            "UPDATE audit SET who = 'command linesign-in', act = '' WHERE number = 3".to_owned(),
            3,
        ),
        ("DELETE FROM audit WHERE number = 2".to_owned(), 2),
        (another("0"), 0),
        (another("-7"), -7),
        (another("6"), 6),
        ("DELETE FROM audit WHERE number = 5".to_owned(), 5),
        (
            "UPDATE audit SET number = number + 10 WHERE number = 4".to_owned(),
            4,
        ),
        ("UPDATE audit_heads SET last_hash = ''".to_owned(), 5),
        ("UPDATE audit_heads SET seal = ''".to_owned(), 5),
        (
            format!("DELETE FROM audit WHERE number > 3; {moved_to} 3), number = 3"),
            3,
        ),
        (format!("{moved_to} 3), number = 3"), 3),
        ("DELETE FROM audit".to_owned(), 1),
        ("DELETE FROM audit; DELETE FROM audit_heads".to_owned(), 1),
        (
            "DELETE FROM audit; UPDATE audit_heads SET number = 0, last_hash = '', seal = ''"
                .to_owned(),
            1,
        ),
    ] {
        sql(&fresh, &done).await;
        assert_eq!(broken_at(&fresh.store).await, Some(shows_at), "{done}");
        put_back(&fresh).await;
    }
    sql(&fresh, &recomputed(&fresh.store).await).await;
    assert_eq!(
        broken_at(&fresh.store).await,
        Some(2),
        "whoever computes hashes has no key"
    );
}

/// Deletes all but two lines, and writes these as whoever knows how hashes are made.
async fn recomputed(store: &Store) -> String {
    let mut written = "DELETE FROM audit WHERE number > 2;".to_owned();
    let mut hash = String::new();
    for row in store.audit_after(ORG, 0, 2).await.unwrap() {
        let user = row.user_id.clone().unwrap_or_default();
        hash = plain(&[
            &hash,
            ORG,
            &row.number.to_string(),
            &row.at.to_string(),
            &user,
            &row.who,
            &row.act,
            &row.subject,
            &row.address,
        ]);
        written += &format!(
            "UPDATE audit SET hash = '{hash}' WHERE number = {};",
            row.number
        );
    }
    format!("{written} UPDATE audit_heads SET number = 2, last_hash = '{hash}'")
}

/// Hashes lines as before the trail had a key.
fn plain(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

async fn no_later_line_vouches_for_what_is_left(fresh: Fresh) {
    trail(&fresh).await;
    sql(&fresh, "DELETE FROM audit WHERE number > 3").await;
    sql(
        &fresh,
        "UPDATE audit_heads SET number = 3, last_hash = (SELECT hash FROM audit WHERE number = 3)",
    )
    .await;
    for at in 10..12 {
        fresh.store.audit_note(&act("sign-in", at)).await.unwrap();
        assert_eq!(
            broken_at(&fresh.store).await,
            Some(4),
            "the first line after the cut"
        );
    }
    sql(&fresh, "DELETE FROM audit; DELETE FROM audit_heads").await;
    fresh.store.audit_note(&act("sign-in", 12)).await.unwrap();
    assert_eq!(
        broken_at(&fresh.store).await,
        Some(1),
        "nothing begins again"
    );
}

fn vault(keys: &str) -> Vault {
    Vault::new(KeyRing::parse(keys).unwrap(), Entropy::seeded(7))
}

/// Opens the store as a process does at its start, with these keys.
async fn start(fresh: &Fresh, keys: &str) -> Result<Store, OpenError> {
    let opened = if fresh.is_postgres() {
        Store::open_postgres(&fresh.url).await
    } else {
        Store::open_sqlite(std::path::Path::new(&fresh.url)).await
    };
    let store = opened.unwrap();
    prove_keys(&store, &vault(keys), &Entropy::seeded(8), 50)
        .await
        .map(|()| store)
}

/// A trail of two lines as they were written before there was a key.
async fn without_a_key(fresh: &Fresh) {
    member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    member(&fresh.store, "north", "b@example.com", Role::Member).await;
    sql(fresh, &recomputed(&fresh.store).await).await;
    sql(fresh, "UPDATE audit_heads SET seal = ''").await;
    let place = Place {
        table: "meta",
        row: CANARY_KEY,
        column: "value",
        organisation: "",
    };
    fresh
        .store
        .meta_claim(CANARY_KEY, &vault(OLD).seal(place, &"relink".into()))
        .await
        .unwrap();
}

async fn a_trail_without_a_key_is_carried_over_once(fresh: Fresh) {
    without_a_key(&fresh).await;
    let store = start(&fresh, OLD).await.unwrap();
    let found = check(&store).await;
    assert_eq!((found.good, found.unkeyed, found.broken_at), (3, 2, None));
    let line = store.audit_after(ORG, 2, 1).await.unwrap().remove(0);
    assert_eq!(
        (line.act.as_str(), line.subject.as_str(), line.who.as_str()),
        ("trail.carried-over", "lines 1 to 2", "Relink")
    );
    start(&fresh, OLD)
        .await
        .unwrap()
        .audit_note(&act("sign-in", 60))
        .await
        .unwrap();
    assert_eq!(
        (check(&store).await.good, broken_at(&store).await),
        (4, None),
        "a second start writes no second line"
    );
    // What was written before is held fast by the line after it.
    sql(&fresh, &recomputed(&store).await).await;
    sql(&fresh, "UPDATE audit_heads SET seal = ''").await;
    let store = start(&fresh, OLD).await.unwrap();
    assert_eq!(
        broken_at(&store).await,
        Some(2),
        "nothing is carried over a second time"
    );
}

async fn what_was_changed_before_it_was_carried_over_shows(fresh: Fresh) {
    without_a_key(&fresh).await;
    sql(&fresh, "UPDATE audit SET who = 'nobody' WHERE number = 2").await;
    assert_eq!(broken_at(&start(&fresh, OLD).await.unwrap()).await, Some(2));
}

async fn every_ring_that_opens_the_key_proves_the_trail(fresh: Fresh) {
    let store = start(&fresh, OLD).await.unwrap();
    member(&store, "north", "a@example.com", Role::Owner).await;
    let store = start(&fresh, &format!("{NEW},{OLD}")).await.unwrap();
    store.audit_note(&act("sign-in", 60)).await.unwrap();
    assert_eq!(
        (check(&store).await.good, broken_at(&store).await),
        (2, None)
    );
    assert!(matches!(start(&fresh, NEW).await, Err(OpenError::WrongKey)));
}

async fn a_database_whose_proof_is_gone_is_not_begun_anew(fresh: Fresh) {
    let store = start(&fresh, OLD).await.unwrap();
    member(&store, "north", "a@example.com", Role::Owner).await;
    let sealed = store.meta(CANARY_KEY).await.unwrap().unwrap();
    sql(
        &fresh,
        "DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM meta WHERE key = 'audit_key'",
    )
    .await;
    assert!(matches!(
        start(&fresh, OLD).await,
        Err(OpenError::ProofGone)
    ));
    sql(&fresh, "DELETE FROM meta WHERE key = 'canary'").await;
    assert!(matches!(
        start(&fresh, OLD).await,
        Err(OpenError::ProofGone)
    ));
    assert_eq!(
        store.meta_claim(CANARY_KEY, &sealed).await.unwrap(),
        sealed,
        "nothing was written in its place"
    );
}
