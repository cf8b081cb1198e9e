//! The hourly allowance of requests and complexity for one owner of tokens.

use serde::{Deserialize, Serialize};

use super::World;

pub const HOUR_MS: i64 = 3_600_000;
/// Owners kept at a time; the one whose hour began first goes.
const OWNERS_MAX: usize = 1_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub started_ms: i64,
    pub requests: u64,
    pub complexity: u64,
}

/// The state of an allowance, as the rate-limit headers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub requests_limit: u64,
    pub complexity_limit: u64,
    pub spent: Budget,
}

impl Standing {
    pub fn requests_remaining(&self) -> u64 {
        self.requests_limit.saturating_sub(self.spent.requests)
    }

    pub fn complexity_remaining(&self) -> u64 {
        self.complexity_limit.saturating_sub(self.spent.complexity)
    }

    pub fn reset_ms(&self) -> i64 {
        self.spent.started_ms + HOUR_MS
    }
}

impl World {
    /// The state of an owner's allowance; `None` is somebody who did not sign in.
    pub fn standing(&self, owner: Option<&str>) -> Standing {
        let now = self.now();
        let spent = self
            .budgets
            .get(owner.unwrap_or_default())
            .copied()
            .unwrap_or_default();
        let fresh = now >= spent.started_ms + HOUR_MS;
        let spent = if fresh {
            Budget {
                started_ms: now,
                ..Budget::default()
            }
        } else {
            spent
        };
        let requests = if owner.is_some() {
            self.settings.requests_per_hour
        } else {
            self.settings.anonymous_requests_per_hour
        };
        let complexity = if owner.is_some() {
            self.settings.complexity_per_hour
        } else {
            100_000
        };
        Standing {
            requests_limit: requests,
            complexity_limit: complexity,
            spent,
        }
    }

    /// Books one request, or says which allowance is used up.
    pub fn spend_budget(
        &mut self,
        owner: Option<&str>,
        complexity: u64,
    ) -> Result<Standing, (Standing, &'static str)> {
        let mut standing = self.standing(owner);
        if standing.requests_remaining() == 0 {
            return Err((standing, "requests"));
        }
        if standing.complexity_remaining() < complexity {
            return Err((standing, "complexity"));
        }
        standing.spent.requests += 1;
        standing.spent.complexity += complexity;
        self.keep_budget(owner.unwrap_or_default(), standing.spent);
        Ok(standing)
    }

    fn keep_budget(&mut self, owner: &str, budget: Budget) {
        if self.budgets.len() >= OWNERS_MAX && !self.budgets.contains_key(owner) {
            let oldest = self
                .budgets
                .iter()
                .min_by_key(|(_, budget)| budget.started_ms);
            if let Some(oldest) = oldest.map(|(owner, _)| owner.clone()) {
                self.budgets.remove(&oldest);
            }
        }
        self.budgets.insert(owner.to_owned(), budget);
    }
}
