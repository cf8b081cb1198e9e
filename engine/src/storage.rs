//! The health of the database: every few seconds a write asks whether it keeps what it is given,
//! and whoever runs this is told once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::Engine;
use crate::connection::state::FailedCall;
use crate::store::{DiskTrouble, StoreError};

/// A write that takes longer is none to rely on: Linear waits no longer for an answer to a webhook.
const PATIENCE: Duration = Duration::from_secs(4);

/// The findings of the last look.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    trouble: Mutex<Option<&'static str>>,
    /// The shape of an older copy that took its place, as far as it was whole.
    copy: Mutex<Option<Option<String>>>,
}

impl Storage {
    fn replace(&self, found: Option<&'static str>) -> Option<&'static str> {
        std::mem::replace(
            &mut *self.trouble.lock().unwrap_or_else(PoisonError::into_inner),
            found,
        )
    }

    fn get(&self) -> Option<&'static str> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers it, and answers how it looked before.
    fn replace_copy(&self, copy: Option<Option<String>>) -> Option<Option<String>> {
        std::mem::replace(
            &mut *self.copy.lock().unwrap_or_else(PoisonError::into_inner),
            copy,
        )
    }
}

fn name(error: &StoreError) -> &'static str {
    error
        .disk_trouble()
        .map_or(FailedCall::DATABASE, DiskTrouble::name)
}

impl Engine {
    /// Writes to the database, and says once when that begins to fail and once when it works again.
    /// With room to spare, some of it is set aside for tokens that Linear mints.
    pub async fn watch_storage(&self) {
        let proof = timeout(PATIENCE, self.store().prove_write(self.now()));
        let outcome = proof.await.unwrap_or(Err(StoreError::Timeout));
        let found = outcome.as_ref().err().map(name);
        let before = self.storage().replace(found);
        if before != found {
            // Once: from now on nothing more goes into a log that is gone.
            self.store().rescue();
        }
        match (before, outcome) {
            (None, Err(error)) => tracing::error!(
                %error,
                "ALARM: the database keeps nothing. No token is renewed and no webhook \
                    acknowledged until it does; valid tokens \
                    are handed out. Relink goes on by itself as soon as a write works"
            ),
            (Some(_), Ok(())) => tracing::warn!("ALARM OVER: the database keeps what it is given"),
            _ => {}
        }
        if found.is_none() {
            self.store().reserve_make();
        }
    }

    /// An older copy that takes the database's place under a server may be from before an upgrade:
    /// it is brought up to date, as at a start, and numbers of deliveries begin anew behind it. Not
    /// before it is whole, and has been for two looks.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        if self.store().is_up_to_date().await? {
            self.storage().replace_copy(None);
            return Ok(());
        }
        let shape = self.store().shape().await?;
        match self.storage().replace_copy(Some(shape.clone())) {
            Some(before) if before.is_some() && before == shape => {}
            Some(_) => return Ok(()),
            None => {
                tracing::error!(
                    "ALARM: the database is a copy from before an upgrade. It is brought up to \
                        date as soon as nothing of it is \
                        missing and nobody is restoring it any more"
                );
                return Ok(());
            }
        }
        tracing::warn!("the copy is brought up to date now");
        self.store().migrate().await?;
        self.begin_epoch().await
    }

    /// Begins a new epoch: this may be an older copy of the database than the one that numbers of
    /// deliveries were last given out of.
    pub async fn begin_epoch(&self) -> Result<(), StoreError> {
        let epoch = self.entropy().id().replace('-', "");
        self.store().epoch_begin(&epoch).await
    }

    /// "SQLite" or "PostgreSQL".
    #[must_use]
    pub fn database(&self) -> &'static str {
        self.store().kind()
    }

    /// Asks the database for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store().ping().await
    }

    /// See [`Store::leave_room`].
    pub async fn leave_room(&self) -> Result<(), StoreError> {
        self.store().leave_room().await
    }

    /// Hands back all connections to the database, which is not asked any more.
    pub async fn close(&self) {
        self.store().close().await;
    }

    /// See [`Store::disk_trouble`].
    #[must_use]
    pub fn disk_trouble(&self) -> Option<DiskTrouble> {
        self.store().disk_trouble()
    }

    /// Names why the database keeps nothing, if it does not: now, or when it was last asked.
    #[must_use]
    pub fn storage_trouble(&self) -> Option<&'static str> {
        self.store()
            .disk_trouble()
            .map(DiskTrouble::name)
            .or(self.storage().get())
    }

    /// See [`Store::processes_forget`].
    pub async fn forget_processes(&self) -> Result<(), StoreError> {
        self.store().processes_forget().await
    }

    /// Forgets sessions, attempts to connect and counted tries that have run out.
    pub async fn forget_expired(&self) -> Result<u64, StoreError> {
        let Some(now) = self.now_to_forget() else {
            return Ok(0);
        };
        self.store().forget_expired(now).await
    }
}
