//! The page on which a person approves or cancels.

use std::fmt::Write;

use axum::http::StatusCode;
use axum::response::Response;

use super::scope;
use crate::html::{escape, page};
use crate::world::World;
use crate::world::app::App;
use crate::world::grants::{Actor, AuthorizeRequest};
use crate::world::workspace::{Role, User, Workspace};

pub(crate) fn consent(world: &World, app: &App, id: &str, request: &AuthorizeRequest) -> Response {
    let act = match request.actor {
        Actor::App => {
            "It will act as itself, as an app user of the workspace. An administrator has to \
                approve this."
        }
        Actor::User => "It will act in your name.",
    };
    let mut body = String::new();
    let _ = write!(
        body,
        "<p><strong>{}</strong> by {} asks for access to a workspace. {act}</p><h2>It wants \
            to</h2><ul>",
        escape(&app.name),
        escape(&app.developer)
    );
    for name in &request.scopes {
        let _ = write!(
            body,
            "<li>{} <small>(<code>{}</code>)</small></li>",
            scope::in_words(name),
            escape(name)
        );
    }
    let _ = write!(
        body,
        "</ul><form method=\"post\" action=\"/oauth/authorize/decision\">\
            <input type=\"hidden\" name=\"request\" value=\"{}\">{}{}\
            <div class=\"row\"><button class=\"main\" name=\"decision\" \
            value=\"approve\">Approve</button>\
            <button name=\"decision\" value=\"cancel\" formnovalidate>Cancel</button></div></form>\
            <p><small>You will go back to <code>{}</code>.</small></p>",
        escape(id),
        workspaces(world),
        people(world),
        escape(&request.redirect_uri)
    );
    page(
        StatusCode::OK,
        &format!("Authorise {}", app.name),
        true,
        &body,
    )
}

fn workspaces(world: &World) -> String {
    let chosen = world
        .signed_in
        .as_ref()
        .map(|person| person.workspace.as_str());
    let chosen = chosen.or_else(|| world.workspaces.first().map(|first| first.id.as_str()));
    let mut html = String::from("<fieldset><legend>Workspace</legend>");
    for workspace in &world.workspaces {
        let checked = if Some(workspace.id.as_str()) == chosen {
            " checked"
        } else {
            ""
        };
        let _ = write!(
            html,
            "<label><input type=\"radio\" name=\"workspace\" value=\"{}\" required{checked}> \
                {}</label>",
            escape(&workspace.url_key),
            escape(&workspace.name)
        );
    }
    html + "</fieldset>"
}

/// Lists everybody, as without scripts the list cannot follow the workspace.
fn people(world: &World) -> String {
    let mut html = String::from(
        "<label for=\"user\">Acting person</label><select id=\"user\" name=\"user\">\
            <option value=\"\" selected>An administrator of the workspace</option>",
    );
    for workspace in &world.workspaces {
        let _ = write!(html, "<optgroup label=\"{}\">", escape(&workspace.name));
        html.extend(
            workspace
                .users
                .iter()
                .filter(|user| user.can_sign_in())
                .map(option),
        );
        html += "</optgroup>";
    }
    html + "</select>"
}

fn option(user: &User) -> String {
    let role = match user.role {
        Role::Owner => "owner",
        Role::Admin => "administrator",
        Role::Member => "member",
        Role::Guest => "guest",
        Role::App => "app",
    };
    format!(
        "<option value=\"{}\">{} ({role})</option>",
        escape(&user.id),
        escape(&user.name)
    )
}

/// A member may only ask; nobody is sent back to the application.
pub(crate) fn needs_admin(app: &App, workspace: &Workspace) -> Response {
    let body = format!(
        "<p>Your admin must approve this first. A request to install <strong>{}</strong> in \
            <strong>{}</strong> \
            was sent to the administrators of the workspace.</p><p>You can close this page.</p>",
        escape(&app.name),
        escape(&workspace.name)
    );
    page(StatusCode::OK, "Approval requested", true, &body)
}
