//! The settings of the refresh manager.

use std::time::Duration;

use crate::clock::{MINUTE, Millis};
use crate::connection::state::REFRESH_DUE_BEFORE;

#[derive(Clone, Copy, Debug)]
pub struct RefreshSettings {
    /// The background refreshes tokens that have less than this left.
    pub background_before: Millis,
    /// Background refreshes at a time, in one process.
    pub at_once: usize,
    /// The time for which Linear gives the same pair again to the same refresh token. Documented as
    /// 30 minutes.
    pub replay_window: Millis,
    /// A lease whose beat stood still for this long belongs to a process that died.
    pub lease_dead_after: Duration,
    /// The time between two beats of a lease that is alive.
    pub lease_beat_every: Duration,
    /// A row that was read longer ago is read again before its refresh token is shown to Linear.
    pub reading_lasts: Duration,
    /// One connection asks Linear's token endpoint once in such a span,
    pub ask_every: Duration,
    /// The number of times that it asks at once after a silence.
    pub ask_burst: u32,
}

impl Default for RefreshSettings {
    fn default() -> RefreshSettings {
        RefreshSettings {
            background_before: REFRESH_DUE_BEFORE,
            at_once: 16,
            replay_window: 30 * MINUTE,
            lease_dead_after: Duration::from_millis(2_500),
            lease_beat_every: Duration::from_millis(500),
            reading_lasts: Duration::from_millis(500),
            ask_every: Duration::from_secs(1),
            ask_burst: 3,
        }
    }
}
