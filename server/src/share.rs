//! Room that many share, of which nobody gets more than a part: what one leaves unfinished costs
//! that one alone.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of names beyond which those that hold nothing are forgotten.
const NAMES: usize = 1_024;

#[derive(Debug)]
pub struct Room<Name> {
    all: Arc<Semaphore>,
    each: usize,
    own: Mutex<HashMap<Name, Arc<Semaphore>>>,
}

/// The room that somebody holds, until this is dropped.
#[derive(Debug)]
pub struct Held {
    own: OwnedSemaphorePermit,
    all: OwnedSemaphorePermit,
}

impl Held {
    pub fn merge(&mut self, more: Held) {
        self.own.merge(more.own);
        self.all.merge(more.all);
    }
}

impl<Name: Hash + Eq + Clone> Room<Name> {
    #[must_use]
    pub fn new(all: usize, each: usize) -> Room<Name> {
        Room {
            all: Arc::new(Semaphore::new(all)),
            each,
            own: Mutex::default(),
        }
    }

    /// `None` where there is no room for it now.
    pub fn try_take(&self, name: &Name, count: u32) -> Option<Held> {
        let own = self.own(name).try_acquire_many_owned(count).ok()?;
        let all = self.all.clone().try_acquire_many_owned(count).ok()?;
        Some(Held { own, all })
    }

    /// The room that a name has left of its part.
    pub fn left(&self, name: &Name) -> usize {
        self.own(name).available_permits()
    }

    /// Waits for a place: first behind those of the same name, so that they keep nobody else
    /// waiting.
    ///
    /// # Panics
    /// Never: nothing closes it.
    pub async fn take(&self, name: &Name) -> Held {
        let own = self.own(name).acquire_owned().await.expect("never closed");
        let all = self
            .all
            .clone()
            .acquire_owned()
            .await
            .expect("never closed");
        Held { own, all }
    }

    fn own(&self, name: &Name) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = own.get(name) {
            return known.clone();
        }
        if own.len() >= NAMES {
            own.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        own.entry(name.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn nobody_gets_more_than_a_part_and_all_together_no_more_than_there_is() {
        let room = Room::new(5, 2);
        let first = room.try_take(&"a", 2).unwrap();
        assert!(room.try_take(&"a", 1).is_none(), "the part is full");
        let second = room.try_take(&"b", 2).unwrap();
        assert!(room.try_take(&"c", 2).is_none(), "there is one left");
        let third = room.try_take(&"c", 1).unwrap();
        assert!(room.try_take(&"d", 1).is_none());
        drop((first, third));
        assert!(room.try_take(&"a", 2).is_some());
        drop(second);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_their_own_keeps_nobody_else_waiting() {
        let room = Room::new(2, 1);
        let _held = room.take(&"a").await;
        let soon = Duration::from_secs(1);
        let waits = timeout(soon, room.take(&"a"));
        let (again, other) = tokio::join!(waits, timeout(soon, room.take(&"b")));
        assert!(again.is_err() && other.is_ok());
    }

    #[test]
    fn names_that_hold_nothing_are_forgotten() {
        let room = Room::new(10, 1);
        let held = room.try_take(&usize::MAX, 1).unwrap();
        for name in 0..10 * NAMES {
            drop(room.try_take(&name, 1).unwrap());
        }
        assert!(room.own.lock().unwrap().len() <= NAMES);
        assert!(room.try_take(&usize::MAX, 1).is_none(), "still held");
        drop(held);
    }
}
