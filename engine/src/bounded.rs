//! A map in memory that never holds more than a fixed number of entries.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// A map of no more than `MAX` entries, for many at once: a new one takes the place of the one that
/// was written the longest ago. Read it with `peek`, which changes nothing about that.
#[derive(Debug)]
pub(crate) struct Bounded<K: Hash + Eq, V, const MAX: usize>(Mutex<LruCache<K, V>>);

impl<K: Hash + Eq, V, const MAX: usize> Default for Bounded<K, V, MAX> {
    fn default() -> Bounded<K, V, MAX> {
        const { assert!(MAX > 0) };
        let max = NonZeroUsize::new(MAX).unwrap_or(NonZeroUsize::MIN);
        // Made without room, it grows with what is in it.
        let mut map = LruCache::unbounded();
        map.resize(max);
        Bounded(Mutex::new(map))
    }
}

impl<K: Hash + Eq, V, const MAX: usize> Bounded<K, V, MAX> {
    /// The map itself, for one look or one change.
    pub fn lock(&self) -> MutexGuard<'_, LruCache<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_longest_ago_makes_room() {
        let map: Bounded<&str, u8, 2> = Bounded::default();
        map.lock().put("a", 1);
        map.lock().put("b", 2);
        map.lock().put("a", 3);
        map.lock().put("c", 4);
        let kept = ["a", "b", "c"].map(|key| map.lock().peek(key).copied());
        assert_eq!(kept, [Some(3), None, Some(4)]);
    }
}
