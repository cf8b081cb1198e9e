//! The address that asks: the peer of the connection, or whom a trusted reverse proxy says that it
//! asks for.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) are read from the right, since a client may have
//! made up what stands before: each hop counts as long as the one that said it is trusted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::time::Instant;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The length beyond which no chain of proxies is read.
const HOPS: usize = 32;
const TOLD_EVERY: Duration = Duration::from_secs(3_600);
/// Peers told of in that time, so that strangers cannot fill the log.
const TOLD_MAX: usize = 8;

/// The proxies whose word about addresses counts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    told: Arc<Mutex<HashMap<IpAddr, Instant>>>,
}

impl Default for TrustedProxies {
    /// This very machine.
    fn default() -> TrustedProxies {
        let (v4, v6) = (
            Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
            Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128),
        );
        TrustedProxies::new(vec![v4.into(), v6.into()])
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesError {
    #[error("a part of it is neither an address nor a network")]
    NoNetwork,
    #[error("it trusts everybody, so that anybody could claim any address")]
    Everybody,
}

impl FromStr for TrustedProxies {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<TrustedProxies, ProxiesError> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let networks: Vec<IpNet> = parts.map(network).collect::<Result<_, _>>()?;
        let together = IpNet::aggregate(&networks);
        if together.iter().any(|network| network.prefix_len() == 0) {
            return Err(ProxiesError::Everybody);
        }
        Ok(TrustedProxies::new(networks))
    }
}

/// An address or a network; IPv4 in IPv6's clothes is IPv4.
fn network(text: &str) -> Result<IpNet, ProxiesError> {
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| ProxiesError::NoNetwork)?;
    match (
        network.addr().to_canonical(),
        network.prefix_len().checked_sub(96),
    ) {
        (IpAddr::V4(mapped), Some(length)) if !network.addr().is_ipv4() => {
            IpNet::new(mapped.into(), length).map_err(|_| ProxiesError::NoNetwork)
        }
        _ => Ok(network.trunc()),
    }
}

impl TrustedProxies {
    fn new(networks: Vec<IpNet>) -> TrustedProxies {
        TrustedProxies {
            networks: networks.into(),
            told: Arc::default(),
        }
    }

    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// The address that a request came from.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        let (x, standard) = (
            headers.contains_key(X_FORWARDED_FOR),
            headers.contains_key(header::FORWARDED),
        );
        if !(x || standard) {
            return peer;
        }
        if !self.trust(peer) {
            self.tell(peer);
            return peer;
        }
        let by_x = x.then(|| self.walk(peer, x_forwarded_for(headers)));
        let by_standard = standard.then(|| self.walk(peer, forwarded(headers)));
        match (by_x, by_standard) {
            (Some(one), Some(other)) if one == other => one,
            // A proxy sets one of them and passes on what a client made up in the other: there is
            // no telling which.
            (Some(_), Some(_)) => peer,
            (one, other) => one.or(other).unwrap_or(peer),
        }
    }

    fn walk(&self, peer: IpAddr, hops: Vec<Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        for hop in hops.into_iter().rev().take(HOPS) {
            match hop {
                Some(address) if self.trust(client) => client = address,
                _ => break,
            }
        }
        client
    }

    /// Says what to do about it, once an hour for each peer.
    fn tell(&self, peer: IpAddr) {
        if self.to_be_told(peer) {
            tracing::warn!(
                %peer,
                "requests come through an address that is not a trusted proxy, so that all who \
                    come through it count as one. If it is \
                    your reverse proxy, set RELINK_TRUSTED_PROXIES to its address or network"
            );
        }
    }

    fn to_be_told(&self, peer: IpAddr) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| at.elapsed() < TOLD_EVERY);
        told.len() < TOLD_MAX && told.insert(peer, Instant::now()).is_none()
    }
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .map(|value| value.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(node).collect()
}

/// The `for` of each element.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers
        .get_all(header::FORWARDED)
        .iter()
        .map(|value| value.to_str().unwrap_or_default());
    lines
        .flat_map(|line| {
            if ends_in_quotes(line) {
                vec![None]
            } else {
                split(line, ',').into_iter().map(node_of_element).collect()
            }
        })
        .collect()
}

fn node_of_element(element: &str) -> Option<IpAddr> {
    let mut pairs = split(element, ';')
        .into_iter()
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    node(value)
}

/// An address with or without a port; `None` for `unknown`, `_hidden` and whatever else.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    bare.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// Splits where it is not between quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut quotes = Quotes::default();
    text.split(|c| !quotes.hold(c) && c == at).collect()
}

/// A quote that a client leaves open would hide what the proxy puts behind it.
fn ends_in_quotes(text: &str) -> bool {
    let mut quotes = Quotes::default();
    text.chars().for_each(|c| {
        quotes.hold(c);
    });
    quotes.open
}

/// Reads quoted strings (RFC 9110, section 5.6.4) one character after the other.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    /// Takes the next character, and answers whether it stands in quotes or is one that opens them.
    fn hold(&mut self, c: char) -> bool {
        if self.escaped {
            self.escaped = false;
            return true;
        }
        self.escaped = self.open && c == '\\';
        self.open ^= c == '"';
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(trusted: &str, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let proxies = if trusted.is_empty() {
            TrustedProxies::default()
        } else {
            trusted.parse().unwrap()
        };
        proxies.client(ip(peer), &map).to_string()
    }

    #[test]
    fn only_a_trusted_peer_says_whom_it_asks_for() {
        let header = [("x-forwarded-for", "203.0.113.7")];
        assert_eq!(client("", "127.0.0.1", &header), "203.0.113.7");
        assert_eq!(client("", "::1", &header), "203.0.113.7");
        assert_eq!(
            client("", "::ffff:127.0.0.1", &header),
            "203.0.113.7",
            "listening on [::], this machine looks like that"
        );
        assert_eq!(
            client("", "::ffff:172.18.0.3", &[]),
            "172.18.0.3",
            "nor has anybody else two names"
        );
        assert!(TrustedProxies::default().trust(ip("::ffff:127.0.0.1")));
        assert_eq!(client("", "172.18.0.3", &header), "172.18.0.3");
        assert_eq!(
            client("172.18.0.0/16", "172.18.0.3", &header),
            "203.0.113.7"
        );
        assert_eq!(
            client("::ffff:172.18.0.0/112", "::ffff:172.18.0.3", &header),
            "203.0.113.7"
        );
        assert_eq!(
            client("172.18.0.0/16", "127.0.0.1", &header),
            "127.0.0.1",
            "what is set takes the default's place"
        );
    }

    #[test]
    fn hops_count_from_the_right_as_far_as_each_is_trusted() {
        let proxies = "10.0.0.0/8,fd00::/8";
        let through = |line| client(proxies, "10.0.0.1", &[("x-forwarded-for", line)]);
        assert_eq!(
            through("1.1.1.1, 203.0.113.7"),
            "203.0.113.7",
            "a client makes up what stands before"
        );
        assert_eq!(
            through("1.1.1.1, 203.0.113.7, 10.9.9.9, fd00::1"),
            "203.0.113.7"
        );
        assert_eq!(through("10.1.1.1"), "10.1.1.1", "a client inside");
        assert_eq!(through("203.0.113.7:4711"), "203.0.113.7");
        assert_eq!(through("[2001:db8::17]:4711"), "2001:db8::17");
        assert_eq!(through("::ffff:203.0.113.7"), "203.0.113.7");
        for nothing in [
            "",
            "unknown",
            "203.0.113.7, ",
            "203.0.113.7, _hidden",
            "203.0.113.7, 1.2.3",
        ] {
            assert_eq!(through(nothing), "10.0.0.1", "{nothing:?}");
        }
        let lines = [
            ("x-forwarded-for", "1.1.1.1"),
            ("x-forwarded-for", "203.0.113.7"),
        ];
        assert_eq!(
            client(proxies, "10.0.0.1", &lines),
            "203.0.113.7",
            "several lines are one"
        );
    }

    #[test]
    fn the_standard_header_is_read_too() {
        let through = |line| client("", "127.0.0.1", &[("forwarded", line)]);
        assert_eq!(through("for=203.0.113.7"), "203.0.113.7");
        assert_eq!(
            through("For=\"[2001:db8:cafe::17]:4711\";proto=https"),
            "2001:db8:cafe::17"
        );
        assert_eq!(
            through("for=1.1.1.1, by=203.0.113.60; for=203.0.113.7"),
            "203.0.113.7"
        );
        assert_eq!(
            through("for=203.0.113.7;host=\"a,for=1.1.1.1\""),
            "203.0.113.7"
        );
        let escaped = r#"for=203.0.113.7;host="\", for=1.1.1.1;x=""#;
        assert_eq!(
            through(escaped),
            "203.0.113.7",
            "a quote in quotes ends nothing"
        );
        for open in [
            "for=1.1.1.1;x=\", for=203.0.113.7",
            "for=1.1.1.1;x=\"\\\", for=203.0.113.7",
        ] {
            assert_eq!(
                through(open),
                "127.0.0.1",
                "{open}: whoever left it open chose what is before it"
            );
        }
        for nothing in [
            "for=unknown",
            "for=_gazonk",
            "proto=https",
            "for=1.1.1.1, for=\"_x\"",
        ] {
            assert_eq!(through(nothing), "127.0.0.1", "{nothing:?}");
        }
    }

    #[test]
    fn headers_that_contradict_each_other_count_for_nothing() {
        let both = |x, standard| {
            client(
                "",
                "127.0.0.1",
                &[("x-forwarded-for", x), ("forwarded", standard)],
            )
        };
        assert_eq!(both("203.0.113.7", "for=203.0.113.7"), "203.0.113.7");
        assert_eq!(both("203.0.113.7", "for=1.1.1.1"), "127.0.0.1");
        assert_eq!(both("1.1.1.1", "for=unknown"), "127.0.0.1");
    }

    #[test]
    fn what_is_set_is_addresses_and_networks() {
        for good in ["10.0.0.1", " 10.0.0.0/8 , fd00::/8,", "::1", "10.1.2.3/8"] {
            assert!(good.parse::<TrustedProxies>().is_ok(), "{good}");
        }
        for bad in [
            "nginx",
            "10.0.0.0/33",
            "10.0.0.1:80",
            "*",
            "10.0.0.1 10.0.0.2",
        ] {
            assert_eq!(
                bad.parse::<TrustedProxies>().unwrap_err(),
                ProxiesError::NoNetwork,
                "{bad}"
            );
        }
        for everybody in [
            "0.0.0.0/0",
            "10.0.0.1,::/0",
            "::ffff:0.0.0.0/96",
            "0.0.0.0/1,128.0.0.0/1",
            "192.0.0.0/2,::1,0.0.0.0/1,::ffff:128.0.0.0/98",
            "8000::/1,::/1",
        ] {
            assert_eq!(
                everybody.parse::<TrustedProxies>().unwrap_err(),
                ProxiesError::Everybody,
                "{everybody}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_is_not_trusted_is_told_of_once_an_hour_and_strangers_do_not_fill_the_log()
    {
        let proxies = TrustedProxies::default();
        assert!(proxies.to_be_told(ip("172.18.0.3")) && !proxies.to_be_told(ip("172.18.0.3")));
        let told = (0..100)
            .filter(|number| proxies.to_be_told(IpAddr::from([203, 0, 113, *number])))
            .count();
        assert_eq!(told, TOLD_MAX - 1);
        tokio::time::advance(TOLD_EVERY).await;
        assert!(proxies.to_be_told(ip("172.18.0.3")));
    }
}
