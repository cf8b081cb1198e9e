//! The addresses that belong to the public internet. Everything else is somebody's inside, and not
//! for strangers to post to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// False for private, loopback, link-local and otherwise special addresses (IANA's special-purpose
/// registries), also where they are wrapped in IPv6.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match wrapped(ip) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b, c) {
        (0 | 10 | 127, ..) | (169, 254, _) | (192, 168, _) | (198, 18 | 19, _) => true,
        (100, 64..=127, _) | (172, 16..=31, _) => true,
        // Protocol assignments, documentation, and relays of 6to4.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => true,
        // Multicast, reserved and broadcast.
        (224.., ..) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    // Only 2000::/3 is given out; in it, Teredo and other protocol assignments, and documentation
    // are not for this.
    let global = parts[0] & 0xe000 == 0x2000;
    let special = matches!(
        (parts[0], parts[1]),
        (0x2001, ..0x0200 | 0x0db8) | (0x3fff, ..0x1000)
    );
    global && !special
}

/// The IPv4 address in an IPv6 one: mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn wrapped(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = ip.segments();
    let at = |index: usize| {
        let [a, b] = parts[index].to_be_bytes();
        let [c, d] = parts[index + 1].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x0064, 0xff9b, 0, 0, 0, 0, ..] => Some(at(6)),
        [0x2002, ..] => Some(at(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_is_told_from_the_outside() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "3fff::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }
}
