//! The page that a person sees where no page could be made: a sentence in place of an empty or a
//! machine's answer.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use relink_app::api::theme_of;
use relink_app::pages::{ErrorDocument, error_document};
use relink_app::view::RequestId;

use crate::Web;
use crate::html_fixup::is_page;

/// The policy of such a page: style and icon, and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
        frame-ancestors 'none'",
);

/// Replaces the body of a failed answer for browsers; programs get it as it is.
pub async fn in_words(State(web): State<Web>, request: Request, next: Next) -> Response {
    if !reads_pages(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let response = next.run(Request::from_parts(parts.clone(), body)).await;
    let status = response.status();
    if is_page(&response) || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut failed, _) = response.into_parts();
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::LOCATION,
    ] {
        failed.headers.remove(name);
    }
    failed
        .headers
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    (failed, Html(page(&web, &parts, status))).into_response()
}

fn reads_pages(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn page(web: &Web, asked: &Parts, status: StatusCode) -> String {
    let (heading, words) = words(status, asked.method.is_safe());
    error_document(ErrorDocument {
        heading,
        words,
        theme: theme_of(asked, &web.site),
        css: web.stylesheet(),
        simulated: web.site.simulated,
        way_on: way_on(web, status),
        request: asked
            .extensions
            .get::<RequestId>()
            .filter(|_| status.is_server_error())
            .cloned(),
    })
}

fn way_on(web: &Web, status: StatusCode) -> (String, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => ("/signin".to_owned(), "Sign in"),
        StatusCode::MISDIRECTED_REQUEST => (
            format!("{}/integrations", web.site.url),
            "Open Relink at its own address",
        ),
        _ => ("/integrations".to_owned(), "Go to Integrations"),
    }
}

/// Says what happened and what to do. A form may have done its work before it failed.
fn words(status: StatusCode, looked: bool) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => (
            "You were signed out",
            "Sign in to go on. Nothing was changed.",
        ),
        StatusCode::FORBIDDEN if looked => (
            "This is not open to you",
            "Your role in this organisation does not include it. Ask an owner, who can change \
                that.",
        ),
        StatusCode::FORBIDDEN => (
            "This form was not accepted",
            "This form was sent from another site, so Relink did not accept it. Nothing was \
                changed. To do it after all, open the page \
                here and send the form from there.",
        ),
        StatusCode::MISDIRECTED_REQUEST => (
            "Relink has another address",
            "The address in this browser is not the one that RELINK_URL names, so Relink takes no \
                form under it. Nothing was changed. \
                Open Relink at its own address. Whoever runs it: if this address is the right one, \
                set RELINK_URL to it, and have a proxy \
                pass the Host header on.",
        ),
        StatusCode::NOT_FOUND => (
            "There is no page here",
            "The address has a typo, or what it led to is gone. Nothing was changed.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "This form did not arrive",
            "The connection was too slow or broke off on the way, so Relink did not wait for the \
                rest. Nothing was changed. Go back \
                and send the form again.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "This form is too large",
            "A form may carry 64 KiB, and this one had more. Nothing was changed. Shorten what you \
                entered and send it again.",
        ),
        status if status.is_client_error() => (
            "This was not understood",
            "This request makes no sense to Relink. Nothing was changed. Go back and try again \
                from the page.",
        ),
        _ if looked => (
            "That did not work",
            "Relink cannot do this right now. Try again in a minute.",
        ),
        _ => (
            "That did not work",
            "Relink cannot do this right now. It may have been done all the same: look before you \
                try again in a minute.",
        ),
    }
}
