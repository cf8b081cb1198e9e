//! Tokens that Linear has just handed out and does not accept. Its token endpoint vouches for the
//! grant, so one of the two is wrong. About one connection that is a verdict, which is looked at
//! again as long as the token lives; about several at once it is trouble of Linear's, and passes.
//! What is known of it is in memory: whoever starts anew begins anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};

use crate::Engine;
use crate::clock::{DAY, MINUTE, Millis, SECOND};
use crate::linear::CallError;
use crate::store::{GivenUp, StoreError};

/// The number of connections from which on trouble counts as that of several: as many are refused
/// within [`TOGETHER`], and nobody is accepted meanwhile.
const SEVERAL: usize = 3;
const TOGETHER: Millis = MINUTE;
/// Trouble that has lasted for this long is a verdict after all.
const LASTS: Millis = DAY;
/// A connection in doubt asks Linear's API no more often than this, however many callers it has,
const ASK_EVERY: Millis = SECOND;
/// The least time between two questions for another pair of tokens.
const RENEW_EVERY: Millis = MINUTE;
/// Connections remembered at a time; when more are refused, remembering starts over.
const REMEMBERED_MAX: usize = 100_000;
/// The pause between two looks at a connection that was given up; it grows, the longer it has been
/// so.
const LOOK_EVERY: (Millis, Millis) = (15 * SECOND, 10 * MINUTE);
/// Connections looked at in one go, and at a time.
const LOOKS: i64 = 500;
const LOOKS_AT_ONCE: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Doubt {
    since: Millis,
    refused_at: Millis,
    passes: bool,
}

/// Remembers refusals since Linear last accepted a token of the connection.
#[derive(Debug, Default)]
struct Known {
    doubts: HashMap<String, Doubt>,
    accepted_at: Option<Millis>,
    looked_at: HashMap<String, Millis>,
}

#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<Known>);

impl Doubts {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Linear accepted a token of this connection.
    pub fn accepted(&self, connection: &str, now: Millis) {
        let mut known = self.known();
        known.accepted_at = Some(now);
        known.doubts.remove(connection);
    }

    /// Linear refused tokens of this connection that it had just handed out. Answers whether that
    /// may pass.
    pub fn refused(&self, connection: &str, now: Millis) -> bool {
        let mut known = self.known();
        if known.doubts.len() >= REMEMBERED_MAX {
            known.doubts.clear();
        }
        let accepted_at = known.accepted_at;
        let lately = |doubt: &Doubt| {
            now - doubt.refused_at < TOGETHER && accepted_at.is_none_or(|at| at < doubt.refused_at)
        };
        let others = known
            .doubts
            .iter()
            .filter(|(id, doubt)| *id != connection && lately(doubt))
            .count();
        let before = known.doubts.get(connection).copied();
        let since = before.map_or(now, |doubt| doubt.since);
        let passes = (others + 1 >= SEVERAL || before.is_some_and(|doubt| doubt.passes))
            && now - since < LASTS;
        known.doubts.insert(
            connection.to_owned(),
            Doubt {
                since,
                refused_at: now,
                passes,
            },
        );
        passes
    }

    /// Milliseconds until this connection may ask Linear's API again.
    pub fn wait(&self, connection: &str, now: Millis) -> Option<Millis> {
        let doubt = self.passing(connection)?;
        Some(doubt.refused_at + ASK_EVERY - now).filter(|wait| (1..=ASK_EVERY).contains(wait))
    }

    /// Whether a pair of that age is too young to be renewed for being refused.
    pub fn is_too_young(&self, connection: &str, age: Millis) -> bool {
        age < RENEW_EVERY && self.passing(connection).is_some()
    }

    fn passing(&self, connection: &str) -> Option<Doubt> {
        self.known()
            .doubts
            .get(connection)
            .copied()
            .filter(|doubt| doubt.passes)
    }

    /// Picks those that it is time to look at again, and forgets those that were not given.
    fn due(&self, given_up: Vec<GivenUp>, now: Millis) -> Vec<GivenUp> {
        let mut known = self.known();
        let before = std::mem::take(&mut known.looked_at);
        let due = |one: &GivenUp| {
            let last = before.get(&one.connection_id).copied().unwrap_or(one.since);
            // A clock that went back is no reason to wait for it.
            let is_due = last > now
                || now - last >= ((now - one.since) / 4).clamp(LOOK_EVERY.0, LOOK_EVERY.1);
            known
                .looked_at
                .insert(one.connection_id.clone(), if is_due { now } else { last });
            is_due
        };
        given_up.into_iter().filter(due).collect()
    }
}

impl Engine {
    /// Looks again at connections that were given up because Linear accepted none of their tokens.
    /// One whose token it accepts now is connected as before. Answers how many are.
    pub async fn look_at_given_up(&self) -> Result<usize, StoreError> {
        let given_up = self.store().connections_given_up(self.now(), LOOKS).await?;
        let looks = self
            .doubts()
            .due(given_up, self.now())
            .into_iter()
            .map(|one| async move {
                self.is_accepted_again(&one).await.unwrap_or_else(|error| {
                    tracing::error!(%error, connection = one.connection_id, "a connection that was \
                        given up could not be looked at");
                    false
                })
            });
        Ok(stream::iter(looks)
            .buffer_unordered(LOOKS_AT_ONCE)
            .filter(|again| std::future::ready(*again))
            .count()
            .await)
    }

    async fn is_accepted_again(&self, one: &GivenUp) -> Result<bool, StoreError> {
        let Some(grant) = self
            .store()
            .grant(&one.organisation_id, &one.connection_id)
            .await?
        else {
            return Ok(false);
        };
        let Ok(Some(token)) = self.open_fresh(&grant).await else {
            return Ok(false);
        };
        match self.linear().identity(&token.access).await {
            // Refusing the question proves the token.
            Ok(_) | Err(CallError::Refused { .. }) => {
                self.doubts().accepted(&one.connection_id, self.now());
                self.store()
                    .connection_accepted_again(&one.connection_id, token.generation, self.now())
                    .await
            }
            Err(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HOUR;

    #[test]
    fn one_that_is_refused_is_a_verdict_and_several_at_once_are_linears_trouble() {
        let doubts = Doubts::default();
        let told = ["a", "b", "c", "d", "a"].map(|connection| doubts.refused(connection, 0));
        assert_eq!(told, [false, false, true, true, true]);
        doubts.accepted("b", SECOND);
        assert!(!doubts.refused("e", SECOND), "somebody is accepted");
        assert!(doubts.refused("c", HOUR), "what is in doubt stays so");
        assert!(
            !doubts.refused("f", 3 * HOUR),
            "the others were refused long ago"
        );
    }

    #[test]
    fn a_day_of_refusals_is_a_verdict() {
        let doubts = Doubts::default();
        assert_eq!(
            ["a", "b"].map(|connection| doubts.refused(connection, 0)),
            [false; 2]
        );
        assert_eq!(
            [0, HOUR, DAY - 1, DAY].map(|now| doubts.refused("c", now)),
            [true, true, true, false]
        );
    }

    #[test]
    fn who_is_in_doubt_asks_once_a_second_and_for_new_tokens_once_a_minute() {
        let doubts = Doubts::default();
        assert_eq!(
            ["a", "b", "c"].map(|connection| doubts.refused(connection, 0)),
            [false, false, true]
        );
        assert_eq!(
            (
                doubts.wait("c", 400),
                doubts.wait("c", SECOND),
                doubts.wait("a", 400)
            ),
            (Some(600), None, None)
        );
        assert!(
            doubts.is_too_young("c", RENEW_EVERY - 1) && !doubts.is_too_young("c", RENEW_EVERY)
        );
        assert!(!doubts.is_too_young("a", 0), "nothing to wait for");
        doubts.accepted("c", 500);
        assert_eq!(
            (doubts.wait("c", 501), doubts.is_too_young("c", 0)),
            (None, false),
            "all is well at once"
        );
    }

    #[test]
    fn what_was_given_up_is_looked_at_ever_more_rarely() {
        let doubts = Doubts::default();
        let one = GivenUp {
            organisation_id: "o".to_owned(),
            connection_id: "c".to_owned(),
            since: 0,
        };
        let looks = |until: Millis| {
            (0..until)
                .step_by(5_000)
                .filter(|now| !doubts.due(vec![one.clone()], *now).is_empty())
                .count()
        };
        assert_eq!((looks(15_000), looks(DAY)), (0, 156));
        assert_eq!(
            doubts.due(vec![one.clone()], HOUR).len(),
            1,
            "after the clock went back"
        );
        assert!(doubts.due(Vec::new(), DAY).is_empty() && doubts.known().looked_at.is_empty());
    }
}
