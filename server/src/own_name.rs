//! The names under which Relink takes what changes something. Whoever owns a name can let it lead
//! here (DNS rebinding): to the browser their page and this Relink are one site then, and no check
//! of origins tells them apart. And where pages are opened under another of this machine's names,
//! they lead to the one in `RELINK_URL`, to which Linear sends everybody back: a cookie of another
//! name would not be there.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use relink_app::api::Site;
use url::Host;

use crate::Web;
use crate::config::is_loopback;

/// Refuses what would change something under a name that is none of ours, and leaves out a referrer
/// that is not ours: the renderer would lead there whoever sent a form that it cannot read.
pub async fn only(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !is_ours(&web.site, request.headers()) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    if !request.method().is_safe() && comes_by_another_scheme(&web.site, request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(there) = elsewhere(&web.site, &request) {
        return Redirect::temporary(&there).into_response();
    }
    if let Some(host) = as_the_world_writes_it(&web.site, request.headers()) {
        request.headers_mut().insert(header::HOST, host);
    }
    let from = request
        .headers()
        .get(header::REFERER)
        .and_then(|from| from.to_str().ok());
    let from_us = from
        .and_then(|from| from.strip_prefix(&web.site.url))
        .is_some_and(|path| path.starts_with('/'));
    if !from_us {
        request.headers_mut().remove(header::REFERER);
    }
    next.run(request).await
}

/// Ports do not count: proxies may leave them out, and no name leads to another one's port.
fn is_ours(site: &Site, headers: &HeaderMap) -> bool {
    let Some((host, _)) = asked(headers) else {
        return false;
    };
    is_loopback(&host) || Some(host) == name(&site.host).map(|(host, _)| host)
}

/// True for a form from an origin of another scheme: whoever serves http under our name is not us
/// where we are https. Browsers that say from which site a form comes heed that themselves; for
/// others only names and ports are compared.
fn comes_by_another_scheme(site: &Site, headers: &HeaderMap) -> bool {
    let own = if site.https { "https://" } else { "http://" };
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    !headers.contains_key("sec-fetch-site")
        && origin.is_some_and(|origin| origin.contains("://") && !origin.starts_with(own))
}

/// Finds the address of a page that was asked for under another name of this machine, at the very
/// port of `RELINK_URL`: behind another port may be somebody who forwards it from elsewhere.
fn elsewhere(site: &Site, request: &Request) -> Option<String> {
    let page = request
        .headers()
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")));
    let ((asked, port), (own, own_port)) = (asked(request.headers())?, name(&site.host)?);
    let another = asked != own
        && is_loopback(&asked)
        && is_loopback(&own)
        && or_usual(site, port) == or_usual(site, own_port);
    let (method, headers) = (request.method(), request.headers());
    // A proxy on this machine that sends a name of its own would be led back to itself for ever.
    let proxied = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    let shows = matches!(*method, Method::GET | Method::HEAD) && page && !proxied;
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    (shows && another && path.starts_with('/')).then(|| format!("{}{path}", site.url))
}

/// The name and port of `RELINK_URL` for a request that leaves its port out or names the usual one:
/// browsers do neither in the origin that this is compared with.
fn as_the_world_writes_it(site: &Site, headers: &HeaderMap) -> Option<HeaderValue> {
    let ((asked, port), (own, own_port)) = (asked(headers)?, name(&site.host)?);
    let same = asked == own && port.is_none_or(|port| Some(port) == or_usual(site, own_port));
    HeaderValue::from_str(&site.host).ok().filter(|_| same)
}

/// True where it was asked for by an IP address or as `localhost`: nobody can let those lead here.
pub fn is_an_address(headers: &HeaderMap) -> bool {
    asked(headers).is_some_and(|(host, _)| is_loopback(&host) || !matches!(host, Host::Domain(_)))
}

fn or_usual(site: &Site, port: Option<u16>) -> Option<u16> {
    port.or(Some(if site.https { 443 } else { 80 }))
}

fn asked(headers: &HeaderMap) -> Option<(Host, Option<u16>)> {
    let mut asked = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (asked.next(), asked.next()) else {
        return None;
    };
    name(host.to_str().ok()?)
}

fn name(host_and_port: &str) -> Option<(Host, Option<u16>)> {
    let authority: Authority = host_and_port
        .parse()
        .ok()
        .filter(|_| !host_and_port.contains('@'))?;
    Some((Host::parse(authority.host()).ok()?, authority.port_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            url: "https://relink.example.com:8443".to_owned(),
            host: "relink.example.com:8443".to_owned(),
            https: true,
            instance: String::new(),
            simulated: false,
            linear_web: String::new(),
        }
    }

    fn taken(hosts: &[&str]) -> bool {
        let named = |host: &&str| (header::HOST, HeaderValue::from_str(host).unwrap());
        is_ours(&site(), &hosts.iter().map(named).collect())
    }

    #[test]
    fn forms_are_taken_under_the_name_of_this_relink_and_on_this_machine() {
        let ours = [
            "relink.example.com:8443",
            "relink.example.com",
            "RELINK.example.com:443",
        ];
        let here = [
            "localhost",
            "localhost:3000",
            "a.localhost:3000",
            "127.0.0.1:3000",
            "127.9.9.9",
            "[::1]:3000",
            "[::1]",
        ];
        for host in ours.into_iter().chain(here) {
            assert!(taken(&[host]), "{host}");
        }
    }

    /// Whoever sends a form from behind another port of this host is somebody else, though the
    /// host's name comes without one.
    #[test]
    fn a_host_without_its_port_is_the_one_of_the_address() {
        let written = |host: &str| {
            let headers = [(header::HOST, HeaderValue::from_str(host).unwrap())]
                .into_iter()
                .collect();
            as_the_world_writes_it(&site(), &headers).map(|host| host.to_str().unwrap().to_owned())
        };
        for same in [
            "relink.example.com",
            "relink.example.com:8443",
            "RELINK.example.com",
        ] {
            assert_eq!(written(same).as_deref(), Some("relink.example.com:8443"));
        }
        for other in ["relink.example.com:443", "localhost:8443", "evil.example"] {
            assert_eq!(written(other), None);
        }
    }

    #[test]
    fn forms_are_taken_under_no_name_of_somebody_else() {
        let named = [
            "evil.example",
            "evil.example:8443",
            "relink.example.com.evil.example",
            "localhost.evil.example",
            "evillocalhost",
        ];
        let odd = [
            "127.0.0.1.evil.example",
            "192.0.2.7",
            "[2001:db8::1]",
            "",
            ":3000",
            "evil.example@localhost",
            "localhost@evil.example",
        ];
        for host in named.into_iter().chain(odd) {
            assert!(!taken(&[host]), "{host}");
        }
        assert!(!taken(&[]) && !taken(&["localhost", "evil.example"]));
    }
}
