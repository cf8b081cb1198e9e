//! The buttons of the page for people: plain form posts that lead back to the page.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use super::asked::{NewWorkspace, RevokeToken, Uninstall};
use super::error::ControlError;
use crate::oauth::form::Form;
use crate::{Simulator, html};

pub(crate) async fn act(
    State(simulator): State<Simulator>,
    Path(action): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let outcome = Form::read(&headers, &body)
        .map_err(|error| ControlError::Invalid(error.description))
        .and_then(|form| perform(&simulator, &action, &form));
    match outcome {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => {
            let body = format!(
                "<p role=\"alert\">{}</p><p><a href=\"/\">Back</a></p>",
                html::escape(&error.to_string())
            );
            html::page(StatusCode::BAD_REQUEST, "That did not work", true, &body)
        }
    }
}

fn perform(simulator: &Simulator, action: &str, form: &Form) -> Result<(), ControlError> {
    let workspace = form.get("workspace").unwrap_or_default();
    match action {
        "expire" => simulator.expire(Some(workspace)).map(|_| ()),
        "revoke_token" => {
            let wanted = RevokeToken {
                workspace: Some(workspace.into()),
                ..RevokeToken::default()
            };
            simulator.revoke_token(&wanted).map(|_| ())
        }
        "revoke_grant" => simulator.revoke_grant(workspace, None).map(|_| ()),
        "uninstall" => {
            let wanted = Uninstall {
                workspace: workspace.into(),
                client_id: form.get("client_id").map(String::from),
            };
            simulator.uninstall_app(&wanted).map(|_| ())
        }
        "issue" => simulator
            .create_issue(workspace, "A test issue", None, None)
            .map(|_| ()),
        "clock" => {
            let hours: i64 = form
                .get("hours")
                .and_then(|hours| hours.parse().ok())
                .unwrap_or(1);
            simulator.advance_s(hours.saturating_mul(3_600));
            Ok(())
        }
        "workspace" => {
            let text = |name| form.get(name).unwrap_or_default().to_owned();
            let new = NewWorkspace {
                name: text("name"),
                url_key: text("url_key"),
                ..NewWorkspace::default()
            };
            simulator.add_workspace(new).map(|_| ())
        }
        "webhook" => {
            simulator.set_webhook_url(form.get("url").map(String::from));
            Ok(())
        }
        "fault" => {
            let wanted =
                serde_json::json!({"endpoint": form.get("endpoint"), "kind": form.get("kind")});
            let fault = serde_json::from_value(wanted)
                .map_err(|error| ControlError::Invalid(error.to_string()))?;
            simulator.add_fault(fault)
        }
        "clear_faults" => {
            simulator.clear_faults();
            Ok(())
        }
        _ => Err(ControlError::Unknown("button")),
    }
}
