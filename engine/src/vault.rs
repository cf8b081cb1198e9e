//! Seals secrets before they reach the database. There is no plaintext mode.
//!
//! XChaCha20-Poly1305 with a random 192-bit nonce. Sealed bytes carry the id of their key, and are
//! bound to the place they were sealed for, so that no ciphertext can be moved to another row,
//! column or organisation.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::entropy::Entropy;

const FORMAT: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const KEY_ID_MAX: usize = 32;

/// The keys that open; the first one also seals.
#[derive(Clone)]
pub struct KeyRing(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("it is empty")]
    Empty,
    #[error("each key must look like id:base64")]
    Shape,
    #[error("a key's id must be 1 to 32 letters, digits, - or _")]
    Id,
    #[error("two keys have the same id")]
    Twice,
    #[error("a key must be the base64 of exactly 32 bytes")]
    Bytes,
}

impl KeyRing {
    /// Reads `id:base64[,id:base64…]`.
    ///
    /// # Errors
    /// Says what is wrong with the text, never the text itself.
    pub fn parse(text: &str) -> Result<KeyRing, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text
            .trim()
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let key = Key::parse(part)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(KeyRingError::Twice);
            }
            keys.push(key);
        }
        if keys.is_empty() {
            Err(KeyRingError::Empty)
        } else {
            Ok(KeyRing(keys))
        }
    }

    /// The text of a new ring with one key, as [`KeyRing::parse`] reads it.
    #[must_use]
    pub fn generate(entropy: &Entropy) -> SecretString {
        let mut key = entropy.bytes::<KEY_BYTES>();
        let text = format!("k1:{}", STANDARD.encode(key));
        key.zeroize();
        text.into()
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn sealing_key(&self) -> &str {
        &self.0[0].id
    }
}

impl Key {
    fn parse(text: &str) -> Result<Key, KeyRingError> {
        let (id, encoded) = text.split_once(':').ok_or(KeyRingError::Shape)?;
        if !is_key_id(id.as_bytes()) {
            return Err(KeyRingError::Id);
        }
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| KeyRingError::Bytes)?);
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| KeyRingError::Bytes)?;
        Ok(Key {
            id: id.to_owned(),
            cipher,
        })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

/// The place that sealed bytes belong to. They open nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'a str,
    pub row: &'a str,
    pub column: &'a str,
    pub organisation: &'a str,
}

impl Place<'_> {
    /// Lengths first, so that no two places read the same.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = vec![FORMAT];
        for part in [self.table, self.row, self.column, self.organisation] {
            data.extend((part.len() as u64).to_be_bytes());
            data.extend(part.as_bytes());
        }
        data
    }
}

/// Sealed bytes did not open: wrong key, wrong place, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data in {table}.{column} does not open with any key of the ring")]
pub struct Unreadable {
    pub table: &'static str,
    pub column: &'static str,
    /// It was sealed with a key that is not in this ring. Another replica's may hold it: no verdict
    /// on the data.
    pub key_missing: bool,
}

/// The name of that for history, metrics and the API.
pub const KEY_MISSING: &str = "key_missing";

#[derive(Clone, Debug)]
pub struct Vault {
    ring: KeyRing,
    entropy: Entropy,
}

impl Vault {
    #[must_use]
    pub fn new(ring: KeyRing, entropy: Entropy) -> Vault {
        Vault { ring, entropy }
    }

    #[must_use]
    pub fn sealing_key(&self) -> &str {
        self.ring.sealing_key()
    }

    /// Seals `secret` for `place`: format, key id, nonce, ciphertext with tag.
    ///
    /// # Panics
    /// Never for anything shorter than 256 GiB, which is the cipher's only limit.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, secret: &SecretString) -> Vec<u8> {
        let key = &self.ring.0[0];
        let nonce = self.entropy.bytes::<NONCE_BYTES>();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: &place.associated_data(),
        };
        let ciphertext = key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("secrets are short");
        let id_length = u8::try_from(key.id.len()).expect("the ring's parser bounds ids");
        [&[FORMAT, id_length], key.id.as_bytes(), &nonce, &ciphertext].concat()
    }

    /// Opens what [`Vault::seal`] made for the same place with a key that is still in the ring.
    ///
    /// # Errors
    /// [`Unreadable`], without saying why: the reasons cannot be told apart.
    pub fn open(&self, place: Place<'static>, sealed: &[u8]) -> Result<SecretString, Unreadable> {
        self.try_open(place, sealed)
            .ok_or(self.unreadable(place.table, place.column, sealed))
    }

    /// [`Vault::open`] for a row whose id and organisation are not known at compile time.
    ///
    /// # Errors
    /// As there.
    pub fn open_row(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        organisation: &str,
        sealed: &[u8],
    ) -> Result<SecretString, Unreadable> {
        self.try_open(
            Place {
                table,
                row,
                column,
                organisation,
            },
            sealed,
        )
        .ok_or(self.unreadable(table, column, sealed))
    }

    fn unreadable(&self, table: &'static str, column: &'static str, sealed: &[u8]) -> Unreadable {
        let key_missing = parts(sealed)
            .is_some_and(|parts| is_key_id(parts.key_id) && self.key(parts.key_id).is_none());
        Unreadable {
            table,
            column,
            key_missing,
        }
    }

    fn key(&self, id: &[u8]) -> Option<&Key> {
        self.ring.0.iter().find(|key| key.id.as_bytes() == id)
    }

    fn try_open(&self, place: Place<'_>, sealed: &[u8]) -> Option<SecretString> {
        let Parts {
            key_id,
            nonce,
            ciphertext,
        } = parts(sealed)?;
        let key = self.key(key_id)?;
        let payload = Payload {
            msg: ciphertext,
            aad: &place.associated_data(),
        };
        // Copied once, and wiped: making it fit would leave a copy behind.
        let secret = Zeroizing::new(key.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?);
        str::from_utf8(&secret).ok().map(SecretString::from)
    }
}

/// Sealed bytes, taken apart.
struct Parts<'a> {
    key_id: &'a [u8],
    nonce: &'a [u8; NONCE_BYTES],
    ciphertext: &'a [u8],
}

fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let (&[format, id_length], rest) = sealed.split_first_chunk::<2>()?;
    let (key_id, rest) = rest.split_at_checked(usize::from(id_length))?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
    (format == FORMAT).then_some(Parts {
        key_id,
        nonce,
        ciphertext,
    })
}

fn is_key_id(id: &[u8]) -> bool {
    (1..=KEY_ID_MAX).contains(&id.len())
        && id
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place {
        table: "grants",
        row: "r1",
        column: "access",
        organisation: "o1",
    };

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).expect("a good ring")
    }

    fn key(id: &str, byte: u8) -> String {
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    fn vault(text: &str) -> Vault {
        Vault::new(ring(text), Entropy::seeded(1))
    }

    #[test]
    fn what_was_sealed_opens_in_its_place() {
        let vault = vault(&key("a", 1));
        let sealed = vault.seal(HERE, &"lin_oauth_x".into());
        assert!(!String::from_utf8_lossy(&sealed).contains("lin_oauth_x"));
        assert_eq!(
            vault.open(HERE, &sealed).expect("opens").expose_secret(),
            "lin_oauth_x"
        );
    }

    #[test]
    fn it_opens_in_no_other_place() {
        let vault = vault(&key("a", 1));
        let sealed = vault.seal(HERE, &"secret".into());
        for elsewhere in [
            Place {
                table: "apps",
                ..HERE
            },
            Place { row: "r2", ..HERE },
            Place {
                column: "refresh",
                ..HERE
            },
            Place {
                organisation: "o2",
                ..HERE
            },
            // The same letters cut elsewhere are another place.
            Place {
                table: "grantsr",
                row: "1",
                ..HERE
            },
        ] {
            assert!(vault.open(elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let vault = vault(&key("a", 1));
        let sealed = vault.seal(HERE, &"secret".into());
        for at in 0..sealed.len() {
            assert!(vault.open(HERE, &sealed[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut bent = sealed.clone();
                bent[at] ^= 1 << bit;
                assert!(vault.open(HERE, &bent).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_new_first_key_seals_while_the_old_one_still_opens() {
        let before = vault(&key("old", 1));
        let sealed = before.seal(HERE, &"secret".into());
        let after = vault(&format!("{},{}", key("new", 2), key("old", 1)));
        assert_eq!(
            after.open(HERE, &sealed).expect("opens").expose_secret(),
            "secret"
        );
        assert!(
            before
                .open(HERE, &after.seal(HERE, &"secret".into()))
                .is_err()
        );
        assert!(
            vault(&key("old", 3)).open(HERE, &sealed).is_err(),
            "same id, other bytes"
        );
    }

    #[test]
    fn a_bad_ring_says_what_is_wrong() {
        let long = format!("{}:{}", "x".repeat(33), STANDARD.encode([1; 32]));
        for (text, error) in [
            ("", KeyRingError::Empty),
            (" , ", KeyRingError::Empty),
            ("no colon", KeyRingError::Shape),
            ("a b:AAAA", KeyRingError::Id),
            (long.as_str(), KeyRingError::Id),
            ("a:AAAA", KeyRingError::Bytes),
            ("a:not base64", KeyRingError::Bytes),
            (
                &format!("{},{}", key("a", 1), key("a", 2)),
                KeyRingError::Twice,
            ),
        ] {
            assert_eq!(KeyRing::parse(text).expect_err(text), error, "{text}");
        }
    }

    #[test]
    fn debug_output_shows_ids_only() {
        assert_eq!(format!("{:?}", ring(&key("k9", 1))), r#"["k9"]"#);
    }
}
