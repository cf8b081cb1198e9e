//! A refresh token is redeemed once; for a while the same request is answered with the same
//! successors.

use super::World;
use super::grants::{AccessToken, RefreshState};
use super::redeeming::Pair;

/// The reason why a refresh token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Unknown,
    Expired,
}

/// The answer to a refresh; the two must be told apart in the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    Rotated(Pair),
    Replayed(Pair),
}

impl World {
    /// Whether the token needs no secret (`Some(true)` for a PKCE grant); `None` if it is not this
    /// client's.
    pub fn refresh_is_pkce(&self, client_id: &str, token: &str) -> Option<bool> {
        let record = self.refresh.get(token)?;
        self.grants
            .get(&record.grant)
            .filter(|grant| grant.client_id == client_id)
            .map(|grant| grant.pkce)
    }

    pub fn rotate(&mut self, client_id: &str, token: &str) -> Result<Refreshed, Refused> {
        let grant = self
            .refresh
            .get(token)
            .map(|record| record.grant.clone())
            .ok_or(Refused::Unknown)?;
        let outcome = self.rotate_within(client_id, &grant, token);
        if let Some(grant) = self.grants.get_mut(&grant) {
            grant.counts.refreshes += 1;
            match &outcome {
                Ok(Refreshed::Rotated(_)) => grant.counts.rotations += 1,
                Ok(Refreshed::Replayed(_)) => grant.counts.replays += 1,
                Err(_) => grant.counts.refused += 1,
            }
        }
        outcome
    }

    fn rotate_within(
        &mut self,
        client_id: &str,
        grant: &str,
        token: &str,
    ) -> Result<Refreshed, Refused> {
        if self
            .grants
            .get(grant)
            .is_none_or(|grant| grant.ended || grant.client_id != client_id)
        {
            return Err(Refused::Unknown);
        }
        match self
            .refresh
            .get(token)
            .map(|record| (record.state.clone(), record.issued_ms))
        {
            Some((RefreshState::Live, issued_ms)) if self.has_expired(issued_ms) => {
                Err(Refused::Expired)
            }
            Some((RefreshState::Live, _)) => Ok(Refreshed::Rotated(self.spend(grant, token))),
            Some((
                RefreshState::Spent {
                    at_ms,
                    access,
                    refresh,
                },
                _,
            )) => self.replay(token, at_ms, access, refresh),
            Some((RefreshState::Revoked, _)) | None => Err(Refused::Unknown),
        }
    }

    fn has_expired(&self, issued_ms: i64) -> bool {
        let life_s = self.settings.refresh_token_life_s;
        life_s.is_some_and(|life_s| {
            self.now() >= issued_ms.saturating_add(life_s.saturating_mul(1_000))
        })
    }

    fn spend(&mut self, grant: &str, token: &str) -> Pair {
        if self.settings.rotation_ends_previous_access {
            self.revoke_access_of(grant);
        }
        let pair = self.new_pair(grant);
        let at_ms = self.now();
        if let (Some(record), Some(refresh)) = (self.refresh.get_mut(token), &pair.refresh) {
            record.state = RefreshState::Spent {
                at_ms,
                access: pair.access.clone(),
                refresh: refresh.clone(),
            };
        }
        pair
    }

    /// Repeats an answer. Only the direct successors are handed out again, and only while they have
    /// not been rotated themselves, unless told so.
    fn replay(
        &mut self,
        token: &str,
        at_ms: i64,
        access: String,
        refresh: String,
    ) -> Result<Refreshed, Refused> {
        let window_ms = self.settings.replay_window_s.saturating_mul(1_000);
        let in_time = self.now() <= at_ms.saturating_add(window_ms);
        let answers = |state: &RefreshState| {
            *state == RefreshState::Live
                || (self.settings.replay_chain && *state != RefreshState::Revoked)
        };
        let successor_answers = self
            .refresh
            .get(&refresh)
            .is_some_and(|record| answers(&record.state));
        if !in_time || !successor_answers {
            return Err(Refused::Unknown);
        }
        if !self.settings.replay_fresh_access {
            return Ok(Refreshed::Replayed(self.pair_of(access, Some(refresh))));
        }
        let grant = self
            .refresh
            .get(token)
            .map(|record| record.grant.clone())
            .ok_or(Refused::Unknown)?;
        let access = self.new_access(
            &grant,
            self.settings.access_token_life_s.saturating_mul(1_000),
            false,
        );
        Ok(Refreshed::Replayed(self.pair_of(access, Some(refresh))))
    }

    pub fn revoke_access_of(&mut self, grant: &str) {
        let of_grant = |record: &&mut AccessToken| record.grant == grant;
        self.access
            .values_mut()
            .filter(of_grant)
            .for_each(|record| record.revoked = true);
    }
}
