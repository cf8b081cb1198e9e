//! The router: pages, server functions and endpoints behind the same layers.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use relink_app::view::RequestId;
use relink_app::{App, shell};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument as _;

use crate::api::{self, Api};
use crate::edge::{self, Edge, FORM_MAX};
use crate::headers::{self, Https};
use crate::jobs::{self, Jobs};
use crate::metrics::{self};
use crate::state::Web;
use crate::webhooks::{self, Webhooks};
use crate::{audit, csrf, errors, health, html_fixup, live, own_name, sessions};

/// Longer than the longest wait for Linear on the way to a page: exchange, identity and revocation,
/// ten seconds each.
const REQUEST_MAX: Duration = Duration::from_secs(45);

/// The level of compression, of eleven: more takes longer than it saves on the way.
const BROTLI: i32 = 5;

/// Everything that is served.
pub fn router(web: Web) -> Router {
    let api = Api::new(&web, web.api_requests_per_minute);
    let webhooks = Webhooks::new(web.engine.clone(), web.frame());
    let edge = Edge {
        engine: web.engine.clone(),
        proxies: web.proxies.clone(),
    };
    let all = pages(&web)
        .merge(for_operators(&web))
        .merge(api::router(api))
        .merge(webhooks::router(webhooks));
    all.layer(middleware::from_fn_with_state(edge, edge::look))
}

/// Serves what people see, and what their browsers post to.
fn pages(web: &Web) -> Router {
    let (https, options, provider) = (Https(web.site.https), web.options.clone(), web.clone());
    let sessions = sessions::layer(web.engine.clone(), &web.site);
    Router::new()
        .route("/", get(async || Redirect::to("/integrations")))
        .route("/settings/audit.jsonl", get(audit::export))
        .route("/live", get(live::stream))
        .leptos_routes_with_context(
            web,
            generate_route_list(App),
            move || provider.provide(),
            move || shell(options.clone()),
        )
        .fallback(missing)
        .layer(sessions)
        .layer(middleware::from_fn_with_state(
            edge::places(web.clone()),
            edge::in_place,
        ))
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn_with_state(web.clone(), csrf::by_token))
        .layer(middleware::from_fn_with_state(
            edge::forms(),
            edge::whole_form,
        ))
        .layer(middleware::from_fn_with_state(web.clone(), own_name::only))
        // Files wait behind no page.
        .layer(middleware::from_fn_with_state(web.clone(), file))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_MAX,
        ))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(
            web.clone(),
            errors::in_words,
        ))
        .layer(middleware::from_fn_with_state(
            web.clone(),
            html_fixup::tidy,
        ))
        .layer(compression())
        .layer(middleware::from_fn_with_state(https, headers::secure))
        .layer(middleware::from_fn_with_state(web.clone(), log))
        .with_state(web.clone())
}

/// Pages are compressed: what is secret in one (a new key, a link code) is shown a single time, so
/// that nobody can try it out from the outside by lengths. Streams of events and the files that are
/// compressed already go as they are.
fn compression() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Precise(BROTLI))
}

/// Serves what schedulers and monitoring ask for. No session is looked up: these must answer when
/// the database does not.
fn for_operators(web: &Web) -> Router {
    let jobs = Jobs {
        engine: web.engine.clone(),
        secret: web.jobs_secret.clone(),
    };
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(web.engine.clone())
        .merge(
            Router::new()
                .route("/metrics", get(metrics::show))
                .with_state(web.metrics.clone()),
        )
        // A sweep takes as long as it takes.
        .merge(
            Router::new()
                .route("/jobs/refresh", post(jobs::refresh))
                .with_state(jobs),
        )
        .layer(RequestBodyLimitLayer::new(FORM_MAX))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(
            Https(web.site.https),
            headers::secure,
        ))
        .layer(middleware::from_fn_with_state(web.clone(), log))
}

/// A file of the site, before anything else is looked at.
async fn file(State(web): State<Web>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD)
        && let Some(file) = web
            .assets
            .get(request.uri().path(), request.headers())
            .await
    {
        return file;
    }
    next.run(request).await
}

/// The page that says there is nothing.
async fn missing(State(web): State<Web>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (provider, options) = (web.clone(), web.options.clone());
    let page = leptos_axum::render_app_async_with_context(
        move || provider.provide(),
        move || shell(options.clone()),
    );
    page(request).await
}

/// One line a request, with an id that the response carries too. Never the query: a callback's
/// holds a code. Nor a path that may hold one.
async fn log(State(web): State<Web>, mut request: Request, next: Next) -> Response<Body> {
    let id = headers::given_request_id(request.headers()).unwrap_or_else(|| web.ids.next());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!(
        "request", id, method = %request.method(), path = headers::told_path(request.uri().path())
    );
    let started = tokio::time::Instant::now();
    async move {
        let mut response = next.run(request).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = response.status();
        if status.is_server_error() {
            tracing::error!(status = status.as_u16(), millis, "answered");
        } else {
            tracing::info!(status = status.as_u16(), millis, "answered");
        }
        if let Ok(id) = id.parse() {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }
    .instrument(span)
    .await
}
