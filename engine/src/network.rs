//! Addresses as limits count them.

use std::net::{IpAddr, Ipv6Addr};

/// The part of an address that counts as one visitor: an IPv4 address, or the /64 that one
/// subscriber of IPv6 has.
#[must_use]
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// [`counted`] for an address as text; what is none counts as itself.
#[must_use]
pub(crate) fn counted_text(address: &str) -> String {
    address.parse().map_or_else(
        |_| address.to_owned(),
        |address| counted(address).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_of_ipv6_counts_as_one() {
        assert_eq!(
            counted_text("2001:db8:1:2:3:4:5:6"),
            counted_text("2001:db8:1:2::1")
        );
        assert_ne!(
            counted_text("2001:db8:1:2::1"),
            counted_text("2001:db8:1:3::1")
        );
        assert_eq!(counted_text("::ffff:203.0.113.7"), "203.0.113.7");
        assert_ne!(counted_text("203.0.113.7"), counted_text("203.0.113.8"));
        assert_eq!(counted_text("unknown"), "unknown");
    }
}
