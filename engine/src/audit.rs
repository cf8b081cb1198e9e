//! The audit trail, for those who may read it.

use crate::Engine;
use crate::account::Person;
use crate::store::{AuditRow, StoreError};

impl Engine {
    /// Lines of the person's organisation before this number, the newest first; `None` to who may not read them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, person: &Person, before: Option<i64>, limit: i64) -> Result<Option<Vec<AuditRow>>, StoreError> {
        if !person.owns() {
            return Ok(None);
        }
        Ok(Some(self.store().audit_before(&person.organisation_id, before.unwrap_or(i64::MAX), limit).await?))
    }
}
