//! Linear's signature: HMAC-SHA256 (RFC 2104) over the raw bytes of the body, as 64 lowercase hex
//! digits.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The beginning of every signing secret of Linear's. It is part of the secret.
pub const PREFIX: &str = "lin_wh_";
/// The length of a secret: shorter or longer ones are mistakes in copying.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=256;

/// A signing secret, ready for use. An empty one cannot exist.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// `None` for an empty secret.
    #[must_use]
    pub fn new(secret: &SecretString) -> Option<SigningKey> {
        let secret = secret.expose_secret();
        if secret.is_empty() {
            return None;
        }
        Hmac::new_from_slice(secret.as_bytes()).ok().map(SigningKey)
    }

    /// 64 lowercase hex digits.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let tag = self.0.clone().chain_update(body).finalize().into_bytes();
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(tag) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// Whether this is the signature of exactly these bytes. In constant time; uppercase digits are
    /// not accepted, as by Linear's own client.
    #[must_use]
    pub fn verifies(&self, body: &[u8], signature: &[u8]) -> bool {
        self.sign(body).ct_eq(signature).into()
    }
}

/// A secret as people paste it, without the space around it; `None` for what cannot be one of
/// Linear's.
#[must_use]
pub fn parse_secret(text: &str) -> Option<SecretString> {
    let text = text.trim();
    let whole = text.starts_with(PREFIX)
        && LENGTH.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    whole.then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_rfc_4231s() {
        let key = SigningKey::new(&"Jefe".into()).unwrap();
        let expected = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(&key.sign(b"what do ya want for nothing?"), expected);
        assert!(key.verifies(b"what do ya want for nothing?", expected));
    }

    #[test]
    fn no_other_body_and_no_other_spelling_passes() {
        let key = SigningKey::new(&"lin_wh_secret".into()).unwrap();
        let body = b"{\"a\":1}".to_vec();
        let good = key.sign(&body);
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut flipped = good;
                flipped[at] ^= 1 << bit;
                assert!(!key.verifies(&body, &flipped));
            }
        }
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut flipped = body.clone();
                flipped[at] ^= 1 << bit;
                assert!(!key.verifies(&flipped, &good));
            }
        }
        let text = String::from_utf8(good.to_vec()).unwrap();
        for wrong in [
            String::new(),
            text.to_uppercase(),
            text[..63].to_owned(),
            format!("{text}0"),
            format!("sha256={text}"),
            format!("{text}, {text}"),
        ] {
            assert!(!key.verifies(&body, wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn an_empty_secret_cannot_exist() {
        assert!(SigningKey::new(&"".into()).is_none());
        for nonsense in [
            "",
            "lin_wh_",
            "lin_wh_short",
            "lin_api_0123456789abcdef",
            "lin_wh_0123 456789abcdef",
            &format!("lin_wh_{}", "x".repeat(300)),
        ] {
            assert!(parse_secret(nonsense).is_none(), "{nonsense}");
        }
        assert_eq!(
            parse_secret(" lin_wh_0123456789abcdef\n")
                .unwrap()
                .expose_secret(),
            "lin_wh_0123456789abcdef"
        );
    }
}
