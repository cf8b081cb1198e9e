//! `GET /.well-known/oauth-authorization-server` (RFC 8414): there is no dynamic registration.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::Simulator;

pub(crate) async fn metadata(State(simulator): State<Simulator>) -> Json<Value> {
    let url = simulator.url();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/oauth/authorize"),
        "token_endpoint": format!("{url}/oauth/token"),
        "revocation_endpoint": format!("{url}/oauth/revoke"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic",
            "none"],
    }))
}
