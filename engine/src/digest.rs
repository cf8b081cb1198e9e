//! Digests that stand in the database in place of secrets which only have to be recognised.

use sha2::{Digest, Sha256};

/// SHA-256 of a secret with at least 128 bits of chance in it (state, session id, API key),
/// lowercase hex. Guessing the secret from it is hopeless, so it needs neither salt nor slowness.
#[must_use]
pub fn sha256_hex(secret: &[u8]) -> String {
    hex(&Sha256::digest(secret))
}

/// The name of a session in the database: whoever reads it there cannot be signed in by it.
#[must_use]
pub fn session_name(id: i128) -> String {
    sha256_hex(&id.to_be_bytes())
}

/// Names an access token without giving it away: the first 16 hex digits of its SHA-256.
#[must_use]
pub fn fingerprint(token: &str) -> String {
    sha256_hex(token.as_bytes())[..16].to_owned()
}

/// A UUID of this version (RFC 9562) made of these bits.
pub(crate) fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
