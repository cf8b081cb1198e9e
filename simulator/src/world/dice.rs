//! One generator for every id, code and token, so that a test which sets the seed gets the same
//! world again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// SHA-256 over a secret seed and a counter: unguessable from the system's seed, repeatable from a
/// test's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dice {
    seed: String,
    drawn: u64,
}

impl Dice {
    pub fn new(seed: &[u8]) -> Dice {
        Dice {
            seed: hex::encode(seed),
            drawn: 0,
        }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::new()
            .chain_update(&self.seed)
            .chain_update(self.drawn.to_le_bytes())
            .finalize()
            .into()
    }

    pub fn uuid(&mut self) -> String {
        let bytes = self.draw();
        uuid_from(&bytes)
    }

    /// Makes sixty-four hexadecimal characters after a prefix.
    pub fn token(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", hex::encode(self.draw()))
    }
}

/// The same UUID for the same name in every run: the demo world's ids can be written down.
pub fn named_uuid(name: &str) -> String {
    let bytes: [u8; 32] = Sha256::digest(name).into();
    uuid_from(&bytes)
}

/// A version 4 UUID out of the first sixteen bytes.
fn uuid_from(bytes: &[u8; 32]) -> String {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    let text = hex::encode(id);
    [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ]
    .join("-")
}

/// Linear takes only version 4 UUIDs as client-chosen ids.
pub fn is_uuid_v4(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && groups[2].starts_with('4')
        && groups[3].starts_with(['8', '9', 'a', 'b', 'A', 'B'])
}

#[cfg(test)]
mod tests {
    use super::{Dice, is_uuid_v4, named_uuid};

    #[test]
    fn ids_are_version_4_uuids() {
        assert!(is_uuid_v4(&Dice::new(b"seed").uuid()));
        assert!(is_uuid_v4(&named_uuid("acme")));
        assert!(!is_uuid_v4("acme"));
    }

    #[test]
    fn the_same_seed_gives_the_same_draws() {
        let (mut one, mut two) = (Dice::new(b"seed"), Dice::new(b"seed"));
        assert_eq!(one.token("x_"), two.token("x_"));
        assert_ne!(one.token("x_"), one.token("x_"));
    }
}
