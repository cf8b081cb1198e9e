//! The limit on the requests a minute of each key, counted in this process.
//!
//! The headers are those of the IETF's draft-ietf-httpapi-ratelimit-headers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(60);
/// Keys counted at a time; those whose minute is over make room.
const COUNTED_MAX: usize = 10_000;

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Debug)]
pub struct Limits {
    per_minute: u32,
    policy: HeaderValue,
    counted: Mutex<HashMap<String, Count>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    began: Instant,
    used: u32,
}

/// The standing of a key after one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub within: bool,
    pub remaining: u32,
    /// The time until counting starts over.
    pub resets_in: Duration,
}

impl Limits {
    #[must_use]
    pub fn new(per_minute: u32) -> Limits {
        let policy = format!("\"key\";q={per_minute};w={}", WINDOW.as_secs());
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("\"key\""));
        Limits {
            per_minute,
            policy,
            counted: Mutex::default(),
        }
    }

    /// Counts a request.
    pub fn count(&self, key: &str) -> Standing {
        let now = Instant::now();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTED_MAX {
            counted.retain(|_, count| now - count.began < WINDOW);
        }
        let fresh = Count {
            began: now,
            used: 0,
        };
        let count = match counted.get_mut(key) {
            Some(count) => count,
            None => counted.entry(key.to_owned()).or_insert(fresh),
        };
        if now - count.began >= WINDOW {
            *count = fresh;
        }
        let within = count.used < self.per_minute;
        count.used = count.used.saturating_add(u32::from(within));
        Standing {
            within,
            remaining: self.per_minute - count.used,
            resets_in: WINDOW - (now - count.began),
        }
    }

    /// Says so in an answer.
    pub fn tell(&self, standing: Standing, headers: &mut HeaderMap) {
        let seconds =
            standing.resets_in.as_secs() + u64::from(standing.resets_in.subsec_nanos() > 0);
        if let Ok(limit) =
            HeaderValue::from_str(&format!("\"key\";r={};t={seconds}", standing.remaining))
        {
            headers.insert(LIMIT, limit);
        }
        headers.insert(POLICY, self.policy.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_own_minute() {
        let limits = Limits::new(2);
        let standing = limits.count("a");
        assert!(standing.within && standing.remaining == 1 && standing.resets_in == WINDOW);
        assert!(limits.count("a").within && !limits.count("a").within);
        assert!(limits.count("b").within, "another key");
        tokio::time::advance(WINDOW).await;
        assert!(limits.count("a").within, "another minute");
    }

    #[tokio::test(start_paused = true)]
    async fn the_headers_say_what_is_left_and_until_when() {
        let limits = Limits::new(2);
        limits.count("a");
        tokio::time::advance(Duration::from_millis(500)).await;
        let mut headers = HeaderMap::new();
        limits.tell(limits.count("a"), &mut headers);
        assert_eq!(headers[LIMIT], "\"key\";r=0;t=60");
        assert_eq!(headers[POLICY], "\"key\";q=2;w=60");
    }
}
