//! `POST /oauth/migrate_old_token`: a long-lived token from the old days becomes a pair.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::client_auth::{Client, authenticate};
use super::error::OAuthError;
use super::form::Form;
use super::token::success;
use crate::Simulator;
use crate::world::World;
use crate::world::redeeming::Pair;

pub(crate) async fn migrate(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    if !simulator.look(|world| world.settings.migrate_enabled) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let form = Form::read(&headers, &body)?;
    let old = form.need("access_token")?;
    form.need("client_id")?;
    form.need("client_secret")?;
    simulator.change(|world| {
        let client = authenticate(world, &headers, &form)?;
        client.may_use(false)?;
        let pair = exchange_old(world, &client, old)?;
        Ok(success(world, &pair, "migrated"))
    })
}

fn exchange_old(world: &mut World, client: &Client, old: &str) -> Result<Pair, OAuthError> {
    let now = world.now();
    let grants = &world.grants;
    let is_own = |grant: &str| {
        grants
            .get(grant)
            .is_some_and(|grant| grant.client_id == client.id)
    };
    let record = world
        .access
        .get_mut(old)
        .filter(|record| record.legacy && record.is_live(now) && is_own(&record.grant));
    let record = record
        .ok_or_else(|| OAuthError::invalid_grant("Invalid grant: access token is invalid"))?;
    if world.settings.migrate_ends_old_token {
        record.revoked = true;
    }
    let grant = record.grant.clone();
    Ok(world.new_pair(&grant))
}
