//! API keys: made and revoked on the settings page, by owners.

use leptos::prelude::*;

use super::Failure;

/// Makes a key. It waits, sealed, in the session for the one page that shows it.
#[server(prefix = "/settings/keys", endpoint = "new")]
pub async fn create_key(#[server(default)] name: String) -> Result<(), Failure> {
    use relink_engine::ApiKeyError;

    use super::door::kept;
    use super::request::{engine, refuse, see_other, set_new_key, set_refused, signed_in_form};
    use crate::view::{Complaint, Refused};

    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.api_key_add(&person, &name).await {
        Ok(key) => {
            set_new_key(&person, &key).await?;
            see_other("/settings?shown=key");
            Ok(())
        }
        Err(ApiKeyError::Name) => {
            set_refused(Refused { name: kept(&name), complaints: vec![Complaint::KeyName], ..Refused::default() }).await?;
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
    use super::request::{engine, refuse, see_other, set_flash, signed_in_form};
    use crate::view::Flash;

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

pub(super) use loading::{key_views, new_key};

mod loading {
    use relink_engine::account::Person;
    use relink_engine::{ApiKeyError, Engine};

    use super::Failure;
    use crate::api::present::key_view;
    use crate::api::request::take_new_key;
    use crate::view::{KeyView, NewKeyView};

    /// `None` for those who do not manage keys.
    pub async fn key_views(engine: &Engine, person: &Person) -> Result<Option<Vec<KeyView>>, Failure> {
        match engine.api_keys(person).await {
            Ok(keys) => Ok(Some(keys.into_iter().map(|key| key_view(key, engine.now())).collect())),
            Err(ApiKeyError::Forbidden) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn new_key(person: &Person, shown: Option<&str>) -> Result<Option<NewKeyView>, Failure> {
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
}
