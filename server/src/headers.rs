//! The headers that tell browsers how every response is to be treated safely.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use relink_app::api::Site;
use relink_app::view::Referrer;
use relink_engine::entropy::Entropy;
use relink_engine::linear::PICTURES;
use relink_engine::people::may_hold_code;
use url::Url;

use crate::config::origin;

/// The policy for everything that is not a page.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

#[derive(Clone, Copy, Debug)]
pub struct Https(pub bool);

/// Adds what a handler has not set itself.
pub async fn secure(State(https): State<Https>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    harden(response.headers_mut(), https.0);
    response
}

/// [`secure`] for one answer.
pub fn harden(headers: &mut HeaderMap, https: bool) {
    let mut default = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    default(header::CONTENT_SECURITY_POLICY, NOTHING);
    default(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    default(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    default(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    default(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    // A header and not robots.txt: whoever is kept from reading a page is kept from the previews of
    // links as well, and never reads that it should not be found.
    default(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    // Everything is private unless it says otherwise.
    default(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if https {
        default(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// The policy of a page: our own files, Linear's pictures, scripts by nonce only, forms that may
/// lead to Linear, and text that becomes markup only where `app/src/islands/trusted.rs` says so.
/// `reloading` lets the page hear from `cargo leptos watch`, and be changed by it.
pub fn page_policy(nonce: &str, linear: &Url, reloading: bool) -> Option<HeaderValue> {
    let linear = origin(linear);
    let (reload, types) = if reloading {
        (" ws:", "")
    } else {
        (
            "",
            "; require-trusted-types-for 'script'; trusted-types relink",
        )
    };
    HeaderValue::from_str(&format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
            style-src 'self'; \
            img-src 'self' data: {PICTURES}; connect-src 'self'{reload}; manifest-src 'self'; \
            form-action 'self' {linear}; base-uri 'none'; frame-ancestors 'none'{types}"
    ))
    .ok()
}

/// Decides what a page tells the next one of itself. Where codes are redeemed it is nothing, as far
/// as forms work without: over plain http from another machine the CSRF check has only the origin
/// to go by.
pub fn referrer(path: &str, site: &Site) -> Referrer {
    let host = site
        .host
        .rsplit_once(':')
        .map_or(site.host.as_str(), |(host, _)| host);
    let says_where_forms_come_from =
        site.https || matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if path.starts_with("/link") && says_where_forms_come_from {
        Referrer::Nobody
    } else {
        Referrer::SameOrigin
    }
}

/// A path as the log tells it. It may hold a code: mail filters write the `#` of a link as `%23`,
/// and people as `/`, or type nothing but the code.
#[must_use]
pub fn told_path(path: &str) -> &str {
    const OURS: [&str; 3] = ["/link/confirm", "/link/password", "/link/prove"];
    if may_hold_code(path) && !OURS.contains(&path) {
        "/…"
    } else {
        path
    }
}

/// The request id that a reverse proxy gave, if it is a harmless one.
pub fn given_request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let harmless = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    harmless.then(|| id.to_owned())
}

/// Names for requests that came without one: unlike those of other processes, and cheap.
#[derive(Clone, Debug)]
pub struct RequestIds(Arc<(String, AtomicU64)>);

impl RequestIds {
    #[must_use]
    pub fn new(entropy: &Entropy) -> RequestIds {
        RequestIds(Arc::new((entropy.id()[..13].to_owned(), AtomicU64::new(0))))
    }

    #[must_use]
    pub fn next(&self) -> String {
        format!(
            "{}-{:x}",
            self.0.0,
            self.0.1.fetch_add(1, Ordering::Relaxed)
        )
    }
}
