//! People's accounts.

use sqlx_macros::FromRow;

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
    /// The account with this e-mail address, in the spelling that is stored.
    pub async fn user_by_email(&self, email: &str) -> Stored<Option<UserRow>> {
        const SQL: &str = "SELECT id, email, name, password_hash FROM users WHERE email = $1";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .bind(email)
            .fetch_optional(pool)
            .await?))
    }

    /// Ids and addresses of accounts whose address is not in ASCII alone.
    pub(crate) async fn users_beyond_ascii(&self) -> Stored<Vec<(String, String)>> {
        const SQL: &str = "SELECT id, email FROM users WHERE LENGTH(email) <> OCTET_LENGTH(email) \
            ORDER BY id";
        on!(&self.db, |pool| Ok(sqlx::query_as(SQL)
            .fetch_all(pool)
            .await?))
    }

    /// Spells the address of an account another way. `false`: another account has that spelling.
    pub(crate) async fn user_respell(&self, id: &str, email: &str, anew: &str) -> Stored<bool> {
        const SQL: &str = "UPDATE users SET email = $3 WHERE id = $1 AND email = $2 \
            AND NOT EXISTS (SELECT 1 FROM users WHERE email = $3)";
        on!(&self.db, |pool| Ok(sqlx::query(SQL)
            .bind(id)
            .bind(email)
            .bind(anew)
            .execute(pool)
            .await?
            .rows_affected()
            == 1))
    }

    /// Replaces the password; answers whether the account exists.
    pub async fn user_set_password(&self, user: &str, hash: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
        noted!(self, act, sqlx::query(SQL).bind(user).bind(hash))
    }

    /// Sets the password of an account that has none; answers whether it had none.
    pub async fn user_set_first_password(&self, user: &str, hash: &str, act: &Act) -> Stored<bool> {
        const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS \
            NULL";
        noted!(self, act, sqlx::query(SQL).bind(user).bind(hash))
    }
}
