//! The HTTP client for destinations, which strangers' addresses are given to: it connects to the
//! public internet only, follows nothing, and reads little.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::address::is_public;
use crate::clock::{Clock, Millis, SECOND};
use crate::retry_after;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for the whole request, answer included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
/// The part of an answer's body that is kept for people to read.
const ANSWER_MAX: usize = 1024;

/// The answer of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status; none where there was no answer.
    pub status: Option<u16>,
    /// The beginning of its body, or what kept it from answering.
    pub text: String,
    /// Its `Retry-After` (RFC 9110).
    pub retry_after_s: Option<u32>,
}

impl Answer {
    fn none(why: &str) -> Answer {
        Answer {
            status: None,
            text: why.to_owned(),
            retry_after_s: None,
        }
    }

    pub fn is_good(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Milliseconds after which it wants to be asked again.
    pub fn wish(&self) -> Option<Millis> {
        self.retry_after_s
            .map(|seconds| Millis::from(seconds).min(86_400) * SECOND)
    }

    /// Says whether it wants to be asked nothing at all for a while, rather than this once more
    /// (RFC 6585, section 4; RFC 9110, section 15.6.4).
    pub fn wants_rest(&self) -> bool {
        matches!(self.status, Some(429 | 503))
    }

    /// The destination says that it is no more.
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    allow_private: bool,
    clock: Clock,
}

impl Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "destinations need a client of their own, that sees the inside of no network"
    )]
    pub fn new(allow_private: bool, clock: Clock) -> Result<Client, reqwest::Error> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("relink/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(Policy::none())
            // A proxy would resolve names out of our sight.
            .no_proxy();
        let builder = if allow_private {
            builder
        } else {
            builder.dns_resolver(Arc::new(PublicOnly))
        };
        Ok(Client {
            http: builder.build()?,
            allow_private,
            clock,
        })
    }

    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Answer {
        // Addresses that are written out are never resolved.
        if !self.allow_private && !may_be_public(url) {
            return Answer::none(INSIDE);
        }
        match self
            .http
            .post(url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await
        {
            Ok(response) => read(response, self.clock.now()).await,
            Err(error) => Answer::none(why(&error)),
        }
    }
}

const INSIDE: &str = "the address is not on the public internet";

async fn read(mut response: reqwest::Response, now: Millis) -> Answer {
    retry_after::date(response.headers_mut(), now);
    let retry_after_s = retry_after::seconds(response.headers());
    let mut text = Vec::new();
    while text.len() < ANSWER_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        text.extend_from_slice(&chunk[..chunk.len().min(ANSWER_MAX - text.len())]);
    }
    // PostgreSQL takes no NUL characters.
    let text = String::from_utf8_lossy(&text).replace('\0', "\u{fffd}");
    Answer {
        status: Some(response.status().as_u16()),
        text,
        retry_after_s,
    }
}

fn why(error: &reqwest::Error) -> &'static str {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<Inside>() {
            return INSIDE;
        }
        source = inner.source();
    }
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    }
}

/// Whether an address may lead to the public internet; a name may, until it is resolved.
pub(super) fn may_be_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => {
            !format!(".{}", name.trim_end_matches('.')).ends_with(".localhost")
        }
        None => false,
    }
}

/// Resolves at connect time and hands over public addresses only: a name that changes its mind
/// afterwards gains nothing.
struct PublicOnly;

/// A name leads inside.
#[derive(Debug, thiserror::Error)]
#[error("no address on the public internet")]
struct Inside;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|addr| is_public(addr.ip())).collect();
            if public.is_empty() {
                return Err(Inside.into());
            }
            let addrs: Addrs = Box::new(public.into_iter());
            Ok(addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(allow_private: bool) -> Client {
        Client::new(allow_private, Clock::manual(0).0).unwrap()
    }

    async fn post(url: &str) -> Answer {
        client(false)
            .post(&Url::parse(url).unwrap(), HeaderMap::new(), Bytes::new())
            .await
    }

    #[tokio::test]
    async fn nothing_inside_is_reached_by_name_or_number() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let knock = async {
            for host in [
                "127.0.0.1",
                "[::1]",
                "[::ffff:127.0.0.1]",
                "localhost",
                "2130706433",
                "0x7f.1",
                "0.0.0.0",
            ] {
                assert_eq!(
                    post(&format!("http://{host}:{port}/")).await,
                    Answer::none(INSIDE),
                    "{host}"
                );
            }
        };
        tokio::select! {
            () = knock => {}
            _ = listener.accept() => panic!("somebody knocked"),
        }
    }

    /// The address of a name is judged when it is connected to, and not before.
    #[tokio::test]
    async fn a_name_that_resolves_inside_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://localhost:{}/",
            listener.local_addr().unwrap().port()
        );
        let (strict, lax) = (client(false), client(true));
        tokio::select! {
            sent = strict.http.post(&url).send() => assert_eq!(why(&sent.unwrap_err()), INSIDE),
            _ = listener.accept() => panic!("somebody knocked"),
        }
        tokio::select! {
            _ = lax.http.post(&url).send() => panic!("nobody answers"),
            knocked = listener.accept() => assert!(knocked.is_ok()),
        }
    }
}
