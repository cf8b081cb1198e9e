//! `relink doctor`: whether everything that Relink stands on is well, a line for each thing, with
//! what to do where it is not. Changes nothing; the database is not made where there is none.

use std::error::Error;
use std::path::Path;

use relink_engine::clock::{Clock, MINUTE, Millis, SECOND};
use relink_engine::dispatch::is_public;
use relink_engine::entropy::Entropy;
use relink_engine::linear::Linear;
use relink_engine::scope::READ;
use relink_engine::store::Checkup;
use serde::Serialize;
use serde_json::json;
use url::Host;

use super::output::print_lines;
use super::shared::Outcome;
use crate::bootstrap::{self, Found, StartError};
use crate::config::{Config, is_loopback};

/// Bytes that should be free for the database: webhooks go on coming while somebody makes room.
const ROOM: u64 = 1 << 30;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    detail: String,
    /// The thing to do; empty where nothing is to be done.
    help: String,
}

fn good(name: &'static str, detail: impl Into<String>) -> Check {
    Check {
        name,
        ok: true,
        detail: detail.into(),
        help: String::new(),
    }
}

fn bad(name: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Check {
    advised(name, false, detail, help)
}

fn advised(
    name: &'static str,
    ok: bool,
    detail: impl Into<String>,
    help: impl Into<String>,
) -> Check {
    Check {
        name,
        ok,
        detail: detail.into(),
        help: help.into(),
    }
}

pub async fn run(json: bool, config: &Config, clock: Clock, entropy: Entropy) -> Outcome {
    let reached = reach(config, &clock).await;
    let found = bootstrap::look(config, clock, entropy).await;
    let connections = look_at(&found).await;
    let known = connections.as_deref().unwrap_or_default();
    let checks = [
        redirect_uri(config),
        reachability(config, &reached),
        time(&reached),
        secrets(config, &found),
        app(config, known),
        working(connections.as_deref()),
        scopes(known),
        webhooks(config, known),
        database(config, &found),
        disk(config),
        mail(config).await,
        alarms(config),
    ];
    let lines: Vec<String> = checks.iter().map(line).collect();
    print_lines(json, &json!({ "checks": checks }), &lines)?;
    match checks.iter().filter(|check| !check.ok).count() {
        0 => Ok(()),
        1 => Err("one of these needs you".into()),
        count => Err(format!("{count} of these need you").into()),
    }
}

fn line(check: &Check) -> String {
    let Check {
        name, detail, help, ..
    } = check;
    let mark = if check.ok { "ok " } else { "BAD" };
    if help.is_empty() {
        format!("{mark}  {name}: {detail}")
    } else {
        format!("{mark}  {name}: {detail}. {help}")
    }
}

/// The errors below an error too: "no such host" stands in the last of them.
fn whole(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut below = error.source();
    while let Some(inner) = below {
        let more = inner.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        below = inner.source();
    }
    words
}

/// Asks Linear anything; answers by how many milliseconds this machine's clock is ahead of its, if
/// it says what time it is.
async fn reach(config: &Config, clock: &Clock) -> Result<Option<Millis>, reqwest::Error> {
    let linear = Linear::new(
        config.linear_url.clone(),
        config.linear_api_url.clone(),
        None,
        config.redirect_uri(),
        clock.clone(),
    )?;
    linear.reach().await.map_err(reqwest::Error::without_url)?;
    Ok(linear.clock_ahead())
}

/// Reads what connections there are; `None` where the database does not say so.
async fn look_at(found: &Result<Found, StartError>) -> Option<Vec<Checkup>> {
    match found {
        Ok(Found::Open(engine)) => engine
            .checkup()
            .await
            .inspect_err(|error| tracing::error!(%error, "connections could not be read"))
            .ok(),
        Ok(Found::Unused) => Some(Vec::new()),
        Ok(Found::Version { .. }) | Err(_) => None,
    }
}

fn redirect_uri(config: &Config) -> Check {
    let uri = config.redirect_uri();
    advised(
        "redirect_uri",
        true,
        uri.as_str(),
        "Linear compares it letter by letter: it must stand in the Linear app exactly like this",
    )
}

fn reachability(config: &Config, reached: &Result<Option<Millis>, reqwest::Error>) -> Check {
    let api = crate::config::origin(&config.linear_api_url);
    match reached {
        Ok(_) => good("reachability", format!("{api} answers")),
        Err(error) => bad(
            "reachability",
            format!("{api} does not answer: {}", whole(error)),
            "Look at this machine's name resolution, its firewall, HTTPS_PROXY, and whether a \
                proxy's certificate authority is among the ones that this machine trusts",
        ),
    }
}

fn time(reached: &Result<Option<Millis>, reqwest::Error>) -> Check {
    let Ok(Some(ahead)) = *reached else {
        return bad(
            "clock",
            "Linear did not say what time it is",
            "See reachability, and compare this machine's time with another's",
        );
    };
    let seconds = ahead.abs() / SECOND;
    if ahead.abs() <= MINUTE {
        return good("clock", "no more than a minute from Linear's");
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    bad(
        "clock",
        format!("{seconds} s {side} Linear's"),
        "Set it, and let the machine follow a time server",
    )
}

fn secrets(config: &Config, found: &Result<Found, StartError>) -> Check {
    let said = |set: bool| if set { "set" } else { "not set" };
    let client_secret = config
        .app
        .as_ref()
        .is_some_and(|app| app.client_secret.is_some());
    let in_environment = format!(
        "LINEAR_CLIENT_SECRET is {}, LINEAR_WEBHOOK_SECRET is {}",
        said(client_secret),
        said(config.webhook_secret.is_some())
    );
    match found {
        Ok(Found::Open(engine)) => good(
            "secrets",
            format!(
                "key {} opens the database; {in_environment}",
                engine.sealing_key()
            ),
        ),
        Err(error @ (StartError::WrongKey | StartError::Keys(_) | StartError::ProofGone)) => bad(
            "secrets",
            whole(error),
            "Without these keys nothing that is sealed can be read",
        ),
        _ => good("secrets", in_environment),
    }
}

/// Checks which Linear app connections go through, and whether theirs is still here.
fn app(config: &Config, connections: &[Checkup]) -> Check {
    let ours = config.app.as_ref().map(|app| app.client_id.as_str());
    let others: Vec<String> = connections
        .iter()
        .filter(|one| {
            let now = one.own_app.as_deref().or(ours);
            one.made_with.is_some() && one.made_with.as_deref() != now
        })
        .map(|one| {
            format!(
                "{} of {} ({})",
                one.workspace,
                one.organisation,
                one.made_with.as_deref().unwrap_or_default()
            )
        })
        .collect();
    if !others.is_empty() {
        return bad(
            "app",
            format!(
                "made with another client ID, so that their tokens cannot be renewed: {}",
                listed(&others)
            ),
            "Put that client ID back into LINEAR_CLIENT_ID, or press Reconnect for each",
        );
    }
    match ours {
        Some(client_id) => good("app", format!("LINEAR_CLIENT_ID is {client_id}")),
        None if connections.iter().any(|one| one.own_app.is_some()) => {
            good("app", "only apps of organisations' own")
        }
        None => bad(
            "app",
            "LINEAR_CLIENT_ID is not set",
            "Set up an app in Linear (Settings, API, OAuth applications), or try Relink with \
                `relink serve --demo`",
        ),
    }
}

fn working(connections: Option<&[Checkup]>) -> Check {
    let Some(connections) = connections else {
        return bad(
            "connections",
            "not looked at, nor their apps, scopes and webhooks",
            "See database",
        );
    };
    let broken: Vec<String> = connections
        .iter()
        .filter(|one| one.needs_reconnect)
        .map(|one| format!("{} of {}", one.workspace, one.organisation))
        .collect();
    if broken.is_empty() {
        return good(
            "connections",
            format!("none of {} needs a Reconnect", connections.len()),
        );
    }
    bad(
        "connections",
        format!("Linear refuses: {}", listed(&broken)),
        "Press Reconnect on the connection's page, which says why",
    )
}

fn scopes(connections: &[Checkup]) -> Check {
    let without: Vec<String> = connections
        .iter()
        .filter(|one| !one.scopes.split(' ').any(|scope| scope == READ))
        .map(|one| format!("{} of {}", one.workspace, one.organisation))
        .collect();
    if without.is_empty() {
        return good(
            "scopes",
            match connections.len() {
                0 => "no workspace is connected yet".to_owned(),
                count => format!("{count} connected, each may read"),
            },
        );
    }
    bad(
        "scopes",
        format!("may not read: {}", listed(&without)),
        "Teammates cannot be found there: press Reconnect",
    )
}

fn webhooks(config: &Config, connections: &[Checkup]) -> Check {
    let url = config.webhook_url();
    let reachable = url.scheme() == "https" && url.host().is_some_and(|host| may_be_public(&host));
    if !reachable && !config.simulated() {
        return bad(
            "webhooks",
            format!("Linear delivers to public https addresses only, and this is {url}"),
            "Set RELINK_URL to what the world calls this Relink",
        );
    }
    let unverified: Vec<String> = connections
        .iter()
        .filter(|one| !one.has_secret && (one.own_app.is_some() || config.webhook_secret.is_none()))
        .map(|one| format!("{} of {}", one.workspace, one.organisation))
        .collect();
    if !unverified.is_empty() {
        return bad(
            "webhooks",
            format!("no secret verifies what comes from {}", listed(&unverified)),
            "Paste the signing secret on the connection's page, or set LINEAR_WEBHOOK_SECRET; \
                `relink webhook info` says where to find it",
        );
    }
    let silent = connections.iter().filter(|one| !one.has_delivered).count();
    advised(
        "webhooks",
        true,
        match (connections.len(), silent) {
            (0, _) => format!("Linear is to deliver to {url}"),
            (count, 0) => format!("each of {count} workspaces has delivered to {url}"),
            (count, silent) => format!("{silent} of {count} workspaces delivered nothing yet"),
        },
        if silent == 0 {
            String::new()
        } else {
            format!("Look in Linear whether its webhook is on, with the address {url}")
        },
    )
}

/// A name may be, until somebody resolves it.
fn may_be_public(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => !is_loopback(host),
        Host::Ipv4(ip) => is_public((*ip).into()),
        Host::Ipv6(ip) => is_public((*ip).into()),
    }
}

fn database(config: &Config, found: &Result<Found, StartError>) -> Check {
    let which = config.sqlite_file().map_or_else(
        || "PostgreSQL".to_owned(),
        |file| format!("SQLite at {}", file.display()),
    );
    match found {
        Ok(Found::Open(_)) => good("database", format!("{which}, up to date")),
        Ok(Found::Version { there, here }) if there < here => advised(
            "database",
            true,
            format!("{which} is of an older version: schema {there}, and this program's is {here}"),
            "`relink serve` of this version brings it up to date, and the older one does not start \
                on it any more: stop that one first",
        ),
        Ok(Found::Version { there, here }) => bad(
            "database",
            format!("{which} is of a newer version: schema {there}, and this program's is {here}"),
            "Take the newer Relink",
        ),
        Ok(Found::Unused) => advised(
            "database",
            true,
            format!("{which} is not there yet, or empty"),
            "The first start makes it; where you expected one, look at RELINK_DATA_DIR and \
                DATABASE_URL, and at the folder that you are in",
        ),
        Err(error) => bad(
            "database",
            whole(error),
            "`relink serve` says the same and does not start: put that right first",
        ),
    }
}

fn disk(config: &Config) -> Check {
    let Some(file) = config.sqlite_file() else {
        return good("disk", "the database server has its own");
    };
    let folder = file.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{} MB are free at {}", free >> 20, folder.display());
            if free < ROOM {
                bad(
                    "disk",
                    detail,
                    "Make room: Relink needs a gigabyte to be safe",
                )
            } else {
                good("disk", detail)
            }
        }
        Err(error) => bad(
            "disk",
            format!("{}: {error}", folder.display()),
            "Look whether the disk is mounted",
        ),
    }
}

async fn mail(config: &Config) -> Check {
    let Some(server) = &config.mail else {
        return advised(
            "mail",
            true,
            "no mail server",
            "Set RELINK_SMTP_URL and RELINK_MAIL_FROM: invites and alarms go by e-mail",
        );
    };
    match server.greet().await {
        Ok(()) => good(
            "mail",
            format!("the server answers; mails are from {}", server.sender()),
        ),
        Err(error) => bad("mail", error.to_string(), "Look at RELINK_SMTP_URL"),
    }
}

fn alarms(config: &Config) -> Check {
    if config.mail.is_some() {
        good(
            "alarms",
            "owners and admins are told by e-mail, and the log says ALARM",
        )
    } else {
        advised(
            "alarms",
            true,
            "nobody is told but the log, in lines that say ALARM",
            "Watch it, or set up a mail server",
        )
    }
}

/// The first few, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let (shown, rest) = names.split_at(names.len().min(SHOWN));
    match rest.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
