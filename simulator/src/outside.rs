//! The two things that come from outside the simulation: the system's time and its randomness.
//!
//! Everything else asks the world's own clock and dice, which tests can set.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch by the system's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulation's clock starts from"
)]
pub(crate) fn system_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Makes thirty-two bytes that nobody can guess.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulation's dice start from"
)]
pub(crate) fn system_seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}
