//! A workspace's webhook: its signing secrets, and whose a delivery would be.

use leptos::prelude::*;
use relink_engine::Engine;
use relink_engine::identity::Person;
use relink_engine::store::StoreError;
use relink_engine::webhook::{CheckedDelivery, SecretAdded, SecretError, SignedBy};
use secrecy::ExposeSecret as _;

use super::delivery_check::notice;
use super::person::{refuse, signed_in_form};
use super::request::{connection_path, engine, see_other, typed_secret};
use super::session::{ask_again, say};
use crate::view::webhook_views::ending;
use crate::view::{Failure, Notice, Refused};

/// Stores a signing secret; the one before stays good for a while.
#[server(prefix = "/integrations", endpoint = "webhook-secret")]
pub async fn save_webhook_secret(
    #[server(default)] connection: String,
    #[server(default)] secret: String,
) -> Result<(), Failure> {
    let (engine, person, secret) = (engine()?, signed_in_form().await?, typed_secret(secret));
    let page = connection_path(&connection);
    match engine
        .webhook_secrets(&person)
        .add(&connection, secret.expose_secret())
        .await
    {
        Ok(added) => say(&page, saved(added)).await,
        Err(SecretError::TooMany) => {
            let rest = "No more can be accepted at a time. Stop accepting one of those below, then \
                save it again.";
            say(&page, Notice::bad("The secret was not saved.", rest)).await
        }
        Err(SecretError::Shape) => ask_again(&page, Refused::SigningSecret).await,
        Err(error) => refuse(error.into()).await,
    }
}

/// Accepts a secret no more.
#[server(prefix = "/integrations/webhook-secret", endpoint = "stop")]
pub async fn stop_webhook_secret(
    #[server(default)] connection: String,
    #[server(default)] secret: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    if let Err(error) = engine
        .webhook_secrets(&person)
        .retire(&connection, &secret)
        .await
    {
        return refuse(error.into()).await;
    }
    let secrets = engine.webhook_secrets(&person).list().await?;
    let page = connection_path(&connection);
    match secrets.iter().find(|one| one.id == secret) {
        Some(stopped) => say(&page, stopped_words(&stopped.last_four)).await,
        None => {
            see_other(&page);
            Ok(())
        }
    }
}

/// Says which secret signed a pasted delivery. Nothing of it is kept, not even in the session.
#[server(prefix = "/integrations", endpoint = "webhook-check")]
pub async fn check_delivery(
    #[server(default)] connection: String,
    #[server(default)] body: String,
    #[server(default)] signature: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let Some(checked) = checked(&engine, &person, &body, &signature).await? else {
        return refuse(Failure::Forbidden).await;
    };
    let connections = engine.connections(&person).list().await?;
    if !connections.iter().any(|known| known.id == connection) {
        return refuse(Failure::NotFound).await;
    }
    let secrets = engine.webhook_secrets(&person).list().await?;
    let notice = notice(&checked, &secrets, &connections, engine.now());
    say(&connection_path(&connection), notice).await
}

fn saved(added: SecretAdded) -> Notice {
    match added {
        SecretAdded::First => {
            Notice::good("Saved.", "Waiting for the first delivery signed with it.")
        }
        SecretAdded::Replaced => Notice::good(
            "Saved.",
            "Waiting for the first delivery signed with it. The one before is accepted until then, \
                and for a while longer.",
        ),
        SecretAdded::Unchanged => Notice::good(
            "This is the current secret already.",
            "Nothing was changed.",
        ),
    }
}

fn stopped_words(last_four: &str) -> Notice {
    Notice::good(
        format!("{} is accepted no more.", ending(last_four)),
        "What is signed with it is refused from now on.",
    )
}

/// The body as it came, and as it may have been before a browser and a clipboard had it: forms are
/// sent with CRLF, and what is copied often ends with a line break.
pub(super) fn readings(body: &str) -> Vec<String> {
    let unix = body.replace("\r\n", "\n");
    let mut readings = vec![
        body.to_owned(),
        unix.clone(),
        unix.trim_end_matches('\n').to_owned(),
    ];
    readings.dedup();
    readings
}

/// The first reading that a known secret signed, or else the last one; `None` for who may not know.
async fn checked(
    engine: &Engine,
    person: &Person,
    body: &str,
    signature: &str,
) -> Result<Option<CheckedDelivery>, StoreError> {
    let mut last = None;
    for reading in readings(body) {
        last = engine
            .webhook_check(person, reading.as_bytes(), signature)
            .await?;
        if last
            .as_ref()
            .is_none_or(|checked| checked.signed_by != SignedBy::Nobody)
        {
            break;
        }
    }
    Ok(last)
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Failure {
        match error {
            SecretError::Denied(_) => Failure::Forbidden,
            SecretError::NotFound => Failure::NotFound,
            SecretError::Shape | SecretError::TooMany => Failure::Malformed,
            SecretError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_saved_or_stopped_is_said() {
        let said = |notice: Notice| format!("{} {}", notice.fact, notice.rest);
        assert_eq!(
            said(saved(SecretAdded::First)),
            "Saved. Waiting for the first delivery signed with it."
        );
        assert_eq!(
            said(saved(SecretAdded::Replaced)),
            "Saved. Waiting for the first delivery signed with it. The one before is accepted \
                until then, and for a while longer."
        );
        assert_eq!(
            said(saved(SecretAdded::Unchanged)),
            "This is the current secret already. Nothing was changed."
        );
        assert_eq!(
            said(stopped_words("k2Rd")),
            "lin_wh_····k2Rd is accepted no more. What is signed with it is refused from now on."
        );
    }

    #[test]
    fn a_body_is_read_as_it_came_and_as_it_may_have_been() {
        assert_eq!(readings("{}"), ["{}"]);
        assert_eq!(readings("{\r\n}\r\n"), ["{\r\n}\r\n", "{\n}\n", "{\n}"]);
        assert_eq!(readings("{}\n"), ["{}\n", "{}"]);
    }
}
