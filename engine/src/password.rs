//! Passwords: argon2id (RFC 9106), never compared in a time that tells whether an account exists.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::entropy::Entropy;

/// In characters.
pub const MIN_LENGTH: usize = 12;
/// In bytes; more would only make hashing an attack.
pub const MAX_BYTES: usize = 1024;

/// One hash takes 19 MiB and some 30 ms; more at once would let a crowd at the door take the machine.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Hashes with a fresh salt and the library's defaults (19 MiB, 2 passes, 1 lane: OWASP's first choice).
///
/// # Panics
/// Never: the salt has the right length.
pub async fn hash(password: SecretString, entropy: &Entropy) -> String {
    let salt = entropy.bytes::<16>();
    off_thread(move || {
        Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &salt).expect("a 16 byte salt is good").to_string()
    })
    .await
}

/// A hash that no password has, made like every other: checking against it takes the same time.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Whether `password` is the one behind `hash`. Without a hash the same work is done, and the answer is no.
pub async fn verify(password: SecretString, hash: Option<String>) -> bool {
    let (hash, somebodys) = hash.map_or((NOBODYS.to_owned(), false), |hash| (hash, true));
    off_thread(move || {
        let matches = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok());
        matches && somebodys
    })
    .await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _turn = AT_ONCE.acquire().await.expect("never closed");
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_accepted() {
        let hash = hash("correct horse battery".into(), &Entropy::seeded(1)).await;
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify("correct horse battery".into(), Some(hash.clone())).await);
        assert!(!verify("correct horse batterY".into(), Some(hash)).await);
        assert!(!verify("correct horse battery".into(), None).await);
        assert!(!verify("correct horse battery".into(), Some("garbage".to_owned())).await);
    }

    #[tokio::test]
    async fn an_account_that_is_not_there_costs_what_one_that_is_costs() {
        let somebodys = hash("correct horse battery".into(), &Entropy::seeded(1)).await;
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(&somebodys), cost(NOBODYS));
        assert_eq!(somebodys.len(), NOBODYS.len());
        assert!(PasswordHash::new(NOBODYS).is_ok(), "or nothing would be hashed");
    }
}
