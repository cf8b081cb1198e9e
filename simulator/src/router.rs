//! The map of paths. One listener plays both linear.app and api.linear.app.

use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};

use crate::faults::Endpoint;
use crate::faults::apply::with_faults;
use crate::{Simulator, control, graphql, oauth};

pub(crate) fn router(simulator: &Simulator) -> Router {
    let faulty = |endpoint, route: MethodRouter<Simulator>| {
        route.route_layer(from_fn_with_state(
            (simulator.clone(), endpoint),
            with_faults,
        ))
    };
    Router::new()
        .route(
            "/oauth/authorize",
            faulty(Endpoint::Authorize, get(oauth::authorize::show)),
        )
        .route("/oauth/authorize/decision", post(oauth::decision::decide))
        .route(
            "/oauth/token",
            faulty(Endpoint::Token, post(oauth::token::token)),
        )
        .route(
            "/oauth/revoke",
            faulty(Endpoint::Revoke, post(oauth::revoke::revoke)),
        )
        .route(
            "/oauth/migrate_old_token",
            faulty(Endpoint::Migrate, post(oauth::migrate::migrate)),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(oauth::metadata::metadata),
        )
        .route(
            "/graphql",
            faulty(Endpoint::Graphql, post(graphql::endpoint::graphql)),
        )
        .route(
            "/uploads/{id}",
            faulty(Endpoint::Upload, put(graphql::upload::put)),
        )
        .route("/uploads/{workspace}/{id}", get(graphql::upload::get))
        .merge(control::routes().route_layer(from_fn_with_state(simulator.clone(), control::guard)))
        .layer(map_response_with_state(simulator.clone(), dated))
        .with_state(simulator.clone())
}

/// Dates answers by the simulation's clock, where the listener would take the system's.
async fn dated(State(simulator): State<Simulator>, mut response: Response) -> Response {
    let since_epoch = Duration::from_millis(u64::try_from(simulator.now_ms()).unwrap_or(0));
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
