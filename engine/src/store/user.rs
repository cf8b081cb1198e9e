//! People's accounts.

use sqlx::FromRow;

use super::audit::noted;
use super::{Act, Store, Stored, on};

#[derive(Clone, Debug, FromRow)]
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub name: String,
    pub password_hash: Option<String>,
}

impl Store {
    /// The account with this e-mail address (already in lower case).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_email(&self, email: &str) -> Stored<Option<UserRow>> {
        const SQL: &str = "SELECT id, email, name, password_hash FROM users WHERE email = $1";
        on!(&self.db, pool => Ok(sqlx::query_as(SQL).bind(email).fetch_optional(pool).await?))
    }

    /// Replaces the password; answers whether the account exists.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_set_password(&self, user: &str, hash: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
        noted!(self, act, sqlx::query(SQL).bind(user).bind(hash))
    }

    /// Sets the password of an account that has none; answers whether it had none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_set_first_password(&self, user: &str, hash: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS NULL";
        noted!(self, act, sqlx::query(SQL).bind(user).bind(hash))
    }
}
