//! `GET /live`: server-sent events (WHATWG HTML, section 9.2) for an open page: which of its topics
//! changed, and up to where, so that it can fetch itself anew. Nothing else is sent: what a page
//! may show is decided when it is loaded.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use relink_app::api::person_of;
use relink_engine::Engine;
use relink_engine::change_feed::{Mark, News, Watch};
use relink_engine::digest::session_name;
use relink_engine::identity::Person;
use relink_engine::store::StoredSession;
use serde::Deserialize;
use tokio::time::{Instant, timeout};
use tower_sessions::Session;

use crate::share::Held;
use crate::state::Web;

/// A page that hears nothing for much longer knows that the stream is dead. Each time, however much
/// there is to tell meanwhile, it is asked whether its person may still look: within 15 seconds
/// nobody does who may not.
const BEAT: Duration = Duration::from_secs(12);

#[derive(Debug, Deserialize)]
pub struct From {
    from: Option<String>,
}

/// The things that a stream works with.
struct Stage {
    engine: Engine,
    watch: Watch,
    person: Person,
    /// The name of the session in the database.
    session: String,
    greeted: bool,
    beat: Instant,
    _turn: Held,
}

pub async fn stream(
    State(web): State<Web>,
    session: Session,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let person = match person_of(&web.engine, &session).await {
        Ok(Some(person)) => person,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let Some(session) = session.id().map(|id| session_name(id.0)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Some(turn) = web.live_turns.try_take(&session, 1) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // A browser that comes back by itself says what it heard last.
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(Mark::parse);
    let mark = last
        .or_else(|| from.from.as_deref().and_then(Mark::parse))
        .unwrap_or_default();
    match web
        .engine
        .watch(&person.organisation_id, mark, last.is_some())
        .await
    {
        Ok(watch) => {
            let stage = Stage {
                engine: web.engine,
                watch,
                person,
                session,
                greeted: false,
                beat: Instant::now() + BEAT,
                _turn: turn,
            };
            ([("x-accel-buffering", "no")], Sse::new(events(stage))).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page cannot be kept up to date");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn events(stage: Stage) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(stage, async |mut stage| {
        if !stage.greeted {
            stage.greeted = true;
            return Some((Ok(Event::default().event("open").data("")), stage));
        }
        // Not left to the timer: on a busy stream there is always something to tell first.
        let quiet = stage.beat.saturating_duration_since(Instant::now());
        let news = if quiet.is_zero() {
            None
        } else {
            timeout(quiet, stage.watch.next()).await.ok()
        };
        let event = match news {
            Some(Some(news)) => changed(&news),
            // The process is closing: the browser comes back to another one.
            Some(None) => return None,
            None if stage.may_look().await => {
                stage.beat = Instant::now() + BEAT;
                Event::default().event("beat").data("")
            }
            None => return None,
        };
        Some((Ok(event), stage))
    })
}

fn changed(news: &News) -> Event {
    let topics: Vec<&str> = news.topics.iter().map(|topic| topic.name()).collect();
    Event::default()
        .event("changed")
        .id(news.mark.to_string())
        .data(topics.join(" "))
}

impl Stage {
    /// Says whether they are still signed in and still a member. Where the database does not answer
    /// nothing is known against it.
    async fn may_look(&self) -> bool {
        let (engine, person) = (&self.engine, &self.person);
        let session = engine.session(&self.session).await;
        let member = engine
            .person(&person.organisation_id, &person.user_id)
            .await;
        let somebody_elses = |session: Option<StoredSession>| {
            session.and_then(|session| session.user_id).as_ref() != Some(&person.user_id)
        };
        !session.is_ok_and(somebody_elses) && !matches!(member, Ok(None))
    }
}
