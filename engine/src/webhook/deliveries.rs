//! The deliveries of an organisation, as its people and programs read them.

use crate::acting::handle;
use crate::store::{Cursor, CursorCheck, Delivery, DeliveryFilter, LastDelivery, StoreError};

handle! {
    /// The deliveries of an organisation.
    read deliveries -> Deliveries
}

/// The deliveries that came after a cursor.
#[derive(Debug)]
pub enum After {
    /// The oldest first, and the cursor to go on from; `None` where nothing came.
    Found(Vec<Delivery>, Option<Cursor>),
    /// See [`CursorCheck::Expired`].
    Expired(Option<Cursor>),
}

impl Deliveries<'_> {
    /// Reads those before this number, the newest first, with this many bytes of each body.
    pub async fn before(
        &self,
        filter: &DeliveryFilter,
        before: i64,
        head: i64,
        limit: i64,
    ) -> Result<Vec<Delivery>, StoreError> {
        let organisation = &self.acting.organisation;
        self.store()
            .deliveries_before(organisation, filter, before, head, limit)
            .await
    }

    /// Finds where the page before the one that begins there begins; `None` where that is the
    /// first.
    pub async fn newer(
        &self,
        filter: &DeliveryFilter,
        before: i64,
        size: i64,
    ) -> Result<Option<i64>, StoreError> {
        let organisation = &self.acting.organisation;
        self.store()
            .deliveries_newer(organisation, filter, before, size)
            .await
    }

    /// Reads those after a cursor, up to this number of them and of their bytes.
    pub async fn after(
        &self,
        cursor: &Cursor,
        limit: i64,
        bytes: i64,
    ) -> Result<After, StoreError> {
        let (store, organisation) = (self.store(), &self.acting.organisation);
        if let CursorCheck::Expired(known) = store.cursor_check(cursor).await? {
            return Ok(After::Expired(known));
        }
        let found = store
            .deliveries_after(organisation, cursor.number, limit, bytes)
            .await?;
        let next = match found.last() {
            Some(last) => Some(store.cursor_after(last.number).await?),
            None => None,
        };
        Ok(After::Found(found, next))
    }

    /// Finds the last delivery of each workspace.
    pub async fn last(&self) -> Result<Vec<LastDelivery>, StoreError> {
        self.store()
            .deliveries_last(&self.acting.organisation)
            .await
    }
}
