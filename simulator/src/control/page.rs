//! The page for people: what is going on, and buttons to make things happen.

use std::fmt::Write;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::Simulator;
use crate::html::{escape, page};
use crate::stamp::iso;
use crate::world::World;
use crate::world::app::App;
use crate::world::hooks::{Delivery, DeliveryState};
use crate::world::workspace::Workspace;

const DELIVERIES_SHOWN: usize = 15;

pub(crate) async fn show(State(simulator): State<Simulator>) -> Response {
    let body = simulator.look(|world| {
        let mut body = clock(world);
        world
            .workspaces
            .iter()
            .for_each(|home| body += &workspace(world, home));
        body + &add_workspace()
            + &webhooks(world)
            + &faults(world)
            + "<h2>OAuth applications</h2>"
            + &world.apps.iter().map(application).collect::<String>()
    });
    page(StatusCode::OK, "What is going on", false, &body)
}

/// One button that does one thing, with what it needs hidden in its form.
fn button(action: &str, label: &str, fields: &[(&str, &str)]) -> String {
    let hidden = |(name, value): &(&str, &str)| {
        format!(
            "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
            escape(value)
        )
    };
    let hidden: String = fields.iter().map(hidden).collect();
    format!(
        "<form class=\"inline\" method=\"post\" \
            action=\"/do/{action}\">{hidden}<button>{}</button></form>",
        escape(label)
    )
}

fn clock(world: &World) -> String {
    let state = if world.clock.is_manual() {
        " (standing still)"
    } else {
        ""
    };
    format!(
        "<p>The clock says <strong class=\"whole\">{}</strong>{state}.</p><div \
            class=\"row\">{}{}</div>",
        iso(world.now()),
        button("clock", "Advance 1 hour", &[("hours", "1")]),
        button("clock", "Advance 24 hours", &[("hours", "24")])
    )
}

fn workspace(world: &World, home: &Workspace) -> String {
    let installed: Vec<&str> = world
        .apps
        .iter()
        .filter(|app| app.is_installed(&home.id))
        .map(|app| app.name.as_str())
        .collect();
    let installed = if installed.is_empty() {
        "nothing".into()
    } else {
        escape(&installed.join(", "))
    };
    let mut html = format!(
        "<section><h2>{} <small><code>{}</code> · {installed} installed</small></h2>{}<div \
            class=\"row\">",
        escape(&home.name),
        escape(&home.url_key),
        tokens(world, home)
    );
    html += &button("issue", "Send test issue", &[("workspace", &home.url_key)]);
    if world.living_grants(&home.id).next().is_some() {
        for (action, label) in [
            ("expire", "Expire tokens"),
            ("revoke_token", "Revoke token"),
            ("revoke_grant", "Revoke grant"),
        ] {
            html += &button(action, label, &[("workspace", &home.url_key)]);
        }
    }
    for app in world.apps.iter().filter(|app| app.is_installed(&home.id)) {
        html += &button(
            "uninstall",
            &format!("Uninstall {}", app.name),
            &[("workspace", &home.url_key), ("client_id", &app.client_id)],
        );
    }
    let people: Vec<String> = home.users.iter().map(|user| escape(&user.name)).collect();
    let teams: Vec<String> = home.teams.iter().map(|team| escape(&team.key)).collect();
    let _ = write!(
        html,
        "</div><p><small>{} · teams {}</small></p></section>",
        people.join(", "),
        teams.join(", ")
    );
    html
}

/// Shows only the last four characters: this page is looked at over shoulders.
fn tail(token: Option<&String>) -> String {
    match token {
        Some(token) => format!("…{}", escape(&token[token.len().saturating_sub(4)..])),
        None => "none".into(),
    }
}

fn tokens(world: &World, home: &Workspace) -> String {
    let now = world.now();
    let rows: String = world
        .living_grants(&home.id)
        .map(|grant| {
            let access = grant
                .current_access
                .as_ref()
                .and_then(|token| world.access.get(token));
            let state = match access {
                Some(token) if token.is_live(now) => format!("until {}", iso(token.expires_ms)),
                Some(token) if token.revoked => "revoked".into(),
                _ => "expired".into(),
            };
            format!(
                "<tr><td>{}</td><td>{}</td><td><code>{}</code> \
                    {state}</td><td><code>{}</code></td><td>{}</td></tr>",
                world
                    .app(&grant.client_id)
                    .map(|app| escape(&app.name))
                    .unwrap_or_default(),
                if grant.actor == crate::Actor::App {
                    "app"
                } else {
                    "person"
                },
                tail(grant.current_access.as_ref()),
                tail(grant.current_refresh.as_ref()),
                escape(&grant.scopes.join(" "))
            )
        })
        .collect();
    if rows.is_empty() {
        return "<p>No tokens.</p>".into();
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>App</th><th>Acts as</th><th>Access \
            token</th><th>Refresh token</th>\
            <th>Scopes</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

fn add_workspace() -> String {
    "<h2>Add a workspace</h2><form method=\"post\" action=\"/do/workspace\" class=\"row\">\
        <label>Name <input name=\"name\" required></label>\
        <label>URL key <input name=\"url_key\" required pattern=\"[A-Za-z0-9\\-]+\"></label>\
        <button>Add workspace</button></form>"
        .into()
}

fn webhooks(world: &World) -> String {
    let url = world.settings.webhook_url.as_deref().unwrap_or_default();
    let rows: String = world
        .deliveries
        .iter()
        .rev()
        .take(DELIVERIES_SHOWN)
        .map(delivery)
        .collect();
    let sent = if rows.is_empty() {
        rows
    } else {
        format!("<div class=\"scroll\"><table><tbody>{rows}</tbody></table></div>")
    };
    format!(
        "<h2>Webhooks</h2><form method=\"post\" action=\"/do/webhook\" class=\"row\">\
            <label>The first app’s webhook address <input name=\"url\" type=\"url\" \
            value=\"{}\"></label><button>Save address</button></form>{sent}",
        escape(url)
    )
}

fn delivery(delivery: &Delivery) -> String {
    let state = match &delivery.state {
        DeliveryState::Waiting { due_ms } => format!("due {}", iso(*due_ms)),
        DeliveryState::Sending => "on its way".into(),
        DeliveryState::Delivered => "delivered".into(),
        DeliveryState::Exhausted => "given up".into(),
    };
    let last = delivery.attempts.last();
    let answer = last
        .and_then(|attempt| attempt.status)
        .map(|status| status.to_string())
        .unwrap_or_default();
    format!(
        "<tr><td>{}</td><td>{state}</td><td>{} attempts \
            {answer}</td><td><code>{}</code></td></tr>",
        escape(&delivery.event),
        delivery.attempts.len(),
        escape(&delivery.id)
    )
}

fn faults(world: &World) -> String {
    let waiting: String = world
        .faults
        .iter()
        .map(|fault| {
            format!(
                "<li>{} × {} at {}</li>",
                fault.count,
                fault.kind.name(),
                fault.endpoint.name()
            )
        })
        .collect();
    let queued = if waiting.is_empty() {
        waiting
    } else {
        format!("<ul>{waiting}</ul>")
    };
    let options = |all: &[&str]| -> String {
        all.iter()
            .map(|name| format!("<option>{name}</option>"))
            .collect()
    };
    format!(
        "<h2>Faults</h2>{queued}<form method=\"post\" action=\"/do/fault\" class=\"row\">\
            <label>At <select name=\"endpoint\">{}</select></label><label>What <select \
            name=\"kind\">{}</select></label>\
            <button>Queue fault</button></form>{}",
        options(&[
            "token",
            "graphql",
            "authorize",
            "revoke",
            "migrate",
            "upload"
        ]),
        options(&[
            "html_500",
            "drop_reply",
            "hang",
            "connection_reset",
            "garbage_json",
            "rate_limited",
            "invalid_client"
        ]),
        button("clear_faults", "Forget all faults", &[])
    )
}

fn application(app: &App) -> String {
    let uris: String = app
        .redirect_uris
        .iter()
        .map(|uri| format!("<li><code>{}</code></li>", escape(uri)))
        .collect();
    format!(
        "<p>{} · client id <code>{}</code></p><ul>{uris}</ul>",
        escape(&app.name),
        escape(&app.client_id)
    )
}
