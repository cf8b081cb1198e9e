//! API keys: made and revoked on the settings page, by owners.

use leptos::prelude::*;
use relink_engine::identity::Person;
use relink_engine::{ApiKeyError, Engine};

use super::person::{refuse, signed_in_form};
use super::request::{engine, see_other};
use super::session::{set_flash, set_new_key, set_refused, take_new_key};
use super::sign_in::kept;
use crate::view::connection_view::key_view;
use crate::view::{Complaint, Failure, Flash, KeyView, NewKeyView, Refused};

/// Makes a key. It waits, sealed, in the session for the one page that shows it.
#[server(prefix = "/settings/keys", endpoint = "new")]
pub async fn create_key(#[server(default)] name: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.api_key_add(&person, &name).await {
        Ok(key) => {
            set_new_key(&person, &key).await?;
            see_other("/settings?shown=key");
            Ok(())
        }
        Err(ApiKeyError::Name) => {
            set_refused(Refused {
                name: kept(&name),
                complaints: vec![Complaint::KeyName],
                ..Refused::default()
            })
            .await?;
            // A fragment would keep the browser from focusing the field.
            see_other("/settings");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// Makes a key worthless.
#[server(prefix = "/settings/keys", endpoint = "revoke")]
pub async fn revoke_key(#[server(default)] key: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.api_key_revoke(&person, &key).await {
        Ok(name) => {
            set_flash(Flash::KeyRevoked { name }).await?;
            see_other("/settings");
            Ok(())
        }
        Err(error) => refuse(error.into()).await,
    }
}

/// `None` for those who do not manage keys.
pub(super) async fn key_views(
    engine: &Engine,
    person: &Person,
) -> Result<Option<Vec<KeyView>>, Failure> {
    match engine.api_keys(person).await {
        Ok(keys) => Ok(Some(
            keys.into_iter()
                .map(|key| key_view(key, engine.now()))
                .collect(),
        )),
        Err(ApiKeyError::Forbidden) => Ok(None),
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
            ApiKeyError::Forbidden => Failure::Forbidden,
            ApiKeyError::NotFound => Failure::NotFound,
            ApiKeyError::Name => Failure::Malformed,
            ApiKeyError::Store(error) => error.into(),
        }
    }
}
