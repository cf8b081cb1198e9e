//! Linear apps of an organisation's own: added, changed and removed on the settings page, by
//! owners.

use leptos::prelude::*;
use relink_engine::{AppError, AppSecrets, NewApp, text};

use super::person::{refuse, signed_in_form};
use super::request::{engine, see_other, typed_secret};
use super::session::{set_flash, set_refused};
use super::sign_in;
use crate::view::{AppDraft, AppProblem, Failure, Flash, Refused};

/// Adds an app that is there in Linear already.
#[server(prefix = "/settings", endpoint = "apps")]
pub async fn add_app(
    #[server(default)] name: String,
    #[server(default)] client_id: String,
    #[server(default)] client_secret: String,
    #[server(default)] webhook_secret: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let secrets = AppSecrets {
        client_secret: typed_secret(client_secret),
        webhook_secret: typed_secret(webhook_secret),
    };
    let new = NewApp {
        name: name.clone(),
        client_id: client_id.clone(),
        secrets,
    };
    match engine.app_add(&person, new).await {
        Ok(_) => {
            done(Flash::AppAdded {
                name: name.trim().to_owned(),
            })
            .await
        }
        Err(error) => {
            let draft = AppDraft {
                name: kept(&name),
                client_id: kept(&client_id),
                ..AppDraft::default()
            };
            refused(draft, error).await
        }
    }
}

/// Replaces those secrets of an app that are given.
#[server(prefix = "/settings/apps", endpoint = "secrets")]
pub async fn replace_app_secrets(
    #[server(default)] app: String,
    #[server(default)] client_secret: String,
    #[server(default)] webhook_secret: String,
) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    let secrets = AppSecrets {
        client_secret: typed_secret(client_secret),
        webhook_secret: typed_secret(webhook_secret),
    };
    match engine.app_set_secrets(&person, &app, secrets).await {
        Ok(name) => done(Flash::AppSecretsReplaced { name }).await,
        Err(error) => {
            refused(
                AppDraft {
                    app,
                    ..AppDraft::default()
                },
                error,
            )
            .await
        }
    }
}

/// Removes an app that no workspace is connected through.
#[server(prefix = "/settings/apps", endpoint = "remove")]
pub async fn remove_app(#[server(default)] app: String) -> Result<(), Failure> {
    let (engine, person) = (engine()?, signed_in_form().await?);
    match engine.app_remove(&person, &app).await {
        Ok(name) => done(Flash::AppRemoved { name }).await,
        Err(AppError::InUse) => match engine
            .apps(&person.organisation_id)
            .await?
            .into_iter()
            .find(|one| one.id == app)
        {
            Some(app) => {
                done(Flash::AppInUse {
                    name: text::name(&app.name),
                })
                .await
            }
            None => refuse(Failure::NotFound).await,
        },
        Err(error) => refuse(error.into()).await,
    }
}

/// How every secret of Linear's begins that says of itself what it is.
const SECRET: &str = "lin_";

async fn done(flash: Flash) -> Result<(), Failure> {
    set_flash(flash).await?;
    see_other("/settings");
    Ok(())
}

async fn refused(draft: AppDraft, error: AppError) -> Result<(), Failure> {
    match problem(&error) {
        Some(problem) => complain(draft, problem).await,
        None => refuse(error.into()).await,
    }
}

async fn complain(draft: AppDraft, problem: AppProblem) -> Result<(), Failure> {
    set_refused(Refused {
        app: AppDraft {
            problem: Some(problem),
            ..draft
        },
        ..Refused::default()
    })
    .await?;
    // A fragment would keep the browser from focusing the field.
    see_other("/settings");
    Ok(())
}

/// Names the field that is wrong; `None` where the trouble is another one.
fn problem(error: &AppError) -> Option<AppProblem> {
    match error {
        AppError::Name => Some(AppProblem::Name),
        AppError::ClientId => Some(AppProblem::ClientId),
        AppError::NoSecret => Some(AppProblem::NoSecret),
        AppError::Known => Some(AppProblem::Known),
        AppError::ClientSecret => Some(AppProblem::ClientSecret),
        AppError::WebhookSecret => Some(AppProblem::WebhookSecret),
        AppError::TooMany => Some(AppProblem::TooMany),
        AppError::Forbidden | AppError::NotFound | AppError::InUse | AppError::Store(_) => None,
    }
}

/// Bounds a typed text that waits in the session for the next page, and drops a secret that was
/// typed into the wrong field.
fn kept(text: &str) -> String {
    if text.contains(SECRET) {
        String::new()
    } else {
        sign_in::kept(text)
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Failure {
        match error {
            AppError::Forbidden => Failure::Forbidden,
            AppError::NotFound => Failure::NotFound,
            AppError::Store(error) => error.into(),
            AppError::Name
            | AppError::ClientId
            | AppError::ClientSecret
            | AppError::WebhookSecret
            | AppError::NoSecret
            | AppError::Known
            | AppError::TooMany
            | AppError::InUse => Failure::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_wrong_field_is_not_kept() {
        assert_eq!(kept("lin_wh_0123456789"), "");
        assert_eq!(kept(" lin_api_0123456789"), "");
        assert_eq!(kept("Acme internal"), "Acme internal");
    }
}
