//! Chance as a value that is handed in: the operating system's generator in production, a seed in
//! tests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A source of random bytes. The real one is built in the binary's `main`.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// `fill` must fill the whole slice with bytes fit for keys.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Entropy {
        Entropy(Arc::new(fill))
    }

    /// Repeats itself for the same seed: for tests only.
    #[must_use]
    pub fn seeded(seed: u64) -> Entropy {
        let counter = Mutex::new(0_u64);
        Entropy::new(move |slice| {
            for chunk in slice.chunks_mut(32) {
                let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
                *counter += 1;
                let block = Sha256::new()
                    .chain_update(seed.to_be_bytes())
                    .chain_update(counter.to_be_bytes())
                    .finalize();
                chunk.copy_from_slice(&block[..chunk.len()]);
            }
        })
    }

    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// 256 bits as 43 characters that are safe in URLs: states, verifiers (RFC 7636 wants 43 to
    /// 128), API keys.
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// A random UUID (RFC 9562, version 4) for a row.
    #[must_use]
    pub fn id(&self) -> String {
        crate::digest::uuid(self.bytes(), 4)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_seed_others() {
        let (a, b, c) = (Entropy::seeded(1), Entropy::seeded(1), Entropy::seeded(2));
        let first = a.id();
        assert_eq!(first, b.id());
        assert_ne!(first, a.id());
        assert_ne!(first, c.id());
    }

    #[test]
    fn an_id_is_a_version_4_uuid() {
        let id = Entropy::seeded(7).id();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
