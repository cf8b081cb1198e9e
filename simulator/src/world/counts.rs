//! The counts of what happened, for tests that ask afterwards.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// Requests per endpoint and outcome.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts(BTreeMap<String, BTreeMap<String, u64>>);

impl Counts {
    pub fn add(&mut self, endpoint: &str, outcome: &str) {
        *self
            .0
            .entry(endpoint.to_owned())
            .or_default()
            .entry(outcome.to_owned())
            .or_default() += 1;
    }

    pub fn of(&self, endpoint: &str, outcome: &str) -> u64 {
        self.0
            .get(endpoint)
            .and_then(|outcomes| outcomes.get(outcome))
            .copied()
            .unwrap_or(0)
    }
}

/// Something secret that was once handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minted {
    pub kind: String,
    pub value: String,
}

/// Every secret handed out, newest last. Bounded: a benchmark must not eat the machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MintLog(VecDeque<Minted>);

const MINT_LOG_MAX: usize = 100_000;

impl MintLog {
    pub fn add(&mut self, kind: &str, value: &str) {
        if self.0.len() == MINT_LOG_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Minted {
            kind: kind.into(),
            value: value.into(),
        });
    }

    pub fn all(&self) -> Vec<Minted> {
        self.0.iter().cloned().collect()
    }
}
