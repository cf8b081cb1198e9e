//! The audit trail: its key, and its lines for those who may read them.

use secrecy::ExposeSecret as _;

use crate::clock::Millis;
use crate::entropy::Entropy;
use crate::store::{AuditCheck, AuditEntry, AuditKey, Store, StoreError};
use crate::vault::{Place, Vault};
use crate::{Acting, CANARY, CANARY_KEY, Denied, Engine, OpenError};

/// The trail's key is one of its own, sealed by the ring: the ring may change, and every line stays
/// provable.
const KEY: Place<'static> = Place {
    table: "meta",
    row: "audit_key",
    column: "value",
    organisation: "",
};

/// The text that was sealed as the canary before the trail had a key.
const SONG: &str = "relink";
/// The text that is sealed since: no key and no trail can be begun anew in this database.
const SONG_WITH_KEY: &str = "relink, and the audit trail has a key";

/// Proves that the ring is this database's, and gives the trail its key. What is in the table
/// cannot be taken out unnoticed: without the proof, or with one that speaks of a key that is gone,
/// nothing starts.
///
/// # Errors
/// [`OpenError::WrongKey`], [`OpenError::ProofGone`], or when the database fails.
pub async fn prove_keys(
    store: &Store,
    vault: &Vault,
    entropy: &Entropy,
    now: Millis,
) -> Result<(), OpenError> {
    // Asked first: whoever makes an organisation has made the proof before.
    let in_use = store.organisations_exist().await?;
    if in_use && store.meta(CANARY_KEY).await?.is_none() {
        return Err(OpenError::ProofGone);
    }
    let canary = store
        .meta_claim(CANARY_KEY, &vault.seal(CANARY, &SONG.into()))
        .await?;
    match vault
        .open(CANARY, &canary)
        .map_err(|_| OpenError::WrongKey)?
        .expose_secret()
    {
        SONG => begin(store, vault, entropy, &canary, now).await,
        SONG_WITH_KEY => {
            let sealed = store.meta(KEY.row).await?.ok_or(OpenError::ProofGone)?;
            use_key(store, vault, &sealed)
        }
        _ => Err(OpenError::WrongKey),
    }
}

/// Makes the key, once in the life of a database, and carries its trails over.
async fn begin(
    store: &Store,
    vault: &Vault,
    entropy: &Entropy,
    canary: &[u8],
    now: Millis,
) -> Result<(), OpenError> {
    let sealed = store
        .meta_claim(KEY.row, &vault.seal(KEY, &entropy.token().into()))
        .await?;
    use_key(store, vault, &sealed)?;
    for organisation in store.audit_unkeyed().await? {
        if store.audit_carry_over(&organisation, now).await? {
            tracing::info!(organisation, "the audit trail has a key from here on");
        }
    }
    // Last: a crash before it begins again where it was.
    Ok(store
        .meta_swap(
            CANARY_KEY,
            canary,
            &vault.seal(CANARY, &SONG_WITH_KEY.into()),
        )
        .await?)
}

fn use_key(store: &Store, vault: &Vault, sealed: &[u8]) -> Result<(), OpenError> {
    let key = vault.open(KEY, sealed).map_err(|_| OpenError::WrongKey)?;
    store.audit_unlock(AuditKey::new(&key));
    Ok(())
}

/// The audit trail of an organisation, for those who may read it.
#[derive(Clone, Debug)]
pub struct Audit {
    engine: Engine,
    organisation: String,
}

impl Engine {
    /// The audit trail of an organisation.
    ///
    /// # Errors
    /// [`Denied`] to who may not read it.
    pub fn audit(&self, acting: impl Into<Acting>) -> Result<Audit, Denied> {
        let acting = acting.into();
        acting.owns()?;
        Ok(Audit {
            engine: self.clone(),
            organisation: acting.organisation,
        })
    }
}

impl Audit {
    /// Lines before this number, the newest first.
    pub async fn before(
        &self,
        number: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (store, number) = (self.engine.store(), number.unwrap_or(i64::MAX));
        store.audit_before(&self.organisation, number, limit).await
    }

    /// Lines after this number, the oldest first.
    pub async fn after(&self, number: i64, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let store = self.engine.store();
        store.audit_after(&self.organisation, number, limit).await
    }

    /// Proves every line.
    pub async fn verify(&self) -> Result<AuditCheck, StoreError> {
        self.engine.store().audit_verify(&self.organisation).await
    }

    /// Whether a line is there that was noted elsewhere.
    pub async fn has(&self, number: i64, hash: &str) -> Result<bool, StoreError> {
        let store = self.engine.store();
        store.audit_has(&self.organisation, number, hash).await
    }
}
