//! Sending deliveries to a destination again: one from its row, or the newest ones.

use leptos::prelude::*;

use super::destinations::named;
use super::person::{refuse, signed_in_form};
use super::request::{engine, own_path};
use super::session::say;
use crate::view::phrases::counted_deliveries;
use crate::view::{Failure, Notice, RESENT_AT_ONCE};

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
    let count = match engine
        .destinations(&person)
        .resend_one(&destination, number)
        .await
    {
        Ok(count) => count,
        Err(error) => return refuse(error.into()).await,
    };
    say(deliveries_path(&back), sent_again(&name, count, paused)).await
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
    let count = match engine
        .destinations(&person)
        .resend_newest(&destination, i64::from(most))
        .await
    {
        Ok(count) => count,
        Err(error) => return refuse(error.into()).await,
    };
    say("/deliveries", sent_again(&name, count, paused)).await
}

/// A page of deliveries; anything else becomes the first one.
fn deliveries_path(back: &str) -> &str {
    const FIRST: &str = "/deliveries";
    let ours = back.starts_with("/deliveries?") && own_path(back) == back;
    if ours { back } else { FIRST }
}

fn sent_again(name: &str, count: u64, paused: bool) -> Notice {
    let (go, wait, they_are) = if count == 1 {
        ("goes", "waits", "It is")
    } else {
        ("go", "wait", "They are")
    };
    let fact = format!("{} {go} to {name} again.", counted_deliveries(count));
    match (count, paused) {
        (0, _) => Notice::waiting(
            format!("Nothing is sent to {name} again."),
            "Either it is on its way right now, or there is nothing to send.",
        ),
        (_, true) => Notice::waiting(
            format!("{} {wait} for {name}.", counted_deliveries(count)),
            format!("{they_are} sent once the destination is resumed."),
        ),
        (_, false) => Notice::good(fact, "How that ends is shown in the rows below."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Tone;

    fn said(count: u64, paused: bool) -> (Tone, String) {
        let notice = sent_again("hooks.example.com", count, paused);
        (notice.tone, format!("{} {}", notice.fact, notice.rest))
    }

    #[test]
    fn sending_again_says_how_many_and_what_follows() {
        let cases = [
            (
                1,
                false,
                Tone::Good,
                "1 delivery goes to hooks.example.com again. How that ends is shown in the rows \
                    below.",
            ),
            (
                100,
                false,
                Tone::Good,
                "100 deliveries go to hooks.example.com again. How that ends is shown in the rows \
                    below.",
            ),
            (
                1,
                true,
                Tone::Waiting,
                "1 delivery waits for hooks.example.com. It is sent once the destination is \
                    resumed.",
            ),
            (
                2,
                true,
                Tone::Waiting,
                "2 deliveries wait for hooks.example.com. They are sent once the destination is \
                    resumed.",
            ),
            (
                0,
                false,
                Tone::Waiting,
                "Nothing is sent to hooks.example.com again. Either it is on its way right now, or \
                    there is nothing to send.",
            ),
        ];
        for (count, paused, tone, sentence) in cases {
            assert_eq!(said(count, paused), (tone, sentence.to_owned()));
        }
    }

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
