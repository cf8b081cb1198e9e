//! Keys for machines. Only a hash is kept.

use super::{Store, Stored, on};
use crate::clock::Millis;

#[derive(Clone, Debug)]
pub struct ApiKeyRow {
    pub id: String,
    pub organisation_id: String,
    pub name: String,
    pub key_hash: String,
    pub last_four: String,
    pub created_at: Millis,
}

impl Store {
    /// Stores a new key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_create(&self, key: &ApiKeyRow) -> Stored<()> {
        const SQL: &str =
            "INSERT INTO api_keys (id, organisation_id, name, key_hash, last_four, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        on!(&self.db, pool => {
            sqlx::query(SQL).bind(&key.id).bind(&key.organisation_id).bind(&key.name).bind(&key.key_hash).bind(&key.last_four).bind(key.created_at)
                .execute(pool).await?;
        });
        Ok(())
    }
}
