//! Commands about Linear apps of an organisation's own.

use std::error::Error;

use relink_engine::identity::Organisation;
use relink_engine::{App, AppSecrets, Engine, NewApp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::args::App as Command;
use super::output::{print, print_list};
use super::shared::{Outcome, by_command, from_stdin, organisation};
use crate::times::rfc3339;

pub async fn run(json: bool, engine: &Engine, command: Command) -> Outcome {
    match command {
        Command::List { org } => list(json, engine, &organisation(engine, &org).await?).await,
        Command::Add {
            org,
            name,
            client_id,
        } => {
            let new = NewApp {
                name,
                client_id,
                secrets: both(&from_stdin()?),
            };
            add(json, engine, &organisation(engine, &org).await?, new).await
        }
        Command::Secret { org, app, webhook } => {
            let organisation = organisation(engine, &org).await?;
            let app = find(engine, &organisation, &app).await?;
            replace(json, engine, &organisation, &app, webhook, from_stdin()?).await
        }
        Command::Remove { org, app } => {
            let organisation = organisation(engine, &org).await?;
            let app = find(engine, &organisation, &app).await?;
            let name = engine
                .apps(by_command(&organisation))
                .remove(&app.id)
                .await?;
            Ok(print(
                json,
                &json!({ "removed": app.id, "name": name }),
                &format!("{name} is removed. The app in Linear is still there."),
            )?)
        }
    }
}

async fn list(json: bool, engine: &Engine, organisation: &Organisation) -> Outcome {
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    for app in engine.apps(by_command(organisation)).list().await? {
        let set = |set: bool| if set { "set" } else { "not set" };
        let (client, webhook) = (set(app.has_secret), set(app.has_webhook_secret));
        lines.push(format!(
            "{}  {}  {}, client secret {client}, webhook secret {webhook}, {} connected",
            app.id, app.client_id, app.name, app.connections
        ));
        values.push(json!({
            "id": app.id, "name": app.name, "client_id": app.client_id,
            "client_secret_set": app.has_secret,
            "webhook_secret_set": app.has_webhook_secret, "previous_accepted": app.overlap_open,
            "previous_accepted_until": app.overlap_until.and_then(rfc3339),
            "connections": app.connections, "added_at": rfc3339(app.added_at),
        }));
    }
    Ok(print_list(
        json,
        &json!({ "apps": values }),
        &lines,
        &format!("{} has no app of its own yet.", organisation.slug),
    )?)
}

async fn add(json: bool, engine: &Engine, organisation: &Organisation, new: NewApp) -> Outcome {
    let id = engine.apps(by_command(organisation)).add(new).await?;
    let app = find(engine, organisation, &id).await?;
    let value = json!({
        "id": app.id, "name": app.name, "client_id": app.client_id,
        "client_secret_set": app.has_secret,
        "webhook_secret_set": app.has_webhook_secret,
    });
    Ok(print(
        json,
        &value,
        &format!(
            "{} is added. Workspaces can be connected through it now.",
            app.name
        ),
    )?)
}

async fn replace(
    json: bool,
    engine: &Engine,
    organisation: &Organisation,
    app: &App,
    webhook: bool,
    secret: SecretString,
) -> Outcome {
    let secrets = if webhook {
        AppSecrets {
            webhook_secret: secret,
            ..AppSecrets::default()
        }
    } else {
        AppSecrets {
            client_secret: secret,
            ..AppSecrets::default()
        }
    };
    engine
        .apps(by_command(organisation))
        .set_secrets(&app.id, secrets)
        .await?;
    let overlaps = webhook && find(engine, organisation, &app.id).await?.overlap_open;
    let which = if webhook {
        "webhook secret"
    } else {
        "client secret"
    };
    let overlap = if overlaps {
        " The one before is accepted until this one has verified a delivery, and for a while after \
            that."
    } else {
        ""
    };
    let value =
        json!({ "id": app.id, "replaced": which.replace(' ', "_"), "previous_accepted": overlaps });
    Ok(print(
        json,
        &value,
        &format!("{} has a new {which}.{overlap}", app.name),
    )?)
}

/// The client secret on the first line, the webhook secret on the second; either may be empty.
fn both(text: &SecretString) -> AppSecrets {
    let mut lines = text.expose_secret().lines().map(SecretString::from);
    let mut next = || lines.next().unwrap_or_default();
    AppSecrets {
        client_secret: next(),
        webhook_secret: next(),
    }
}

/// Finds an app by its id here, or its client id in Linear.
async fn find(
    engine: &Engine,
    organisation: &Organisation,
    key: &str,
) -> Result<App, Box<dyn Error>> {
    let apps = engine.apps(by_command(organisation)).list().await?;
    let found = apps
        .into_iter()
        .find(|app| app.id == key || app.client_id == key);
    found.ok_or_else(|| {
        format!(
            "{} has no app {key:?}; `relink app list` shows them",
            organisation.slug
        )
        .into()
    })
}
