//! The way from what the engine knows of destinations to what a page may show.

use relink_engine::Engine;
use relink_engine::clock::Millis;
use relink_engine::dispatch::{Destination, EVENTS, Message};
use relink_engine::identity::Person;
use relink_engine::store::{DeliveryOutcome, MessageState, StoreError};

use super::time;
use super::webhook_views::ago;
use crate::view::{
    Answer, Choice, Complaint, DeliveryAttemptView, DestinationForm, DestinationState,
    DestinationView, Draft, Fate, HandedOnView, NextTry, PausedBecause,
};
use relink_engine::webhook::Delivery;

/// The beginning of every destination's secret (Standard Webhooks).
const PREFIX: &str = "whsec_";
/// Letters of an answer on the page.
const ANSWER_MAX: usize = 120;
/// Letters of a destination's name.
const NAME_MAX: usize = 60;

/// The destinations of an organisation, and what became there of the deliveries on a page.
pub struct Destinations {
    all: Vec<(Destination, String)>,
    messages: Vec<Message>,
    now: Millis,
}

impl Destinations {
    /// Loads an organisation's destinations. The number of queries depends neither on how many
    /// destinations there are nor on how many deliveries.
    pub async fn load(
        engine: &Engine,
        person: &Person,
        rows: &[Delivery],
    ) -> Result<Destinations, StoreError> {
        let all = engine.destinations(person).list().await?;
        let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        let nothing = all.is_empty() || seqs.is_empty();
        let messages = if nothing {
            Vec::new()
        } else {
            engine.destinations(person).messages(&seqs).await?
        };
        Ok(Destinations::new(all, messages, engine.now()))
    }

    fn new(all: Vec<Destination>, messages: Vec<Message>, now: Millis) -> Destinations {
        let urls: Vec<&str> = all
            .iter()
            .map(|destination| destination.url.as_str())
            .collect();
        let names: Vec<String> = urls.iter().map(|url| name(url, &urls)).collect();
        Destinations {
            all: all.into_iter().zip(names).collect(),
            messages,
            now,
        }
    }

    /// Makes the view. Those who may add one get a form: what was typed into it, and what was wrong
    /// with that.
    pub fn view(&self, draft: Option<(Draft, Option<Complaint>)>) -> HandedOnView {
        let manages = draft.is_some();
        let view = |(destination, name): &(Destination, String)| {
            destination_view(destination, name, manages, self.now)
        };
        HandedOnView {
            destinations: self.all.iter().map(view).collect(),
            form: draft.map(|(draft, complaint)| form(draft, complaint)),
        }
    }

    /// Lists what became of a delivery at each destination. What is ignored is handed on to none.
    pub fn handed(&self, row: &Delivery) -> Vec<DeliveryAttemptView> {
        if row.outcome == DeliveryOutcome::Ignored {
            return Vec::new();
        }
        let its: Vec<&Message> = self
            .messages
            .iter()
            .filter(|message| message.seq == row.seq)
            .collect();
        let view = |(destination, name): &(Destination, String)| {
            let message = its
                .iter()
                .find(|message| message.destination_id == destination.id);
            let fate = match message {
                Some(message) => fate(message, destination, self.now),
                None if wants(destination, &row.event) => Fate::NotSent,
                None => Fate::Unwanted,
            };
            DeliveryAttemptView {
                destination: destination.id.clone(),
                name: name.clone(),
                fate,
            }
        };
        self.all.iter().map(view).collect()
    }
}

fn wants(destination: &Destination, event: &str) -> bool {
    destination.events.is_empty() || destination.events.iter().any(|wanted| wanted == event)
}

fn destination_view(
    destination: &Destination,
    name: &str,
    manages: bool,
    now: Millis,
) -> DestinationView {
    DestinationView {
        id: destination.id.clone(),
        name: name.to_owned(),
        url: if manages {
            destination.url.clone()
        } else {
            without_query(&destination.url)
        },
        events: destination.events.clone(),
        ordered: destination.ordered,
        secret: format!("{PREFIX}····{}", destination.last_four),
        state: state(destination, now),
        taken: destination.last_ok_at.map(|at| ago(at, now)),
        waiting: destination.waiting,
        given_up: destination.parked,
    }
}

fn state(destination: &Destination, now: Millis) -> DestinationState {
    let failed = destination.failing_since.is_some();
    let answer = || {
        answer(
            destination.last_status.map(i64::from),
            destination.last_answer.as_deref(),
        )
        .filter(|_| failed)
    };
    match (destination.paused_at, destination.failing_since) {
        (Some(since), _) => {
            let because = match destination.paused_because.as_deref() {
                Some("failures") => PausedBecause::Failures,
                Some("gone") => PausedBecause::Gone,
                _ => PausedBecause::Person,
            };
            DestinationState::Paused {
                since: time::at_clock(since, now),
                because,
                answer: answer(),
            }
        }
        (None, Some(since)) => DestinationState::Failing {
            since: time::at_clock(since, now),
            answer: answer(),
        },
        (None, None) => DestinationState::Active,
    }
}

/// The beginning of what it answered in one line, or what kept it from answering.
fn answer(status: Option<i64>, text: Option<&str>) -> Option<Answer> {
    let line = text
        .unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    match status {
        Some(status) => Some(Answer::Verbatim(
            format!("{status} {}", cut(&line, ANSWER_MAX))
                .trim_end()
                .to_owned(),
        )),
        None => (!line.is_empty()).then_some(Answer::Words(line)),
    }
}

/// Shortens an answer to its status, as a row has room for no more.
fn short_answer(message: &Message) -> Option<Answer> {
    let text = message
        .last_answer
        .as_deref()
        .filter(|_| message.last_status.is_none());
    answer(message.last_status, text)
}

fn fate(message: &Message, destination: &Destination, now: Millis) -> Fate {
    let (answer, at) = (
        short_answer(message),
        message.last_at.map(|at| ago(at, now)),
    );
    let tries = u32::try_from(message.attempts).unwrap_or(u32::MAX);
    match message.state {
        MessageState::Sent => Fate::Sent { answer, at },
        MessageState::Parked => Fate::GivenUp { answer, tries, at },
        // What an earlier round ended with is of the past.
        MessageState::Waiting => Fate::Waiting {
            answer: answer.filter(|_| tries > 0),
            tries,
            next: next_try(message, destination, now),
        },
    }
}

fn next_try(message: &Message, destination: &Destination, now: Millis) -> NextTry {
    match (destination.paused_at, message.attempts, message.last_at) {
        (Some(_), ..) => NextTry::Paused,
        (None, 0, None) => NextTry::First,
        (None, 0, Some(_)) => NextTry::Soon,
        // A destination that fails is asked as a whole, later than each message would be.
        _ => NextTry::At(time::within(message.next_at.max(destination.next_at) - now)),
    }
}

fn form(draft: Draft, complaint: Option<Complaint>) -> DestinationForm {
    let choice = |event: &str| Choice {
        value: event.to_owned(),
        label: event.to_owned(),
        chosen: draft.events.iter().any(|picked| picked == event),
    };
    DestinationForm {
        events: EVENTS.into_iter().map(choice).collect(),
        url: draft.url,
        ordered: draft.ordered,
        complaint,
    }
}

/// The host of an address, with its path where another address of `all` has the same host. Never
/// the query, which may hold what only the two of them should know.
pub fn name(url: &str, all: &[&str]) -> String {
    let shared = all.iter().filter(|other| host(other) == host(url)).count() > 1;
    cut(if shared { place(url) } else { host(url) }, NAME_MAX)
}

fn place(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/')
}

/// Cuts the query off, which may hold a key.
fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn host(url: &str) -> &str {
    place(url).split('/').next().unwrap_or_default()
}

fn cut(text: &str, max: usize) -> String {
    let head: String = text.chars().take(max).collect();
    if head.len() < text.len() {
        format!("{head}…")
    } else {
        head
    }
}

#[cfg(test)]
#[path = "destination_views_tests.rs"]
mod tests;
