//! The simulation's clock: the system's time moved by an offset, or a time that stands still.

use serde::{Deserialize, Serialize};

use crate::outside::system_ms;

/// Reads in milliseconds since the epoch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Clock {
    offset_ms: i64,
    stopped_at_ms: Option<i64>,
}

impl Clock {
    pub fn now(&self) -> i64 {
        self.stopped_at_ms
            .unwrap_or_else(|| system_ms().saturating_add(self.offset_ms))
    }

    pub fn advance(&mut self, by_ms: i64) {
        match &mut self.stopped_at_ms {
            Some(at) => *at = at.saturating_add(by_ms),
            None => self.offset_ms = self.offset_ms.saturating_add(by_ms),
        }
    }

    pub fn set(&mut self, to_ms: i64) {
        match &mut self.stopped_at_ms {
            Some(at) => *at = to_ms,
            None => self.offset_ms = to_ms.saturating_sub(system_ms()),
        }
    }

    /// Manual: the clock stands still until it is set or advanced. Otherwise it runs on from where
    /// it stood.
    pub fn set_manual(&mut self, manual: bool) {
        let now = self.now();
        self.stopped_at_ms = manual.then_some(now);
        if !manual {
            self.set(now);
        }
    }

    pub fn is_manual(&self) -> bool {
        self.stopped_at_ms.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let mut clock = Clock::default();
        clock.set_manual(true);
        clock.set(1_000);
        clock.advance(500);
        assert_eq!(clock.now(), 1_500);
    }

    #[test]
    fn a_clock_set_running_again_goes_on_from_where_it_stood() {
        let mut clock = Clock::default();
        clock.set_manual(true);
        clock.set(1_000);
        clock.set_manual(false);
        assert!((1_000..60_000).contains(&clock.now()));
    }
}
