//! Deliveries, signing secrets and refusals in the store.

use relink_engine::clock::{DAY, HOUR};
use relink_engine::connection::State;
use relink_engine::identity::{Person, Role};
use relink_engine::store::{
    Act, AuditActor, DeliveryFilter, DeliveryOutcome, DestinationRow, MessageState, NewDelivery,
    OutcomeFilter, RecipientRow, RefusalRow, Rotated, Sent, SentBatch, Store, Stray, Verdict,
    WebhookSecretRow,
};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, ORG, adoption, delivery, key, member, put, recipient};

on_both!(
    a_body_is_stored_once_for_each_workspace,
    of_many_writers_each_body_is_stored_once,
    who_reads_on_misses_nothing_however_many_write,
    any_bytes_come_back_as_they_were,
    pages_are_filtered_and_cut,
    the_oldest_are_forgotten_in_bites,
    what_made_room_is_still_a_duplicate,
    one_event_through_two_webhooks_is_one_delivery,
    what_came_before_there_were_events_is_known,
    a_late_recipient_reads_on_to_it,
    what_is_kept_can_be_found_by_its_number,
    messages_are_claimed_once_and_in_order,
    claims_are_let_go_of,
    messages_go_with_their_deliveries,
    a_failing_destination_is_left_alone_and_a_paused_one_is_not_claimed_for,
    resending_starts_anew,
    a_shared_delivery_is_stored_once_and_seen_by_both,
    a_revocation_spares_a_younger_consent_and_stops_a_late_refresh,
    a_secret_retires_when_a_newer_one_has_verified_something,
    a_secret_that_was_about_to_retire_waits_for_the_new_one_too,
    strays_add_up_within_limits,
    the_next_about_a_thing_is_claimed_with_the_end_of_the_last,
    a_wrong_clock_puts_nothing_off_for_good,
    failing_is_added_up_from_try_to_try,
    what_says_nothing_about_a_destination_changes_nothing_about_it,
    refusals_add_up,
);

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

async fn all(store: &Store) -> Vec<Vec<u8>> {
    store
        .deliveries_after(ORG, 0, 10_000, i64::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.body)
        .collect()
}

async fn a_body_is_stored_once_for_each_workspace(fresh: Fresh) {
    let store = &fresh.store;
    let batch = [
        delivery("w", b"one", 1),
        delivery("w", b"two", 1),
        delivery("w", b"one", 2),
        delivery("v", b"one", 2),
    ];
    assert_eq!(put(store, &batch).await, [true, true, false, true]);
    assert_eq!(put(store, &[delivery("w", b"two", 9)]).await, [false]);
    let rows = store.deliveries_after(ORG, 0, 10, i64::MAX).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.workspace_id.as_str(),
                row.body.as_slice(),
                row.repeats,
                row.repeated_at,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("w", &b"one"[..], 1, Some(2)),
            ("w", b"two", 1, Some(9)),
            ("v", b"one", 0, None)
        ]
    );
    assert!(rows.is_sorted_by_key(|row| row.seq));
}

async fn of_many_writers_each_body_is_stored_once(fresh: Fresh) {
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = fresh.store.clone();
        writers.spawn(async move {
            let mut new = 0;
            for round in 0..10_u32 {
                let batch: Vec<_> = (0..30_u32)
                    .map(|number| delivery("w", &(round * 20 + number).to_be_bytes(), writer))
                    .collect();
                new += put(&store, &batch)
                    .await
                    .into_iter()
                    .filter(|new| *new)
                    .count();
            }
            new
        });
    }
    assert_eq!(writers.join_all().await.iter().sum::<usize>(), 210);
    let mut bodies = all(&fresh.store).await;
    bodies.sort();
    assert_eq!(
        bodies,
        (0..210_u32)
            .map(|number| number.to_be_bytes().to_vec())
            .collect::<Vec<_>>()
    );
}

/// Numbers become visible in their order, also from several processes: nothing appears behind a
/// reader's back.
async fn who_reads_on_misses_nothing_however_many_write(fresh: Fresh) {
    let mut writers = JoinSet::new();
    for writer in 0..4_u32 {
        let store = support::open(&fresh.url).await;
        writers.spawn(async move {
            for number in 0..60_u32 {
                let body = (writer * 1_000 + number).to_be_bytes();
                put(&store, &[delivery("w", &body, 1)]).await;
            }
            store.close().await;
        });
    }
    let (mut seen, mut after) = (0, 0);
    while seen < 240 {
        for row in fresh
            .store
            .deliveries_after(ORG, after, 7, i64::MAX)
            .await
            .unwrap()
        {
            assert!(row.seq > after);
            (seen, after) = (seen + 1, row.seq);
        }
        let behind = all(&fresh.store).await.len();
        assert!(writers.try_join_next().is_none() || behind >= seen);
    }
    while writers.join_next().await.is_some() {}
    assert_eq!((seen, all(&fresh.store).await.len()), (240, 240));
}

async fn any_bytes_come_back_as_they_were(fresh: Fresh) {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for body in [&b"\0"[..], b"", &bytes] {
        assert_eq!(put(&fresh.store, &[delivery("w", body, 1)]).await, [true]);
    }
    assert_eq!(all(&fresh.store).await, [vec![0], Vec::new(), bytes]);
}

async fn pages_are_filtered_and_cut(fresh: Fresh) {
    let person = owner(&fresh).await;
    fresh
        .store
        .connection_adopt(&adoption(&person, "c2", "v"))
        .await
        .unwrap();
    let late = NewDelivery {
        outcome: DeliveryOutcome::Late,
        event: "Comment".to_owned(),
        ..delivery("w", b"late body", 2)
    };
    let ignored = NewDelivery {
        outcome: DeliveryOutcome::Ignored,
        ..delivery("v", b"ignored body", 3)
    };
    put(
        &fresh.store,
        &[
            delivery("w", b"plain body", 1),
            late,
            ignored,
            delivery("w", b"plain body", 4),
        ],
    )
    .await;
    let page = async |filter: DeliveryFilter, before: i64| {
        let rows = fresh
            .store
            .deliveries_before(ORG, &filter, before, 5, 10)
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| String::from_utf8(row.body).unwrap())
            .collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        page(DeliveryFilter::default(), i64::MAX).await,
        ["ignor", "late ", "plain"],
        "the newest first, five bytes of each"
    );
    assert_eq!(page(DeliveryFilter::default(), 3).await, ["late ", "plain"]);
    assert_eq!(
        page(
            DeliveryFilter {
                workspace: text("v"),
                ..DeliveryFilter::default()
            },
            i64::MAX
        )
        .await,
        ["ignor"]
    );
    assert_eq!(
        page(
            DeliveryFilter {
                event: text("Comment"),
                ..DeliveryFilter::default()
            },
            i64::MAX
        )
        .await,
        ["late "]
    );
    assert_eq!(
        page(
            DeliveryFilter {
                outcome: Some(OutcomeFilter::Duplicate),
                ..DeliveryFilter::default()
            },
            i64::MAX
        )
        .await,
        ["plain"]
    );
    assert_eq!(
        all(&fresh.store).await,
        [b"plain body".to_vec(), b"late body".to_vec()],
        "programs are not told what was ignored"
    );
}

async fn the_oldest_are_forgotten_in_bites(fresh: Fresh) {
    owner(&fresh).await;
    for at in 1..=6_i64 {
        put(
            &fresh.store,
            &[delivery("w", &[u8::try_from(at).unwrap(); 10], at)],
        )
        .await;
    }
    let one = delivery("w", &[1; 10], 1).weight();
    assert_eq!(fresh.store.deliveries_forget(1, 2).await.unwrap(), 0);
    assert_eq!(
        fresh.store.deliveries_forget(4, 2).await.unwrap(),
        2,
        "a bite"
    );
    assert_eq!(fresh.store.deliveries_forget(4, 2).await.unwrap(), 1);
    assert_eq!(
        (
            fresh.store.delivery_bytes().await.unwrap(),
            all(&fresh.store).await.len()
        ),
        (3 * one, 3)
    );
    let last = fresh.store.deliveries_last(ORG).await.unwrap().remove(0);
    assert_eq!(
        (
            last.workspace_id.as_str(),
            last.at,
            last.by_app(),
            last.by_own()
        ),
        ("w", 6, true, false)
    );
    assert_eq!(
        (
            fresh.store.deliveries_span().await.unwrap(),
            fresh.store.events_span().await.unwrap()
        ),
        (3, 6)
    );
}

/// Room is made, but what Linear may send again is still known.
async fn what_made_room_is_still_a_duplicate(fresh: Fresh) {
    destination(&fresh).await;
    let bodies: Vec<[u8; 10]> = (1..=4).map(|number| [number; 10]).collect();
    for body in &bodies {
        put(&fresh.store, &[to_destination(body)]).await;
    }
    let one = to_destination(&bodies[0]).weight();
    assert_eq!(
        fresh.store.deliveries_prune(4 * one, 10).await.unwrap(),
        (0, 0)
    );
    assert_eq!(
        fresh.store.deliveries_prune(2 * one + 1, 10).await.unwrap(),
        (2, 2),
        "the oldest first, until they are few enough bytes"
    );
    assert_eq!(
        (
            fresh.store.delivery_bytes().await.unwrap(),
            all(&fresh.store).await.len()
        ),
        (2 * one, 2)
    );
    assert_eq!(fresh.store.destinations(ORG).await.unwrap()[0].given_up, 2);
    assert_eq!(
        put(&fresh.store, &[delivery("w", &bodies[0], 9)]).await,
        [false]
    );
    let page = fresh
        .store
        .deliveries_before(ORG, &DeliveryFilter::default(), i64::MAX, 5, 10)
        .await
        .unwrap();
    assert_eq!(page.len(), 2, "what is not kept is not shown");
    assert_eq!(
        fresh.store.deliveries_prune(0, 1).await.unwrap().0,
        1,
        "a bite"
    );
    assert_eq!(fresh.store.deliveries_forget(100, 10).await.unwrap(), 1);
    assert_eq!(fresh.store.delivery_bytes().await.unwrap(), 0);
    assert_eq!(
        (
            fresh.store.events_forget(1, 10).await.unwrap(),
            fresh.store.events_forget(2, 3).await.unwrap()
        ),
        (0, 3)
    );
    assert_eq!(fresh.store.events_forget(2, 3).await.unwrap(), 1);
    assert_eq!(
        put(&fresh.store, &[delivery("w", &bodies[0], 9)]).await,
        [true],
        "Linear does not send it so late"
    );
}

/// The bodies differ in what tells the webhooks apart, and so do their digests.
async fn one_event_through_two_webhooks_is_one_delivery(fresh: Fresh) {
    let through = |body: &[u8], webhook: &str, secret: &str, at: i64| NewDelivery {
        key: key("w", b"the event"),
        webhook: webhook.to_owned(),
        secret_id: secret.to_owned(),
        webhook_timestamp: at,
        ..delivery("w", body, at)
    };
    let (apps, own) = (
        through(b"by the app", "h1", "", 1),
        through(b"by its own", "h2", "s1", 2),
    );
    assert_eq!(
        put(&fresh.store, &[apps.clone(), own.clone()]).await,
        [true, false]
    );
    assert_eq!(
        put(
            &fresh.store,
            &[own, through(b"stamped anew", "h1", "", 3), apps]
        )
        .await,
        [false; 3]
    );
    let rows = fresh
        .store
        .deliveries_after(ORG, 0, 10, i64::MAX)
        .await
        .unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.body.as_slice(), row.through.as_str(), row.repeats))
        .collect();
    assert_eq!(told, [(&b"by the app"[..], "h1/ h2/s1", 4)]);
}

/// A part of the migration that brought events.
async fn migrate(fresh: &Fresh, from: &str, to: &str) {
    let migration = if fresh.is_postgres() {
        include_str!("../../../migrations/postgres/0008_events.sql")
    } else {
        include_str!("../../../migrations/sqlite/0008_events.sql")
    };
    let (from, to) = (migration.find(from).unwrap(), migration.find(to).unwrap());
    support::sql(fresh, &migration[from..to]).await;
}

/// A delivery that was stored by its whole body is a duplicate when it comes again, whether or not
/// its body was kept.
async fn what_came_before_there_were_events_is_known(fresh: Fresh) {
    owner(&fresh).await;
    let bodies: Vec<NewDelivery> = (1..=3)
        .map(|number| delivery("w", &[number; 10], 1))
        .collect();
    for body in &bodies {
        put(&fresh.store, std::slice::from_ref(body)).await;
    }
    for old in [
        "DELETE FROM delivery_digests",
        "UPDATE delivery_log SET pruned_to = 1",
        "UPDATE deliveries SET body = '' WHERE seq = 1",
    ] {
        support::sql(&fresh, old).await;
    }
    migrate(
        &fresh,
        "INSERT INTO delivery_digests",
        "-- One row. What is kept",
    )
    .await;
    assert_eq!(
        fresh.ask("SELECT COUNT(*) FROM deliveries").await,
        Some(2),
        "a row without its body goes"
    );
    assert_eq!(put(&fresh.store, &bodies).await, [false; 3]);
    let repeats = fresh
        .store
        .deliveries_after(ORG, 0, 10, i64::MAX)
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.repeats);
    assert_eq!(repeats.collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sqlite_takes_is_bound_by_what_may_be_kept() {
    room_is_made_however_much_comes(support::sqlite().await).await;
}

/// It needs a database of its own: what others look at next door keeps room from being used again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_postgres_takes_is_bound_by_what_may_be_kept() {
    if let Some(fresh) = support::pooled().await {
        room_is_made_however_much_comes(fresh).await;
    }
}

async fn room_is_made_however_much_comes(fresh: Fresh) {
    const MOST: i64 = 1024 * 1024;
    owner(&fresh).await;
    let before = fresh.bytes_on_disk().await;
    for round in 0..80_u32 {
        let batch: Vec<_> = (0..64_u32)
            .map(|number| delivery("w", &sized(round * 64 + number), 1))
            .collect();
        let kept = fresh.store.deliveries_put(&batch).await.unwrap().kept;
        assert_eq!(kept, fresh.store.delivery_bytes().await.unwrap());
        while fresh.store.deliveries_prune(MOST, 500).await.unwrap().0 > 0 {}
        fresh.store.deliveries_tidy().await.unwrap();
    }
    assert_eq!(fresh.store.events_span().await.unwrap(), 80 * 64);
    let grown = fresh.bytes_on_disk().await - before;
    assert!(grown < 4 * MOST, "{grown} bytes for 13 MB that passed");
}

/// Two kilobytes that do not compress.
fn sized(number: u32) -> Vec<u8> {
    (0..64_u32)
        .flat_map(|part| {
            <[u8; 32]>::from(Sha256::digest(
                (u64::from(number) << 32 | u64::from(part)).to_be_bytes(),
            ))
        })
        .collect()
}

async fn a_shared_delivery_is_stored_once_and_seen_by_both(fresh: Fresh) {
    let both = NewDelivery {
        recipients: vec![recipient(ORG), recipient("org-south")],
        ..delivery("w", b"for both", 1)
    };
    assert_eq!(
        put(&fresh.store, &[delivery("w", b"for both", 1)]).await,
        [true]
    );
    assert_eq!(
        put(&fresh.store, std::slice::from_ref(&both)).await,
        [true],
        "new to the other one"
    );
    assert_eq!(put(&fresh.store, &[both]).await, [false]);
    let other = fresh
        .store
        .deliveries_after("org-south", 0, 10, i64::MAX)
        .await
        .unwrap();
    assert_eq!((all(&fresh.store).await.len(), other.len()), (1, 1));
    assert_eq!(
        fresh.store.delivery_bytes().await.unwrap(),
        delivery("w", b"for both", 1).weight()
    );
}

async fn a_late_recipient_reads_on_to_it(fresh: Fresh) {
    for number in 0..3_u8 {
        put(&fresh.store, &[delivery("w", &[number], 1)]).await;
    }
    let other = NewDelivery {
        recipients: vec![recipient("org-south")],
        ..delivery("w", b"for the other", 1)
    };
    put(&fresh.store, &[other]).await;
    let read = async |after: i64| {
        fresh
            .store
            .deliveries_after("org-south", after, 10, i64::MAX)
            .await
            .unwrap()
    };
    let cursor = read(0).await[0].number;
    let again = NewDelivery {
        recipients: vec![recipient("org-south")],
        ..delivery("w", &[1], 2)
    };
    assert_eq!(
        put(&fresh.store, std::slice::from_ref(&again)).await,
        [true]
    );
    let late = read(cursor).await;
    assert_eq!(
        (late.len(), late[0].body.as_slice()),
        (1, &[1][..]),
        "an old delivery that is new to it"
    );
    assert_eq!(put(&fresh.store, &[again]).await, [false]);
    let both = NewDelivery {
        recipients: vec![recipient("org-east"), recipient("org-south")],
        ..delivery("w", &[2], 3)
    };
    assert_eq!(put(&fresh.store, &[both]).await, [true]);
    let next = NewDelivery {
        recipients: vec![recipient("org-south")],
        ..delivery("w", b"the next", 4)
    };
    put(&fresh.store, &[next]).await;
    let bodies: Vec<Vec<u8>> = read(late[0].number)
        .await
        .into_iter()
        .map(|row| row.body)
        .collect();
    assert_eq!(
        bodies,
        [vec![2], b"the next".to_vec()],
        "in the order in which it came to hear of them"
    );
}

async fn what_is_kept_can_be_found_by_its_number(fresh: Fresh) {
    owner(&fresh).await;
    assert_eq!(fresh.store.deliveries_newest(ORG, 5).await.unwrap(), None);
    for number in 0..4_u8 {
        put(&fresh.store, &[delivery("w", &[number; 3], 1)]).await;
    }
    let store = &fresh.store;
    assert_eq!(store.deliveries_newest(ORG, 2).await.unwrap(), Some((3, 4)));
    assert_eq!(store.deliveries_newest(ORG, 9).await.unwrap(), Some((1, 4)));
    assert_eq!(store.deliveries_newest("org-south", 9).await.unwrap(), None);
    assert_eq!(
        (
            store.delivery_kept(ORG, 1).await.unwrap(),
            store.delivery_kept("org-south", 1).await.unwrap()
        ),
        (Some(1), None)
    );
    store
        .deliveries_prune(2 * delivery("w", &[0; 3], 1).weight(), 10)
        .await
        .unwrap();
    assert_eq!(
        (
            store.delivery_kept(ORG, 2).await.unwrap(),
            store.delivery_kept(ORG, 3).await.unwrap()
        ),
        (None, Some(3))
    );
    assert_eq!(store.deliveries_newest(ORG, 9).await.unwrap(), Some((3, 4)));
}

const DESTINATION: &str = "d1";

fn to_destination(body: &[u8]) -> NewDelivery {
    about("", body)
}

fn about(entity: &str, body: &[u8]) -> NewDelivery {
    let messages = vec![(DESTINATION.to_owned(), entity.to_owned())];
    NewDelivery {
        recipients: vec![RecipientRow {
            organisation_id: ORG.to_owned(),
            messages,
        }],
        ..delivery("w", body, 1)
    }
}

async fn destination(fresh: &Fresh) {
    owner(fresh).await;
    let row = DestinationRow {
        ordered: true,
        secret_sealed: vec![1],
        ..DestinationRow::new(DESTINATION, ORG, "https://example.com/", 1)
    };
    assert!(
        fresh
            .store
            .destination_add(&row, 1, &act("destination.added", 1))
            .await
            .unwrap()
    );
    assert!(
        !fresh
            .store
            .destination_add(
                &DestinationRow {
                    id: "d2".to_owned(),
                    ..row
                },
                1,
                &act("destination.added", 1)
            )
            .await
            .unwrap(),
        "one is enough"
    );
}

fn sent(seq: i64, state: &'static str, next_at: i64) -> Sent {
    Sent {
        seq,
        state: MessageState::from_name(state).unwrap(),
        next_at,
        status: Some(if state == "sent" { 200 } else { 500 }),
        answer: String::new(),
        at: 50,
        first: false,
    }
}

/// A destination that takes one of these takes something.
fn tries<'a>(owner: &'a str, sent: &'a [Sent], again_at: i64) -> SentBatch<'a> {
    let verdict = if sent.iter().any(|one| one.state == MessageState::Sent) {
        Verdict::Takes
    } else {
        Verdict::Fails
    };
    SentBatch {
        destination: DESTINATION,
        owner,
        sent,
        verdict,
        again_at,
    }
}

async fn done(store: &Store, owner: &str, sent: &[Sent], again_at: i64) {
    store
        .messages_done(tries(owner, sent, again_at), &[])
        .await
        .unwrap();
}

async fn claim(store: &Store, owner: &str, now: i64) -> Vec<i64> {
    store
        .messages_claim(DESTINATION, owner, now, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|message| message.seq)
        .collect()
}

async fn messages_are_claimed_once_and_in_order(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    let batch = [
        about("i1", b"1"),
        about("i1", b"2"),
        about("i2", b"3"),
        about("", b"4"),
        about("", b"5"),
    ];
    put(store, &batch).await;
    let mut claims = JoinSet::new();
    for number in 0..8 {
        let store = support::open(&fresh.url).await;
        claims.spawn(async move { claim(&store, &format!("p{number}"), 1).await });
    }
    let mut claimed = claims.join_all().await.concat();
    claimed.sort_unstable();
    assert_eq!(
        claimed,
        [1, 3, 4, 5],
        "each by one, and the second about an issue not before the first"
    );
    assert_eq!(claim(store, "late", 1).await, Vec::<i64>::new());
    for process in 0..8 {
        done(
            store,
            &format!("p{process}"),
            &[sent(1, "waiting", 90), sent(3, "sent", 0)],
            0,
        )
        .await;
    }
    assert_eq!(
        claim(store, "late", 80).await,
        Vec::<i64>::new(),
        "the first is put off, and the second waits for it"
    );
    assert_eq!(claim(store, "late", 90).await, [1]);
    done(store, "late", &[sent(1, "parked", 90)], 0).await;
    assert_eq!(
        claim(store, "late", 90).await,
        [2],
        "what is given up holds up nothing"
    );
}

async fn the_next_about_a_thing_is_claimed_with_the_end_of_the_last(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    put(
        store,
        &[
            about("i1", b"1"),
            about("i1", b"2"),
            about("i2", b"3"),
            about("i1", b"4"),
        ],
    )
    .await;
    assert_eq!(claim(store, "a", 1).await, [1, 3]);
    let end = async |done: &[Sent], things: &[&str]| {
        let things: Vec<String> = things.iter().map(|&thing| thing.to_owned()).collect();
        let next = store
            .messages_done(tries("a", done, 0), &things)
            .await
            .unwrap();
        next.map(|next| {
            next.into_iter()
                .map(|message| (message.seq, message.entity))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        end(&[sent(3, "sent", 0), sent(1, "sent", 0)], &["i2", "i1"]).await,
        Some(vec![(2, "i1".to_owned())])
    );
    assert_eq!(
        claim(store, "b", 99).await,
        Vec::<i64>::new(),
        "one of each thing is on its way at a time"
    );
    store
        .destination_pause(DESTINATION, "person", &act("destination.paused", 1))
        .await
        .unwrap();
    assert_eq!(
        end(&[sent(2, "sent", 0)], &["i1"]).await,
        None,
        "it wants nothing more"
    );
}

async fn a_wrong_clock_puts_nothing_off_for_good(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    let (days, due) = (2 * DAY, async |now: i64| {
        store.destinations_due(now).await.unwrap().len()
    });
    put(
        store,
        &[
            about("i1", b"1"),
            to_destination(b"2"),
            to_destination(b"3"),
        ],
    )
    .await;
    assert_eq!(claim(store, "a", days).await.len(), 3);
    let late = [
        sent(1, "waiting", days + 5),
        sent(2, "waiting", days + 5),
        sent(3, "waiting", 6 * HOUR),
    ];
    done(store, "a", &late, days + 5).await;
    assert_eq!(claim(store, "a", 20).await, [1], "nothing waits so long");
    done(store, "a", &[sent(1, "sent", 0)], days + 5).await;
    assert_eq!(
        (
            due(20).await,
            store.messages_unstick(20).await.unwrap(),
            due(20).await
        ),
        (0, 1, 1)
    );
    assert_eq!(claim(store, "a", 20).await, [2]);
}

async fn failing_is_added_up_from_try_to_try(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    put(store, &[to_destination(b"1"), to_destination(b"2")]).await;
    let fails_to_take = async |seq: i64, at: i64| {
        claim(store, "a", at).await;
        let failed = Sent {
            at,
            ..sent(seq, "waiting", 0)
        };
        done(store, "a", &[failed], 0).await;
        store.destinations(ORG).await.unwrap().remove(0).failing_for
    };
    assert_eq!(
        (fails_to_take(1, 0).await, fails_to_take(1, 9 * HOUR).await),
        (0, 0),
        "it may be the message"
    );
    assert_eq!(fails_to_take(2, HOUR).await, 0, "from here on it is not");
    let fails = async |at: i64| fails_to_take(1, at).await;
    assert_eq!(fails(2 * HOUR).await, HOUR);
    assert_eq!(
        fails(31 * DAY).await,
        8 * HOUR,
        "no clock alone says that it failed for a month"
    );
    assert_eq!(
        (fails(3 * HOUR).await, fails(4 * HOUR).await),
        (8 * HOUR, 9 * HOUR),
        "nor that it did not"
    );
    done(
        store,
        "a",
        &[Sent {
            at: 5 * HOUR,
            ..sent(1, "sent", 0)
        }],
        0,
    )
    .await;
    let row = store.destinations(ORG).await.unwrap().remove(0);
    assert_eq!(
        (row.failing_for, row.failing_since, row.refused_seq),
        (0, None, None)
    );
}

async fn what_says_nothing_about_a_destination_changes_nothing_about_it(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    put(store, &[to_destination(b"1"), to_destination(b"2")]).await;
    let open = async |at: i64| {
        claim(store, "a", at).await;
        let sent = [Sent {
            at,
            ..sent(1, "waiting", 0)
        }];
        store
            .messages_done(
                SentBatch {
                    verdict: Verdict::Open,
                    ..tries("a", &sent, 0)
                },
                &[],
            )
            .await
            .unwrap();
        let row = store.destinations(ORG).await.unwrap().remove(0);
        (row.failing_since, row.last_status, row.last_at)
    };
    assert_eq!(open(60).await, (None, Some(500), Some(60)));
    done(
        store,
        "a",
        &[Sent {
            at: 70,
            ..sent(2, "waiting", 0)
        }],
        0,
    )
    .await;
    assert_eq!(
        open(80).await,
        (Some(70), Some(500), Some(80)),
        "what was found out stands"
    );
}

async fn claims_are_let_go_of(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    put(store, &[to_destination(b"1"), to_destination(b"2")]).await;
    assert_eq!(claim(store, "a", 1).await, [1, 2]);
    assert_eq!(
        store.processes_claiming("b").await.unwrap(),
        [("a".to_owned(), -1)],
        "it never showed that it lives"
    );
    store.process_beat("a", 1).await.unwrap();
    store.process_beat("a", 2).await.unwrap();
    assert_eq!(
        store.processes_claiming("b").await.unwrap(),
        [("a".to_owned(), 2)]
    );
    assert!(store.processes_claiming("a").await.unwrap().is_empty());
    store.process_beat("idle", 9).await.unwrap();
    store.processes_forget().await.unwrap();
    assert_eq!(
        store.processes_claiming("b").await.unwrap(),
        [("a".to_owned(), 2)],
        "who holds a claim is kept"
    );
    done(store, "b", &[sent(1, "sent", 0)], 0).await;
    assert_eq!(
        store.messages_release("a").await.unwrap(),
        2,
        "who does not hold a claim changes nothing"
    );
    assert_eq!(claim(store, "b", 1).await, [1, 2]);
    store.messages_unclaim(DESTINATION, "a").await.unwrap();
    assert_eq!(claim(store, "b", 1).await, Vec::<i64>::new());
    store.messages_unclaim(DESTINATION, "b").await.unwrap();
    assert_eq!(claim(store, "b", 1).await, [1, 2]);
}

async fn messages_go_with_their_deliveries(fresh: Fresh) {
    destination(&fresh).await;
    let store = &fresh.store;
    put(store, &[to_destination(b"1"), to_destination(b"2")]).await;
    // Pruned while it is being sent.
    assert_eq!(claim(store, "a", 1).await, [1, 2]);
    store
        .deliveries_prune(to_destination(b"1").weight(), 10)
        .await
        .unwrap();
    assert_eq!(store.delivery_body(1).await.unwrap(), None);
    done(
        store,
        "a",
        &[sent(1, "waiting", 0), sent(2, "waiting", 0)],
        0,
    )
    .await;
    assert_eq!(
        claim(store, "a", 99).await,
        [2],
        "nothing is sent in place of a body"
    );
    let rows = store.messages_of(ORG, &[1, 2]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [2]);
}

async fn a_failing_destination_is_left_alone_and_a_paused_one_is_not_claimed_for(fresh: Fresh) {
    destination(&fresh).await;
    member(&fresh.store, "south", "s@example.com", Role::Owner).await;
    let store = &fresh.store;
    put(store, &[to_destination(b"1"), to_destination(b"2")]).await;
    let due = async |now: i64| store.destinations_due(now).await.unwrap().len();
    assert_eq!(due(1).await, 1);
    claim(store, "a", 1).await;
    assert_eq!(due(1).await, 0, "somebody is at it");
    done(
        store,
        "a",
        &[sent(2, "waiting", 5), sent(1, "waiting", 5)],
        60,
    )
    .await;
    assert_eq!((due(59).await, due(60).await), (0, 1));
    let row = store.destinations(ORG).await.unwrap().remove(0);
    assert_eq!((row.failing_since, row.last_status), (Some(50), Some(500)));
    assert!(
        store
            .destination_pause(DESTINATION, "failures", &act("destination.paused", 61))
            .await
            .unwrap()
    );
    assert!(
        !store
            .destination_pause(DESTINATION, "failures", &act("destination.paused", 62))
            .await
            .unwrap()
    );
    assert_eq!((due(99).await, claim(store, "a", 99).await.len()), (0, 0));
    assert!(
        !store
            .destination_resume(
                DESTINATION,
                &support::act("org-south", "destination.resumed", 70)
            )
            .await
            .unwrap()
    );
    assert!(
        store
            .destination_resume(DESTINATION, &act("destination.resumed", 70))
            .await
            .unwrap()
    );
    assert_eq!(
        (due(70).await, claim(store, "a", 70).await),
        (1, vec![1, 2])
    );
    done(store, "a", &[sent(1, "sent", 0), sent(2, "waiting", 80)], 0).await;
    assert_eq!(due(80).await, 1, "one that worked ends the rest of it");
    assert_eq!(
        store.messages_count(ORG).await.unwrap(),
        [(DESTINATION.to_owned(), "waiting".to_owned(), 1)]
    );
    assert!(
        store
            .destination_remove(DESTINATION, &act("destination.removed", 99))
            .await
            .unwrap()
    );
    assert!(store.messages_of(ORG, &[1, 2]).await.unwrap().is_empty());
}

async fn resending_starts_anew(fresh: Fresh) {
    destination(&fresh).await;
    member(&fresh.store, "south", "s@example.com", Role::Owner).await;
    let store = &fresh.store;
    put(
        store,
        &[
            to_destination(b"1"),
            delivery("w", b"2", 1),
            to_destination(b"3"),
        ],
    )
    .await;
    claim(store, "a", 1).await;
    done(store, "a", &[sent(1, "sent", 0), sent(3, "parked", 0)], 0).await;
    assert_eq!(
        store
            .messages_resend(
                DESTINATION,
                1,
                3,
                10,
                &support::act("org-south", "deliveries.resent", 9)
            )
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .messages_resend(
                DESTINATION,
                1,
                3,
                10,
                &support::act(ORG, "deliveries.resent", 9)
            )
            .await
            .unwrap(),
        3,
        "what it never got too"
    );
    assert_eq!(claim(store, "a", 9).await, [1, 2, 3]);
    assert_eq!(
        store
            .messages_resend(
                DESTINATION,
                1,
                3,
                10,
                &support::act(ORG, "deliveries.resent", 9)
            )
            .await
            .unwrap(),
        0,
        "they are on their way"
    );
    store.messages_release("a").await.unwrap();
    let most = 2 * to_destination(b"1").weight();
    store.deliveries_prune(most, 10).await.unwrap();
    assert_eq!(
        store
            .messages_resend(
                DESTINATION,
                1,
                3,
                10,
                &support::act(ORG, "deliveries.resent", 9)
            )
            .await
            .unwrap(),
        2,
        "not what is forgotten"
    );
    let rows = store.messages_of(ORG, &[3, 2]).await.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| (row.seq, row.attempts))
            .collect::<Vec<_>>(),
        [(2, 0), (3, 0)]
    );
}

async fn a_revocation_spares_a_younger_consent_and_stops_a_late_refresh(fresh: Fresh) {
    let person = owner(&fresh).await;
    let connected_at = fresh
        .store
        .connection(ORG, "c1")
        .await
        .unwrap()
        .unwrap()
        .connected_at;
    assert!(
        !fresh
            .store
            .connection_revoked("c1", connected_at - 1, 50)
            .await
            .unwrap()
    );
    assert!(
        fresh
            .store
            .connection_revoked("c1", connected_at, 50)
            .await
            .unwrap()
    );
    let broken = fresh.store.connection(ORG, "c1").await.unwrap().unwrap();
    assert!(matches!(
        broken.state,
        State::ReconnectRequired { since: 50, .. }
    ));
    let late = crate::refresh::rotate(&fresh.store, 1, 9).await;
    assert!(matches!(late, Rotated::Overtaken(_)), "{late:?}");
    assert!(
        !fresh
            .store
            .connection_revoked("c1", connected_at, 60)
            .await
            .unwrap(),
        "once"
    );
    fresh
        .store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    assert!(matches!(
        fresh
            .store
            .connection(ORG, "c1")
            .await
            .unwrap()
            .unwrap()
            .state,
        State::Connected { .. }
    ));
}

fn secret(number: i64) -> WebhookSecretRow {
    WebhookSecretRow {
        id: format!("s{number}"),
        organisation_id: ORG.to_owned(),
        connection_id: "c1".to_owned(),
        secret_sealed: vec![1, 2, 3],
        last_four: "1234".to_owned(),
        added_by: None,
        added_at: number,
        retires_at: None,
        replaced: false,
        matched_at: None,
    }
}

async fn a_secret_retires_when_a_newer_one_has_verified_something(fresh: Fresh) {
    let person = owner(&fresh).await;
    let store = &fresh.store;
    member(store, "south", "s@example.com", Role::Owner).await;
    let by = Act {
        actor: AuditActor {
            user_id: Some(person.user_id.clone()),
            ..AuditActor::default()
        },
        ..act("secret.added", 4)
    };
    let add = async |number: i64| {
        store
            .webhook_secret_add(&secret(number), 3, &by)
            .await
            .unwrap()
    };
    for number in 1..=3 {
        assert!(add(number).await);
    }
    assert!(!add(4).await, "all three are accepted still");
    let told = async || {
        let rows = store.webhook_secrets(ORG).await.unwrap();
        assert_eq!(rows, store.webhook_secrets_by_workspace("w").await.unwrap());
        rows.into_iter()
            .map(|row| (row.id, row.retires_at, row.replaced))
            .collect::<Vec<_>>()
    };
    let row = |number: i64, retires_at: Option<i64>, replaced: bool| {
        (format!("s{number}"), retires_at, replaced)
    };
    assert_eq!(
        told().await,
        [row(3, None, false), row(2, None, true), row(1, None, true)]
    );
    store.webhook_secret_matched("s1", 70, 170).await.unwrap();
    assert_eq!(
        told().await,
        [row(3, None, false), row(2, None, true), row(1, None, true)],
        "it takes nobody's place"
    );
    store.webhook_secret_matched("s2", 80, 180).await.unwrap();
    assert_eq!(
        told().await,
        [
            row(3, None, false),
            row(2, None, true),
            row(1, Some(180), true)
        ],
        "the third may be mistyped"
    );
    store.webhook_secret_matched("s2", 99, 199).await.unwrap();
    assert_eq!(
        told().await[2],
        row(1, Some(180), true),
        "counted from the first time"
    );
    assert!(
        store
            .webhook_secret_retire("c1", "s3", &act("secret.retired", 5))
            .await
            .unwrap()
    );
    assert!(
        !store
            .webhook_secret_retire("c1", "s1", &support::act("org-south", "secret.retired", 5))
            .await
            .unwrap()
    );
    assert_eq!(told().await[1], row(2, None, false), "current again");
    assert!(
        add(6).await,
        "the one that is not accepted any more makes room"
    );
    assert!(
        store
            .webhook_secret_restore("c1", "s1", &act("secret.added", 6))
            .await
            .unwrap()
    );
    assert_eq!(
        told().await,
        [row(6, None, true), row(2, None, true), row(1, None, false)]
    );
    assert_eq!(
        store.webhook_secrets(ORG).await.unwrap()[0]
            .added_by
            .as_deref(),
        Some("Name of a@example.com")
    );
    store.webhook_secret_matched("s1", 60, 160).await.unwrap();
    assert_eq!(
        told().await,
        [
            row(6, Some(160), true),
            row(2, Some(160), true),
            row(1, None, false)
        ],
        "also one that was here before"
    );
    assert_eq!(
        store.webhook_secrets(ORG).await.unwrap()[2].matched_at,
        Some(70)
    );
}

async fn a_secret_that_was_about_to_retire_waits_for_the_new_one_too(fresh: Fresh) {
    owner(&fresh).await;
    let store = &fresh.store;
    for number in 1..=3 {
        assert!(
            store
                .webhook_secret_add(&secret(number), 3, &act("secret.added", 4))
                .await
                .unwrap()
        );
    }
    store.webhook_secret_matched("s2", 70, 170).await.unwrap();
    let soon = "UPDATE webhook_secrets SET rank = 0, retires_at = CASE id WHEN 's1' THEN 9 WHEN \
        's2' THEN 9999999999999 END";
    support::sql(&fresh, soon).await;
    migrate(
        &fresh,
        "UPDATE webhook_secrets SET rank = added_at",
        "-- When the app's present webhook secret",
    )
    .await;
    let told = async || {
        let rows = store.webhook_secrets(ORG).await.unwrap();
        rows.into_iter()
            .map(|row| (row.id, row.retires_at, row.replaced))
            .collect::<Vec<_>>()
    };
    let row = |number: i64, retires_at: Option<i64>, replaced: bool| {
        (format!("s{number}"), retires_at, replaced)
    };
    assert_eq!(
        told().await,
        [
            row(3, None, false),
            row(2, None, true),
            row(1, Some(9), true)
        ]
    );
    store.webhook_secret_matched("s3", 80, 180).await.unwrap();
    assert_eq!(told().await[1], row(2, Some(180), true));
}

async fn strays_add_up_within_limits(fresh: Fresh) {
    let add = async |path: &str, hour: i64, came: i64| {
        fresh
            .store
            .strays_add(
                &Stray {
                    path: path.to_owned(),
                    hour,
                    came,
                    last_at: hour * 10,
                },
                2,
            )
            .await
            .unwrap();
    };
    for (path, hour) in [
        ("/a", 5),
        ("/b", 5),
        ("/c", 5),
        ("/a", 5),
        ("/a", 6),
        ("/c", 6),
    ] {
        add(path, hour, 2).await;
    }
    let told = async |since: i64| {
        let rows = fresh.store.strays(since).await.unwrap();
        rows.into_iter()
            .map(|row| (row.path, row.came, row.last_at))
            .collect::<Vec<_>>()
    };
    let row = |path: &str, came: i64, at: i64| (path.to_owned(), came, at);
    assert_eq!(
        told(5).await,
        [row("/a", 6, 60), row("/c", 2, 60), row("/b", 2, 50)],
        "the third one of an hour is not counted"
    );
    assert_eq!(told(6).await, [row("/a", 2, 60), row("/c", 2, 60)]);
    fresh.store.refusals_forget(6).await.unwrap();
    assert_eq!(told(0).await.len(), 2);
}

async fn refusals_add_up(fresh: Fresh) {
    owner(&fresh).await;
    let row = |hour: i64, workspace: &str| RefusalRow {
        workspace_id: workspace.to_owned(),
        hour,
        cause: "wrong_signature".to_owned(),
        secret_id: String::new(),
        refused: 2,
        last_at: hour * 10,
    };
    for refused in [row(5, "w"), row(5, "w"), row(6, "w"), row(6, "elsewhere")] {
        fresh.store.refusals_add(&refused).await.unwrap();
    }
    let mut told = fresh.store.refusals(ORG, 5).await.unwrap();
    told.sort_by_key(|row| row.hour);
    assert_eq!(
        told,
        [
            RefusalRow {
                refused: 4,
                ..row(5, "w")
            },
            row(6, "w")
        ]
    );
    fresh.store.refusals_forget(6).await.unwrap();
    assert_eq!(fresh.store.refusals(ORG, 0).await.unwrap(), [row(6, "w")]);
}
