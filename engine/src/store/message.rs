//! Messages: deliveries on their way to a destination. A process claims what it sends; a claim of a process that died is
//! free again.

use sqlx::FromRow;

use super::{Db, Store, Stored, on};
use crate::clock::Millis;

/// Bytes of a body that is read with the claim.
const BODY_MAX: i32 = 64 * 1024;

/// A message that this process claimed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ClaimedMessage {
    pub seq: i64,
    pub attempts: i64,
    pub first_at: Option<Millis>,
    pub workspace_id: String,
    pub digest: Vec<u8>,
    /// Linear's own headers, as JSON.
    pub headers: String,
    /// Absent where it is large: then it is read when its turn comes.
    pub body: Option<Vec<u8>>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub seq: i64,
    /// "sent", "waiting" for another try, or "parked".
    pub state: &'static str,
    pub next_at: Millis,
    pub status: Option<i64>,
    pub answer: String,
    pub at: Millis,
}

/// What became of a delivery at a destination, for a page.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MessageRow {
    pub destination_id: String,
    pub seq: i64,
    pub state: String,
    pub attempts: i64,
    pub next_at: Millis,
    pub last_status: Option<i64>,
    pub last_answer: Option<String>,
    pub last_at: Option<Millis>,
}

impl Store {
    /// Claims messages of a destination that are due, the oldest first. Where order is asked for, none that has an earlier one
    /// about the same thing before it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_claim(&self, destination: &str, owner: &str, now: Millis, limit: i64) -> Stored<Vec<ClaimedMessage>> {
        macro_rules! claim {
            ($lock:literal) => {
                concat!(
                    "UPDATE messages SET claimed_by = $2, first_at = COALESCE(first_at, $3) WHERE destination_id = $1 AND seq IN (\
                     SELECT m.seq FROM messages m WHERE m.destination_id = $1 \
                     AND EXISTS (SELECT 1 FROM destinations d WHERE d.id = $1 AND d.paused_at IS NULL) AND m.state = 'waiting' AND m.next_at <= $3 AND m.claimed_by IS NULL \
                     AND (m.entity = '' OR NOT EXISTS (SELECT 1 FROM messages e WHERE e.destination_id = m.destination_id AND e.entity = m.entity \
                     AND e.entity <> '' AND e.state = 'waiting' AND e.seq < m.seq)) ORDER BY m.seq LIMIT $4 ",
                    $lock,
                    ") AND claimed_by IS NULL RETURNING seq"
                )
            };
        }
        let turn = self.turn_to_write().await;
        let mut claimed: Vec<i64> = match &self.db {
            Db::Sqlite(pool) => sqlx::query_scalar(claim!("")).bind(destination).bind(owner).bind(now).bind(limit).fetch_all(pool).await?,
            Db::Postgres(pool) => {
                let sql = claim!("FOR UPDATE SKIP LOCKED");
                sqlx::query_scalar(sql).bind(destination).bind(owner).bind(now).bind(limit).fetch_all(pool).await?
            }
        };
        drop(turn);
        claimed.sort_unstable();
        self.messages_read(destination, owner, &claimed).await
    }

    /// With their bodies; where it was pruned meanwhile, the message is parked.
    async fn messages_read(&self, destination: &str, owner: &str, claimed: &[i64]) -> Stored<Vec<ClaimedMessage>> {
        let (Some(first), Some(last)) = (claimed.first(), claimed.last()) else { return Ok(Vec::new()) };
        const READ: &str = "SELECT m.seq, m.attempts, m.first_at, d.workspace_id, d.digest, d.headers, CASE WHEN length(d.body) <= $5 THEN d.body END AS body \
            FROM messages m JOIN deliveries d ON d.seq = m.seq AND d.seq > (SELECT pruned_to FROM delivery_log) \
            WHERE m.destination_id = $1 AND m.claimed_by = $2 AND m.seq >= $3 AND m.seq <= $4 ORDER BY m.seq";
        const PARK: &str = "UPDATE messages SET state = 'parked', claimed_by = NULL, last_answer = 'the delivery was not kept for so long' \
            WHERE destination_id = $1 AND claimed_by = $2 AND seq >= $3 AND seq <= $4 \
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = messages.seq AND d.seq > (SELECT pruned_to FROM delivery_log))";
        let all: Vec<ClaimedMessage> = on!(&self.db, pool => sqlx::query_as(READ).bind(destination).bind(owner).bind(first).bind(last).bind(BODY_MAX).fetch_all(pool).await?);
        if all.len() < claimed.len() {
            on!(&self.db, pool => { sqlx::query(PARK).bind(destination).bind(owner).bind(first).bind(last).execute(pool).await?; });
        }
        Ok(all.into_iter().filter(|message| claimed.binary_search(&message.seq).is_ok()).collect())
    }

    /// Writes down how tries of one destination ended, and lets go of the claims. The destination is left alone until
    /// `again_at`. Where none of them worked, it counts as failing; one that worked ends that.
    ///
    /// # Errors
    /// When the database fails; the claims stay then, and what was sent may be sent again.
    pub async fn messages_done(&self, destination: &str, owner: &str, sent: &[Sent], again_at: Millis) -> Stored<()> {
        const GOOD: &str = "UPDATE destinations SET failing_since = NULL, next_at = $5, last_status = $2, last_answer = $3, last_at = $4, last_ok_at = $4 WHERE id = $1";
        const BAD: &str = "UPDATE destinations SET failing_since = COALESCE(failing_since, $4), next_at = $5, last_status = $2, last_answer = $3, last_at = $4 \
            WHERE id = $1";
        const MESSAGE: &str = "UPDATE messages SET state = $4, attempts = attempts + 1, next_at = $5, last_status = $6, last_answer = $7, last_at = $8, \
            claimed_by = NULL WHERE destination_id = $1 AND claimed_by = $2 AND seq = $3";
        let Some(last) = sent.iter().rfind(|one| one.state == "sent").or(sent.last()) else { return Ok(()) };
        let mut in_order: Vec<&Sent> = sent.iter().collect();
        in_order.sort_by_key(|one| one.seq);
        let _turn = self.turn_to_write().await;
        on!(&self.db, pool => {
            let mut tx = pool.begin().await?;
            // The destination first and its messages in order, as everywhere: else two could wait for each other.
            let noted = sqlx::query(if last.state == "sent" { GOOD } else { BAD }).bind(destination).bind(last.status).bind(&last.answer).bind(last.at);
            noted.bind(again_at).execute(&mut *tx).await?;
            for one in in_order {
                sqlx::query(MESSAGE).bind(destination).bind(owner).bind(one.seq).bind(one.state).bind(one.next_at).bind(one.status).bind(&one.answer)
                    .bind(one.at).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Lets go of what this process claimed of a destination and did not send, without counting a try.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_unclaim(&self, destination: &str, owner: &str) -> Stored<()> {
        const SQL: &str = "UPDATE messages SET claimed_by = NULL WHERE destination_id = $1 AND claimed_by = $2";
        let _turn = self.turn_to_write().await;
        on!(&self.db, pool => { sqlx::query(SQL).bind(destination).bind(owner).execute(pool).await?; });
        Ok(())
    }

    /// Lets go of all that a process claimed: it stopped, or died.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_release(&self, owner: &str) -> Stored<u64> {
        let _turn = self.turn_to_write().await;
        on!(&self.db, pool => {
            let mut tx = pool.begin().await?;
            let released = sqlx::query("UPDATE messages SET claimed_by = NULL WHERE claimed_by = $1").bind(owner).execute(&mut *tx).await?.rows_affected();
            sqlx::query("DELETE FROM processes WHERE owner = $1").bind(owner).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(released)
        })
    }

    /// Shows that a process which claims messages is alive.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn process_beat(&self, owner: &str) -> Stored<()> {
        const SQL: &str = "INSERT INTO processes (owner, beat) VALUES ($1, 1) ON CONFLICT (owner) DO UPDATE SET beat = processes.beat + 1";
        on!(&self.db, pool => { sqlx::query(SQL).bind(owner).execute(pool).await?; });
        Ok(())
    }

    /// Other processes that hold claims, with their beat; -1 for one that never showed any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn processes_claiming(&self, besides: &str) -> Stored<Vec<(String, i64)>> {
        const SQL: &str = "SELECT DISTINCT m.claimed_by, COALESCE(p.beat, -1) FROM messages m LEFT JOIN processes p ON p.owner = m.claimed_by \
            WHERE m.claimed_by IS NOT NULL AND m.claimed_by <> $1";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(besides).fetch_all(pool).await?))
    }

    /// Forgets processes that hold no claims: most of them are gone, and one that is not shows itself again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn processes_forget(&self) -> Stored<()> {
        const SQL: &str = "DELETE FROM processes WHERE owner NOT IN (SELECT claimed_by FROM messages WHERE claimed_by IS NOT NULL)";
        on!(&self.db, pool => { sqlx::query(SQL).execute(pool).await?; });
        Ok(())
    }

    /// What became of these deliveries at the organisation's destinations. One query, however many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_of(&self, organisation: &str, seqs: &[i64]) -> Stored<Vec<MessageRow>> {
        macro_rules! of_each {
            ($among:literal) => {
                concat!(
                    "SELECT m.destination_id, m.seq, m.state, m.attempts, m.next_at, m.last_status, m.last_answer, m.last_at \
                     FROM messages m JOIN destinations d ON d.id = m.destination_id WHERE d.organisation_id = $1 AND m.seq ",
                    $among,
                    " ORDER BY m.seq"
                )
            };
        }
        match &self.db {
            Db::Sqlite(pool) => {
                let seqs = serde_json::to_string(seqs).unwrap_or_default();
                Ok(sqlx::query_as(of_each!("IN (SELECT value FROM json_each($2))")).bind(organisation).bind(seqs).fetch_all(pool).await?)
            }
            Db::Postgres(pool) => Ok(sqlx::query_as(of_each!("= ANY($2)")).bind(organisation).bind(seqs).fetch_all(pool).await?),
        }
    }

    /// How many messages wait for each destination of an organisation, and how many were parked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_count(&self, organisation: &str) -> Stored<Vec<(String, String, i64)>> {
        const SQL: &str = "SELECT m.destination_id, m.state, COUNT(*) FROM messages m JOIN destinations d ON d.id = m.destination_id \
            WHERE d.organisation_id = $1 AND m.state <> 'sent' GROUP BY m.destination_id, m.state";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(organisation).fetch_all(pool).await?))
    }

    /// Sends deliveries once more to a destination, whatever became of them before, `limit` of them at most. Answers how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_resend(&self, organisation: &str, destination: &str, from: i64, to: i64, now: Millis, limit: i64) -> Stored<u64> {
        const SQL: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at) \
            SELECT d.id, r.seq, CASE WHEN d.ordered THEN v.entity ELSE '' END, 'waiting', 0, $5 FROM destinations d JOIN delivery_recipients r ON r.organisation_id = d.organisation_id \
            JOIN deliveries v ON v.seq = r.seq \
            WHERE d.organisation_id = $1 AND d.id = $2 AND r.number >= $3 AND r.seq >= $3 AND r.seq <= $4 AND v.outcome <> 'ignored' \
             AND v.seq > (SELECT pruned_to FROM delivery_log) ORDER BY r.seq LIMIT $6 \
            ON CONFLICT (destination_id, seq) DO UPDATE SET state = 'waiting', attempts = 0, first_at = NULL, next_at = excluded.next_at \
            WHERE messages.claimed_by IS NULL";
        on!(&self.db, pool => Ok(sqlx::query(SQL).bind(organisation).bind(destination).bind(from).bind(to).bind(now).bind(limit)
            .execute(pool).await?.rows_affected()))
    }
}
