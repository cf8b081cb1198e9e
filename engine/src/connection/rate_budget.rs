//! The state of a connection's allowance at Linear, by what its answers say. Linear's allowances
//! refill all the time: a spent one is paced, never waited for, so one answer keeps nobody from
//! asking for longer than a few seconds.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use tokio::time::Instant;

use crate::bounded::Bounded;
use crate::clock::HOUR;
use crate::linear::GraphqlResponse;

/// Connections remembered at a time.
const REMEMBERED_MAX: usize = 100_000;
/// The span that Linear's allowances are for.
const PERIOD: Duration = Duration::from_secs(3_600);
/// The longest pause after one answer, whatever the allowance.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// The two allowances, as Linear names them in its headers.
const KINDS: [&str; 2] = ["requests", "complexity"];

/// Connections whose allowance is spent.
#[derive(Debug, Default)]
pub(crate) struct Budgets(Bounded<String, Spent, REMEMBERED_MAX>);

/// One allowance of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    limit: u64,
    remaining: u64,
    /// Milliseconds since the epoch, by Linear's clock: when it would be full.
    reset: u64,
}

type Budget = [Option<Allowance>; KINDS.len()];

#[derive(Clone, Copy, Debug)]
struct Spent {
    heard: Budget,
    kind: usize,
    until: Instant,
}

impl Budgets {
    /// Remembers what an answer says of the allowances.
    pub fn heard(&self, connection: &str, headers: &HeaderMap) {
        let heard: Budget = KINDS.map(|kind| allowance(headers, kind));
        let pauses = (0..KINDS.len())
            .filter_map(|kind| Some((kind, pause(heard[kind]?, cost(headers, kind))?)));
        let mut all = self.0.lock();
        let Some((kind, pause)) = pauses.max_by_key(|(_, pause)| *pause) else {
            all.pop(connection);
            return;
        };
        all.put(
            connection.to_owned(),
            Spent {
                heard,
                kind,
                until: Instant::now() + pause,
            },
        );
    }

    /// Forgets the allowance, as other tokens may have another one.
    pub fn forget(&self, connection: &str) {
        self.0.lock().pop(connection);
    }

    /// Linear's own refusal, while asking makes no sense.
    pub fn refusal(&self, connection: &str) -> Option<GraphqlResponse> {
        let spent = *self.0.lock().peek(connection)?;
        let left = spent.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| refusal(&spent, left))
    }
}

/// The time until a spent allowance has room for such a question again; `None` where there is room.
fn pause(allowance: Allowance, cost: u64) -> Option<Duration> {
    let each = PERIOD.as_secs_f64() / allowance.limit.max(1) as f64;
    (allowance.remaining == 0).then(|| {
        Duration::try_from_secs_f64(each * cost as f64)
            .unwrap_or(PAUSE_MAX)
            .min(PAUSE_MAX)
    })
}

/// The part of an allowance that the question took.
fn cost(headers: &HeaderMap, kind: usize) -> u64 {
    let complexity = || {
        headers
            .get("x-complexity")?
            .to_str()
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    if kind == 0 {
        1
    } else {
        complexity().unwrap_or(1).max(1)
    }
}

fn name(kind: &str, what: &str) -> Option<HeaderName> {
    format!("x-ratelimit-{kind}-{what}").parse().ok()
}

fn allowance(headers: &HeaderMap, kind: &str) -> Option<Allowance> {
    let number = |what| {
        headers
            .get(name(kind, what)?)?
            .to_str()
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    Some(Allowance {
        limit: number("limit")?,
        remaining: number("remaining")?,
        reset: number("reset")?,
    })
}

fn refusal(spent: &Spent, left: Duration) -> GraphqlResponse {
    let limit = spent.heard[spent.kind].map_or(0, |allowance| allowance.limit);
    let what = KINDS[spent.kind];
    let body = json!({ "errors": [{
        "message": format!("Rate limit exceeded. Only {limit} {what} are allowed per 1 hour. \
            Answered by Relink without asking Linear."),
        "extensions": {
            "type": "ratelimited",
            "code": "RATELIMITED",
            "statusCode": 429,
            "userError": true,
            "userPresentableMessage": "Rate limit exceeded.",
            "meta": { "rateLimitResult": { "allowed": false, "requested": 1, "remaining": 0,
                "duration": HOUR, "limit": limit } },
            "http": { "headers": {}, "status": 400 },
        },
    }] });
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::RETRY_AFTER,
        HeaderValue::from(left.as_millis().div_ceil(1_000) as u64),
    );
    for (kind, allowance) in KINDS.into_iter().zip(spent.heard) {
        let Some(allowance) = allowance else { continue };
        for (what, value) in [
            ("limit", allowance.limit),
            ("remaining", allowance.remaining),
            ("reset", allowance.reset),
        ] {
            if let Some(name) = name(kind, what) {
                headers.insert(name, HeaderValue::from(value));
            }
        }
    }
    GraphqlResponse {
        status: StatusCode::BAD_REQUEST,
        headers,
        body: body.to_string().into_bytes(),
        whole: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour away, as Linear says it.
    const RESET: u64 = 1_795_100_531_000;

    fn headers(kind: &str, limit: u64, remaining: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (what, value) in [("limit", limit), ("remaining", remaining), ("reset", RESET)] {
            headers.insert(name(kind, what).unwrap(), HeaderValue::from(value));
        }
        headers
    }

    async fn asks_again_within(budgets: &Budgets, least: u64, most: u64) {
        tokio::time::advance(Duration::from_millis(least)).await;
        assert!(budgets.refusal("c").is_some());
        tokio::time::advance(Duration::from_millis(most - least)).await;
        assert!(budgets.refusal("c").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_allowance_is_paced_and_its_reset_is_not_waited_for() {
        let budgets = Budgets::default();
        assert!(budgets.refusal("c").is_none());
        budgets.heard("c", &headers("requests", 5_000, 1));
        assert!(budgets.refusal("c").is_none());
        budgets.heard("c", &headers("requests", 5_000, 0));
        let refusal = budgets.refusal("c").unwrap();
        assert_eq!(
            (refusal.status, &refusal.headers[header::RETRY_AFTER]),
            (StatusCode::BAD_REQUEST, &HeaderValue::from(1))
        );
        assert_eq!(
            refusal.headers[name("requests", "reset").unwrap()],
            RESET.to_string()
        );
        assert!(
            String::from_utf8(refusal.body)
                .unwrap()
                .contains("RATELIMITED")
        );
        assert!(budgets.refusal("d").is_none());
        asks_again_within(&budgets, 700, 720).await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_answer_keeps_nobody_from_asking_for_longer_than_a_few_seconds() {
        let budgets = Budgets::default();
        for limit in [0, 1, 60] {
            budgets.heard("c", &headers("requests", limit, 0));
            asks_again_within(&budgets, 2_900, 3_000).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn spent_complexity_is_paced_by_what_the_question_took() {
        let budgets = Budgets::default();
        let mut answer = headers("complexity", 2_000_000, 0);
        answer.insert("x-complexity", HeaderValue::from(1_000));
        budgets.heard("c", &answer);
        asks_again_within(&budgets, 1_700, 1_800).await;
        budgets.heard("c", &answer);
        budgets.heard("c", &headers("complexity", 2_000_000, 9));
        assert!(budgets.refusal("c").is_none(), "a newer answer says more");
    }

    #[test]
    fn headers_that_make_no_sense_spend_nothing() {
        let budgets = Budgets::default();
        budgets.heard("c", &HeaderMap::new());
        let mut odd = headers("requests", 5_000, 0);
        odd.insert(
            name("requests", "remaining").unwrap(),
            HeaderValue::from_static("-1"),
        );
        budgets.heard("c", &odd);
        assert!(budgets.refusal("c").is_none());
    }
}
