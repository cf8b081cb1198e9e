//! Sending deliveries to a destination again: one from its row, or the newest ones.

use leptos::prelude::*;

use super::destinations::named;
use super::person::{refuse, signed_in_form};
use super::request::{engine, own_path, see_other};
use super::session::set_flash;
use crate::view::{Failure, Flash, RESENT_AT_ONCE};

/// Sends one delivery once more. `delivery` is its number, and `back` the page that it is on.
#[server(prefix = "/deliveries", endpoint = "resend")]
pub async fn resend_delivery(
    #[server(default)] delivery: String,
    #[server(default)] destination: String,
    #[server(default)] back: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let (name, paused) = match named(&engine, &person, &destination).await {
        Ok(named) => named,
        Err(failure) => return refuse(failure).await,
    };
    let Ok(number) = delivery.parse() else {
        return refuse(Failure::Malformed).await;
    };
    let Some(seq) = engine
        .store()
        .delivery_kept(&person.organisation_id, number)
        .await?
    else {
        return refuse(Failure::NotFound).await;
    };
    let count = match engine
        .deliveries_resend(&person, &destination, seq, seq)
        .await
    {
        Ok(count) => count,
        Err(error) => return refuse(error.into()).await,
    };
    set_flash(Flash::SentAgain {
        name,
        count,
        paused,
    })
    .await?;
    see_other(deliveries_path(&back));
    Ok(())
}

/// Sends the newest deliveries once more, as many as `newest` says.
#[server(prefix = "/deliveries", endpoint = "resend-newest")]
pub async fn resend_newest(
    #[server(default)] destination: String,
    #[server(default)] newest: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let (name, paused) = match named(&engine, &person, &destination).await {
        Ok(named) => named,
        Err(failure) => return refuse(failure).await,
    };
    let Some(most) = RESENT_AT_ONCE
        .into_iter()
        .find(|most| most.to_string() == newest)
    else {
        return refuse(Failure::Malformed).await;
    };
    let sent = match engine
        .store()
        .deliveries_newest(&person.organisation_id, i64::from(most))
        .await?
    {
        Some((from, to)) => {
            engine
                .deliveries_resend(&person, &destination, from, to)
                .await
        }
        None => Ok(0),
    };
    let count = match sent {
        Ok(count) => count,
        Err(error) => return refuse(error.into()).await,
    };
    set_flash(Flash::SentAgain {
        name,
        count,
        paused,
    })
    .await?;
    see_other("/deliveries");
    Ok(())
}

/// A page of deliveries; anything else becomes the first one.
fn deliveries_path(back: &str) -> &str {
    const FIRST: &str = "/deliveries";
    let ours = back.starts_with("/deliveries?") && own_path(back) == back;
    if ours { back } else { FIRST }
}

#[cfg(test)]
mod tests {
    use super::deliveries_path;

    #[test]
    fn the_way_back_leads_to_deliveries_only() {
        assert_eq!(
            deliveries_path("/deliveries?event=Issue&before=21"),
            "/deliveries?event=Issue&before=21"
        );
        for elsewhere in [
            "",
            "/deliveries",
            "/settings",
            "/deliveries.evil",
            "https://evil.example/deliveries?",
            "/deliveries?\r\nx: y",
        ] {
            assert_eq!(deliveries_path(elsewhere), "/deliveries", "{elsewhere}");
        }
    }
}
