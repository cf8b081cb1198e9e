//! The age of what was read. A process may be stopped at any moment and for any time: what it had
//! read is then the past, and a refresh token of the past must not be shown to Linear.

use tokio::time::Instant;

use super::single_flight::FlightKey;
use super::{in_time, millis};
use crate::Engine;
use crate::clock::Millis;
use crate::connection::state::Phase;

/// The moment at which reading a row began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    at: Instant,
    /// A machine that slept may not have counted that as time.
    by_the_clock: Millis,
}

impl Engine {
    pub(super) fn begin_reading(&self) -> Reading {
        Reading {
            at: Instant::now(),
            by_the_clock: self.now(),
        }
    }

    fn is_young(&self, reading: Reading, lasts: std::time::Duration) -> bool {
        reading.at.elapsed() <= lasts && (self.now() - reading.by_the_clock).abs() <= millis(lasts)
    }

    /// Says whether the refresh token that was read may be shown now: if that was longer ago than a
    /// beat, the row is read again, and must still be this refresh's. A database that is slow is
    /// given more time than one that is asked first.
    pub(super) async fn may_be_shown(
        self,
        organisation: String,
        key: FlightKey,
        reading: Reading,
    ) -> bool {
        let (mut reading, mut lasts) = (reading, self.settings().refresh.reading_lasts);
        while !self.is_young(reading, lasts) {
            reading = self.begin_reading();
            lasts = self.settings().refresh.lease_dead_after;
            if !self.is_still_ours(&organisation, &key).await {
                return false;
            }
        }
        true
    }

    async fn is_still_ours(&self, organisation: &str, key: &FlightKey) -> bool {
        match in_time(self.store().grant(organisation, &key.connection)).await {
            Ok(Some(grant)) => {
                let ours = grant
                    .lease()
                    .is_some_and(|lease| lease.owner == self.leases().owner());
                ours && grant.generation == key.generation && grant.phase == Phase::Connected
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(%error, "a row could not be read again, so its token is not shown \
                    to Linear");
                false
            }
        }
    }
}
