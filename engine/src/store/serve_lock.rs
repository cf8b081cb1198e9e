//! One server per SQLite file: the operating system frees the lock when its holder dies, however it dies. A lock is on a file
//! and not on a name, so whoever holds one looks again and again whether it is still on the file of that name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::disk::identity;

/// Somebody deletes it between two steps; not that often.
const TRIES: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum ServeLockError {
    #[error("another relink serves {0} already; stop it first, or use PostgreSQL for several servers")]
    Held(String),
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

/// Held as long as the value lives.
#[derive(Debug)]
pub(super) struct ServeLock {
    path: PathBuf,
    held: Mutex<Lock>,
    /// The file itself, which has one lock under all of its names. It stays open to the end: closing it would take SQLite's own
    /// locks away (POSIX ends all locks of a process on a file with the first that is closed).
    _database: File,
}

#[derive(Debug)]
struct Lock {
    _file: File,
    identity: (u64, u64),
}

impl ServeLock {
    /// Of the file that a path leads to in the end: it has one lock, under whatever names it is served.
    pub fn take(database: &Path) -> Result<ServeLock, ServeLockError> {
        let path = database.with_extension("serve-lock");
        let io = |path: &Path, error| ServeLockError::Io(path.display().to_string(), error);
        let held = || ServeLockError::Held(database.display().to_string());
        let file = File::open(database).map_err(|error| io(database, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held()),
            Err(TryLockError::Error(error)) => return Err(io(database, error)),
        }
        // Servers of before locked the name alone.
        let lock = lock(&path).map_err(|error| io(&path, error))?.ok_or_else(held)?;
        Ok(ServeLock { path, held: Mutex::new(lock), _database: file })
    }

    /// Whether no other server can have it. One that somebody deleted is taken anew, unless another server was faster.
    pub fn is_held(&self) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if is_at(&self.path, held.identity) {
            return true;
        }
        match lock(&self.path) {
            Ok(Some(anew)) => {
                *held = anew;
                true
            }
            Ok(None) | Err(_) => false,
        }
    }
}

fn is_at(path: &Path, wanted: (u64, u64)) -> bool {
    fs::metadata(path).is_ok_and(|there| identity(&there) == wanted)
}

/// `None`: somebody else has it.
fn lock(path: &Path) -> io::Result<Option<Lock>> {
    for _ in 0..TRIES {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let identity = identity(&file.metadata()?);
        if is_at(path, identity) {
            return Ok(Some(Lock { _file: file, identity }));
        }
    }
    Err(io::Error::other("somebody deletes the lock file all the time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("relink.db"), dir.path().join("copy.db"));
        fs::write(&database, "").unwrap();
        fs::hard_link(&database, &copy).unwrap();
        let first = ServeLock::take(&database).unwrap();
        assert!(matches!(ServeLock::take(&database), Err(ServeLockError::Held(_))));
        assert!(matches!(ServeLock::take(&copy), Err(ServeLockError::Held(_))), "another name of the same file");
        drop(first);
        ServeLock::take(&database).unwrap();
    }

    #[test]
    fn one_that_somebody_deletes_is_taken_anew_unless_another_was_faster() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("relink.db");
        fs::write(&database, "").unwrap();
        let first = ServeLock::take(&database).unwrap();
        fs::remove_file(&first.path).unwrap();
        assert!(first.is_held());
        assert!(matches!(ServeLock::take(&database), Err(ServeLockError::Held(_))), "it is");
        fs::remove_file(&first.path).unwrap();
        // Of another file that has taken the name of this one.
        fs::remove_file(&database).unwrap();
        fs::write(&database, "").unwrap();
        let second = ServeLock::take(&database).unwrap();
        assert!(second.is_held() && !first.is_held());
        drop(second);
        assert!(first.is_held(), "the other one is gone");
    }
}
