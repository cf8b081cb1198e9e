//! The page of all connections.

use leptos::prelude::*;

use super::Failure;
use crate::view::IntegrationsView;

/// All connections of the organisation. `error` is the address bar's `?error=`.
#[server(prefix = "/fn", endpoint = "load-integrations")]
pub async fn load_integrations(error: Option<String>) -> Result<IntegrationsView, Failure> {
    use super::present::{connection_views, scope_views};
    use super::request::{engine, signed_in, site, take_flash};
    use super::words;
    use crate::view::{ConnectError, Flash};

    let (engine, person) = (engine()?, signed_in().await?);
    let connections = engine.connections_proved(&person).await?;
    let now = engine.now();
    let from_address_bar = error.map(|code| Flash::ConnectFailed(ConnectError::from_code(&code)));
    Ok(IntegrationsView {
        connections: connection_views(&connections, now),
        flash: take_flash().await?.or(from_address_bar),
        scopes: scope_views(),
        app_configured: engine.linear().app().is_some(),
        simulated: site()?.simulated,
        manages: person.manages(),
        as_of: words::seconds(now),
    })
}
