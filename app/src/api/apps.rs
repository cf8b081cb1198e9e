//! Linear apps of an organisation's own: added, changed and removed on the settings page, by
//! owners.

use leptos::prelude::*;
use relink_engine::{AppError, AppSecrets, NewApp, text};

use super::person::{refuse, signed_in_form};
use super::request::{engine, typed_secret};
use super::session::{ask_again, say};
use super::sign_in;
use crate::view::{AppDraft, AppProblem, Failure, Next, Notice, Refused};

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
    match engine.apps(&person).add(new).await {
        Ok(_) => say("/settings", added(name.trim())).await,
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
    match engine.apps(&person).set_secrets(&app, secrets).await {
        Ok(name) => say("/settings", secrets_replaced(&name)).await,
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
    match engine.apps(&person).remove(&app).await {
        Ok(name) => say("/settings", removed(&name)).await,
        Err(AppError::InUse) => match engine
            .apps(&person)
            .list()
            .await?
            .into_iter()
            .find(|one| one.id == app)
        {
            Some(app) => say("/settings", in_use(&text::name(&app.name))).await,
            None => refuse(Failure::NotFound).await,
        },
        Err(error) => refuse(error.into()).await,
    }
}

/// The beginning of every secret of Linear's that says what it is.
const SECRET: &str = "lin_";

fn added(name: &str) -> Notice {
    Notice::good(
        format!("{name} is added."),
        "Workspaces can be connected through it now.",
    )
    .then(Next::link("Connect a workspace", "/integrations"))
}

fn secrets_replaced(name: &str) -> Notice {
    Notice::good(
        format!("The secrets of {name} are replaced."),
        "Relink uses what you entered from now on.",
    )
}

fn removed(name: &str) -> Notice {
    Notice::good(
        format!("{name} is removed."),
        "Its secrets are forgotten. The app in Linear is still there.",
    )
}

fn in_use(name: &str) -> Notice {
    let rest = "Workspaces are connected through it; disconnect them first. Nothing was changed.";
    Notice::bad(format!("{name} was not removed."), rest)
}

async fn refused(draft: AppDraft, error: AppError) -> Result<(), Failure> {
    match problem(error) {
        Ok(problem) => {
            let draft = AppDraft {
                problem: Some(problem),
                ..draft
            };
            ask_again("/settings", Refused::App(draft)).await
        }
        Err(failure) => refuse(failure).await,
    }
}

/// Names the field that is wrong.
fn problem(error: AppError) -> Result<AppProblem, Failure> {
    match error {
        AppError::Name => Ok(AppProblem::Name),
        AppError::ClientId => Ok(AppProblem::ClientId),
        AppError::NoSecret => Ok(AppProblem::NoSecret),
        AppError::Known => Ok(AppProblem::Known),
        AppError::ClientSecret => Ok(AppProblem::ClientSecret),
        AppError::WebhookSecret => Ok(AppProblem::WebhookSecret),
        AppError::TooMany => Ok(AppProblem::TooMany),
        AppError::InUse => Err(Failure::Malformed),
        AppError::Denied(_) => Err(Failure::Forbidden),
        AppError::NotFound => Err(Failure::NotFound),
        AppError::Store(error) => Err(error.into()),
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
        problem(error).err().unwrap_or(Failure::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use leptos::prelude::*;

    use super::*;
    use crate::parts::NoticeBox;
    use crate::rendered;

    fn html(notice: Notice) -> String {
        rendered::html(|| view! { <NoticeBox notice page="/settings".to_owned() manages=true /> })
    }

    fn said(notice: Notice) -> String {
        format!("{} {}", notice.fact, notice.rest)
    }

    #[test]
    fn what_became_of_an_app_is_said() {
        let name = "Acme internal";
        let added = html(added(name));
        assert!(
            added.contains("Acme internal is added.") && added.contains("Connect a workspace</a>")
        );
        assert_eq!(
            said(in_use(name)),
            "Acme internal was not removed. Workspaces are connected through it; disconnect them \
                first. Nothing was changed."
        );
        assert!(html(in_use(name)).contains(r#"role="alert""#));
        assert!(said(removed(name)).starts_with("Acme internal is removed."));
        assert!(
            said(secrets_replaced(name)).starts_with("The secrets of Acme internal are replaced.")
        );
    }

    #[test]
    fn a_secret_in_the_wrong_field_is_not_kept() {
        assert_eq!(kept("lin_wh_0123456789"), "");
        assert_eq!(kept(" lin_api_0123456789"), "");
        assert_eq!(kept("Acme internal"), "Acme internal");
    }
}
