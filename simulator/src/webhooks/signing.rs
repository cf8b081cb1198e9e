//! The signature of a body, and a new stamp in a body that is sent again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Lower-case hexadecimal HMAC-SHA256 over the raw body; the key is the whole secret with its
/// prefix.
pub(crate) fn signature(secret: &str, body: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        }
        // HMAC takes keys of every length; there is nothing to sign with otherwise.
        Err(_) => String::new(),
    }
}

const STAMP: &str = "\"webhookTimestamp\":";

/// The stamp in a body; the last one, since people's texts stand before it.
pub(crate) fn stamp_of(body: &str) -> Option<i64> {
    let (start, end) = stamp_at(body)?;
    body[start..end].parse().ok()
}

pub(crate) fn restamped(body: &str, now_ms: i64) -> String {
    match stamp_at(body) {
        Some((start, end)) => format!("{}{now_ms}{}", &body[..start], &body[end..]),
        None => body.to_owned(),
    }
}

fn stamp_at(body: &str) -> Option<(usize, usize)> {
    let start = body.rfind(STAMP)? + STAMP.len();
    let digits = body[start..]
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'-')
        .count();
    Some((start, start + digits))
}

#[cfg(test)]
mod tests {
    use super::{restamped, signature, stamp_of};

    #[test]
    fn the_signature_is_plain_lower_case_hexadecimal() {
        // The well-known example of HMAC-SHA256.
        let expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        assert_eq!(
            signature("key", "The quick brown fox jumps over the lazy dog"),
            expected
        );
    }

    #[test]
    fn only_the_real_stamp_is_renewed() {
        let body =
            r#"{"data":{"title":"\"webhookTimestamp\":1"},"webhookTimestamp":5,"webhookId":"x"}"#;
        let renewed = restamped(body, 9);
        assert_eq!(stamp_of(&renewed), Some(9));
        assert_eq!(renewed, body.replace(":5,", ":9,"));
    }
}
