//! Deliveries, signing secrets and refusals in the store.

use relink_engine::account::{Person, Role};
use relink_engine::connection::State;
use relink_engine::store::{DeliveryFilter, NewDelivery, Recipient, RefusalRow, Rotated, Store, WebhookSecretRow};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::on_both;
use crate::support::{self, Fresh, adoption, member};

on_both!(
    a_body_is_stored_once_for_each_workspace,
    of_many_writers_each_body_is_stored_once,
    who_reads_on_misses_nothing_however_many_write,
    any_bytes_come_back_as_they_were,
    pages_are_filtered_and_cut,
    the_oldest_are_forgotten_in_bites,
    a_shared_delivery_is_stored_once_and_seen_by_both,
    a_revocation_spares_a_younger_consent_and_stops_a_late_refresh,
    secrets_retire_and_the_oldest_go,
    refusals_add_up,
);

const ORG: &str = "org-north";

async fn owner(fresh: &Fresh) -> Person {
    let person = member(&fresh.store, "north", "a@example.com", Role::Owner).await;
    fresh.store.connection_adopt(&adoption(&person, "c1", "w")).await.unwrap();
    person
}

fn recipient(organisation: &str) -> Recipient {
    Recipient { organisation_id: organisation.to_owned(), messages: Vec::new() }
}

fn delivery(workspace: &str, body: &[u8], at: i64) -> NewDelivery {
    NewDelivery {
        workspace_id: workspace.to_owned(),
        digest: Sha256::digest(body).into(),
        outcome: "accepted",
        event: "Issue".to_owned(),
        action: "update".to_owned(),
        subject: "ENG-1".to_owned(),
        actor: "Mara".to_owned(),
        entity: "i1".to_owned(),
        headers: "[]".to_owned(),
        delivery_id: None,
        secret_id: String::new(),
        note_match: false,
        webhook_timestamp: at,
        received_at: at,
        took_us: 900,
        to_do: false,
        body: body.to_vec().into(),
        recipients: vec![recipient(ORG)],
    }
}

async fn all(store: &Store) -> Vec<Vec<u8>> {
    store.deliveries_after(ORG, 0, 10_000, i64::MAX).await.unwrap().into_iter().map(|row| row.body).collect()
}

async fn a_body_is_stored_once_for_each_workspace(fresh: Fresh) {
    let store = &fresh.store;
    let batch = [delivery("w", b"one", 1), delivery("w", b"two", 1), delivery("w", b"one", 2), delivery("v", b"one", 2)];
    assert_eq!(store.deliveries_put(&batch).await.unwrap(), [true, true, false, true]);
    assert_eq!(store.deliveries_put(&[delivery("w", b"two", 9)]).await.unwrap(), [false]);
    let rows = store.deliveries_after(ORG, 0, 10, i64::MAX).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.workspace_id.as_str(), row.body.as_slice(), row.repeats, row.repeated_at)).collect();
    assert_eq!(told, [("w", &b"one"[..], 1, Some(2)), ("w", b"two", 1, Some(9)), ("v", b"one", 0, None)]);
    assert!(rows.is_sorted_by_key(|row| row.seq));
}

async fn of_many_writers_each_body_is_stored_once(fresh: Fresh) {
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = fresh.store.clone();
        writers.spawn(async move {
            let mut new = 0;
            for round in 0..10_u32 {
                let batch: Vec<_> = (0..30_u32).map(|number| delivery("w", &(round * 20 + number).to_be_bytes(), writer)).collect();
                new += store.deliveries_put(&batch).await.unwrap().into_iter().filter(|new| *new).count();
            }
            new
        });
    }
    assert_eq!(writers.join_all().await.iter().sum::<usize>(), 210);
    let mut bodies = all(&fresh.store).await;
    bodies.sort();
    assert_eq!(bodies, (0..210_u32).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>());
}

/// Numbers become visible in their order, also from several processes: nothing appears behind a reader's back.
async fn who_reads_on_misses_nothing_however_many_write(fresh: Fresh) {
    let mut writers = JoinSet::new();
    for writer in 0..4_u32 {
        let store = support::open(&fresh.url).await;
        writers.spawn(async move {
            for number in 0..60_u32 {
                let body = (writer * 1_000 + number).to_be_bytes();
                store.deliveries_put(&[delivery("w", &body, 1)]).await.unwrap();
            }
            store.close().await;
        });
    }
    let (mut seen, mut after) = (0, 0);
    while seen < 240 {
        for row in fresh.store.deliveries_after(ORG, after, 7, i64::MAX).await.unwrap() {
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
        assert_eq!(fresh.store.deliveries_put(&[delivery("w", body, 1)]).await.unwrap(), [true]);
    }
    assert_eq!(all(&fresh.store).await, [vec![0], Vec::new(), bytes]);
}

async fn pages_are_filtered_and_cut(fresh: Fresh) {
    let late = NewDelivery { outcome: "late", event: "Comment".to_owned(), ..delivery("w", b"late body", 2) };
    let ignored = NewDelivery { outcome: "ignored", ..delivery("v", b"ignored body", 3) };
    fresh.store.deliveries_put(&[delivery("w", b"plain body", 1), late, ignored, delivery("w", b"plain body", 4)]).await.unwrap();
    let page = async |filter: DeliveryFilter, before: i64| {
        let rows = fresh.store.deliveries_before(ORG, &filter, before, 5, 10).await.unwrap();
        rows.into_iter().map(|row| String::from_utf8(row.body).unwrap()).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(page(DeliveryFilter::default(), i64::MAX).await, ["ignor", "late ", "plain"], "the newest first, five bytes of each");
    assert_eq!(page(DeliveryFilter::default(), 3).await, ["late ", "plain"]);
    assert_eq!(page(DeliveryFilter { workspace: text("v"), ..DeliveryFilter::default() }, i64::MAX).await, ["ignor"]);
    assert_eq!(page(DeliveryFilter { event: text("Comment"), ..DeliveryFilter::default() }, i64::MAX).await, ["late "]);
    assert_eq!(page(DeliveryFilter { outcome: text("duplicate"), ..DeliveryFilter::default() }, i64::MAX).await, ["plain"]);
    assert_eq!(all(&fresh.store).await, [b"plain body".to_vec(), b"late body".to_vec()], "programs are not told what was ignored");
}

async fn the_oldest_are_forgotten_in_bites(fresh: Fresh) {
    owner(&fresh).await;
    for at in 1..=6_i64 {
        fresh.store.deliveries_put(&[delivery("w", &[7; 10].map(|_: u8| at as u8), at)]).await.unwrap();
    }
    assert_eq!(fresh.store.deliveries_forget(1, i64::MAX, 2).await.unwrap(), 0);
    assert_eq!(fresh.store.deliveries_forget(4, i64::MAX, 2).await.unwrap(), 2, "a bite");
    assert_eq!(fresh.store.deliveries_forget(4, i64::MAX, 2).await.unwrap(), 1);
    assert_eq!((fresh.store.delivery_bytes().await.unwrap(), all(&fresh.store).await.len()), (30, 3));
    assert_eq!(fresh.store.deliveries_forget(0, 15, 10).await.unwrap(), 2, "until they are few enough bytes");
    assert_eq!((fresh.store.delivery_bytes().await.unwrap(), all(&fresh.store).await), (10, vec![vec![6; 10]]));
    assert_eq!(fresh.store.deliveries_last(ORG).await.unwrap(), [("w".to_owned(), 6)]);
}

async fn a_shared_delivery_is_stored_once_and_seen_by_both(fresh: Fresh) {
    let both = NewDelivery { recipients: vec![recipient(ORG), recipient("org-south")], ..delivery("w", b"for both", 1) };
    assert_eq!(fresh.store.deliveries_put(&[delivery("w", b"for both", 1)]).await.unwrap(), [true]);
    assert_eq!(fresh.store.deliveries_put(std::slice::from_ref(&both)).await.unwrap(), [true], "new to the other one");
    assert_eq!(fresh.store.deliveries_put(&[both]).await.unwrap(), [false]);
    let other = fresh.store.deliveries_after("org-south", 0, 10, i64::MAX).await.unwrap();
    assert_eq!((all(&fresh.store).await.len(), other.len()), (1, 1));
    assert_eq!(fresh.store.delivery_bytes().await.unwrap(), 8);
}

async fn a_revocation_spares_a_younger_consent_and_stops_a_late_refresh(fresh: Fresh) {
    let person = owner(&fresh).await;
    let connected_at = fresh.store.connection(ORG, "c1").await.unwrap().unwrap().connected_at;
    assert!(!fresh.store.connection_revoked("c1", connected_at - 1, 50).await.unwrap());
    assert!(fresh.store.connection_revoked("c1", connected_at, 50).await.unwrap());
    let broken = fresh.store.connection(ORG, "c1").await.unwrap().unwrap();
    assert!(matches!(broken.state, State::ReconnectRequired { since: 50, .. }));
    let late = crate::refresh::rotate(&fresh.store, 1, 9).await;
    assert!(matches!(late, Rotated::Overtaken(_)), "{late:?}");
    assert!(!fresh.store.connection_revoked("c1", connected_at, 60).await.unwrap(), "once");
    fresh.store.connection_adopt(&adoption(&person, "c1", "w")).await.unwrap();
    assert!(matches!(fresh.store.connection(ORG, "c1").await.unwrap().unwrap().state, State::Connected { .. }));
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
        matched_at: None,
    }
}

async fn secrets_retire_and_the_oldest_go(fresh: Fresh) {
    let person = owner(&fresh).await;
    let store = &fresh.store;
    for number in 1..=4 {
        store.webhook_secret_add(&secret(number), Some(&person.user_id), 100 + number, 2).await.unwrap();
    }
    let told = async || {
        let rows = store.webhook_secrets(ORG).await.unwrap();
        assert_eq!(rows, store.webhook_secrets_by_workspace("w").await.unwrap());
        rows.into_iter().map(|row| (row.id, row.retires_at)).collect::<Vec<_>>()
    };
    let row = |number: i64, retires_at: Option<i64>| (format!("s{number}"), retires_at);
    assert_eq!(told().await, [row(4, None), row(3, Some(104)), row(2, Some(103))], "two of the older ones stay");
    assert_eq!(store.webhook_secrets(ORG).await.unwrap()[0].added_by.as_deref(), Some("Name of a@example.com"));
    store.webhook_secret_restore("c1", "s2", 200).await.unwrap();
    assert_eq!(told().await, [row(4, Some(200)), row(3, Some(104)), row(2, None)]);
    assert!(store.webhook_secret_retire(ORG, "c1", "s3", 7).await.unwrap());
    assert!(!store.webhook_secret_retire("org-south", "c1", "s3", 8).await.unwrap());
    assert_eq!(told().await, [row(4, Some(200)), row(3, Some(7)), row(2, None)]);
    let matched = NewDelivery { secret_id: "s2".to_owned(), note_match: true, ..delivery("w", b"x", 77) };
    store.deliveries_put(&[matched]).await.unwrap();
    assert_eq!(store.webhook_secrets(ORG).await.unwrap()[2].matched_at, Some(77));
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
    assert_eq!(told, [RefusalRow { refused: 4, ..row(5, "w") }, row(6, "w")]);
    fresh.store.refusals_forget(6).await.unwrap();
    assert_eq!(fresh.store.refusals(ORG, 0).await.unwrap(), [row(6, "w")]);
}
