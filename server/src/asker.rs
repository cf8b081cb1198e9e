//! The address that a request counts for in limits.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Extensions;
use relink_app::api::ClientAddress;
use relink_engine::network::counted;

/// The address that a request counts for in limits.
#[must_use]
pub fn asker(extensions: &Extensions) -> IpAddr {
    let known = extensions.get::<ClientAddress>();
    known.map_or(Ipv4Addr::UNSPECIFIED.into(), |client| counted(client.0))
}
