//! The guard that lets only this machine's own programs and the page itself control the simulation:
//! a page of somebody else's that is open in the same browser can send requests here too, under a
//! name of its own that leads to this address if it has to.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use super::error::ControlError;
use crate::Simulator;

pub(crate) async fn guard(
    State(simulator): State<Simulator>,
    request: Request,
    next: Next,
) -> Response {
    let host = named_host(&request);
    if !host
        .as_ref()
        .is_some_and(|host| is_ours(host.host(), simulator.url()))
    {
        return ControlError::Elsewhere("this host name").into_response();
    }
    // A link may lead to the page from anywhere; nobody can read it from there.
    let is_link = request.method() == Method::GET && request.uri().path() == "/";
    if !is_link && !is_of_this_site(request.headers(), host.as_ref()) {
        return ControlError::Elsewhere("another site").into_response();
    }
    next.run(request).await
}

fn named_host(request: &Request) -> Option<Authority> {
    let header = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    header.or_else(|| request.uri().authority().cloned())
}

/// A name that cannot be somebody else's. Where the simulation listens on every address, any of
/// them may be meant.
fn is_ours(host: &str, url: &str) -> bool {
    let own = Url::parse(url).ok();
    let own = own.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    match address(host) {
        Some(ip) => {
            ip.to_canonical().is_loopback()
                || host == own
                || address(own).is_some_and(|own| own.is_unspecified())
        }
        None => {
            [own, "localhost"]
                .iter()
                .any(|ours| host.eq_ignore_ascii_case(ours))
                || host.to_ascii_lowercase().ends_with(".localhost")
        }
    }
}

/// Browsers say where a request comes from; other programs say nothing.
fn is_of_this_site(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let said = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    match (said("sec-fetch-site"), said("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => host.is_some_and(|host| origin == format!("http://{host}")),
        (None, None) => true,
    }
}
