//! Work that is done after an answer, so that the time that the answer takes tells nothing. None of
//! it is lost: a stop waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::Engine;

/// Pieces of work that wait; with more, answers wait too, all alike.
const WAITING_MAX: u32 = 1_024;

#[derive(Debug)]
pub(crate) struct Afterwards(Arc<Semaphore>);

impl Default for Afterwards {
    fn default() -> Afterwards {
        Afterwards(Arc::new(Semaphore::new(WAITING_MAX as usize)))
    }
}

impl Engine {
    /// Begins work that nobody waits for.
    ///
    /// # Panics
    /// Never: nothing closes the semaphore.
    pub(crate) async fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        let turn = self
            .in_hand()
            .0
            .clone()
            .acquire_owned()
            .await
            .expect("never closed");
        tokio::spawn(async move {
            work.await;
            drop(turn);
        });
    }

    /// Begins such work only if nothing waits for a turn. `false`: it did not begin.
    pub(crate) fn afterwards_if_room(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let Ok(turn) = self.in_hand().0.clone().try_acquire_owned() else {
            return false;
        };
        tokio::spawn(async move {
            work.await;
            drop(turn);
        });
        true
    }

    /// Waits until all of it is done. Answers how much is not when the time is over.
    pub async fn afterwards_done(&self, within: Duration) -> usize {
        let all = timeout(within, self.in_hand().0.acquire_many(WAITING_MAX)).await;
        if all.is_ok() {
            0
        } else {
            WAITING_MAX as usize - self.in_hand().0.available_permits()
        }
    }
}
