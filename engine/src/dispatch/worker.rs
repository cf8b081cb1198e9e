//! The worker: claims what is due, sends it, and writes down how it went, many at a time.
//!
//! A claim belongs to a process and lasts as long as the process is alive: its beat grows, and
//! others watch it with their own stopwatch, as with leases. A message is sent twice only when its
//! process died, or did not come to write it down.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use url::Url;

use super::client::Answer;
use super::destinations::{SEALED, TABLE};
use super::retry_schedule::{self, Next};
use super::standard_webhooks;
use crate::clock::{Millis, SECOND};
use crate::connection::refresh::{Lease, in_time};
use crate::every::Rhythm;
use crate::store::{
    ClaimedMessage, DestinationRow, MessageState, SEVERAL, Sent, SentBatch, StoreError, Verdict,
};
use crate::webhook::delivery_name;
use crate::{Acting, Engine};

/// Messages of a destination claimed at a time, and sent at a time.
const CLAIM: i64 = 64;
const AT_ONCE: usize = 8;
/// Destinations that are served at a time; one that hangs takes no other's turn.
const DESTINATIONS_AT_ONCE: usize = 32;
const OF_ONE_ORGANISATION: usize = 8;
/// The pause with one destination after a fault of our own.
const OURS_PAUSE: Duration = Duration::from_secs(1);
/// The loop that looks for what is due.
const LOOK: Rhythm = Rhythm::new("hand_on", Duration::from_secs(1))
    .limit(LOOP_LIMIT)
    .vital();
const BEAT: Rhythm = Rhythm::new("claim_beat", Duration::from_millis(500)).limit(LOOP_LIMIT);
/// Each statement of a loop has ten seconds.
const LOOP_LIMIT: Duration = Duration::from_secs(30);
/// A process whose beat stands still for this long is dead.
const DEAD_AFTER: Duration = Duration::from_secs(5);
/// A process that has not shown itself for this long sends nothing more: others may soon take over
/// what it claimed.
const SURE_FOR: Duration = Duration::from_secs(3);
/// Messages sent in one turn; then other destinations have theirs.
const TURN_MAX: usize = 512;
/// The time between two looks for what came since, while something hangs.
const MORE_EVERY: Duration = Duration::from_millis(500);
/// Looks for messages that a wrong clock put off, or that nobody works on any more.
const UNSTICK: Rhythm = Rhythm::new("unstick_messages", Duration::from_secs(60)).limit(LOOP_LIMIT);

/// Destinations that this process is serving, each with its organisation.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving(Arc<Mutex<HashMap<String, String>>>);

/// A destination is served as long as the value lives.
struct Turn(Serving, String);

impl Serving {
    fn all(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, destination: &DestinationRow) -> Option<Turn> {
        let mut all = self.all();
        let theirs = all
            .values()
            .filter(|organisation| **organisation == destination.organisation_id)
            .count();
        if all.len() >= DESTINATIONS_AT_ONCE
            || theirs >= OF_ONE_ORGANISATION
            || all.contains_key(&destination.id)
        {
            return None;
        }
        all.insert(destination.id.clone(), destination.organisation_id.clone());
        Some(Turn(self.clone(), destination.id.clone()))
    }

    /// A turn without sending, where nobody in this process serves the destination.
    fn hold(&self, destination: &str) -> Option<Turn> {
        let mut all = self.all();
        if all.contains_key(destination) {
            return None;
        }
        all.insert(destination.to_owned(), String::new());
        Some(Turn(self.clone(), destination.to_owned()))
    }

    fn anybody(&self) -> bool {
        !self.all().is_empty()
    }
}

/// The signs of life that others have seen of this process.
#[derive(Debug, Default)]
pub(super) struct Life {
    beats: AtomicI64,
    shown: Mutex<Shown>,
}

/// The last sign of life that others saw, and the number of gaps so long that others may have taken
/// over what was claimed.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    at: Option<Instant>,
    gaps: u64,
}

impl Life {
    /// Never one that was there before.
    fn beat(&self) -> i64 {
        self.beats.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn last(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self, at: Instant) {
        let mut last = self.last();
        let in_time = last
            .at
            .is_some_and(|before| at.saturating_duration_since(before) < SURE_FOR);
        last.gaps += u64::from(!in_time);
        last.at = Some(at);
    }

    /// Counts the gaps: what was claimed since has been ours all the time, as long as this is the
    /// same.
    fn gaps(&self) -> u64 {
        self.last().gaps
    }

    fn is_sure(&self, gaps: u64) -> bool {
        let last = self.last();
        last.gaps == gaps && last.at.is_some_and(|at| at.elapsed() < SURE_FOR)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.all().remove(&self.1);
    }
}

/// The end of one try.
enum Tried {
    /// The message was sent: with what it was about and what the destination answered.
    Sent {
        sent: Sent,
        entity: String,
        answer: Answer,
    },
    /// The message was not sent, for a reason of our own.
    Not(&'static str),
}

/// The results of some tries.
#[derive(Default)]
struct Ended {
    sent: Vec<Sent>,
    /// The things about which the next message may follow.
    things: Vec<String>,
    /// The destination says that it is no more.
    gone: bool,
    /// The time that it wants to be left alone.
    wished: Option<Millis>,
    /// The reason of our own why something was not sent.
    ours: Option<&'static str>,
}

impl Ended {
    fn of(tried: Vec<Tried>) -> Ended {
        let mut ended = Ended::default();
        for one in tried {
            match one {
                Tried::Sent {
                    sent,
                    entity,
                    answer,
                } => {
                    ended.gone |= answer.is_gone();
                    ended.wished = ended
                        .wished
                        .max(answer.wish().filter(|_| answer.wants_rest()));
                    ended.things.extend(Some(entity).filter(|entity| {
                        sent.state != MessageState::Waiting && !entity.is_empty()
                    }));
                    ended.sent.push(sent);
                }
                Tried::Not(why) => ended.ours = Some(why),
            }
        }
        ended
    }
}

/// The findings of a turn on whether a destination takes anything. Refusing some is no trouble of
/// the destination's: it may not like those.
#[derive(Debug, Default)]
struct Taking {
    took_some: bool,
    refused_in_a_row: usize,
    /// The one message that was refused since one was taken, or [`SEVERAL`].
    refused: Option<i64>,
    fails: bool,
}

impl Taking {
    /// Takes in the results of more tries; `last` when nothing else of the turn is under way or
    /// waits.
    fn see(&mut self, sent: &[Sent], last: bool) {
        for one in sent {
            let good = one.state == MessageState::Sent;
            self.took_some |= good;
            self.refused_in_a_row = if good { 0 } else { self.refused_in_a_row + 1 };
            self.refused = match self.refused {
                _ if good => None,
                Some(seq) if seq != one.seq => Some(SEVERAL),
                _ => Some(one.seq),
            };
        }
        self.fails = self.refused_in_a_row >= AT_ONCE
            || (last && !self.took_some && self.refused_in_a_row > 0);
    }

    /// One message alone keeps no other back: it waits for its own next try.
    fn keeps_back(&self) -> bool {
        self.fails && self.refused == Some(SEVERAL)
    }

    fn verdict(&self) -> Verdict {
        match (self.fails, self.took_some) {
            (true, _) => Verdict::Fails,
            (false, true) => Verdict::Takes,
            (false, false) => Verdict::Open,
        }
    }
}

impl Engine {
    /// Hands on, until [`Engine::stop_handing_on`].
    pub async fn hand_on(&self) {
        let (wake, looking) = (&self.outgoing().wake, |engine: Engine| async move {
            engine.serve_destinations().await
        });
        tokio::join!(
            self.every_or_woken(LOOK, wake, looking),
            self.every(BEAT, |engine| async move { engine.beat_claims().await }),
            self.every(
                UNSTICK,
                |engine| async move { engine.unstick_messages().await }
            ),
        );
    }

    /// Claims nothing more, waits for what is being sent, but no longer than this, and lets go of
    /// the rest.
    pub async fn stop_handing_on(&self, patience: Duration) {
        let outgoing = self.outgoing();
        outgoing.stopping.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + patience;
        while outgoing.serving.anybody() && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        if let Err(error) = in_time(self.store().messages_release(&outgoing.owner)).await {
            tracing::warn!(%error, "claimed messages could not be released; others take them over \
                when this process is gone");
        }
    }

    fn is_stopping(&self) -> bool {
        self.outgoing().stopping.load(Ordering::SeqCst)
    }

    async fn serve_destinations(&self) {
        if self.is_stopping() {
            return;
        }
        match in_time(self.store().destinations_due(self.now())).await {
            Ok(due) => due
                .into_iter()
                .for_each(|destination| self.serve_destination(destination)),
            Err(error) => tracing::error!(%error, "what is to be handed on could not be looked \
                for"),
        }
    }

    async fn unstick_messages(&self) {
        match in_time(self.store().messages_unstick(self.now())).await {
            Ok(0) => {}
            Ok(unstuck) => tracing::warn!(
                unstuck,
                "messages that a wrong clock had put off are sent now"
            ),
            Err(error) => {
                tracing::warn!(%error, "messages that a wrong clock put off could not be looked \
                    for")
            }
        }
        if let Err(error) = self.let_go_of_lost().await {
            tracing::warn!(%error, "claims that nobody holds could not be looked for");
        }
    }

    /// An older copy of the database may have claims of this very process that ended long ago.
    async fn let_go_of_lost(&self) -> Result<(), StoreError> {
        let outgoing = self.outgoing();
        for destination in in_time(self.store().destinations_claimed(&outgoing.owner)).await? {
            if let Some(_turn) = outgoing.serving.hold(&destination) {
                self.let_go(&destination).await;
                outgoing.wake.notify_one();
            }
        }
        Ok(())
    }

    fn serve_destination(&self, destination: DestinationRow) {
        let Some(turn) = self.outgoing().serving.take(&destination) else {
            return;
        };
        let engine = self.clone();
        tokio::spawn(async move {
            let id = destination.id.clone();
            let sending = tokio::spawn({
                let engine = engine.clone();
                async move { engine.send_some(&destination).await }
            });
            let sent = match sending.await {
                Ok(Ok(sent)) => sent,
                Ok(Err(error)) => {
                    tracing::error!(%error, destination = id, "messages could not be handed on; \
                        they are tried again");
                    0
                }
                Err(_) => {
                    tracing::error!(
                        destination = id,
                        "handing on stopped in the middle; the messages are tried again"
                    );
                    0
                }
            };
            engine.let_go(&id).await;
            drop(turn);
            // Others had their turn meanwhile; there may be more for this one.
            if sent > 0 {
                engine.outgoing().wake.notify_one();
            }
        });
    }

    /// Releases what was claimed and not written down as sent, however the turn ended. While the
    /// turn is held nobody in this process claims for the destination, and nobody else lets go of
    /// what a living process claimed: so it has to work.
    async fn let_go(&self, destination: &str) {
        while let Err(error) = in_time(
            self.store()
                .messages_unclaim(destination, &self.outgoing().owner),
        )
        .await
        {
            tracing::error!(%error, destination, "claimed messages could not be released; that is \
                tried again");
            sleep(OURS_PAUSE).await;
            if self.is_stopping() {
                return;
            }
        }
    }

    /// Sends some of what is due for a destination. Where order is asked for, what comes next about
    /// a thing follows at once. Answers how many messages were tried.
    async fn send_some(&self, destination: &DestinationRow) -> Result<usize, StoreError> {
        let (owner, id) = (&self.outgoing().owner, &destination.id);
        // Before the first claim, so that nobody takes this process for dead.
        in_time(self.show_life()).await?;
        let (gaps, mut again_at) = (self.outgoing().life.gaps(), 0);
        // One is enough to find out whether it takes anything again.
        let limit =
            if destination.failing_since.is_some() && destination.refused_seq == Some(SEVERAL) {
                1
            } else {
                CLAIM
            };
        let mut queue = VecDeque::from(
            in_time(self.store().messages_claim(id, owner, self.now(), limit)).await?,
        );
        let (mut sending, mut count, mut outcome, mut looks) =
            (JoinSet::new(), 0, Ok(()), limit > 1);
        let mut taking = Taking {
            refused: destination.refused_seq,
            ..Taking::default()
        };
        loop {
            while sending.len() < AT_ONCE
                && let Some(message) = queue.pop_front()
            {
                count += 1;
                sending.spawn(self.clone().send_apart(destination.clone(), message, gaps));
            }
            // To the end, also when writing fails: nothing may be under way any more when the
            // claims are let go of.
            let first = tokio::select! {
                biased;
                first = sending.join_next() => first,
                // What came since need not wait for one that hangs.
                () = sleep(MORE_EVERY),
                    if looks && queue.is_empty() && sending.len() < AT_ONCE && count < TURN_MAX =>
                {
                    match in_time(self.store().messages_claim(id, owner, self.now(), CLAIM)).await {
                        Ok(more) => queue.extend(more),
                        Err(error) => (outcome, looks) = (Err(error), false),
                    }
                    continue;
                }
            };
            let Some(first) = first else { break };
            // What has ended while the last ones were written down goes together.
            let mut tried = vec![first.unwrap_or(Tried::Not("sending stopped in the middle"))];
            while let Some(more) = sending.try_join_next() {
                tried.push(more.unwrap_or(Tried::Not("sending stopped in the middle")));
            }
            let tried = Ended::of(tried);
            taking.see(&tried.sent, sending.is_empty() && queue.is_empty());
            let rest =
                retry_schedule::rest(taking.keeps_back(), destination.failing_for, tried.wished);
            // Whoever wished to be left alone is not asked sooner because of an answer that was
            // under way.
            again_at = again_at.max(self.now() + rest);
            let rests = again_at > self.now();
            let go_on = count < TURN_MAX && outcome.is_ok() && !rests && !self.is_stopping();
            let over = match self
                .write_tried(destination, tried, (taking.verdict(), again_at), go_on)
                .await
            {
                Ok(next) => {
                    let over = next.is_none();
                    queue.extend(next.into_iter().flatten());
                    over
                }
                Err(error) => {
                    outcome = Err(error);
                    true
                }
            };
            looks &= !over && !rests && !taking.fails && !self.is_stopping();
            if over || rests || self.is_stopping() {
                queue.clear();
            }
        }
        outcome.map(|()| count)
    }

    /// Sends in a task of its own, so that it goes on while others are written down.
    async fn send_apart(
        self,
        destination: DestinationRow,
        message: ClaimedMessage,
        gaps: u64,
    ) -> Tried {
        if !self.outgoing().life.is_sure(gaps) {
            return Tried::Not("this process stood still, and others may have taken over");
        }
        self.send(&destination, message).await
    }

    /// Writes down what was tried, with what the turn says about the destination and until when it
    /// is left alone. Answers what comes next about the things of which a message ended, if
    /// `go_on`; `None` if the destination was paused or removed.
    async fn write_tried(
        &self,
        destination: &DestinationRow,
        tried: Ended,
        (verdict, again_at): (Verdict, Millis),
        go_on: bool,
    ) -> Result<Option<Vec<ClaimedMessage>>, StoreError> {
        let (id, owner) = (&destination.id, &self.outgoing().owner);
        let tries = SentBatch {
            destination: id,
            owner,
            sent: &tried.sent,
            verdict,
            again_at,
        };
        let next = in_time(
            self.store()
                .messages_done(tries, if go_on { &tried.things } else { &[] }),
        )
        .await?;
        if tried.gone || verdict == Verdict::Fails {
            self.pause_if_lost(destination, tried.gone).await?;
        }
        if let Some(why) = tried.ours {
            // The destination is not to blame.
            tracing::error!(
                why,
                destination = destination.id,
                "a message was not handed on; it is tried again"
            );
            tokio::time::sleep(OURS_PAUSE).await;
        }
        Ok(next)
    }

    async fn pause_if_lost(
        &self,
        destination: &DestinationRow,
        gone: bool,
    ) -> Result<(), StoreError> {
        let because = if gone {
            "gone"
        } else if self.is_lost(destination).await? {
            "failures"
        } else {
            return Ok(());
        };
        let subject = format!("{} ({because})", destination.place());
        let act =
            Acting::relink(&destination.organisation_id).act(self, "destination.paused", subject);
        if self
            .store()
            .destination_pause(&destination.id, because, &act)
            .await?
        {
            tracing::warn!(
                destination = destination.id,
                because,
                "a destination takes nothing any more and is paused"
            );
        }
        Ok(())
    }

    /// Says whether a destination is lost, by what the database has added up, which may be more
    /// than this process saw.
    async fn is_lost(&self, destination: &DestinationRow) -> Result<bool, StoreError> {
        let rows = self
            .store()
            .destinations(&destination.organisation_id)
            .await?;
        let row = rows.into_iter().find(|row| row.id == destination.id);
        Ok(row.is_some_and(|row| retry_schedule::is_lost(row.failing_for, row.failing_new)))
    }

    async fn send(&self, destination: &DestinationRow, mut message: ClaimedMessage) -> Tried {
        let answer = match message.body.take() {
            Some(body) => self.post(destination, &message, body).await,
            None => self.post_large(destination, &message).await,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return Tried::Not(why),
        };
        self.handed_on()
            .add(if answer.is_good() { "sent" } else { "failed" });
        let (state, next_at) = if answer.is_good() {
            (MessageState::Sent, self.now())
        } else {
            self.after_failure(&message, &answer)
        };
        let (status, first) = (answer.status.map(i64::from), message.attempts == 0);
        let sent = Sent {
            seq: message.seq,
            state,
            next_at,
            status,
            answer: answer.text.clone(),
            at: self.now(),
            first,
        };
        Tried::Sent {
            sent,
            entity: message.entity,
            answer,
        }
    }

    fn after_failure(&self, message: &ClaimedMessage, answer: &Answer) -> (MessageState, i64) {
        let age = self.now() - message.first_at.unwrap_or(self.now());
        match retry_schedule::next(
            message.attempts + 1,
            age,
            answer.wish(),
            self.entropy().bytes::<1>()[0],
        ) {
            Next::Wait(wait) => (MessageState::Waiting, self.now() + wait),
            Next::Park => (MessageState::Parked, self.now()),
        }
    }

    /// Posts a large body in its turn: few are in memory at a time, whoever they are for.
    async fn post_large(
        &self,
        destination: &DestinationRow,
        message: &ClaimedMessage,
    ) -> Result<Answer, &'static str> {
        let _turn = self
            .outgoing()
            .large
            .acquire()
            .await
            .map_err(|_| "Relink is stopping")?;
        match in_time(self.store().delivery_body(message.seq)).await {
            Ok(Some(body)) => self.post(destination, message, body).await,
            Ok(None) => Err("the delivery is not kept any more"),
            Err(_) => Err("Relink's own database did not answer"),
        }
    }

    /// Posts the message, and answers what the destination said, or why it was not asked.
    async fn post(
        &self,
        destination: &DestinationRow,
        message: &ClaimedMessage,
        body: Vec<u8>,
    ) -> Result<Answer, &'static str> {
        let url = Url::parse(&destination.url).map_err(|_| "its address cannot be read")?;
        let opened = self.vault().open_row(
            TABLE,
            SEALED,
            &destination.id,
            &destination.organisation_id,
            &destination.secret_sealed,
        );
        let secret = opened.map_err(|_| "its signing secret does not open here")?;
        let headers = self
            .headers(&secret, message, &body)
            .ok_or("its signing secret cannot be read")?;
        Ok(self
            .outgoing()
            .client
            .post(&url, headers, Bytes::from(body))
            .await)
    }

    /// Lists the headers: ours, then Linear's own as they came.
    fn headers(
        &self,
        secret: &SecretString,
        message: &ClaimedMessage,
        body: &[u8],
    ) -> Option<HeaderMap> {
        let id = format!(
            "msg_{}",
            delivery_name(&message.workspace_id, &message.digest).replace('-', "")
        );
        let mut headers =
            standard_webhooks::headers(secret, &id, self.now().div_euclid(SECOND), body)?;
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        let own: Vec<(String, String)> = serde_json::from_str(&message.headers).unwrap_or_default();
        for (name, value) in own {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(&value),
            ) {
                headers.append(name, value);
            }
        }
        Some(headers)
    }

    /// Shows that this process is alive, and takes over from those that are not.
    async fn beat_claims(&self) {
        let outgoing = self.outgoing();
        if outgoing.serving.anybody()
            && let Err(error) = in_time(self.show_life()).await
        {
            tracing::warn!(%error, "others may take this process for dead and send again what it \
                is sending");
        }
        if self.is_stopping() {
            return;
        }
        if let Err(error) = in_time(self.take_over()).await {
            tracing::error!(%error, "messages of dead processes could not be taken over");
        }
    }

    /// Shows that this process lives. The time counts from before it is written: others may see it
    /// any time after that.
    async fn show_life(&self) -> Result<(), StoreError> {
        let (began, beat) = (Instant::now(), self.outgoing().life.beat());
        self.store()
            .process_beat(&self.outgoing().owner, beat)
            .await?;
        self.outgoing().life.shown(began);
        Ok(())
    }

    async fn take_over(&self) -> Result<(), StoreError> {
        for (owner, beat) in self
            .store()
            .processes_claiming(&self.outgoing().owner)
            .await?
        {
            let seen = Lease {
                owner: owner.clone(),
                beat,
            };
            if self
                .leases()
                .is_dead(&format!("process {owner}"), &seen, DEAD_AFTER)
            {
                let released = self.store().messages_release(&owner).await?;
                tracing::info!(
                    released,
                    "messages of a process that died are sent by others"
                );
                self.outgoing().wake.notify_one();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stood_still_is_sure_of_nothing_that_was_claimed_before() {
        let (life, now) = (Life::default(), Instant::now());
        assert!(!life.is_sure(0), "nobody has seen it yet");
        life.shown(now);
        let gaps = life.gaps();
        life.shown(now + SURE_FOR / 2);
        assert!(life.is_sure(gaps));
        life.shown(now + SURE_FOR * 3);
        assert!(
            !life.is_sure(gaps) && life.is_sure(life.gaps()),
            "but of what it claims from now on"
        );
    }
}
