//! Organisations.

use super::{Store, Stored, on};
use crate::identity::Organisation;

impl Store {
    /// The organisation with this slug.
    pub async fn organisation_by_slug(&self, slug: &str) -> Stored<Option<Organisation>> {
        const SQL: &str = "SELECT id, slug, name FROM organisations WHERE slug = $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(slug)
            .fetch_optional(pool)
            .await?))
    }

    /// The organisation of this instance, if it has exactly one.
    pub async fn organisation_only(&self) -> Stored<Option<Organisation>> {
        const SQL: &str = "SELECT id, slug, name FROM organisations LIMIT 2";
        let mut found: Vec<Organisation> =
            on!(&self.db, |pool| sqlx::query_as(SQL).fetch_all(pool).await?);
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// The organisations that somebody is a member of, by name.
    pub async fn organisations_of(&self, user: &str) -> Stored<Vec<Organisation>> {
        const SQL: &str = "SELECT o.id, o.slug, o.name FROM organisations o JOIN members m ON \
            m.organisation_id = o.id \
            WHERE m.user_id = $1 ORDER BY o.name, o.id";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(user)
            .fetch_all(pool)
            .await?))
    }

    /// Whether there is any.
    pub(crate) async fn organisations_exist(&self) -> Stored<bool> {
        const SQL: &str = "SELECT id FROM organisations LIMIT 1";
        let one: Option<String> = on!(&self.db, |pool| sqlx::query_scalar(SQL)
            .fetch_optional(pool)
            .await?);
        Ok(one.is_some())
    }
}
