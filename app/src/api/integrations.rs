//! The page of all connections.

use super::connect_failure::failed_by_code;
use super::freshness::freshness;
use super::person::signed_in;
use super::request::{engine, live_from, site};
use super::session::take_notice;
use crate::view::app_views::app_choices;
use crate::view::connection_view::{connection_view, scope_views};
use crate::view::overview::{Overview, tally, wrong_set_up};
use crate::view::people_views::People;
use crate::view::webhook_facts::Webhooks;
use crate::view::{ConnectionView, Failure, IntegrationsView, Notice};

/// The organisation's connections: which of them, `q` and `page` of the address bar say, and
/// `error` how connecting went.
pub async fn load_integrations(
    error: Option<String>,
    q: Option<String>,
    page: Option<String>,
) -> Result<IntegrationsView, Failure> {
    let (engine, person) = (engine()?, signed_in().await?);
    // Before the mark, or the page would hear of its own question. A page that only looks again
    // asks nothing of Linear.
    if live_from()?.is_none() {
        engine.connections(&person).prove().await?;
    }
    let as_of = freshness(&engine, &person).await?;
    let connections = engine.connections(&person).list().await?;
    let (webhooks, people) = (
        Webhooks::load(&engine, &person).await?,
        People::load(&engine, &person).await?,
    );
    let now = engine.now();
    let Overview {
        shown,
        search,
        pager,
        here,
    } = Overview::of(&connections, q.as_deref(), page.as_deref());
    let view = |connection| ConnectionView {
        webhook: webhooks.facts(connection, &connections),
        people: people.facts(connection),
        ..connection_view(connection, now)
    };
    Ok(IntegrationsView {
        connections: shown.into_iter().map(view).collect(),
        tally: tally(&connections),
        wrong_set_up: wrong_set_up(&connections, now),
        search,
        pager,
        here,
        notice: notice(take_notice().await?, error.as_deref()),
        scopes: scope_views(),
        app_has_webhook: engine.app_has_webhook(),
        app_configured: engine.apps(&person).any().await?,
        apps: app_choices(&engine, &person).await?,
        simulated: site()?.simulated,
        manages: person.manages(),
        owns: person.owns(),
        as_of,
    })
}

/// The address bar says which error; the session may know more about that very one.
fn notice(kept: Option<Notice>, error: Option<&str>) -> Option<Notice> {
    let Some(named) = error.map(failed_by_code) else {
        return kept;
    };
    kept.filter(|kept| kept.error == named.error)
        .or(Some(named))
}
