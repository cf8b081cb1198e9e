//! The members of the key's organisation, and the Linear people that they are.

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse as _, Response};
use relink_engine::people::LinkedMember;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::authenticate;
use super::problem::{Code, Problem};
use crate::times::rfc3339;

/// Everybody who is known in Linear, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeopleList {
    people: Vec<LinkedPerson>,
}

/// A member, and who they are in one workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkedPerson {
    member: MemberObject,
    /// Linear's organization id.
    workspace_id: String,
    linear: LinearObject,
    linked_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MemberObject {
    email: String,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LinearObject {
    /// Linear's user id.
    id: String,
    name: String,
    email: String,
}

/// Whom to look for; without any of them, everybody.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Sought {
    /// Linear's user id, as it stands in a webhook.
    linear_user_id: Option<String>,
    /// The e-mail of the member, or of the Linear person.
    email: Option<String>,
    /// Linear's organization id.
    workspace: Option<String>,
}

impl Sought {
    fn matches(&self, link: &LinkedMember) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        let email = self.email.as_deref().is_none_or(|wanted| {
            wanted.eq_ignore_ascii_case(&link.user_email)
                || wanted.eq_ignore_ascii_case(&link.linear_email)
        });
        is(&self.linear_user_id, &link.linear_id)
            && is(&self.workspace, &link.workspace_id)
            && email
    }
}

impl From<LinkedMember> for LinkedPerson {
    fn from(link: LinkedMember) -> LinkedPerson {
        LinkedPerson {
            member: MemberObject {
                email: link.user_email,
                name: link.user_name,
            },
            workspace_id: link.workspace_id,
            linear: LinearObject {
                id: link.linear_id,
                name: link.linear_name,
                email: link.linear_email,
            },
            linked_at: rfc3339(link.linked_at),
        }
    }
}

/// The members of the key's organisation who are known in Linear; with parameters, those that fit
/// all of them.
#[utoipa::path(
    get, path = "/api/v1/people", operation_id = "people", security(("key" = [])), params(Sought),
    responses(
        (status = 200, body = PeopleList),
        (
            status = "default", description = "a problem",
            body = Problem, content_type = "application/problem+json"
        ),
    )
)]
pub async fn list(State(api): Shared, request: Request) -> Response {
    authenticate::guard(api.clone(), request, async |call| {
        let sought = Query::<Sought>::try_from_uri(&call.parts.uri);
        let sought = sought
            .map_err(|_| {
                Problem::new(Code::InvalidRequest)
                    .detail("People are looked for by linear_user_id, email and workspace.")
            })?
            .0;
        let _turn = call.turn(&api).await;
        let mut people = api.0.engine.members(&*call.caller).linked().await?;
        people.retain(|link| sought.matches(link));
        Ok(Json(PeopleList {
            people: people.into_iter().map(LinkedPerson::from).collect(),
        })
        .into_response())
    })
    .await
}
