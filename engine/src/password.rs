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

/// Whether `password` is the one behind `hash`. Without a hash the same work is done, and the answer is no.
pub async fn verify(password: SecretString, hash: Option<String>) -> bool {
    off_thread(move || match hash.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok(),
        Some(Err(_)) | None => {
            // The same parameters as a real hash, so the same time.
            let _ = Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &[0; 16]);
            false
        }
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
}
