//! The rate-limit headers that come with every answer.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::world::budget::Standing;

pub(crate) fn with_limits(
    mut response: Response,
    standing: &Standing,
    cost: u64,
    endpoint: &str,
) -> Response {
    let reset = HeaderValue::from(standing.reset_ms());
    let endpoint =
        HeaderValue::from_str(endpoint).unwrap_or_else(|_| HeaderValue::from_static("unknown"));
    let values: [(&str, HeaderValue); 11] = [
        ("x-ratelimit-requests-limit", standing.requests_limit.into()),
        (
            "x-ratelimit-requests-remaining",
            standing.requests_remaining().into(),
        ),
        ("x-ratelimit-requests-reset", reset.clone()),
        ("x-complexity", cost.into()),
        (
            "x-ratelimit-complexity-limit",
            standing.complexity_limit.into(),
        ),
        (
            "x-ratelimit-complexity-remaining",
            standing.complexity_remaining().into(),
        ),
        ("x-ratelimit-complexity-reset", reset.clone()),
        (
            "x-ratelimit-endpoint-requests-limit",
            standing.requests_limit.into(),
        ),
        (
            "x-ratelimit-endpoint-requests-remaining",
            standing.requests_remaining().into(),
        ),
        ("x-ratelimit-endpoint-requests-reset", reset),
        ("x-ratelimit-endpoint-name", endpoint),
    ];
    for (name, value) in values {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}
