//! One server per SQLite file: the operating system frees the lock when its holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

#[derive(Debug, thiserror::Error)]
pub enum ServeLockError {
    #[error("another relink serves {0} already; stop it first, or use PostgreSQL for several servers")]
    Held(String),
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

/// Held as long as the value lives.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    pub fn take(database: &Path) -> Result<ServeLock, ServeLockError> {
        let path = database.with_extension("serve-lock");
        let io = |error| ServeLockError::Io(path.display().to_string(), error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(ServeLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ServeLockError::Held(database.display().to_string())),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("relink.db");
        let first = ServeLock::take(&database).unwrap();
        assert!(matches!(ServeLock::take(&database), Err(ServeLockError::Held(_))));
        drop(first);
        ServeLock::take(&database).unwrap();
    }
}
