//! Organisations, and who is in which.

use crate::Engine;
use crate::identity::{Organisation, Person};
use crate::store::StoreError;

impl Engine {
    /// The organisation with this slug.
    pub async fn organisation(&self, slug: &str) -> Result<Option<Organisation>, StoreError> {
        self.store().organisation_by_slug(slug).await
    }

    /// The organisation of this Relink, if it has one alone.
    pub async fn organisation_only(&self) -> Result<Option<Organisation>, StoreError> {
        self.store().organisation_only().await
    }

    /// The organisations that somebody is in, by name.
    pub async fn organisations_of(&self, person: &Person) -> Result<Vec<Organisation>, StoreError> {
        self.store().organisations_of(&person.user_id).await
    }

    /// Whether this Relink belongs to anybody.
    pub async fn owner_exists(&self) -> Result<bool, StoreError> {
        self.store().owner_exists().await
    }

    /// A member as of now: a role that was taken away is gone at once.
    pub async fn person(
        &self,
        organisation: &str,
        user: &str,
    ) -> Result<Option<Person>, StoreError> {
        self.store().member(organisation, user).await
    }
}
