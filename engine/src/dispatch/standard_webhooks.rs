//! Signing what is handed on, after Standard Webhooks (standardwebhooks.com, specification 1.0):
//! `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64 HMAC-SHA256 of
//! "id.timestamp.body">`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::entropy::Entropy;

const PREFIX: &str = "whsec_";

/// A new secret, `whsec_` and the base64 of 32 bytes.
pub(super) fn new_secret(entropy: &Entropy) -> SecretString {
    let key = Zeroizing::new(entropy.bytes::<32>());
    format!("{PREFIX}{}", STANDARD.encode(key.as_slice())).into()
}

/// The three headers; `None` for a secret that is none.
pub(super) fn headers(
    secret: &SecretString,
    id: &str,
    unix_s: i64,
    body: &[u8],
) -> Option<HeaderMap> {
    let key = Zeroizing::new(
        STANDARD
            .decode(secret.expose_secret().strip_prefix(PREFIX)?)
            .ok()?,
    );
    let signed = Hmac::<Sha256>::new_from_slice(&key)
        .ok()?
        .chain_update(format!("{id}.{unix_s}."))
        .chain_update(body);
    let signature = format!("v1,{}", STANDARD.encode(signed.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", &unix_s.to_string()),
        ("webhook-signature", &signature),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).ok()?,
        );
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_specifications_own_example() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into();
        let headers = headers(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        )
        .unwrap();
        assert_eq!(
            headers["webhook-signature"],
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(
            (&headers["webhook-id"], &headers["webhook-timestamp"]),
            (
                &HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                &HeaderValue::from_static("1614265330")
            )
        );
    }

    #[test]
    fn a_new_secret_signs() {
        let secret = new_secret(&Entropy::seeded(1));
        assert_eq!(secret.expose_secret().len(), PREFIX.len() + 44);
        assert!(
            headers(&secret, "msg_1", 1, b"").is_some()
                && headers(&"whsec_!".into(), "msg_1", 1, b"").is_none()
        );
    }
}
