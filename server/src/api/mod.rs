//! `/api/v1`: what other programs ask of Relink, with a key.

mod answer;
mod authenticate;
pub mod connections;
mod deliveries;
mod graphql;
mod limit;
mod people;
mod problem;
mod token;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Router, middleware};
use relink_engine::Engine;
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::limit::Limits;
use self::problem::{Code, Problem};
use crate::body::{Sizes, Space};
use crate::endpoint::Frame;
use crate::headers::{self, Https};
use crate::share::Room;
use crate::state::Web;

/// Requests under way; most of them wait for Linear. More are refused at once.
const AT_ONCE: usize = 4_096;
/// The part of these that one key may have.
const AT_ONCE_EACH: usize = 1_024;
/// Lists that are read from the database and written out at once, each of which may be megabytes;
/// more wait. The database has as many connections.
const LISTS: usize = 16;
/// The part of these that one key may have.
const LISTS_EACH: usize = 2;

/// Bodies that are being read or worked on, by key.
const BODIES: Sizes = Sizes {
    beginning: 16,
    beginnings: 64 * 1024,
    rest: 128 * 1024,
    parts: 4,
};

/// The things that the endpoints are made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    engine: Engine,
    /// The address that the world knows this instance by, without a slash at the end.
    url: String,
    frame: Frame,
    limits: Limits,
    /// The places of requests for as long as nobody knows who asks.
    door: Semaphore,
    /// This and what follows by the ids of keys.
    places: Room<String>,
    lists: Room<String>,
    bodies: Space<String>,
    answers: Arc<Space<String>>,
}

impl Api {
    #[must_use]
    pub fn new(web: &Web, requests_per_minute: u32) -> Api {
        Api(Arc::new(Parts {
            engine: web.engine.clone(),
            url: web.site.url.clone(),
            frame: web.frame(),
            limits: Limits::new(requests_per_minute),
            door: Semaphore::new(AT_ONCE),
            places: Room::new(AT_ONCE, AT_ONCE_EACH),
            lists: Room::new(LISTS, LISTS_EACH),
            bodies: Space::new(BODIES),
            answers: Arc::new(Space::new(answer::LONG)),
        }))
    }
}

/// Everything below `/api/v1`: no session, no forms, and nothing that a page needs. The paths are
/// whole, since a nested router costs every request its prefix.
pub fn router(api: Api) -> Router {
    let (endpoints, mut described) = OpenApiRouter::<Api>::new()
        .routes(routes!(connections::list))
        .routes(routes!(token::fresh))
        .routes(routes!(graphql::pass_on))
        .routes(routes!(deliveries::list))
        .routes(routes!(people::list))
        .split_for_parts();
    describe(&mut described);
    let description = Bytes::from(serde_json::to_vec(&described).unwrap_or_default());
    let guarded = endpoints
        .route(
            "/api/v1/{*rest}",
            any(async |State(api), request| refuse(api, request, Code::NotFound).await),
        )
        .method_not_allowed_fallback(async |State(api), request| {
            refuse(api, request, Code::MethodNotAllowed).await
        });
    let described = get(async move || ([(header::CONTENT_TYPE, "application/json")], description));
    let described = described.layer(middleware::from_fn_with_state(
        Https(api.0.frame.https),
        headers::secure,
    ));
    guarded
        .route("/api/v1/openapi.json", described)
        .with_state(api)
}

/// Adds what the code of the endpoints cannot say about all of them.
fn describe(openapi: &mut OpenApi) {
    openapi.info.title = "Relink".to_owned();
    openapi.info.version = env!("CARGO_PKG_VERSION").to_owned();
    openapi.info.license = None;
    // By itself it would be whoever is named as an author in some crate.
    openapi.info.contact = None;
    openapi.info.description = Some(
        "Fresh tokens for Linear, and Linear itself, for programs with an API key. Errors are \
            problem documents (RFC 9457) \
            with a stable `code`. Every answer to a key carries `RateLimit` and \
            `RateLimit-Policy`."
            .to_owned(),
    );
    let key = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("rlk_…")
            .build(),
    );
    openapi
        .components
        .get_or_insert_default()
        .add_security_scheme("key", key);
}

/// Refuses a request, once its key was looked at.
async fn refuse(api: Api, request: Request, code: Code) -> Response {
    authenticate::guard(api, request, async |_| Err(Problem::new(code))).await
}

type Shared = State<Api>;
