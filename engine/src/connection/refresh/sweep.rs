//! Keeping ahead of expiry: everything that is due, a few at a time, over all replicas without
//! doing one twice.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::{Cause, Outcome, millis};
use crate::Engine;
use crate::clock::{MINUTE, Millis, NOTED_AHEAD};
use crate::every::gets_on;
use crate::store::{Due, DueGrant, SealedGrant, StoreError};

/// Connections read at a time. Small, so that what peers refresh meanwhile is not looked at in
/// vain.
const PAGE: usize = 200;
/// Tokens that were issued together are refreshed spread over this much time.
const SPREAD: Millis = 10 * MINUTE;
/// Ids are lowercase hex, so this is after all of them.
const END: &str = "~";

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    pub due: u64,
    /// The connections that were refreshed, here or by a peer.
    pub refreshed: u64,
    /// The connections that were put off, as Linear did not answer usefully.
    pub failed: u64,
    /// The connections that need a reconnect now.
    pub broken: u64,
}

impl Swept {
    fn add(&mut self, outcome: Outcome) {
        self.due += 1;
        match outcome {
            Outcome::Broken => self.broken += 1,
            Outcome::BackedOff | Outcome::Misconfigured => self.failed += 1,
            Outcome::Fresh | Outcome::Refreshed | Outcome::RotatedByPeer | Outcome::Replayed => {
                self.refreshed += 1
            }
        }
    }
}

impl Engine {
    /// One sweep because a person asked for it: everything that expires within `due_within`
    /// milliseconds, also what is put off.
    pub async fn sweep_now(&self, due_within: Millis) -> Result<Swept, StoreError> {
        self.sweep(
            Ask {
                within: due_within,
                put_off_until: Millis::MAX,
                spread: false,
            },
            Cause::Manual,
        )
        .await
    }

    /// One sweep because a scheduler asked for it: what is due by the settings and not put off.
    pub async fn sweep_scheduled(&self) -> Result<Swept, StoreError> {
        let within = self.settings().refresh.background_before;
        self.sweep(
            Ask {
                within,
                put_off_until: self.now(),
                spread: false,
            },
            Cause::Schedule,
        )
        .await
    }

    /// Replays what has an unknown outcome. On its own, since a sweep may take longer than Linear's
    /// window is open.
    pub async fn resume_intents(&self) -> Result<(), StoreError> {
        let open = self.store().intents_open(self.now(), PAGE as i64).await?;
        let abandoned = open.into_iter().filter(|grant| self.is_abandoned(grant));
        let resumed = stream::iter(abandoned)
            .map(|grant| async move {
                self.renew(
                    &grant.organisation_id,
                    &grant.connection_id,
                    grant.generation,
                    Cause::Schedule,
                )
                .await
            })
            .buffer_unordered(self.settings().refresh.at_once);
        resumed.for_each(|_| async { gets_on() }).await;
        Ok(())
    }

    /// Says whether nobody is asking Linear about it any more.
    fn is_abandoned(&self, grant: &SealedGrant) -> bool {
        match grant.lease() {
            None => true,
            // In an older copy of the database there may be one that was let go of since.
            Some(lease) if lease.owner == self.leases().owner() => {
                !self.leases().holds(&grant.connection_id)
            }
            Some(lease) => self.leases().is_dead(
                &grant.connection_id,
                &lease,
                self.settings().refresh.lease_dead_after,
            ),
        }
    }

    /// One sweep of the background: what is due by the settings and not put off.
    pub async fn sweep_due(&self) -> Result<Swept, StoreError> {
        let within = self.settings().refresh.background_before;
        self.sweep(
            Ask {
                within,
                put_off_until: self.now(),
                spread: true,
            },
            Cause::Schedule,
        )
        .await
    }

    /// Says how long from now the background of this process sweeps again.
    pub fn plan_sweep(&self, nap: Duration) {
        self.flights().plan_sweep(self.now() + millis(nap));
    }

    /// The time at which the background of this process sweeps again, in milliseconds since the
    /// epoch; `None` where nothing sweeps.
    #[must_use]
    pub fn next_sweep(&self) -> Option<Millis> {
        self.flights().next_sweep()
    }

    async fn sweep(&self, ask: Ask, cause: Cause) -> Result<Swept, StoreError> {
        let _turn = self.flights().sweep_turn().lock().await;
        let mut swept = Swept::default();
        let mut outcomes = self
            .due(ask)
            .await?
            .map_ok(|grant| self.refresh_due(grant, cause))
            .try_buffer_unordered(self.settings().refresh.at_once);
        while let Some(outcome) = outcomes.try_next().await? {
            swept.add(outcome);
            gets_on();
        }
        Ok(swept)
    }

    async fn refresh_due(&self, grant: DueGrant, cause: Cause) -> Result<Outcome, StoreError> {
        Ok(self
            .renew(
                &grant.organisation_id,
                &grant.connection_id,
                grant.generation,
                cause,
            )
            .await
            .outcome())
    }

    /// Everything that is due, read a page at a time. Where it is much, replicas share it by
    /// working through the parts of the ids in different orders.
    async fn due(
        &self,
        ask: Ask,
    ) -> Result<BoxStream<'_, Result<DueGrant, StoreError>>, StoreError> {
        let first = self.due_between(ask, "", END).await?;
        let wanted = move |page: Vec<DueGrant>| {
            let wanted = page
                .into_iter()
                .filter(|grant| !ask.spread || is_due(grant, self.now(), ask.within))
                .collect();
            stream::iter(self.shuffled::<DueGrant>(wanted).into_iter().map(Ok))
        };
        if first.len() < PAGE {
            return Ok(wanted(first).boxed());
        }
        let pages = stream::try_unfold(self.shuffled(slices()), move |mut parts| async move {
            let Some((after, before)) = parts.pop() else {
                return Ok::<_, StoreError>(None);
            };
            let page = self.due_between(ask, &after, &before).await?;
            if let Some(last) = page.last().filter(|_| page.len() == PAGE) {
                parts.push((last.connection_id.clone(), before));
            }
            Ok(Some((wanted(page), parts)))
        });
        Ok(pages.try_flatten().boxed())
    }

    async fn due_between(
        &self,
        ask: Ask,
        after: &str,
        before: &str,
    ) -> Result<Vec<DueGrant>, StoreError> {
        let now = self.now();
        let expires_by = now.saturating_add(ask.within);
        let due = Due {
            after,
            before,
            expires_by,
            put_off_until: ask.put_off_until,
            now,
            limit: PAGE as i64,
        };
        self.store().grants_due(due).await
    }

    /// Deals the items in an order of this process's own, so that replicas with the same work
    /// before them rarely meet.
    fn shuffled<T>(&self, items: Vec<T>) -> Vec<T> {
        let dealt: BTreeMap<[u8; 8], T> = items
            .into_iter()
            .map(|item| (self.entropy().bytes::<8>(), item))
            .collect();
        dealt.into_values().collect()
    }
}

/// The grants that a sweep looks for.
#[derive(Clone, Copy)]
struct Ask {
    within: Millis,
    put_off_until: Millis,
    /// Leaves out what is not due yet when the load is spread.
    spread: bool,
}

/// The ids, which are random hex, in 256 parts of about the same size.
fn slices() -> Vec<(String, String)> {
    let bound = |slice: u32| {
        if slice > 0xff {
            END.to_owned()
        } else {
            format!("{slice:02x}")
        }
    };
    (0..=0xff)
        .map(|slice| (bound(slice), bound(slice + 1)))
        .collect()
}

/// Says whether the background refreshes a token: not earlier than the settings say, spread a
/// little, and never again and again because Linear's tokens live shorter than that.
fn is_due(grant: &DueGrant, now: Millis, before: Millis) -> bool {
    if grant.unfinished || grant.issued_at - now > NOTED_AHEAD {
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
        let due = (1..1_000)
            .filter(|generation| is_due(&grant(before - SPREAD / 2, day, *generation), 0, before))
            .count();
        assert!(
            (400..600).contains(&due),
            "about half of them after half of the time: {due}"
        );
    }

    #[test]
    fn tokens_that_live_shortly_are_refreshed_once_and_then_at_half_their_life() {
        let before = 90 * MINUTE;
        assert!(
            is_due(&grant(HOUR, HOUR, 1), 0, before),
            "the first of a consent may have any life"
        );
        assert!(!is_due(&grant(HOUR, HOUR, 2), 0, before));
        assert!(is_due(&grant(HOUR / 2 - SECOND, HOUR, 2), 0, before));
    }

    #[test]
    fn a_token_that_was_noted_by_a_clock_two_days_ahead_is_due_at_once() {
        assert!(is_due(&grant(3 * 24 * HOUR, 24 * HOUR, 2), 0, 90 * MINUTE));
    }

    #[test]
    fn what_was_left_unfinished_is_due_at_once() {
        let open = DueGrant {
            unfinished: true,
            ..grant(23 * HOUR, 24 * HOUR, 3)
        };
        assert!(is_due(&open, 0, 90 * MINUTE));
    }
}
