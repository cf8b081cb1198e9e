//! The one of their organisations that somebody looks at.

use leptos::prelude::*;
use relink_engine::text;
use serde_json::json;

use super::person::{open_session, refuse, signed_in_form};
use super::request::engine;
use super::session::{leave_behind, say, session_name};
use crate::view::{Failure, Notice};

/// Goes on in another organisation of whoever asks.
#[server(prefix = "", endpoint = "/organisation")]
pub async fn switch_organisation(#[server(default)] organisation: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let Some(person) = engine.person(&organisation, &person.user_id).await? else {
        return refuse(Failure::NotFound).await;
    };
    let before = session_name().await?;
    open_session(&person).await?;
    if let Some(before) = before {
        // Where nothing is left, whoever comes with its cookie is told to forget that, and so the
        // new one's.
        leave_behind(before, &json!({})).await?;
    }
    let fact = format!("You are in {} now.", text::name(&person.organisation));
    let rest = "So are your other tabs, as soon as they are loaded again.";
    say("/integrations", Notice::good(fact, rest)).await
}
