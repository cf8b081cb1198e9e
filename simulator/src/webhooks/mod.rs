//! Sending webhooks: signing, attempts, retries, and switching off what never answers.

pub mod outcome;
pub mod sender;
pub mod signing;
