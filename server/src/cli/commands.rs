//! Each command: engine, one call, one answer.

use std::net::SocketAddr;

use relink_engine::clock::Clock;
use relink_engine::connection;
use relink_engine::dispatch::NewDestination;
use relink_engine::entropy::Entropy;
use relink_engine::identity::Organisation;
use relink_engine::text;
use relink_engine::webhook::SecretAdded;
use relink_engine::{Acting, Engine};
use relink_simulator::{Options, Simulator};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::net::TcpListener;

use super::args::{Args, Command, Connection, Destination, Key, Secret, User, Webhook};
use super::output::{print, print_end, print_lines, print_list, print_secret, say};
use super::people::NewUser;
use super::shared::{Outcome, by_command, connection, from_stdin, organisation};
use super::{apps, audit, doctor, healthcheck, people};
use crate::api::connections::ConnectionList;
use crate::config::Config;
use crate::stop::Asked;
use crate::times::rfc3339;
use crate::{bootstrap, serve};

pub async fn run(args: Args, mut config: Config, clock: Clock, entropy: Entropy) -> Outcome {
    let json = args.json;
    let command = args.command.unwrap_or(Command::Serve { demo: false });
    if !matches!(command, Command::Serve { .. }) {
        config.connections = config.connections.of_a_command();
    }
    match command {
        Command::Serve { demo } => Ok(serve::serve(config, demo, clock, entropy).await?),
        Command::Simulate {
            addr,
            state,
            redirect_uris,
        } => simulate(json, addr, state, redirect_uris).await,
        Command::User(User::Add {
            email,
            name,
            org,
            role,
            existing,
        }) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let new = NewUser {
                email: &email,
                name: name.as_deref().unwrap_or_default(),
                org: &org,
                role: role.into(),
            };
            people::add_user(json, &engine, new, existing).await
        }
        Command::Key(Key::New { org, name }) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let organisation = organisation(&engine, &org).await?;
            let keys = engine.keys(by_command(&organisation));
            let key = keys.draft(&name)?;
            // The one output that is the secret itself, in either form.
            print_secret(&json!({ "id": key.id, "key": key.key.expose_secret() }))?;
            keys.keep(&key).await?;
            print_end(&json!({}))?;
            say("This key is shown once. Relink keeps a hash of it.");
            Ok(())
        }
        Command::Connection(Connection::List { org }) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            list_connections(json, &engine, &organisation(&engine, &org).await?).await
        }
        Command::Webhook(Webhook::Info) => webhook_info(json, &config),
        Command::Webhook(Webhook::Secret(Secret::Add { org, workspace })) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let connection =
                connection(&engine, &organisation(&engine, &org).await?, &workspace).await?;
            add_secret(json, &engine, &connection).await
        }
        Command::Webhook(Webhook::Secret(Secret::List { org })) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            list_secrets(json, &engine, &organisation(&engine, &org).await?).await
        }
        Command::Destination(Destination::Add {
            org,
            url,
            events,
            ordered,
        }) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let organisation = organisation(&engine, &org).await?;
            let new = NewDestination {
                url: &url,
                events,
                ordered,
            };
            let destinations = engine.destinations(by_command(&organisation));
            let new = destinations.draft(new)?;
            print_secret(
                &json!({ "id": new.id, "url": new.url, "secret": new.secret.expose_secret() }),
            )?;
            destinations.keep(&new).await?;
            print_end(&json!({}))?;
            say("This secret is shown once. Relink keeps it sealed.");
            Ok(())
        }
        Command::Destination(Destination::List { org }) => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            list_destinations(json, &engine, &organisation(&engine, &org).await?).await
        }
        Command::App(command) => {
            apps::run(
                json,
                &bootstrap::engine(&config, clock, entropy).await?,
                command,
            )
            .await
        }
        Command::Workspace(command) => {
            people::workspaces(
                json,
                &bootstrap::engine(&config, clock, entropy).await?,
                command,
            )
            .await
        }
        Command::Invite {
            org,
            workspace,
            person,
            valid,
        } => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let connection =
                connection(&engine, &organisation(&engine, &org).await?, &workspace).await?;
            people::invite(&engine, &connection, &person, valid, config.url.as_str()).await
        }
        Command::Link { org, user, yes } => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let organisation = organisation(&engine, &org).await?;
            people::link(json, &engine, &organisation, &user, yes, &from_stdin()?).await
        }
        Command::Member(command) => {
            people::members(
                json,
                &bootstrap::engine(&config, clock, entropy).await?,
                command,
            )
            .await
        }
        Command::Audit(command) => {
            audit::audit(
                json,
                &bootstrap::engine(&config, clock, entropy).await?,
                command,
            )
            .await
        }
        Command::Doctor => doctor::run(json, &config, clock, entropy).await,
        Command::Healthcheck => healthcheck::run(json, &config).await,
        Command::Refresh { due_within } => {
            let engine = bootstrap::engine(&config, clock, entropy).await?;
            let swept = json!(engine.sweep_now(due_within).await?);
            Ok(print(true, &swept, "")?)
        }
    }
}

async fn list_connections(json: bool, engine: &Engine, organisation: &Organisation) -> Outcome {
    let connections = engine.connections(by_command(organisation)).list().await?;
    let lines: Vec<String> = connections
        .iter()
        .map(|connection| {
            let reason = connection
                .state
                .reason()
                .map(|reason| format!(" ({})", reason.name()))
                .unwrap_or_default();
            format!(
                "{}  {}  {}{reason}",
                connection.id,
                text::name(&connection.workspace.name),
                connection.state.name()
            )
        })
        .collect();
    Ok(print_list(
        json,
        &json!(ConnectionList::new(connections)),
        &lines,
        "No workspace is connected yet.",
    )?)
}

fn webhook_info(json: bool, config: &Config) -> Outcome {
    let url = config.webhook_url();
    let value = json!({ "url": url.as_str(), "app_secret": config.webhook_secret.is_some() });
    let app = if config.webhook_secret.is_some() {
        "set"
    } else {
        "not set: LINEAR_WEBHOOK_SECRET"
    };
    let lines = [
        format!("Webhook URL: {url}"),
        String::new(),
        format!(
            "The app's own webhook: in Linear under Settings, API, the OAuth app, turn on webhooks \
                with this URL. Its signing secret is \
                {app}."
        ),
        "A workspace's webhook: in Linear under Settings, API, Webhooks, add one with this URL, \
            then pipe its signing secret into \
            `relink webhook secret add --org SLUG --workspace KEY`."
            .to_owned(),
    ];
    Ok(print_lines(json, &value, &lines)?)
}

async fn add_secret(json: bool, engine: &Engine, connection: &connection::Connection) -> Outcome {
    let added = engine
        .webhook_secrets(Acting::command(&connection.organisation_id))
        .add(&connection.id, from_stdin()?.expose_secret())
        .await?;
    let name = text::name(&connection.workspace.name);
    let (outcome, words) = match added {
        SecretAdded::First => ("added", format!("{name} has its first signing secret.")),
        SecretAdded::Unchanged => (
            "unchanged",
            format!("{name} has this signing secret already."),
        ),
        SecretAdded::Replaced => {
            let until = "until this one has verified a delivery, and for a while after that";
            (
                "replaced",
                format!("{name} has a new signing secret. The one before is accepted {until}."),
            )
        }
    };
    Ok(print(
        json,
        &json!({ "outcome": outcome, "previous_accepted": outcome == "replaced" }),
        &words,
    )?)
}

async fn list_secrets(json: bool, engine: &Engine, organisation: &Organisation) -> Outcome {
    let connections = engine.connections(by_command(organisation)).list().await?;
    let secrets = engine
        .webhook_secrets(by_command(organisation))
        .list()
        .await?;
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    for connection in &connections {
        for secret in secrets
            .iter()
            .filter(|one| one.connection_id == connection.id)
        {
            let (retires, matched) = (
                secret.retires_at.and_then(rfc3339),
                secret.matched_at.and_then(rfc3339),
            );
            let until = match retires.as_deref() {
                Some(at) => format!("accepted until {at}"),
                None if secret.replaced => {
                    "accepted until the new one has verified a delivery".to_owned()
                }
                None => "current".to_owned(),
            };
            let last = matched.as_deref().unwrap_or("never");
            let name = text::name(&connection.workspace.name);
            lines.push(format!(
                "{name}  ····{}  {until}, last matched {last}",
                secret.last_four
            ));
            values.push(json!({
                "workspace": { "id": connection.workspace.id, "name": connection.workspace.name },
                "last_four": secret.last_four,
                "added_at": rfc3339(secret.added_at), "accepted_until": retires,
                "current": retires.is_none() && !secret.replaced, "last_matched_at": matched,
            }));
        }
    }
    Ok(print_list(
        json,
        &json!({ "secrets": values }),
        &lines,
        "No signing secret is stored yet.",
    )?)
}

async fn list_destinations(json: bool, engine: &Engine, organisation: &Organisation) -> Outcome {
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    for destination in engine.destinations(by_command(organisation)).list().await? {
        let state = match (&destination.paused_because, destination.failing_since) {
            (Some(because), _) => format!("paused ({because})"),
            (None, Some(_)) => "failing".to_owned(),
            (None, None) => "active".to_owned(),
        };
        lines.push(format!(
            "{}  {}  {state}, {} waiting, {} parked",
            destination.id, destination.url, destination.waiting, destination.parked
        ));
        values.push(json!({
            "id": destination.id, "url": destination.url, "events": destination.events,
            "ordered": destination.ordered, "state": state,
            "waiting": destination.waiting, "parked": destination.parked,
            "last_status": destination.last_status,
            "last_ok_at": destination.last_ok_at.and_then(rfc3339),
        }));
    }
    Ok(print_list(
        json,
        &json!({ "destinations": values }),
        &lines,
        "There is no destination yet.",
    )?)
}

async fn simulate(
    json: bool,
    addr: SocketAddr,
    state_file: Option<std::path::PathBuf>,
    redirect_uris: Vec<String>,
) -> Outcome {
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|error| format!("{addr}: {error}"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let simulator = Simulator::seeded(Options {
        url: url.clone(),
        state_file,
        redirect_uris,
    })?;
    let app = simulator.app();
    let value = json!({
        "url": url, "client_id": app.client_id, "client_secret": app.client_secret,
        "webhook_secret": app.webhook_secret,
        "redirect_uris": app.redirect_uris,
    });
    let lines = [
        format!("The simulated Linear listens on {url}. Point Relink at it:"),
        format!("  LINEAR_URL={url}"),
        format!("  LINEAR_API_URL={url}"),
        format!("  LINEAR_CLIENT_ID={}", app.client_id),
        format!("  LINEAR_CLIENT_SECRET={}", app.client_secret),
        format!("  LINEAR_WEBHOOK_SECRET={}", app.webhook_secret),
    ];
    print_lines(json, &value, &lines)?;
    simulator.serve(listener, Asked::listen()?.wait()).await?;
    Ok(())
}
