//! API keys: made and revoked on the settings page, by owners.

use leptos::prelude::*;
use relink_engine::identity::Person;
use relink_engine::{ApiKeyError, Engine};

use super::person::{refuse, signed_in_form};
use super::request::{engine, see_other};
use super::session::{ask_again, say, set_new_key, take_new_key};
use super::sign_in::kept;
use crate::view::connection_view::key_view;
use crate::view::{Failure, KeyView, NewKeyView, Notice, Refused};

/// Makes a key. It waits, sealed, in the session for the one page that shows it.
#[server(prefix = "/settings/keys", endpoint = "new")]
pub async fn create_key(#[server(default)] name: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.keys(&person).add(&name).await {
        Ok(key) => {
            set_new_key(&person, &key).await?;
            see_other("/settings?shown=key");
            Ok(())
        }
        Err(ApiKeyError::Name) => ask_again("/settings", Refused::Key { name: kept(&name) }).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Makes a key worthless.
#[server(prefix = "/settings/keys", endpoint = "revoke")]
pub async fn revoke_key(#[server(default)] key: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.keys(&person).revoke(&key).await {
        Ok(name) => {
            let rest = "Programs that use it are refused from now on.";
            say(
                "/settings",
                Notice::good(format!("The key {name} is revoked."), rest),
            )
            .await
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// `None` for those who do not manage keys.
pub(super) async fn key_views(
    engine: &Engine,
    person: &Person,
) -> Result<Option<Vec<KeyView>>, Failure> {
    match engine.keys(person).list().await {
        Ok(keys) => Ok(Some(
            keys.into_iter()
                .map(|key| key_view(key, engine.now()))
                .collect(),
        )),
        Err(ApiKeyError::Denied(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn new_key(
    person: &Person,
    shown: Option<&str>,
) -> Result<Option<NewKeyView>, Failure> {
    let gone = || (shown == Some("key")).then_some(NewKeyView::Gone);
    Ok(take_new_key(person).await?.or_else(gone))
}

impl From<ApiKeyError> for Failure {
    fn from(error: ApiKeyError) -> Failure {
        match error {
            ApiKeyError::Denied(_) => Failure::Forbidden,
            ApiKeyError::NotFound => Failure::NotFound,
            ApiKeyError::Name => Failure::Malformed,
            ApiKeyError::Store(error) => error.into(),
        }
    }
}
