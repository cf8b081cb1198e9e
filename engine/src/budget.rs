//! What is left of each connection's hourly allowance at Linear, as its answers say, so that a spent one is not asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::clock::{HOUR, Millis};
use crate::linear::Answer;

/// Connections remembered at a time; when more are used, remembering starts over.
const REMEMBERED_MAX: usize = 100_000;

/// The two allowances, as Linear names them in its headers.
const KINDS: [&str; 2] = ["requests", "complexity"];

#[derive(Debug, Default)]
pub(crate) struct Budgets(Mutex<HashMap<String, Budget>>);

/// One allowance of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    limit: u64,
    remaining: u64,
    /// Milliseconds since the epoch, by Linear's clock.
    reset: Millis,
}

type Budget = [Option<Allowance>; KINDS.len()];

impl Budgets {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what an answer says of the allowances.
    pub fn heard(&self, connection: &str, headers: &HeaderMap) {
        let heard: Budget = KINDS.map(|kind| allowance(headers, kind));
        if heard.iter().all(Option::is_none) {
            return;
        }
        let mut all = self.all();
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        all.insert(connection.to_owned(), heard);
    }

    /// Other tokens may have another allowance.
    pub fn forget(&self, connection: &str) {
        self.all().remove(connection);
    }

    /// Linear's own refusal, where an allowance is spent and not yet renewed.
    pub fn refusal(&self, connection: &str, now: Millis) -> Option<Answer> {
        let budget = *self.all().get(connection)?;
        // A reset more than an hour away is no hour's allowance: then Linear has to say it itself.
        let spent = |at: &usize| budget[*at].is_some_and(|left| left.remaining == 0 && left.reset > now && left.reset - now <= HOUR);
        let kind = (0..KINDS.len()).find(spent)?;
        Some(refusal(&budget, kind))
    }
}

fn name(kind: &str, what: &str) -> Option<HeaderName> {
    format!("x-ratelimit-{kind}-{what}").parse().ok()
}

fn allowance(headers: &HeaderMap, kind: &str) -> Option<Allowance> {
    let number = |what| headers.get(name(kind, what)?)?.to_str().ok()?.trim().parse::<u64>().ok();
    Some(Allowance { limit: number("limit")?, remaining: number("remaining")?, reset: Millis::try_from(number("reset")?).ok()? })
}

fn refusal(budget: &Budget, spent: usize) -> Answer {
    let limit = budget[spent].map_or(0, |left| left.limit);
    let what = KINDS[spent];
    let body = json!({ "errors": [{
        "message": format!("Rate limit exceeded. Only {limit} {what} are allowed per 1 hour. Answered by Relink without asking Linear."),
        "extensions": {
            "type": "ratelimited",
            "code": "RATELIMITED",
            "statusCode": 429,
            "userError": true,
            "userPresentableMessage": "Rate limit exceeded.",
            "meta": { "rateLimitResult": { "allowed": false, "requested": 1, "remaining": 0, "duration": HOUR, "limit": limit } },
            "http": { "headers": {}, "status": 400 },
        },
    }] });
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (kind, left) in KINDS.into_iter().zip(budget) {
        let Some(left) = left else { continue };
        for (what, value) in [("limit", left.limit), ("remaining", left.remaining), ("reset", left.reset.unsigned_abs())] {
            if let Some(name) = name(kind, what) {
                headers.insert(name, HeaderValue::from(value));
            }
        }
    }
    Answer { status: StatusCode::BAD_REQUEST, headers, body: body.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &str, remaining: u64, reset: Millis) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (what, value) in [("limit", 5_000), ("remaining", remaining), ("reset", reset.unsigned_abs())] {
            headers.insert(name(kind, what).unwrap(), HeaderValue::from(value));
        }
        headers
    }

    #[test]
    fn a_spent_allowance_is_refused_until_its_reset() {
        for kind in KINDS {
            let budgets = Budgets::default();
            assert!(budgets.refusal("c", 0).is_none());
            budgets.heard("c", &headers(kind, 1, HOUR));
            assert!(budgets.refusal("c", 0).is_none());
            budgets.heard("c", &headers(kind, 0, HOUR));
            let refusal = budgets.refusal("c", 1).unwrap();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
            assert_eq!(refusal.headers[name(kind, "reset").unwrap()], HOUR.to_string());
            assert!(String::from_utf8(refusal.body).unwrap().contains("RATELIMITED"));
            assert!(budgets.refusal("c", HOUR).is_none() && budgets.refusal("d", 1).is_none());
        }
    }

    #[test]
    fn headers_that_make_no_sense_spend_nothing() {
        let budgets = Budgets::default();
        budgets.heard("c", &headers("requests", 0, 48 * HOUR));
        assert!(budgets.refusal("c", 0).is_none());
        budgets.heard("c", &HeaderMap::new());
        let mut odd = headers("requests", 0, HOUR);
        odd.insert(name("requests", "remaining").unwrap(), HeaderValue::from_static("-1"));
        budgets.heard("d", &odd);
        assert!(budgets.refusal("d", 0).is_none());
    }
}
