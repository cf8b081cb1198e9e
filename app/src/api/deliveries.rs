//! The page of deliveries.

use relink_engine::clock::{DAY, HOUR};

use super::delivery_filter::{DeliveriesQuery, Found, Page};
use super::destinations::{new_destination, refused_draft};
use super::freshness::freshness;
use super::person::signed_in;
use super::request::{engine, live_from, webhook_url};
use super::session::take_notice;
use crate::view::delivery_views::delivery_views;
use crate::view::destination_views::Destinations;
use crate::view::webhook_views::{refused_views, stray_views};
use crate::view::{DeliveriesView, DeliveryView, Failure, Lately};

/// A page of the organisation's deliveries.
pub async fn load_deliveries(query: DeliveriesQuery) -> Result<DeliveriesView, Failure> {
    let (engine, person) = (engine()?, signed_in().await?);
    let (as_of, live) = (freshness(&engine, &person).await?, live_from()?);
    let deliveries = engine.deliveries(&person);
    let connections = engine.connections(&person).list().await?;
    let secrets = engine.webhook_secrets(&person).list().await?;
    let page = Page::of(&query, &connections);
    let Found { rows, newer, older } = page.find(&deliveries).await?;
    let now = engine.now();
    let destinations = Destinations::load(&engine, &person, &rows).await?;
    let handed = |(view, row)| DeliveryView {
        handed: destinations.handed(row),
        ..view
    };
    let manages = person.manages();
    let refused = deliveries.refused(now - HOUR).await?;
    let strays = deliveries.strays(now - DAY).await?;
    let growing = live.as_ref().is_some_and(|live| live.delivery == 0);
    Ok(DeliveriesView {
        deliveries: delivery_views(&rows, &secrets, &connections, now)
            .into_iter()
            .zip(&rows)
            .map(handed)
            .collect(),
        filter: page.view(&connections),
        paged: page.before.is_some(),
        newer,
        older,
        here: page.address(page.before),
        refused: refused_views(&refused, &secrets, &connections, Lately::Hour, now),
        strays: stray_views(&strays),
        url: webhook_url()?,
        by_app: engine.app_has_webhook(),
        handed_on: destinations.view(if manages {
            Some(refused_draft().await?)
        } else {
            None
        }),
        new_destination: if manages {
            new_destination(&person, query.shown.as_deref()).await?
        } else {
            None
        },
        notice: take_notice().await?,
        manages,
        as_of,
        growing,
        news: live.filter(|_| !growing).map_or(0, |live| {
            rows.iter().filter(|row| row.number > live.delivery).count()
        }),
    })
}
