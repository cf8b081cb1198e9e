//! `POST /jobs/refresh`: one sweep, for schedulers that call instead of running commands.
//!
//! `Relink-Signature: t=<unix seconds>,v1=<hex>` with the HMAC-SHA256 of `t.body` under
//! `RELINK_JOBS_SECRET`. A signature is good for five minutes; sweeping twice is harmless, so it is
//! not remembered.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use relink_engine::Engine;
use relink_engine::clock::{MINUTE, Millis, SECOND};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;
use tokio::time::timeout;

use crate::edge::FORM_MAX;

const TOLERANCE: Millis = 5 * MINUTE;
/// A body comes whole within this.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

/// The endpoint's engine and secret; without a secret there is no endpoint.
#[derive(Clone, Debug)]
pub struct Jobs {
    pub engine: Engine,
    pub secret: Option<Arc<SecretString>>,
}

pub async fn refresh(State(jobs): State<Jobs>, headers: HeaderMap, request: Request) -> Response {
    let Some(secret) = &jobs.secret else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let signature = headers
        .get("relink-signature")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // The body counts only with one.
    let body = if signature.is_empty() {
        Bytes::new()
    } else {
        whole(request.into_body()).await
    };
    if !is_signed(secret, signature, &body, jobs.engine.now()) {
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "error": "signature missing, wrong or too old" })),
        )
            .into_response();
    }
    // Goes on when the scheduler hangs up: it asked for a sweep, not for an answer.
    let engine = jobs.engine.clone();
    match tokio::spawn(async move { engine.sweep_scheduled().await }).await {
        Ok(Ok(swept)) => Json(swept).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "the sweep failed");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Reads the whole body. One that does not come is read as nothing, which is not what was signed.
async fn whole(body: Body) -> Bytes {
    let read = timeout(BODY_PATIENCE, axum::body::to_bytes(body, FORM_MAX)).await;
    read.ok().and_then(Result::ok).unwrap_or_default()
}

fn is_signed(secret: &SecretString, signature: &str, body: &[u8], now: Millis) -> bool {
    let part = |name: &str| {
        signature
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
    };
    let (Some((_, at)), Some((_, given))) = (part("t"), part("v1")) else {
        return false;
    };
    let Some(seconds) = at
        .parse::<i64>()
        .ok()
        .and_then(|seconds| seconds.checked_mul(SECOND))
    else {
        return false;
    };
    let fresh = now
        .checked_sub(seconds)
        .is_some_and(|age| age.abs() <= TOLERANCE);
    let (Some(given), Ok(mut mac)) = (
        from_hex(given),
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()),
    ) else {
        return false;
    };
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    // In constant time.
    mac.verify_slice(&given).is_ok() && fresh
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_096_931_000;

    fn sign(secret: &str, at: i64, body: &str) -> String {
        use std::fmt::Write as _;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{at}.{body}").as_bytes());
        let hex = mac
            .finalize()
            .into_bytes()
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
        format!("t={at},v1={hex}")
    }

    #[test]
    fn only_a_right_and_recent_signature_of_this_very_body_counts() {
        let (secret, at) = (SecretString::from("0123456789abcdef"), NOW / SECOND);
        let good = sign("0123456789abcdef", at, "{}");
        assert!(is_signed(&secret, &good, b"{}", NOW));
        assert!(!is_signed(&secret, &good, b"{} ", NOW) && !is_signed(&secret, &good, b"", NOW));
        assert!(!is_signed(
            &secret,
            &sign("another secret 16", at, "{}"),
            b"{}",
            NOW
        ));
        for late in [TOLERANCE, -TOLERANCE] {
            assert!(is_signed(&secret, &good, b"{}", NOW + late));
            assert!(!is_signed(
                &secret,
                &good,
                b"{}",
                NOW + late + late.signum() * SECOND
            ));
        }
        for nonsense in [
            "",
            "t=1",
            "v1=00",
            "t=x,v1=00",
            &good.replace("t=", "t=9"),
            &format!("t={},v1=", i64::MAX),
            &good[..good.len() - 2],
        ] {
            assert!(!is_signed(&secret, nonsense, b"{}", NOW), "{nonsense}");
        }
    }
}
