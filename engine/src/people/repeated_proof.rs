//! Tells a person who comes back with a proof at Linear how it ended.

use super::proved::{Proof, ProofEnd, ProofError};
use super::redeem::Confirmed;
use crate::Engine;
use crate::connection::repeated_callback::{Back, Before};
use crate::identity::Person;
use crate::store::{Attempts, StoreError, TakenAttempt};

impl Engine {
    pub(super) async fn note_proof_end(&self, back: &Back, end: &ProofEnd) {
        let failed = ProofEnd {
            of_code: end.of_code,
            repeated: false,
            outcome: Err(ProofError::Failed),
        };
        // What failed here is in the log, and nobody else's.
        let noted = if matches!(
            end.outcome,
            Err(ProofError::Sealed(_) | ProofError::Store(_))
        ) {
            &failed
        } else {
            end
        };
        self.note_end(Attempts::Proof, back, noted).await;
    }

    /// Waits for the end of this browser's attempt, which may be under way still; `None` where it
    /// has none.
    pub(super) async fn repeated_proof(
        &self,
        person: Option<&Person>,
        back: &Back,
    ) -> Result<Option<ProofEnd>, StoreError> {
        let user = person.map(|person| &*person.user_id);
        let theirs = |attempt: &TakenAttempt| {
            // Where nobody was signed in, whoever it made an account for is by now.
            attempt.user_id.is_none() || attempt.user_id.as_deref() == user
        };
        let (of_code, outcome) = match self
            .attempt_ended::<ProofEnd>(Attempts::Proof, back, user, theirs)
            .await?
        {
            Before::Unknown => return Ok(None),
            Before::Stopped(attempt) => (attempt.of_code, Err(ProofError::Stopped)),
            Before::Ended(
                attempt,
                ProofEnd {
                    of_code,
                    outcome: Ok(proof),
                    ..
                },
            ) => (of_code, self.still_proved(person, &attempt, proof).await),
            Before::Ended(
                _,
                ProofEnd {
                    of_code,
                    outcome: Err(error),
                    ..
                },
            ) => (of_code, Err(error)),
        };
        Ok(Some(ProofEnd {
            of_code,
            repeated: true,
            outcome,
        }))
    }

    /// Checks that a proof still holds: somebody may have unlinked or removed them since, or sit at
    /// their browser.
    async fn still_proved(
        &self,
        person: Option<&Person>,
        attempt: &TakenAttempt,
        proof: Proof,
    ) -> Result<Proof, ProofError> {
        let (user, linear_id) = match &proof {
            Proof::Member { linear_id, .. } => (attempt.user_id.as_ref(), linear_id),
            Proof::Code(confirmed) => (Some(&confirmed.person.user_id), &confirmed.linear_id),
        };
        if person.is_some_and(|person| Some(&person.user_id) != user) {
            return Err(ProofError::StateMismatch);
        }
        let links = self.store().people(&attempt.organisation_id).await?;
        if !links
            .iter()
            .any(|link| link.linear_id == *linear_id && Some(&link.user_id) == user)
        {
            return Err(ProofError::Gone);
        }
        match proof {
            Proof::Code(confirmed) => Ok(Proof::Code(self.as_they_are_now(confirmed).await?)),
            proof @ Proof::Member { .. } => Ok(proof),
        }
    }

    async fn as_they_are_now(&self, confirmed: Confirmed) -> Result<Confirmed, ProofError> {
        let Person {
            organisation_id,
            user_id,
            address,
            ..
        } = &confirmed.person;
        let person = self
            .store()
            .member(organisation_id, user_id)
            .await?
            .ok_or(ProofError::Gone)?;
        let account = self.store().user_by_email(&person.email).await?;
        let new_account =
            confirmed.new_account && account.is_some_and(|account| account.password_hash.is_none());
        let person = Person {
            address: address.clone(),
            ..person
        };
        Ok(Confirmed {
            person,
            new_account,
            ..confirmed
        })
    }
}
