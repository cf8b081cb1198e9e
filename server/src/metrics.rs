//! `GET /metrics`: Prometheus' text format, version 0.0.4. For whoever shows the token, or on an
//! address of its own; where neither is set up there is no such thing, since how much goes on here
//! is nobody's business.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use relink_engine::Engine;
use relink_engine::every::LoopHealth;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::time::timeout;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::config::Config;
use crate::headers::{self, Https};
use crate::{logs, own_name};

const PATIENCE: Duration = Duration::from_secs(3);
/// The readers at once, on an address of its own: more wait, and not for long.
const AT_ONCE: usize = 4;
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// The ones who may read.
#[derive(Clone, Debug)]
enum Readers {
    Nobody,
    Anybody,
    WithToken(Arc<SecretString>),
}

/// The endpoint's engine, and for whom it is.
#[derive(Clone, Debug)]
pub struct Metrics {
    engine: Engine,
    readers: Readers,
}

impl Metrics {
    /// Serves the metrics beside everything else.
    pub fn among_others(engine: Engine, config: &Config) -> Metrics {
        let readers = match (config.metrics_addr, &config.metrics_token) {
            (None, Some(token)) => Readers::WithToken(Arc::new(token.clone())),
            _ => Readers::Nobody,
        };
        Metrics { engine, readers }
    }

    /// Everything that is on the address of its own.
    pub fn alone(engine: Engine, config: &Config) -> Router {
        let token = config.metrics_token.clone().map(Arc::new);
        let readers = token.map_or(Readers::Anybody, Readers::WithToken);
        Router::new()
            .route("/metrics", get(show))
            .with_state(Metrics { engine, readers })
            .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                REQUEST_MAX,
            ))
            .layer(CatchPanicLayer::new())
            .layer(middleware::from_fn_with_state(
                Https(config.https()),
                headers::secure,
            ))
    }
}

/// The counts, or why not.
pub async fn show(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    match &metrics.readers {
        Readers::Nobody => StatusCode::NOT_FOUND.into_response(),
        Readers::WithToken(token) if !shows(&headers, token) => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
        )
            .into_response(),
        Readers::Anybody if may_be_led_here(&headers) => {
            let why = "A browser reads this under an IP address or localhost alone, or with \
                RELINK_METRICS_TOKEN set: any page can \
                let its own name lead here.\n";
            (StatusCode::MISDIRECTED_REQUEST, why).into_response()
        }
        Readers::WithToken(_) | Readers::Anybody => counts(&metrics.engine).await,
    }
}

/// Whether a page may have asked whose name leads here (DNS rebinding). To its browser that is one
/// site, and over plain http it says neither an origin nor from where; but no script takes away the
/// language that it accepts. Programs that read metrics say none, and may use whatever name they
/// like.
fn may_be_led_here(headers: &HeaderMap) -> bool {
    let browsers = [
        header::ACCEPT_LANGUAGE,
        header::ORIGIN,
        header::REFERER,
        HeaderName::from_static("sec-fetch-site"),
    ];
    browsers.iter().any(|name| headers.contains_key(name)) && !own_name::is_an_address(headers)
}

fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        let same: bool = given
            .trim()
            .as_bytes()
            .ct_eq(token.expose_secret().as_bytes())
            .into();
        scheme.eq_ignore_ascii_case("bearer") && same
    })
}

/// Everything that is counted. Names no workspace and no organisation: it may be readable by many.
async fn counts(engine: &Engine) -> Response {
    let states = match timeout(PATIENCE, engine.connection_states()).await {
        Ok(Ok(states)) => states,
        // What this process counted itself is wanted most when the database is away.
        missing => {
            tracing::error!(?missing, "connections could not be counted");
            Vec::new()
        }
    };
    let mut text = String::new();
    let refreshes = engine
        .refreshes()
        .all()
        .map(|(outcome, count)| (outcome.name(), count));
    family(
        &mut text,
        "relink_refreshes_total",
        "counter",
        "Wishes for a fresh token in this process, by outcome.",
        "outcome",
        refreshes,
    );
    let webhooks = engine.webhook_counts().all();
    family(
        &mut text,
        "relink_webhooks_total",
        "counter",
        "Webhooks that came to this process, by outcome.",
        "outcome",
        webhooks.into_iter(),
    );
    let messages = engine.handed_on().all();
    family(
        &mut text,
        "relink_messages_total",
        "counter",
        "Tries of this process to hand a delivery on, by outcome.",
        "outcome",
        messages.into_iter(),
    );
    let states = states
        .iter()
        .map(|(state, count)| (state.as_str(), count.unsigned_abs()));
    family(
        &mut text,
        "relink_connections",
        "gauge",
        "Connections in the database, by state.",
        "state",
        states,
    );
    let (now, in_flight) = ("refreshes", engine.refreshes_under_way() as u64);
    family(
        &mut text,
        "relink_under_way",
        "gauge",
        "Refreshes under way in this process.",
        "what",
        [(now, in_flight)].into_iter(),
    );
    loops(&mut text, &engine.loop_health());
    instance(&mut text, engine);
    let lost = logs::lost();
    let lost = [
        ("queue_full", lost.queue_full),
        ("write_failed", lost.write_failed),
    ];
    family(
        &mut text,
        "relink_log_lines_lost_total",
        "counter",
        "Log lines of this process that were not written, by cause.",
        "cause",
        lost.into_iter(),
    );
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}

/// Tells what only whoever runs this process can mend.
fn instance(text: &mut String, engine: &Engine) {
    let help = "1 for the reason why the database of this process keeps nothing, if there is one.";
    let trouble = engine.storage_trouble().map(|trouble| (trouble, 1));
    family(
        text,
        "relink_storage_trouble",
        "gauge",
        help,
        "reason",
        trouble.into_iter(),
    );
    let ahead = engine.clock_trust().ahead as f64 / 1_000.0;
    let help = "Seconds that this machine's clock is ahead, behind where negative, 0 within a \
        minute.";
    let _ = write!(
        text,
        "# HELP relink_clock_ahead_seconds {help}\n# TYPE relink_clock_ahead_seconds \
            gauge\nrelink_clock_ahead_seconds {ahead}\n"
    );
}

/// Tells how the loops in the background go.
fn loops(text: &mut String, loops: &[LoopHealth]) {
    let samples = |of: fn(&LoopHealth) -> u64| loops.iter().map(move |one| (one.name, of(one)));
    let help = "Seconds since a loop in the background of this process last ran.";
    family(
        text,
        "relink_loop_last_run_seconds",
        "gauge",
        help,
        "loop",
        samples(|one| one.since.as_secs()),
    );
    let help = "Runs of a loop in the background of this process that panicked.";
    family(
        text,
        "relink_loop_panics_total",
        "counter",
        help,
        "loop",
        samples(|one| one.panics),
    );
    let help = "Runs of a loop in the background of this process that hung and were cancelled.";
    family(
        text,
        "relink_loop_overruns_total",
        "counter",
        help,
        "loop",
        samples(|one| one.overruns),
    );
}

fn family<'a>(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    label: &str,
    samples: impl Iterator<Item = (&'a str, u64)>,
) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for (value, count) in samples {
        let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {count}");
    }
}
