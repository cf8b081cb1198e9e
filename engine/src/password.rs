//! Passwords: prepared as RFC 8265 says, argon2id (RFC 9106), never compared in a time that tells
//! whether an account exists.

mod judge;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::Profile as _;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

pub use judge::MAX_BYTES;

use crate::entropy::Entropy;
use crate::field::FieldError;

/// A password that somebody may have, in the one form that is hashed: however their keyboard
/// composes an é, it is the same.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Prepares a password for somebody who is known by these names.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(password: &SecretString, names: &[&str]) -> Result<NewPassword, FieldError> {
        let empty = password.expose_secret().is_empty();
        let unusable = if empty {
            FieldError::PasswordTooShort
        } else {
            FieldError::PasswordUnusable
        };
        let prepared = prepared(password).ok_or(unusable)?;
        judge::fault(prepared.expose_secret(), names).map_or(Ok(NewPassword(prepared)), Err)
    }
}

/// `None` for what cannot be one: nothing, or with control characters.
fn prepared(password: &SecretString) -> Option<SecretString> {
    OpaqueString::new()
        .enforce(password.expose_secret())
        .ok()
        .map(|prepared| prepared.into_owned().into())
}

/// One hash takes 19 MiB and some 30 ms; more at once would let a crowd at the door take the
/// machine.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Hashes with a fresh salt and the library's defaults (19 MiB, 2 passes, 1 lane: OWASP's first
/// choice).
///
/// # Panics
/// Never: the salt has the right length.
pub async fn hash(NewPassword(password): NewPassword, entropy: &Entropy) -> String {
    let salt = entropy.bytes::<16>();
    off_thread(move || {
        Argon2::default()
            .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
            .expect("a 16 byte salt is good")
            .to_string()
    })
    .await
}

/// A hash that no password has, made like every other: checking against it takes the same time.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether `password` is the one behind `hash`. Without a hash the same work is done, and the
/// answer is no. One that was hashed before passwords were prepared counts as it was typed then.
pub async fn verify(password: SecretString, hash: Option<String>) -> bool {
    let (hash, somebodys) = checked_against(hash);
    off_thread(move || {
        let is = |typed: &SecretString| {
            PasswordHash::new(&hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(typed.expose_secret().as_bytes(), &hash)
                    .is_ok()
            })
        };
        let prepared = prepared(&password)
            .filter(|prepared| prepared.expose_secret() != password.expose_secret());
        let matches = prepared.is_some_and(|prepared| is(&prepared)) || is(&password);
        matches && somebodys
    })
    .await
}

/// The hash that a password is checked against, and whether it is somebody's.
fn checked_against(hash: Option<String>) -> (String, bool) {
    hash.map_or_else(|| (NOBODYS.to_owned(), false), |hash| (hash, true))
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let turn = AT_ONCE.acquire().await.expect("never closed");
    // Held until the work ends: who goes away meanwhile must not begin more of it.
    let work = move || {
        let _turn = turn;
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(password: &str) -> NewPassword {
        NewPassword::new(&password.into(), &[]).unwrap()
    }

    #[tokio::test]
    async fn however_a_letter_is_composed_the_password_is_the_same() {
        let (composed, taken_apart) = (
            "caf\u{e9} am fr\u{fc}hen Morgen",
            "cafe\u{301} am fru\u{308}hen\u{a0}Morgen",
        );
        for (chosen, typed) in [(composed, taken_apart), (taken_apart, composed)] {
            let hash = hash(new(chosen), &Entropy::seeded(1)).await;
            assert!(verify(typed.into(), Some(hash)).await, "{chosen}");
        }
    }

    #[tokio::test]
    async fn a_password_from_before_they_were_prepared_still_counts() {
        for old in [
            "cafe\u{301} am Morgen",
            "a\ttab in between",
            "👩\u{200D}👧 and more",
        ] {
            let hash = hash(NewPassword(old.into()), &Entropy::seeded(1)).await;
            assert!(verify(old.into(), Some(hash)).await, "{old:?}");
        }
    }

    #[test]
    fn what_cannot_be_typed_again_is_no_new_password() {
        let fault = |password: &str| NewPassword::new(&password.into(), &[]).unwrap_err();
        assert_eq!(fault("a\ttab in between"), FieldError::PasswordUnusable);
        assert_eq!(fault(""), FieldError::PasswordTooShort);
    }

    #[tokio::test]
    async fn only_the_right_password_is_accepted() {
        let hash = hash(new("correct horse battery"), &Entropy::seeded(1)).await;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify("correct horse battery".into(), Some(hash.clone())).await);
        assert!(!verify("correct horse batterY".into(), Some(hash)).await);
        assert!(!verify("correct horse battery".into(), None).await);
        assert!(!verify("correct horse battery".into(), Some("garbage".to_owned())).await);
    }

    #[tokio::test]
    async fn an_account_that_is_not_there_costs_what_one_that_is_costs() {
        let somebodys = hash(new("correct horse battery"), &Entropy::seeded(1)).await;
        let cost = |hash: &str| {
            hash.split('$')
                .take(4)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(cost(&somebodys), cost(NOBODYS));
        assert_eq!(somebodys.len(), NOBODYS.len());
        assert!(
            PasswordHash::new(NOBODYS).is_ok(),
            "or nothing would be hashed"
        );
        assert_eq!(checked_against(None), (NOBODYS.to_owned(), false));
    }
}
