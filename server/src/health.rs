//! The answers for orchestrators: alive, and able to serve.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use relink_engine::Engine;
use relink_engine::clock::SECOND;
use serde::Serialize;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(3);

/// One thing that serving needs.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// The trouble that there is, or may soon be, for whoever runs this.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Check {
    fn new(name: &'static str, outcome: Result<(), String>) -> Check {
        Check {
            name,
            ok: outcome.is_ok(),
            why: outcome.err(),
        }
    }
}

/// The process answers.
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Everything that serving needs is there. The schema is up to date: nothing listens before the
/// migrations are done.
pub async fn ready(State(engine): State<Engine>) -> (StatusCode, Json<Value>) {
    let checks = [
        database(&engine).await,
        storage(&engine),
        background(&engine),
        clock(&engine),
    ];
    let Some(bad) = checks.iter().find(|check| !check.ok) else {
        return (
            StatusCode::OK,
            Json(json!({ "status": "ready", "checks": checks })),
        );
    };
    tracing::error!(check = bad.name, why = bad.why, "not ready");
    let answer = json!({ "status": "unavailable", "reason": bad.name, "checks": checks });
    (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
}

/// Checks that the database answers. What it said is for the log alone.
async fn database(engine: &Engine) -> Check {
    let outcome = match tokio::time::timeout(PATIENCE, engine.ping()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            Err("it fails; the log says how".to_owned())
        }
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    Check::new("database", outcome)
}

/// The database keeps what it is given.
fn storage(engine: &Engine) -> Check {
    Check::new(
        "storage",
        engine
            .storage_trouble()
            .map_or(Ok(()), |trouble| Err(trouble.to_owned())),
    )
}

/// A clock that is wrong keeps nobody from being served.
fn clock(engine: &Engine) -> Check {
    let ahead_s = engine.clock_trust().ahead / SECOND;
    let why = (ahead_s != 0).then(|| {
        format!(
            "this machine's clock is {} s {}",
            ahead_s.abs(),
            if ahead_s > 0 { "ahead" } else { "behind" }
        )
    });
    Check {
        name: "clock",
        ok: true,
        why,
    }
}

/// Checks that the process does what it has to do by itself.
fn background(engine: &Engine) -> Check {
    let missed = engine.loop_health().into_iter().filter(|one| one.missed);
    let missed: Vec<String> = missed
        .map(|one| format!("{} has not run for {} s", one.name, one.since.as_secs()))
        .collect();
    Check::new(
        "background",
        if missed.is_empty() {
            Ok(())
        } else {
            Err(missed.join(", "))
        },
    )
}
