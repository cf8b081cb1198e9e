//! Under which names Relink takes what changes something. Whoever owns a name can let it lead here (DNS rebinding): to the
//! browser their page and this Relink are one site then, and no check of origins tells them apart.

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use relink_app::api::Site;
use url::Host;

use crate::Web;
use crate::config::is_loopback;

/// Refuses what would change something under a name that is none of ours, and leaves out a referrer that is not ours: the
/// renderer would lead there whoever sent a form that it cannot read.
pub async fn only(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    if !request.method().is_safe() && !is_ours(&web.site, request.headers()) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let from = request.headers().get(header::REFERER).and_then(|from| from.to_str().ok());
    let from_us = from.and_then(|from| from.strip_prefix(&web.site.url)).is_some_and(|path| path.starts_with('/'));
    if !from_us {
        request.headers_mut().remove(header::REFERER);
    }
    next.run(request).await
}

/// Ports do not count: proxies may leave them out, and no name leads to another one's port.
fn is_ours(site: &Site, headers: &HeaderMap) -> bool {
    let mut asked = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (asked.next(), asked.next()) else { return false };
    let Some(host) = host.to_str().ok().and_then(name) else { return false };
    is_loopback(&host) || Some(host) == name(&site.host)
}

fn name(host_and_port: &str) -> Option<Host> {
    let authority: Authority = host_and_port.parse().ok().filter(|_| !host_and_port.contains('@'))?;
    Host::parse(authority.host()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn taken(hosts: &[&str]) -> bool {
        let site = Site {
            url: "https://relink.example.com:8443".to_owned(),
            host: "relink.example.com:8443".to_owned(),
            https: true,
            instance: String::new(),
            simulated: false,
            linear_web: String::new(),
        };
        let named = |host: &&str| (header::HOST, HeaderValue::from_str(host).unwrap());
        is_ours(&site, &hosts.iter().map(named).collect())
    }

    #[test]
    fn forms_are_taken_under_the_name_of_this_relink_and_on_this_machine() {
        let ours = ["relink.example.com:8443", "relink.example.com", "RELINK.example.com:443"];
        let here = ["localhost", "localhost:3000", "a.localhost:3000", "127.0.0.1:3000", "127.9.9.9", "[::1]:3000", "[::1]"];
        for host in ours.into_iter().chain(here) {
            assert!(taken(&[host]), "{host}");
        }
    }

    #[test]
    fn forms_are_taken_under_no_name_of_somebody_else() {
        let named = ["evil.example", "evil.example:8443", "relink.example.com.evil.example", "localhost.evil.example", "evillocalhost"];
        let odd = ["127.0.0.1.evil.example", "192.0.2.7", "[2001:db8::1]", "", ":3000", "evil.example@localhost", "localhost@evil.example"];
        for host in named.into_iter().chain(odd) {
            assert!(!taken(&[host]), "{host}");
        }
        assert!(!taken(&[]) && !taken(&["localhost", "evil.example"]));
    }
}
