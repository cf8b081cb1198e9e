//! Revoking at Linear without harm to a connection that is just being made.
//!
//! Nobody says whether revoking one token ends the app's whole installation in that workspace. So a
//! revocation and a consent of the same app and workspace never overlap: each is written down
//! first, and looks for the other only then. A revocation gives way, and is tried again by whoever
//! tries it again anyway; a consent waits, for no longer than a revocation can last.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use crate::Engine;
use crate::clock::{MINUTE, Millis};
use crate::linear::Revocation;
use crate::store::StoreError;

/// A consent takes no longer than this: whoever brought it has died.
pub(crate) const ABANDONED_AFTER: Millis = 2 * MINUTE;
/// A revocation is given up after this long, with all that belongs to it.
const LASTS: Duration = Duration::from_secs(10);
/// The time within which a revocation is sent: Linear has the rest of the time to carry it out in.
const SENT_WITHIN: Duration = Duration::from_secs(3);
/// One that is still there after this long belongs to a process that died or stands still, which
/// sends nothing any more.
const OUTWAITED: Duration = Duration::from_secs(11);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks for a gap between consents, and the pause between two of them: somebody may be waiting.
const LOOKS: usize = 5;
const GAP_EVERY: Duration = Duration::from_millis(400);

/// The fate of tokens that nobody needs any more. The worst of several comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Voided {
    /// Linear confirmed that they are void, or knew already.
    Done,
    /// They are sealed until the last connection of their app and workspace here has ended: nobody
    /// says whether revoking one token ends the app's whole installation in that workspace.
    Kept,
    /// Linear was not asked, for the sake of somebody who is just connecting: it is within a few
    /// minutes.
    Later,
    Unconfirmed,
}

impl Voided {
    pub(crate) fn confirmed(confirmed: bool) -> Voided {
        if confirmed {
            Voided::Done
        } else {
            Voided::Unconfirmed
        }
    }
}

/// The right to revoke, for [`LASTS`].
pub(crate) struct Voiding {
    id: String,
    began: Instant,
}

/// Says whether a revocation that began then may still be sent.
fn is_in_time(began: Instant) -> bool {
    began.elapsed() < SENT_WITHIN
}

impl Engine {
    /// Takes the right to revoke tokens of this app and workspace, as far as both are known; `None`
    /// where consents are under way. Whether a connection lives is to be asked after that and not
    /// before: one may just have been made.
    pub(crate) async fn voiding(
        &self,
        client_id: Option<&str>,
        workspace: Option<&str>,
    ) -> Result<Option<Voiding>, StoreError> {
        for look in 0..LOOKS {
            if look > 0 {
                sleep(GAP_EVERY).await;
            }
            let voiding = Voiding {
                id: self.entropy().id(),
                began: Instant::now(),
            };
            self.store()
                .voiding_begin(&voiding.id, client_id, workspace, self.now())
                .await?;
            if !self
                .store()
                .consent_is_under_way(client_id, workspace, self.now() - ABANDONED_AFTER)
                .await?
            {
                return Ok(Some(voiding));
            }
            self.voiding_over(&voiding).await;
        }
        Ok(None)
    }

    /// Notes that the revocation is over: it sends nothing any more.
    pub(crate) async fn voiding_over(&self, voiding: &Voiding) {
        if let Err(error) = self.store().voiding_end(&voiding.id).await {
            tracing::warn!(%error, "the end of a revocation could not be noted: the next consent \
                waits some seconds for it");
        }
    }

    /// Makes a pair void at Linear. True when Linear confirmed it for both.
    pub(crate) async fn void(
        &self,
        voiding: Voiding,
        access: &SecretString,
        refresh: Option<&SecretString>,
    ) -> bool {
        let revoke_refresh = async {
            match refresh {
                Some(token) => self.revoke(&voiding, token, "refresh_token").await,
                None => Revocation::Done,
            }
        };
        let both = async {
            tokio::join!(
                revoke_refresh,
                self.revoke(&voiding, access, "access_token")
            )
        };
        let both = timeout(LASTS.saturating_sub(voiding.began.elapsed()), both).await;
        self.voiding_over(&voiding).await;
        let Ok(both) = both else {
            tracing::warn!("Linear did not confirm a revocation in time");
            return false;
        };
        for unconfirmed in [both.0, both.1] {
            if let Revocation::Unconfirmed(passing) = unconfirmed {
                tracing::warn!(error = %passing, "Linear did not confirm a revocation");
            }
        }
        both == (Revocation::Done, Revocation::Done)
    }

    /// This process may have stood still since, and somebody connected meanwhile: then it sends
    /// nothing.
    async fn revoke(
        &self,
        voiding: &Voiding,
        token: &SecretString,
        hint: &'static str,
    ) -> Revocation {
        let (store, id, began) = (self.store().clone(), voiding.id.clone(), voiding.began);
        let stands =
            async move { store.voiding_stands(&id).await.unwrap_or(false) && is_in_time(began) };
        self.linear().revoke(token, hint, stands).await
    }

    /// Waits, before a code is exchanged and after the consent was written down, for the end of the
    /// revocations that began before, and lets those send nothing any more whose end it has waited
    /// for long enough.
    pub(crate) async fn outwait_voidings(
        &self,
        client_id: &str,
        workspace: Option<&str>,
    ) -> Result<(), StoreError> {
        let began = Instant::now();
        let mut under_way = self.store().voidings(client_id, workspace).await?;
        while !under_way.is_empty() && began.elapsed() < OUTWAITED {
            sleep(LOOK_EVERY).await;
            let there = self.store().voidings(client_id, workspace).await?;
            under_way.retain(|id| there.contains(id));
        }
        for id in &under_way {
            self.store().voiding_end(id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_that_others_may_have_stopped_waiting_for() {
        let began = Instant::now();
        advance(SENT_WITHIN.saturating_sub(Duration::from_millis(1))).await;
        assert!(is_in_time(began));
        advance(Duration::from_millis(1)).await;
        assert!(!is_in_time(began), "whoever outwaits it counts on its end");
        assert!(
            SENT_WITHIN < LASTS && LASTS < OUTWAITED,
            "what is sent ends before others go on without it"
        );
    }
}
