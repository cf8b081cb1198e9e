//! Who asks, as far as limits go.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Extensions;
use relink_app::api::ClientAddress;
use relink_engine::network::counted;

/// What limits for one address go by.
#[must_use]
pub fn asker(extensions: &Extensions) -> IpAddr {
    let known = extensions.get::<ClientAddress>();
    known.map_or(Ipv4Addr::UNSPECIFIED.into(), |client| counted(client.0))
}
