//! The page of all connections.

use leptos::prelude::*;

use super::Failure;
use crate::view::IntegrationsView;

/// All connections of the organisation. `error` is the address bar's `?error=`.
#[server(prefix = "/fn", endpoint = "load-integrations")]
pub async fn load_integrations(error: Option<String>) -> Result<IntegrationsView, Failure> {
    use super::present::{connection_views, scope_views};
    use super::request::{engine, signed_in, site, take_flash};
    use super::webhook_facts::Webhooks;
    use super::words;

    let (engine, person) = (engine()?, signed_in().await?);
    let connections = engine.connections_proved(&person).await?;
    let webhooks = Webhooks::load(&engine, &person).await?;
    let now = engine.now();
    Ok(IntegrationsView {
        connections: connection_views(&connections, &webhooks, now),
        flash: flash(take_flash().await?, error.as_deref()),
        scopes: scope_views(),
        app_configured: engine.linear().app().is_some(),
        simulated: site()?.simulated,
        manages: person.manages(),
        as_of: words::seconds(now),
    })
}

/// The address bar says which error; the session may know more about that very one.
#[cfg(feature = "ssr")]
fn flash(kept: Option<crate::view::Flash>, error: Option<&str>) -> Option<crate::view::Flash> {
    use crate::view::{ConnectError, Flash};

    let Some(named) = error.map(ConnectError::from_code) else { return kept };
    let more = kept.filter(|kept| matches!(kept, Flash::ConnectFailed(error) if error.code() == named.code()));
    more.or(Some(Flash::ConnectFailed(named)))
}
