//! `POST /oauth/token`: codes, refresh tokens and client credentials become access tokens.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::client_auth::{Client, authenticate};
use super::error::OAuthError;
use super::form::Form;
use super::{pkce, scope};
use crate::Simulator;
use crate::faults::outcome::Outcome;
use crate::world::World;
use crate::world::grants::Code;
use crate::world::redeeming::Pair;
use crate::world::rotating::{Refreshed, Refused};

pub(crate) async fn token(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Form::read(&headers, &body)?;
    let grant_type = form.need("grant_type")?;
    // One step under the lock: of two requests with one code or token, one comes first.
    simulator.change(|world| {
        let client = authenticate(world, &headers, &form)?;
        match grant_type {
            "authorization_code" => exchange(world, &client, &form),
            "refresh_token" => refresh(world, &client, &form),
            "client_credentials" => client_credentials(world, &client, &form),
            _ => Err(OAuthError::new(
                "unsupported_grant_type",
                "Unsupported grant type: `grant_type` is invalid",
            )),
        }
    })
}

/// The body of every success.
pub(crate) fn success(world: &World, pair: &Pair, outcome: &'static str) -> Response {
    let scope = if world.settings.scope_as_array {
        json!(pair.scopes)
    } else {
        json!(pair.scopes.join(" "))
    };
    let mut body = json!({
        "access_token": pair.access,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
        "scope": scope,
    });
    if let Some(refresh) = &pair.refresh {
        body["refresh_token"] = json!(refresh);
    }
    Outcome(outcome).of(([(header::CACHE_CONTROL, "no-store")], Json(body)))
}

fn exchange(world: &mut World, client: &Client, form: &Form) -> Result<Response, OAuthError> {
    let code = form.need("code")?;
    let redirect_uri = form.need("redirect_uri")?;
    let record = usable_code(world, client, code)?;
    client.may_use(record.request.code_challenge.is_some())?;
    if record.request.redirect_uri != redirect_uri {
        return Err(OAuthError::invalid_request(
            "Invalid request: `redirect_uri` is invalid",
        ));
    }
    check_verifier(&record, form.get("code_verifier"))?;
    if let Some(record) = world.codes.get_mut(code) {
        record.used = true;
    }
    let pair = world
        .redeem(&record)
        .ok_or_else(|| OAuthError::invalid_client(false))?;
    Ok(success(world, &pair, "exchanged"))
}

fn usable_code(world: &World, client: &Client, code: &str) -> Result<Code, OAuthError> {
    let record = world
        .codes
        .get(code)
        .filter(|record| !record.used && record.request.client_id == client.id)
        .cloned();
    let record = record
        .ok_or_else(|| OAuthError::invalid_grant("Invalid grant: authorization code is invalid"))?;
    let expires_ms = record
        .created_ms
        .saturating_add(world.settings.code_life_s.saturating_mul(1_000));
    if world.now() >= expires_ms {
        return Err(OAuthError::invalid_grant(
            "Invalid grant: authorization code has expired",
        ));
    }
    Ok(record)
}

fn check_verifier(code: &Code, verifier: Option<&str>) -> Result<(), OAuthError> {
    let invalid = || OAuthError::invalid_grant("Invalid grant: code verifier is invalid");
    match (&code.request.code_challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(OAuthError::invalid_grant(
            "Missing parameter: `code_verifier`",
        )),
        (Some(challenge), Some(verifier)) => {
            let right = pkce::is_verifier(verifier) && pkce::challenge_of(verifier) == *challenge;
            if right { Ok(()) } else { Err(invalid()) }
        }
        (None, Some(_)) => Err(invalid()),
    }
}

fn refresh(world: &mut World, client: &Client, form: &Form) -> Result<Response, OAuthError> {
    let token = form.need("refresh_token")?;
    // An unknown token, or another client's, is `invalid_grant` whoever sends it; one's own needs
    // the right to use it.
    if let Some(pkce) = world.refresh_is_pkce(&client.id, token) {
        client.may_use(pkce)?;
    }
    match world.rotate(&client.id, token) {
        Ok(Refreshed::Rotated(pair)) => Ok(success(world, &pair, "rotated")),
        Ok(Refreshed::Replayed(pair)) => Ok(success(world, &pair, "replayed")),
        Err(Refused::Unknown) => Err(OAuthError::invalid_grant(
            "Invalid grant: refresh token is invalid",
        )),
        Err(Refused::Expired) => Err(OAuthError::invalid_grant(
            "Invalid grant: refresh token has expired",
        )),
    }
}

fn client_credentials(
    world: &mut World,
    client: &Client,
    form: &Form,
) -> Result<Response, OAuthError> {
    client.may_use(false)?;
    if !world.settings.client_credentials {
        return Ok(not_enabled());
    }
    let scopes = scope::parse(form.need("scope")?).map_err(|unknown| {
        OAuthError::new("invalid_scope", format!("Invalid scope: `{unknown}`"))
    })?;
    let pair = world.mint_for_client(&client.id, scopes);
    let pair =
        pair.ok_or_else(|| OAuthError::invalid_request("The application has no workspace"))?;
    Ok(success(world, &pair, "client_credentials"))
}

/// Linear's own words; `error` is not one of RFC 6749's.
fn not_enabled() -> Response {
    let body: Value = json!({
        "error": "Error",
        "error_description": "Client does not support the client_credentials grant type",
    });
    Outcome("not_enabled").of((StatusCode::BAD_REQUEST, Json(body)).into_response())
}
