//! Keeping ahead of expiry: everything that is due, a few at a time, over all replicas without doing one twice.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::{Cause, Outcome};
use crate::Engine;
use crate::clock::{MINUTE, Millis};
use crate::store::{Due, DueGrant, SealedGrant, StoreError};

/// Connections read at a time. Small, so that what peers refresh meanwhile is not looked at in vain.
const PAGE: i64 = 200;
/// Tokens that were issued together are refreshed spread over so much time.
const SPREAD: Millis = 10 * MINUTE;
/// Ids are lowercase hex, so this is after all of them.
const END: &str = "~";

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    pub due: u64,
    /// Refreshed, here or by a peer.
    pub refreshed: u64,
    /// Put off: Linear did not answer usefully.
    pub failed: u64,
    /// Need a reconnect now.
    pub broken: u64,
}

impl Swept {
    fn add(&mut self, outcome: Outcome) {
        self.due += 1;
        match outcome {
            Outcome::Broken => self.broken += 1,
            Outcome::BackedOff | Outcome::Misconfigured => self.failed += 1,
            Outcome::Fresh | Outcome::Refreshed | Outcome::RotatedByPeer | Outcome::Replayed => self.refreshed += 1,
        }
    }
}

impl Engine {
    /// One sweep because a person asked for it: everything that expires within `due_within` milliseconds, also what is put
    /// off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_now(&self, due_within: Millis) -> Result<Swept, StoreError> {
        self.sweep(due_within, Millis::MAX, Cause::Manual, |_| true).await
    }

    /// One sweep because a scheduler asked for it: what is due by the settings and not put off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_scheduled(&self) -> Result<Swept, StoreError> {
        self.sweep(self.settings().refresh.background_before, self.now(), Cause::Schedule, |_| true).await
    }

    /// Replays what has an unknown outcome. On its own, since a sweep may take longer than Linear's window is open.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_intents(&self) -> Result<(), StoreError> {
        let open = self.store().intents_open(self.now(), PAGE).await?;
        let abandoned = open.into_iter().filter(|grant| self.is_abandoned(grant));
        let resumed = stream::iter(abandoned)
            .map(|grant| async move { self.renew(&grant.organisation_id, &grant.connection_id, grant.generation, Cause::Schedule).await })
            .buffer_unordered(self.settings().refresh.at_once);
        resumed.for_each(|_| async {}).await;
        Ok(())
    }

    /// Nobody is asking Linear about it any more.
    fn is_abandoned(&self, grant: &SealedGrant) -> bool {
        match grant.lease() {
            None => true,
            Some(lease) if lease.owner == self.leases().owner() => false,
            Some(lease) => self.leases().is_dead(&grant.connection_id, &lease, self.settings().refresh.lease_dead_after),
        }
    }

    /// One sweep of the background: what is due by the settings and not put off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_due(&self) -> Result<Swept, StoreError> {
        let now = self.now();
        let before = self.settings().refresh.background_before;
        self.sweep(before, now, Cause::Schedule, |grant| is_due(grant, now, before)).await
    }

    async fn sweep(
        &self,
        within: Millis,
        put_off_until: Millis,
        cause: Cause,
        wanted: impl Fn(&DueGrant) -> bool,
    ) -> Result<Swept, StoreError> {
        let _turn = self.flights().sweep_turn().lock().await;
        let mut swept = Swept::default();
        // Each sweep begins somewhere else and goes round, so that replicas rarely meet.
        let start = self.entropy().id();
        for (from, to) in [(start.as_str(), END), ("", start.as_str())] {
            let mut after = from.to_owned();
            loop {
                let now = self.now();
                let due = Due { after: &after, expires_by: now.saturating_add(within), put_off_until, now, limit: PAGE };
                let page = self.store().grants_due(due).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.connection_id);
                let full = page.len() as i64 == PAGE;
                let mine = page.into_iter().filter(|grant| grant.connection_id.as_str() <= to && wanted(grant));
                self.refresh_all(mine, cause, &mut swept).await;
                if !full || after.as_str() > to {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn refresh_all(&self, due: impl Iterator<Item = DueGrant>, cause: Cause, swept: &mut Swept) {
        // Shuffled, so that peers with the same page work through it in another order.
        let shuffled: BTreeMap<[u8; 8], DueGrant> = due.map(|grant| (self.entropy().bytes::<8>(), grant)).collect();
        let mut outcomes = stream::iter(shuffled.into_values())
            .map(|due| async move { self.renew(&due.organisation_id, &due.connection_id, due.generation, cause).await.outcome() })
            .buffer_unordered(self.settings().refresh.at_once);
        while let Some(outcome) = outcomes.next().await {
            swept.add(outcome);
        }
    }
}

/// In the background, a token is not refreshed earlier than the settings say, spread a little, and never again and again
/// because Linear's tokens live shorter than that.
fn is_due(grant: &DueGrant, now: Millis, before: Millis) -> bool {
    if grant.unfinished {
        return true;
    }
    let (left, life) = (grant.expires_at - now, grant.expires_at - grant.issued_at);
    let consented = grant.generation == grant.adopted_generation;
    left < before - spread(grant) && (consented || left < life / 2)
}

/// The same for everybody who asks about these tokens.
fn spread(grant: &DueGrant) -> Millis {
    let mut hasher = DefaultHasher::new();
    (&grant.connection_id, grant.generation).hash(&mut hasher);
    i64::try_from(hasher.finish() % SPREAD.unsigned_abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, SECOND};

    fn grant(left: Millis, life: Millis, generation: i64) -> DueGrant {
        DueGrant {
            organisation_id: "o".to_owned(),
            connection_id: format!("c{generation}"),
            generation,
            adopted_generation: 1,
            issued_at: left - life,
            expires_at: left,
            unfinished: false,
        }
    }

    #[test]
    fn a_token_is_due_with_less_than_ninety_minutes_left_spread_over_ten() {
        let (day, before) = (24 * HOUR, 90 * MINUTE);
        for generation in 1..100 {
            assert!(!is_due(&grant(before, day, generation), 0, before));
            assert!(is_due(&grant(before - SPREAD, day, generation), 0, before));
        }
        let due = (1..1_000).filter(|generation| is_due(&grant(before - SPREAD / 2, day, *generation), 0, before)).count();
        assert!((400..600).contains(&due), "about half of them after half of the time: {due}");
    }

    #[test]
    fn tokens_that_live_shortly_are_refreshed_once_and_then_at_half_their_life() {
        let before = 90 * MINUTE;
        assert!(is_due(&grant(HOUR, HOUR, 1), 0, before), "the first of a consent may have any life");
        assert!(!is_due(&grant(HOUR, HOUR, 2), 0, before));
        assert!(is_due(&grant(HOUR / 2 - SECOND, HOUR, 2), 0, before));
    }

    #[test]
    fn what_was_left_unfinished_is_due_at_once() {
        let open = DueGrant { unfinished: true, ..grant(23 * HOUR, 24 * HOUR, 3) };
        assert!(is_due(&open, 0, 90 * MINUTE));
    }
}
