//! Messages: deliveries on their way to a destination. A process claims what it sends; a claim of a
//! process that died is free again.

use sqlx_macros::FromRow;

use super::audit::note;
use super::postgres::transact;
use super::{Act, Db, SEVERAL, Store, Stored, on, sound_rows};
use crate::clock::{HOUR, Millis};
use crate::digest::sha256_hex;
use crate::names::{column, named};

/// Bytes of a body that is read with the claim.
const BODY_MAX: i32 = 64 * 1024;
/// The longest that anything is ever put off for. What seems to be put off for longer was so by a
/// clock that was wrong, and is due.
pub const LONGEST_WAIT: Millis = 6 * HOUR;
/// The longest that a destination is left alone for.
pub const LONGEST_REST: Millis = HOUR;
/// The part of the time between two failures that counts as time of failing: more of it passed
/// while nobody tried, or by a clock alone.
const FAILING_STEP: Millis = LONGEST_WAIT + LONGEST_REST;

/// A message that this process claimed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ClaimedMessage {
    pub seq: i64,
    /// Empty where order is not asked for.
    pub entity: String,
    pub attempts: i64,
    pub first_at: Option<Millis>,
    pub workspace_id: String,
    pub digest: Vec<u8>,
    /// Linear's own headers, as JSON.
    pub headers: String,
    /// Absent where it is large: then it is read when its turn comes.
    pub body: Option<Vec<u8>>,
}

named! {
    /// The place of a message on its way.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum MessageState {
        Sent = "sent",
        /// It waits for its first try, or another one.
        Waiting = "waiting",
        /// The message is given up until somebody sends it again.
        Parked = "parked",
    }
}
column!(MessageState);

/// The result of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub seq: i64,
    pub state: MessageState,
    pub next_at: Millis,
    pub status: Option<i64>,
    pub answer: String,
    pub at: Millis,
    /// It was tried for the first time.
    pub first: bool,
}

/// The judgement of some tries on the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It took something.
    Takes,
    /// It takes nothing.
    Fails,
    /// It is open: more is under way.
    Open,
}

/// The results of some tries of one destination, for the process that claimed the messages.
#[derive(Clone, Copy, Debug)]
pub struct SentBatch<'a> {
    pub destination: &'a str,
    pub owner: &'a str,
    pub sent: &'a [Sent],
    pub verdict: Verdict,
    /// The destination is left alone until then.
    pub again_at: Millis,
}

/// The fate of a delivery at a destination, for a page.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Message {
    pub destination_id: String,
    pub seq: i64,
    pub state: MessageState,
    pub attempts: i64,
    pub next_at: Millis,
    pub last_status: Option<i64>,
    pub last_answer: Option<String>,
    pub last_at: Option<Millis>,
}

/// A statement for a list of numbers, as either database takes lists.
macro_rules! of_each {
    ($before:literal, $after:literal) => {
        (
            concat!($before, "IN (SELECT value FROM json_each($2))", $after),
            concat!($before, "= ANY($2)", $after),
        )
    };
}

/// The message that was refused, if there is one, or [`SEVERAL`].
fn refused(sent: &[Sent]) -> Option<i64> {
    let mut refused = sent
        .iter()
        .filter(|one| one.state != MessageState::Sent)
        .map(|one| one.seq);
    let first = refused.next()?;
    Some(if refused.all(|seq| seq == first) {
        first
    } else {
        SEVERAL
    })
}

fn list(numbers: &[i64]) -> String {
    serde_json::to_string(numbers).unwrap_or_default()
}

impl Store {
    /// Claims messages of a destination that are due. Where order is asked for, of each thing only
    /// the first that has not ended; which things come first changes each time, so that none waits
    /// for ever. It reads no more of a backlog than it claims.
    pub async fn messages_claim(
        &self,
        destination: &str,
        owner: &str,
        now: Millis,
        limit: i64,
    ) -> Stored<Vec<ClaimedMessage>> {
        let from = sha256_hex(&now.to_be_bytes());
        let left = |claimed: &[i64]| limit - i64::try_from(claimed.len()).unwrap_or(limit);
        let mut claimed = self
            .messages_claim_firsts(destination, owner, now, &from, limit)
            .await?;
        claimed.extend(
            self.messages_claim_firsts(destination, owner, now, "", left(&claimed))
                .await?,
        );
        claimed.extend(
            self.messages_claim_any(destination, owner, now, left(&claimed))
                .await?,
        );
        self.messages_read(destination, owner, &claimed).await
    }

    /// The first message of each thing that is named after `from`.
    async fn messages_claim_firsts(
        &self,
        destination: &str,
        owner: &str,
        now: Millis,
        from: &str,
        limit: i64,
    ) -> Stored<Vec<i64>> {
        // From thing to thing along the index, as far as needed. Plain sub-selects: a join might
        // read all that waits.
        const FIRSTS: &str = "WITH RECURSIVE things (entity) AS (\
            SELECT (SELECT MIN(m.entity) FROM messages m WHERE m.destination_id = $1 AND m.state = \
            'waiting' AND m.entity <> '' AND m.entity > $2) \
            UNION ALL SELECT (SELECT MIN(m.entity) FROM messages m WHERE m.destination_id = $1 AND \
            m.state = 'waiting' AND m.entity <> '' \
            AND m.entity > things.entity) FROM things WHERE things.entity IS NOT NULL) \
            SELECT firsts.seq FROM (SELECT (SELECT MIN(m.seq) FROM messages m WHERE \
            m.destination_id = $1 AND m.state = 'waiting' \
            AND m.entity <> '' AND m.entity = things.entity) AS seq FROM things WHERE \
            things.entity IS NOT NULL) AS firsts \
            WHERE (SELECT m.claimed_by IS NULL AND (m.next_at <= $3 OR m.next_at > $3 + $5) FROM \
            messages m \
            WHERE m.seq = firsts.seq AND m.destination_id = $1) LIMIT $4";
        let firsts: Vec<i64> = on!(&self.db, |pool| sqlx::query_scalar(FIRSTS)
            .bind(destination)
            .bind(from)
            .bind(now)
            .bind(limit)
            .bind(LONGEST_WAIT)
            .fetch_all(pool)
            .await?);
        if firsts.is_empty() {
            return Ok(firsts);
        }
        const CLAIM: (&str, &str) = of_each!(
            "UPDATE messages SET claimed_by = $3, first_at = COALESCE(first_at, $4) WHERE \
                destination_id = $1 AND seq ",
            " AND state = 'waiting' AND claimed_by IS NULL AND EXISTS (SELECT 1 FROM destinations \
                d WHERE d.id = $1 AND d.paused_at IS NULL) \
                RETURNING seq"
        );
        let _turn = self.turn_to_write().await;
        match &self.db {
            Db::Sqlite(pool) => Ok(sqlx::query_scalar(CLAIM.0)
                .bind(destination)
                .bind(list(&firsts))
                .bind(owner)
                .bind(now)
                .fetch_all(pool)
                .await?),
            Db::Postgres(pool) => Ok(sqlx::query_scalar(CLAIM.1)
                .bind(destination)
                .bind(firsts)
                .bind(owner)
                .bind(now)
                .fetch_all(pool)
                .await?),
        }
    }

    async fn messages_claim_any(
        &self,
        destination: &str,
        owner: &str,
        now: Millis,
        limit: i64,
    ) -> Stored<Vec<i64>> {
        macro_rules! claim {
            ($lock:literal) => {
                concat!(
                    "UPDATE messages SET claimed_by = $2, first_at = COALESCE(first_at, $3) WHERE \
                        destination_id = $1 AND seq IN (\
                        SELECT m.seq FROM messages m WHERE m.destination_id = $1 AND m.state = \
                        'waiting' AND m.claimed_by IS NULL AND m.entity = '' \
                        AND m.next_at <= $3 AND EXISTS (SELECT 1 FROM destinations d WHERE d.id = \
                        $1 AND d.paused_at IS NULL) \
                        ORDER BY m.next_at, m.seq LIMIT $4 ",
                    $lock,
                    ") AND claimed_by IS NULL RETURNING seq"
                )
            };
        }
        let _turn = self.turn_to_write().await;
        match &self.db {
            Db::Sqlite(pool) => Ok(sqlx::query_scalar(claim!(""))
                .bind(destination)
                .bind(owner)
                .bind(now)
                .bind(limit)
                .fetch_all(pool)
                .await?),
            Db::Postgres(pool) => {
                let sql = claim!("FOR UPDATE SKIP LOCKED");
                Ok(sqlx::query_scalar(sql)
                    .bind(destination)
                    .bind(owner)
                    .bind(now)
                    .bind(limit)
                    .fetch_all(pool)
                    .await?)
            }
        }
    }

    /// Reads messages with their bodies.
    async fn messages_read(
        &self,
        destination: &str,
        owner: &str,
        claimed: &[i64],
    ) -> Stored<Vec<ClaimedMessage>> {
        const READ: (&str, &str) = of_each!(
            "SELECT m.seq, m.entity, m.attempts, m.first_at, d.workspace_id, d.digest, d.headers, \
                CASE WHEN length(d.body) <= $4 THEN d.body END AS body \
                FROM messages m JOIN deliveries d ON d.seq = m.seq WHERE m.destination_id = $1 AND \
                m.claimed_by = $3 AND m.seq ",
            " ORDER BY m.seq"
        );
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        match &self.db {
            Db::Sqlite(pool) => Ok(sqlx::query_as(READ.0)
                .bind(destination)
                .bind(list(claimed))
                .bind(owner)
                .bind(BODY_MAX)
                .fetch_all(pool)
                .await?),
            Db::Postgres(pool) => Ok(sqlx::query_as(READ.1)
                .bind(destination)
                .bind(claimed)
                .bind(owner)
                .bind(BODY_MAX)
                .fetch_all(pool)
                .await?),
        }
    }

    /// Makes unordered messages due that were put off by a clock that was wrong. Answers how many.
    pub async fn messages_unstick(&self, now: Millis) -> Stored<u64> {
        const SQL: &str = "UPDATE messages SET next_at = $1 WHERE state = 'waiting' AND claimed_by \
            IS NULL AND entity = '' AND next_at > $1 + $2 \
            AND destination_id IN (SELECT id FROM destinations)";
        let _turn = self.turn_to_write().await;
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(now)
            .bind(LONGEST_WAIT)
            .execute(pool)
            .await?
            .rows_affected()))
    }

    /// Writes down how tries ended and what they say about the destination, lets go of the claims,
    /// and claims in the same transaction what comes next about `things`. `None`: the destination
    /// takes nothing more, since it was paused or removed.
    ///
    /// # Errors
    /// When the database fails; the claims stay then, and what was sent may be sent again.
    pub async fn messages_done(
        &self,
        tries: SentBatch<'_>,
        things: &[String],
    ) -> Stored<Option<Vec<ClaimedMessage>>> {
        let Some(next) = self.messages_end(tries, things).await? else {
            return Ok(None);
        };
        self.messages_read(tries.destination, tries.owner, &next)
            .await
            .map(Some)
    }

    async fn messages_end(
        &self,
        tries: SentBatch<'_>,
        things: &[String],
    ) -> Stored<Option<Vec<i64>>> {
        const TAKES: &str = "UPDATE destinations SET failing_since = NULL, failing_for = 0, \
            failing_new = 0, refused_seq = NULL, next_at = $5, last_status = $2, last_answer = $3, \
            last_at = $4, \
            last_ok_at = $4 WHERE id = $1 RETURNING paused_at IS NULL";
        // Other messages than the one that was refused before make it several.
        macro_rules! refused {
            () => {
                "refused_seq = CASE WHEN $6 IS NULL THEN refused_seq WHEN refused_seq IS NULL OR \
                    refused_seq = $6 THEN $6 ELSE -1 END, "
            };
        }
        const OPEN: &str = concat!(
            "UPDATE destinations SET ",
            refused!(),
            "next_at = $5, last_status = $2, last_answer = $3, last_at = $4 WHERE id = $1 \
                RETURNING paused_at IS NULL"
        );
        // How long it fails counts from the second message on.
        const FAILS: &str = concat!(
            "UPDATE destinations SET ",
            refused!(),
            "failing_since = COALESCE(failing_since, $4), failing_new = CASE WHEN $8 THEN \
                failing_for ELSE failing_new END, next_at = $5, last_status = $2, last_answer = \
                $3, last_at = $4, \
                failing_for = CASE WHEN failing_since IS NULL OR refused_seq IS NULL OR \
                refused_seq <> -1 THEN 0 WHEN $4 < last_at THEN failing_for \
                WHEN $4 - last_at > $7 THEN failing_for + $7 ELSE failing_for + $4 - last_at END \
                WHERE id = $1 RETURNING paused_at IS NULL"
        );
        const MESSAGE: &str = "UPDATE messages SET state = $4, attempts = attempts + 1, next_at = \
            $5, last_status = $6, last_answer = $7, last_at = $8, \
            claimed_by = NULL WHERE destination_id = $1 AND claimed_by = $2 AND seq = $3";
        const NEXT: &str = "UPDATE messages SET claimed_by = $2, first_at = COALESCE(first_at, $4) \
            WHERE destination_id = $1 AND seq = \
            (SELECT MIN(m.seq) FROM messages m WHERE m.destination_id = $1 AND m.state = 'waiting' \
            AND m.entity <> '' AND m.entity = $3) \
            AND state = 'waiting' AND claimed_by IS NULL AND (next_at <= $4 OR next_at > $4 + $5) \
            AND EXISTS (SELECT 1 FROM destinations d WHERE d.id = $1 AND d.paused_at IS NULL) \
            RETURNING seq";
        let SentBatch {
            destination,
            owner,
            sent,
            verdict,
            again_at,
        } = tries;
        let Some(last) = sent
            .iter()
            .rfind(|one| one.state == MessageState::Sent)
            .or(sent.last())
        else {
            return Ok(Some(Vec::new()));
        };
        let mut in_order: Vec<&Sent> = sent.iter().collect();
        in_order.sort_by_key(|one| one.seq);
        let _turn = self.turn_to_write().await;
        transact!(self, |tx| {
            // The destination first and its messages in order, as everywhere: else two could wait
            // for each other.
            let noted = match verdict {
                Verdict::Takes => TAKES,
                Verdict::Fails => FAILS,
                Verdict::Open => OPEN,
            };
            let noted = sqlx::query_scalar::<_, bool>(noted)
                .bind(destination)
                .bind(last.status)
                .bind(&last.answer)
                .bind(last.at)
                .bind(again_at);
            let noted = match verdict {
                Verdict::Takes => noted,
                Verdict::Open => noted.bind(refused(sent)),
                Verdict::Fails => noted.bind(refused(sent)).bind(FAILING_STEP).bind(
                    sent.iter()
                        .any(|one| one.first && one.state != MessageState::Sent),
                ),
            };
            let takes = noted.fetch_optional(&mut *tx).await?.unwrap_or(false);
            for one in &in_order {
                sqlx::query(MESSAGE)
                    .bind(destination)
                    .bind(owner)
                    .bind(one.seq)
                    .bind(one.state.name())
                    .bind(one.next_at)
                    .bind(one.status)
                    .bind(&one.answer)
                    .bind(one.at)
                    .execute(&mut *tx)
                    .await?;
            }
            let mut next: Vec<i64> = Vec::new();
            for thing in things {
                next.extend(
                    sqlx::query_scalar::<_, i64>(NEXT)
                        .bind(destination)
                        .bind(owner)
                        .bind(thing)
                        .bind(last.at)
                        .bind(LONGEST_WAIT)
                        .fetch_all(&mut *tx)
                        .await?,
                );
            }
            tx.commit().await?;
            Ok(takes.then_some(next))
        })
    }

    /// Lets go of what this process claimed of a destination and did not send, without counting a
    /// try.
    pub async fn messages_unclaim(&self, destination: &str, owner: &str) -> Stored<()> {
        const SQL: &str = "UPDATE messages SET claimed_by = NULL WHERE destination_id = $1 AND \
            claimed_by = $2";
        let _turn = self.turn_to_write().await;
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(destination)
                .bind(owner)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// The destinations for which a process holds claims.
    pub async fn destinations_claimed(&self, owner: &str) -> Stored<Vec<String>> {
        const SQL: &str = "SELECT DISTINCT destination_id FROM messages WHERE claimed_by = $1";
        on!(&self.db, |pool| Ok(sqlx::query_scalar(SQL)
            .bind(owner)
            .fetch_all(pool)
            .await?))
    }

    /// Lets go of all that a process claimed: it stopped, or died.
    pub async fn messages_release(&self, owner: &str) -> Stored<u64> {
        let _turn = self.turn_to_write().await;
        transact!(self, |tx| {
            let released =
                sqlx::query("UPDATE messages SET claimed_by = NULL WHERE claimed_by = $1")
                    .bind(owner)
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
            sqlx::query("DELETE FROM processes WHERE owner = $1")
                .bind(owner)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(released)
        })
    }

    /// Shows that a process which claims messages is alive. It counts its own beats: a row that was
    /// forgotten meanwhile must not show one that was seen before.
    pub async fn process_beat(&self, owner: &str, beat: i64) -> Stored<()> {
        const SQL: &str = "INSERT INTO processes (owner, beat) VALUES ($1, $2) ON CONFLICT (owner) \
            DO UPDATE SET beat = excluded.beat";
        on!(&self.db, |pool| {
            sqlx::query(SQL)
                .bind(owner)
                .bind(beat)
                .execute(pool)
                .await?;
        });
        Ok(())
    }

    /// Other processes that hold claims, with their beat; -1 for one that never showed any.
    pub async fn processes_claiming(&self, besides: &str) -> Stored<Vec<(String, i64)>> {
        const SQL: &str = "SELECT DISTINCT m.claimed_by, COALESCE(p.beat, -1) FROM messages m LEFT \
            JOIN processes p ON p.owner = m.claimed_by \
            WHERE m.claimed_by IS NOT NULL AND m.claimed_by <> $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(besides)
            .fetch_all(pool)
            .await?))
    }

    /// Forgets processes that hold no claims: most of them are gone, and one that is not shows
    /// itself again.
    pub async fn processes_forget(&self) -> Stored<()> {
        const SQL: &str = "DELETE FROM processes WHERE owner NOT IN (SELECT claimed_by FROM \
            messages WHERE claimed_by IS NOT NULL)";
        on!(&self.db, |pool| {
            sqlx::query(SQL).execute(pool).await?;
        });
        Ok(())
    }

    /// Lists what became of these deliveries at the organisation's destinations. One query, however
    /// many there are.
    pub async fn messages_of(&self, organisation: &str, seqs: &[i64]) -> Stored<Vec<Message>> {
        const SQL: (&str, &str) = of_each!(
            "SELECT m.destination_id, m.seq, m.state, m.attempts, m.next_at, m.last_status, \
                m.last_answer, m.last_at \
                FROM messages m JOIN destinations d ON d.id = m.destination_id WHERE \
                d.organisation_id = $1 AND m.seq ",
            " ORDER BY m.seq"
        );
        match &self.db {
            Db::Sqlite(pool) => Ok(sound_rows(
                &sqlx::query(SQL.0)
                    .bind(organisation)
                    .bind(list(seqs))
                    .fetch_all(pool)
                    .await?,
            )),
            Db::Postgres(pool) => Ok(sound_rows(
                &sqlx::query(SQL.1)
                    .bind(organisation)
                    .bind(seqs)
                    .fetch_all(pool)
                    .await?,
            )),
        }
    }

    /// Counts the messages that wait for each destination of an organisation, and those that were
    /// parked.
    pub async fn messages_count(&self, organisation: &str) -> Stored<Vec<(String, String, i64)>> {
        const SQL: &str = "SELECT m.destination_id, m.state, COUNT(*) FROM messages m JOIN \
            destinations d ON d.id = m.destination_id \
            WHERE d.organisation_id = $1 AND m.state <> 'sent' GROUP BY m.destination_id, m.state";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(organisation)
            .fetch_all(pool)
            .await?))
    }

    /// Sends deliveries once more to a destination, whatever became of them before, `limit` of them
    /// at most. Answers how many.
    pub async fn messages_resend(
        &self,
        destination: &str,
        from: i64,
        to: i64,
        limit: i64,
        act: &Act,
    ) -> Stored<u64> {
        const SQL: &str = "INSERT INTO messages (destination_id, seq, entity, state, attempts, \
            next_at) \
            SELECT d.id, r.seq, CASE WHEN d.ordered THEN v.entity ELSE '' END, 'waiting', 0, $5 \
            FROM destinations d JOIN delivery_recipients r ON r.organisation_id = \
            d.organisation_id \
            JOIN deliveries v ON v.seq = r.seq \
            WHERE d.organisation_id = $1 AND d.id = $2 AND r.number >= $3 AND r.seq >= $3 AND \
            r.seq <= $4 AND v.outcome <> 'ignored' \
            AND v.seq > (SELECT pruned_to FROM delivery_log) ORDER BY r.seq LIMIT $6 \
            ON CONFLICT (destination_id, seq) DO UPDATE SET state = 'waiting', attempts = 0, \
            first_at = NULL, next_at = excluded.next_at \
            WHERE messages.claimed_by IS NULL";
        transact!(self, &act.organisation_id, |tx| {
            note!(self, tx, act);
            let resend = sqlx::query(SQL)
                .bind(&act.organisation_id)
                .bind(destination)
                .bind(from)
                .bind(to)
                .bind(act.at)
                .bind(limit);
            let resent = resend.execute(&mut *tx).await?.rows_affected();
            if resent > 0 {
                tx.commit().await?;
            }
            Ok(resent)
        })
    }
}
