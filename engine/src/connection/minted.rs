//! Pairs that Linear minted for a code: written down before anybody asks whose they are, and given
//! back if no connection adopts them, whatever fails or crashes in between. One that somebody lent
//! to say who they are is given back in any case.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use crate::Engine;
use crate::clock::{Millis, SECOND};
use crate::connection::voiding::{ABANDONED_AFTER, Voided, Voiding};
use crate::every::gets_on;
use crate::linear::Tokens;
use crate::store::{ACCESS, MINTED_GRANTS, MintedGrant, NewGrant, REFRESH, StoreError, Whose};

/// The time after which nobody adopts what it brought, whatever another process's clock may show:
/// it may be revoked by then.
pub(crate) const ADOPTED_WITHIN: Millis = ABANDONED_AFTER - 20 * SECOND;
/// Linear is asked again about a pair that it did not confirm void.
const TRY_EVERY: Millis = 20 * SECOND;
/// Pairs given back in one go, and at a time.
const LIMIT: i64 = 100;
const AT_ONCE: usize = 8;
/// Pairs that wait in memory for a database, at most.
const UNWRITTEN_MAX: usize = 1_000;
/// Pauses between tries to write one down, in seconds; the last one this often.
const WRITE_AGAIN_S: [u64; 6] = [1, 2, 4, 8, 15, 30];
const WRITES: usize = 120;

/// A pair of tokens that came for a code, and whom it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought<'a> {
    pub organisation: &'a str,
    pub client_id: &'a str,
    /// The connection that it is meant for.
    pub connection: Option<&'a str>,
    pub tokens: &'a Tokens,
    /// The time at which the code was brought.
    pub at: Millis,
    /// The pair was lent to say who somebody is.
    pub lent: bool,
}

/// A pair that the database did not take yet.
#[derive(Clone, Debug)]
pub(crate) enum Unwritten {
    Minted(MintedGrant),
    /// The pair is to be set aside until a connection has ended.
    Spare {
        connection: String,
        number: i64,
        client_id: String,
        grant: NewGrant,
    },
}

impl Engine {
    /// Writes a pair down and answers its id. Where the database fails it goes on trying in the
    /// background, and the pair is to be given back: nobody may adopt it any more.
    pub(crate) async fn minted(&self, brought: Brought<'_>) -> Result<String, StoreError> {
        let Brought {
            organisation,
            client_id,
            connection,
            tokens,
            at,
            lent,
        } = brought;
        let id = self.entropy().id();
        let NewGrant {
            access_sealed,
            refresh_sealed,
            ..
        } = self.seal_in(MINTED_GRANTS, &id, organisation, tokens, at);
        let minted = MintedGrant {
            id: id.clone(),
            organisation_id: organisation.to_owned(),
            client_id: client_id.to_owned(),
            workspace_id: None,
            connection_id: connection.map(str::to_owned),
            access_sealed,
            refresh_sealed,
            minted_at: at,
            released: false,
            lent,
            lent_by: None,
        };
        match self.store().minted_grant_put(&minted).await {
            Ok(()) => Ok(id),
            Err(error) => {
                self.write_in_time(Unwritten::Minted(MintedGrant {
                    released: true,
                    ..minted
                }));
                Err(error)
            }
        }
    }

    /// Gives a pair back that nobody will use: at once, or in the background where Linear or the
    /// database fail. One that was adopted in spite of all stays. Answers what is known of it.
    pub(crate) async fn give_back(&self, id: &str, whose: Whose<'_>) -> Voided {
        let given = match self
            .store()
            .minted_grant_release(id, whose, self.now())
            .await
        {
            // Linear is asked again whose it is, in the background.
            Ok(Some(minted)) if minted.lent && minted.workspace_id.is_none() => Ok(Voided::Later),
            Ok(Some(minted)) => self.give_back_minted(&minted).await,
            Ok(None) => return Voided::Unconfirmed,
            Err(error) => Err(error),
        };
        match &given {
            Ok(Voided::Done | Voided::Kept | Voided::Later) => {}
            Ok(Voided::Unconfirmed) => tracing::warn!(
                "Linear did not confirm that a pair is void that nobody needs; it is asked again"
            ),
            Err(error) => tracing::error!(%error, "a pair that nobody needs could not be given \
                back yet; it is tried again"),
        }
        given.unwrap_or(Voided::Unconfirmed)
    }

    /// Releases what another process left lying, where one process serves alone: nobody else will
    /// adopt it, so it need not wait. It is called before the first consent.
    pub async fn abandon_consents(&self) {
        let abandoned = async {
            self.store().consents_abandon().await?;
            self.store().minted_grants_abandon().await
        };
        if let Err(error) = abandoned.await {
            tracing::warn!(%error, "pairs of consents that were broken off could not be released \
                yet; they are in some minutes");
        }
    }

    /// Gives back what consents left behind that failed, or whose process died. Answers how many
    /// are done with.
    pub async fn give_back_left(&self) -> Result<u32, StoreError> {
        let now = self.now();
        self.store().voidings_forget(now - ABANDONED_AFTER).await?;
        let left = self
            .store()
            .minted_grants_take(now - ABANDONED_AFTER, now - TRY_EVERY, now, LIMIT)
            .await?;
        let given = stream::iter(left)
            .map(|minted| async move { self.give_back_minted(&minted).await })
            .buffer_unordered(AT_ONCE);
        let given: Vec<_> = given.inspect(|_| gets_on()).collect().await;
        given.into_iter().try_fold(0, |done, given| {
            Ok(done + u32::from(matches!(given?, Voided::Done | Voided::Kept)))
        })
    }

    /// Revokes a pair at once where no connection is just being made, or sets it aside for the sake
    /// of one that lives.
    async fn give_back_minted(&self, minted: &MintedGrant) -> Result<Voided, StoreError> {
        let open = |column, sealed: &[u8]| {
            self.vault().open_row(
                MINTED_GRANTS,
                column,
                &minted.id,
                &minted.organisation_id,
                sealed,
            )
        };
        let opened = (
            open(ACCESS, &minted.access_sealed),
            minted
                .refresh_sealed
                .as_ref()
                .map(|sealed| open(REFRESH, sealed))
                .transpose(),
        );
        let (Ok(access), Ok(refresh)) = opened else {
            tracing::warn!(
                "a sealed pair that nobody needs does not open, so it cannot be given back"
            );
            return Ok(Voided::Unconfirmed);
        };
        let tokens = Tokens {
            access,
            refresh,
            expires_in: None,
            scopes: None,
        };
        let Some(minted) = &self.known_loan(minted, &tokens.access).await? else {
            return Ok(Voided::Later);
        };
        let voiding = self
            .voiding(Some(&minted.client_id), minted.workspace_id.as_deref())
            .await?;
        let Some(voiding) = voiding else {
            return Ok(Voided::Later);
        };
        let Some(hangs_on) = self.hangs_on(minted).await.transpose() else {
            return self.void_minted(voiding, minted, &tokens).await;
        };
        self.voiding_over(&voiding).await;
        let (organisation, connection) = hangs_on?;
        let sealed = self.seal(&connection, &organisation, &tokens, minted.minted_at);
        self.store()
            .minted_grant_set_aside(minted, &connection, self.spare_number(), &sealed)
            .await?;
        Ok(Voided::Kept)
    }

    /// The connection that might end with a pair: organisation and id. Where the workspace is not
    /// known, any of the app may be the one.
    async fn hangs_on(&self, minted: &MintedGrant) -> Result<Option<(String, String)>, StoreError> {
        let known = minted.workspace_id.is_some();
        if minted.lent && known && !self.loans_end_more(&minted.client_id).await? {
            return self
                .store()
                .connection_living_as(
                    &minted.client_id,
                    minted.workspace_id.as_deref(),
                    minted.lent_by.as_deref(),
                )
                .await;
        }
        let (workspace, first) = (
            minted.workspace_id.as_deref(),
            minted.connection_id.as_deref(),
        );
        self.store()
            .connection_living(Some(&minted.client_id), workspace, first)
            .await
    }

    async fn void_minted(
        &self,
        voiding: Voiding,
        minted: &MintedGrant,
        tokens: &Tokens,
    ) -> Result<Voided, StoreError> {
        let worked = self.at_stake(minted).await;
        let void = self
            .void(voiding, &tokens.access, tokens.refresh.as_ref())
            .await;
        let mut learnt = true;
        for (organisation, connection) in &worked {
            learnt &= self
                .learn_what_it_ended(&minted.client_id, organisation, connection)
                .await;
        }
        if void && !learnt {
            // As long as nobody knows what it ended, it is not forgotten.
            return Ok(Voided::Later);
        }
        if void {
            self.store().minted_grant_delete(&minted.id).await?;
        }
        Ok(Voided::confirmed(void))
    }

    /// Writes a pair down in the background, for an hour at most: as long as this process lives it
    /// is not forgotten.
    pub(crate) fn write_in_time(&self, unwritten: Unwritten) {
        let engine = self.for_programs();
        if engine.unwritten().fetch_add(1, Ordering::Relaxed) >= UNWRITTEN_MAX {
            engine.unwritten().fetch_sub(1, Ordering::Relaxed);
            return tracing::error!(
                "too many pairs wait for the database: one that nobody needs stays alive at Linear"
            );
        }
        tracing::error!("a pair that nobody needs could not be written down yet; trying again");
        tokio::spawn(async move {
            let pauses = (0..WRITES).map(|tries| WRITE_AGAIN_S[tries.min(WRITE_AGAIN_S.len() - 1)]);
            for pause in pauses {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                if engine.write(&unwritten).await.is_ok() {
                    engine.unwritten().fetch_sub(1, Ordering::Relaxed);
                    return;
                }
            }
            engine.unwritten().fetch_sub(1, Ordering::Relaxed);
            tracing::error!(
                "a pair that nobody needs was never written down and stays alive at Linear"
            );
        });
    }

    async fn write(&self, unwritten: &Unwritten) -> Result<(), StoreError> {
        match unwritten {
            Unwritten::Minted(minted) => self.store().minted_grant_put(minted).await,
            Unwritten::Spare {
                connection,
                number,
                client_id,
                grant,
            } => {
                self.store()
                    .superseded_grant_put(connection, *number, Some(client_id), grant)
                    .await
            }
        }
    }
}
