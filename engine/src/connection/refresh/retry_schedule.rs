//! A limit on how often one connection may ask Linear's token endpoint, whatever the reasons:
//! tokens that live for a second, callers who find each of them too old, or a defect of ours must
//! not become a thousand questions.

use std::time::Duration;

use tokio::time::Instant;

use crate::bounded::Bounded;

/// Connections remembered at a time: those that asked longest ago may ask as often as anybody.
const REMEMBERED_MAX: usize = 100_000;

/// The bucket of each connection, which leaks: when it will be empty again (the generic cell rate
/// algorithm).
#[derive(Debug)]
pub(crate) struct Pace {
    every: Duration,
    burst: u32,
    empty_at: Bounded<String, Instant, REMEMBERED_MAX>,
}

impl Pace {
    /// One question each time `every` has passed, and up to `burst` at once after a silence.
    pub fn new(every: Duration, burst: u32) -> Pace {
        Pace {
            every,
            burst,
            empty_at: Bounded::default(),
        }
    }

    /// The time until the connection may ask; zero when it may now.
    pub fn wait(&self, connection: &str) -> Duration {
        let now = Instant::now();
        self.empty_at
            .lock()
            .peek(connection)
            .map_or(Duration::ZERO, |empty_at| self.wait_until(*empty_at, now))
    }

    fn wait_until(&self, empty_at: Instant, now: Instant) -> Duration {
        let room = self.every.saturating_mul(self.burst.saturating_sub(1));
        empty_at.saturating_duration_since(now).saturating_sub(room)
    }

    /// Counts a question that is about to be asked. `false`: it is too early for it.
    pub fn take(&self, connection: &str) -> bool {
        let now = Instant::now();
        let mut buckets = self.empty_at.lock();
        let empty_at = buckets
            .peek(connection)
            .map_or(now, |empty_at| now.max(*empty_at));
        if !self.wait_until(empty_at, now).is_zero() {
            return false;
        }
        buckets.put(connection.to_owned(), empty_at + self.every);
        true
    }

    /// Counts a question as soon as it may be asked.
    pub async fn turn(&self, connection: &str) {
        while !self.take(connection) {
            tokio::time::sleep(self.wait(connection)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn three_at_once_and_then_one_a_second_for_each_connection() {
        let pace = Pace::new(SECOND, 3);
        assert_eq!([(); 4].map(|()| pace.take("c")), [true, true, true, false]);
        assert_eq!(pace.wait("c"), SECOND);
        assert!(pace.take("d"), "others are not concerned");
        tokio::time::advance(SECOND / 2).await;
        assert_eq!((pace.take("c"), pace.wait("c")), (false, SECOND / 2));
        tokio::time::advance(SECOND / 2).await;
        assert_eq!([(); 2].map(|()| pace.take("c")), [true, false]);
        tokio::time::advance(10 * SECOND).await;
        assert_eq!(
            [(); 4].map(|()| pace.take("c")),
            [true, true, true, false],
            "silence is not saved up"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn of_twenty_seconds_of_wishes_few_become_questions() {
        let pace = Pace::new(SECOND, 3);
        let mut asked = 0;
        for _ in 0..400 {
            asked += u32::from(pace.take("c"));
            tokio::time::advance(SECOND / 20).await;
        }
        assert_eq!(asked, 22);
    }
}
