//! A destination that keeps order, far behind: what is claimed costs no more because much waits.

use relink_engine::identity::Role;
use relink_engine::store::{
    DestinationRow, MessageState, NewDelivery, RecipientRow, Sent, SentBatch, Store, Verdict,
};
use sqlx::Row as _;

use crate::support::{self, Server, act, adoption, delivery, member};

const WAITING: u32 = 12_000;
const THINGS: u32 = 8;
const ROUNDS: usize = 40;

async fn fill(store: &Store) {
    let person = member(store, "north", "a@example.com", Role::Owner).await;
    store
        .connection_adopt(&adoption(&person, "c1", "w"))
        .await
        .unwrap();
    let row = DestinationRow {
        ordered: true,
        secret_sealed: vec![1],
        ..DestinationRow::new("d1", "org-north", "https://example.com/", 1)
    };
    assert!(
        store
            .destination_add(&row, 1, &act("org-north", "destination.added", 1))
            .await
            .unwrap()
    );
    let all: Vec<NewDelivery> = (0..WAITING)
        .map(|number| {
            let messages = vec![("d1".to_owned(), format!("i{}", number % THINGS))];
            let recipients = vec![RecipientRow {
                organisation_id: "org-north".to_owned(),
                messages,
            }];
            NewDelivery {
                recipients,
                ..delivery("w", &number.to_be_bytes(), 1)
            }
        })
        .collect();
    for batch in all.chunks(64) {
        store.deliveries_put(batch).await.unwrap();
    }
}

/// Rows of messages and entries of their indexes that were read so far.
async fn read(server: &Server) -> i64 {
    const SQL: &str = "SELECT (SELECT SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) FROM \
        pg_stat_user_tables WHERE relname = 'messages')::BIGINT \
        + (SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'messages')::BIGINT";
    sqlx::raw_sql(SQL)
        .fetch_one(&mut server.connect().await)
        .await
        .unwrap()
        .get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_reads_no_more_of_a_backlog_than_it_needs() {
    let Some(server) = Server::new("").await else {
        return;
    };
    let store = support::open(&server.url()).await;
    store.migrate().await.unwrap();
    fill(&store).await;
    sqlx::raw_sql("VACUUM ANALYZE")
        .execute(&mut server.connect().await)
        .await
        .unwrap();
    // What a session read is counted when it ends.
    store.close().await;
    server.end_sessions().await;
    let before = read(&server).await;
    let store = support::open(&server.url()).await;
    let mut claimed = store.messages_claim("d1", "p", 1, 64).await.unwrap();
    for _ in 0..ROUNDS {
        assert_eq!(claimed.len(), THINGS as usize, "of each thing one");
        let sent = |seq| Sent {
            seq,
            state: MessageState::Sent,
            next_at: 0,
            status: Some(200),
            answer: String::new(),
            at: 1,
            first: false,
        };
        let (sent, ended): (Vec<Sent>, Vec<String>) = claimed
            .into_iter()
            .map(|one| (sent(one.seq), one.entity))
            .unzip();
        claimed = store
            .messages_done(
                SentBatch {
                    destination: "d1",
                    owner: "p",
                    sent: &sent,
                    verdict: Verdict::Takes,
                    again_at: 0,
                },
                &ended,
            )
            .await
            .unwrap()
            .expect("it is not paused");
    }
    store.close().await;
    server.end_sessions().await;
    let each = (read(&server).await - before) / (ROUNDS as i64 * i64::from(THINGS));
    assert!(
        each < 1_000,
        "{each} rows read for each message of {WAITING} that wait"
    );
}
