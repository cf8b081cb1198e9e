//! `GET /oauth/authorize`: checks what the application asks for before a person is asked anything.

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::consent_page;
use super::form::Form;
use super::pkce;
use super::scope;
use crate::Simulator;
use crate::faults::outcome::Outcome;
use crate::html;
use crate::world::World;
use crate::world::grants::{Actor, AuthorizeRequest, Pending};

/// A mistake of the application. The person sees it; nobody is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake(pub String);

impl IntoResponse for Mistake {
    fn into_response(self) -> Response {
        let body = format!("<p role=\"alert\">{}</p>", html::escape(&self.0));
        let page = html::page(
            StatusCode::BAD_REQUEST,
            "This authorisation cannot go on",
            true,
            &body,
        );
        Outcome("refused").of(page)
    }
}

fn invalid(parameter: &str) -> Mistake {
    Mistake(format!(
        "Invalid {parameter} parameter for the application."
    ))
}

pub(crate) fn check(world: &World, query: &str) -> Result<AuthorizeRequest, Mistake> {
    let query = Form::parse(query.as_bytes()).map_err(|error| Mistake(error.description))?;
    let app = query
        .get("client_id")
        .and_then(|id| world.app(id))
        .ok_or_else(|| invalid("client_id"))?;
    // Character by character, port included: no normalising, no prefixes.
    let redirect_uri = query
        .get("redirect_uri")
        .filter(|uri| app.redirect_uris.iter().any(|known| known == uri));
    let redirect_uri = redirect_uri
        .ok_or_else(|| invalid("redirect_uri"))?
        .to_owned();
    if query.get("response_type") != Some("code") {
        return Err(invalid("response_type"));
    }
    let actor = actor(query.get("actor"))?;
    Ok(AuthorizeRequest {
        client_id: app.client_id.clone(),
        redirect_uri,
        scopes: scopes(query.get("scope"), actor)?,
        state: query.get("state").map(String::from),
        actor,
        force_consent: prompt(query.get("prompt"))?,
        code_challenge: challenge(
            query.get("code_challenge"),
            query.get("code_challenge_method"),
        )?,
    })
}

fn actor(text: Option<&str>) -> Result<Actor, Mistake> {
    match text {
        None | Some("user") => Ok(Actor::User),
        // `application` is the old name; applications that use it may go on.
        Some("app" | "application") => Ok(Actor::App),
        Some(_) => Err(invalid("actor")),
    }
}

fn scopes(text: Option<&str>, actor: Actor) -> Result<Vec<String>, Mistake> {
    let scopes = scope::parse(text.ok_or_else(|| invalid("scope"))?);
    let scopes = scopes.map_err(|unknown| Mistake(format!("Invalid scope: `{unknown}`")))?;
    if actor == Actor::App && scopes.iter().any(|scope| scope == "admin") {
        return Err(Mistake(
            "Invalid scope: `admin` cannot be requested with actor=app".into(),
        ));
    }
    Ok(scopes)
}

fn prompt(text: Option<&str>) -> Result<bool, Mistake> {
    match text {
        None => Ok(false),
        Some("consent") => Ok(true),
        Some(_) => Err(invalid("prompt")),
    }
}

fn challenge(challenge: Option<&str>, method: Option<&str>) -> Result<Option<String>, Mistake> {
    match (challenge, method) {
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) if pkce::is_challenge(challenge) => {
            Ok(Some(challenge.to_owned()))
        }
        (_, Some("S256")) => Err(invalid("code_challenge")),
        _ => Err(invalid("code_challenge_method")),
    }
}

/// The answer to the browser for a request that is in order.
enum Next {
    Back(String),
    Ask(String),
}

fn next(world: &mut World, request: &AuthorizeRequest) -> Next {
    let shortcut = world.shortcut(request, world.signed_in.as_ref());
    match shortcut {
        Some(shortcut) => Next::Back(world.take_shortcut(request, &shortcut)),
        None => {
            let created_ms = world.now();
            Next::Ask(world.remember_pending(Pending {
                request: request.clone(),
                created_ms,
            }))
        }
    }
}

pub(crate) async fn show(
    State(simulator): State<Simulator>,
    RawQuery(query): RawQuery,
) -> Result<Response, Mistake> {
    let request = simulator.look(|world| check(world, query.as_deref().unwrap_or_default()))?;
    Ok(match simulator.change(|world| next(world, &request)) {
        Next::Back(location) => {
            Outcome("sent_back").of((StatusCode::FOUND, [(header::LOCATION, location)]))
        }
        Next::Ask(id) => {
            let page = simulator.look(|world| {
                world
                    .app(&request.client_id)
                    .map(|app| consent_page::consent(world, app, &id, &request))
            });
            Outcome("asked").of(page.ok_or_else(|| invalid("client_id"))?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Mistake, check};
    use crate::world::World;
    use crate::world::app::{App, demo_redirect_uris};
    use crate::world::dice::Dice;

    fn ask(change: &[(&str, &str)]) -> Result<Vec<String>, Mistake> {
        let world = World::new(App::demo(demo_redirect_uris()), Dice::new(b"seed"));
        let mut fields = vec![
            ("client_id", world.first_app().client_id.as_str()),
            (
                "redirect_uri",
                "http://localhost:3000/oauth/linear/callback",
            ),
            ("response_type", "code"),
            ("scope", "read,write"),
        ];
        for (name, value) in change {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        check(&world, &query).map(|request| request.scopes)
    }

    fn mistake(change: &[(&str, &str)]) -> String {
        ask(change).expect_err("a mistake").0
    }

    #[test]
    fn an_ordinary_request_is_in_order() {
        assert_eq!(ask(&[]), Ok(vec!["read".into(), "write".into()]));
        assert!(ask(&[("actor", "application"), ("prompt", "consent")]).is_ok());
    }

    #[test]
    fn redirect_uris_are_compared_as_exact_strings() {
        let expected = "Invalid redirect_uri parameter for the application.";
        for uri in [
            "http://localhost:3001/oauth/linear/callback",
            "http://localhost:3000/oauth/linear/callback/",
            "http://LOCALHOST:3000/oauth/linear/callback",
            "http://localhost:3000/oauth/linear/callback?a=b",
        ] {
            assert_eq!(mistake(&[("redirect_uri", uri)]), expected, "{uri}");
        }
    }

    #[test]
    fn whatever_else_is_wrong_is_named() {
        assert!(mistake(&[("client_id", "nobody")]).contains("client_id"));
        assert!(mistake(&[("response_type", "token")]).contains("response_type"));
        assert!(mistake(&[("actor", "robot")]).contains("actor"));
        assert!(mistake(&[("scope", "read,offline_access")]).contains("Invalid scope"));
        assert!(mistake(&[("scope", "admin"), ("actor", "app")]).contains("Invalid scope"));
        assert!(mistake(&[("prompt", "login")]).contains("prompt"));
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(mistake(&[("code_challenge", challenge)]).contains("code_challenge_method"));
        assert!(
            mistake(&[
                ("code_challenge", challenge),
                ("code_challenge_method", "plain")
            ])
            .contains("code_challenge_method")
        );
        assert!(
            mistake(&[
                ("code_challenge", "short"),
                ("code_challenge_method", "S256")
            ])
            .contains("code_challenge ")
        );
    }
}
