//! One server per SQLite file: the operating system frees the lock when its holder dies, however it
//! dies. The lock is on the file itself, so it is one under all names of the file, and nobody can
//! delete it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// A command that looks whether somebody serves the file holds its lock for a moment.
const TRIES: usize = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// The number of looks for the log of a server that starts.
const LOOKS: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum ServeLockError {
    #[error(
        "another relink serves {0} already; stop it first, or use PostgreSQL for several servers"
    )]
    Held(String),
    #[error(
        "{0}: another relink serves this file under another name (a link to it), and SQLite keeps \
            what it writes beside that name: use that one"
    )]
    ElsewhereServed(String),
    #[error(
        "{0} has another name (a hard link), and SQLite keeps what it writes beside one of them: \
            remove the other name, or copy the file"
    )]
    HardLink(String),
    #[error("{0}: {1}")]
    Io(String, io::Error),
}

/// A lock that is held as long as the value lives.
#[derive(Debug)]
pub(super) struct ServeLock {
    /// It stays open to the end: closing it would take SQLite's own locks away (POSIX ends all
    /// locks of a process on a file with the first that is closed).
    _database: File,
    /// Servers of before lock a file of this name alone, for themselves.
    _name: File,
}

impl ServeLock {
    /// Takes the lock of the file that a path leads to in the end. Before SQLite opens it: whoever
    /// opens a file that is served under another name sees half of what is in it.
    pub async fn take(database: &Path) -> Result<ServeLock, ServeLockError> {
        let file = open(database, OpenOptions::new().read(true))?;
        if !lock_soon(&file)
            .await
            .map_err(|error| io_of(database, error))?
        {
            return Err(ServeLockError::Held(database.display().to_string()));
        }
        let path = database.with_extension("serve-lock");
        let name = open(
            &path,
            OpenOptions::new().create(true).truncate(false).write(true),
        )?;
        if !taken(name.try_lock_shared()).map_err(|error| io_of(&path, error))? {
            return Err(ServeLockError::Held(database.display().to_string()));
        }
        Ok(ServeLock {
            _database: file,
            _name: name,
        })
    }

    /// Refuses a file that somebody serves under another name: then SQLite's log is not beside this
    /// one. A server that starts makes it a moment after it has taken the lock.
    pub async fn refuse_if_served_elsewhere(
        database: &Path,
        log: &Path,
    ) -> Result<(), ServeLockError> {
        for _ in 0..LOOKS {
            if log.exists() || !is_served(database)? {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        Err(ServeLockError::ElsewhereServed(
            database.display().to_string(),
        ))
    }
}

fn is_served(database: &Path) -> Result<bool, ServeLockError> {
    let file = open(database, OpenOptions::new().read(true))?;
    taken(file.try_lock_shared())
        .map(|taken| !taken)
        .map_err(|error| io_of(database, error))
}

fn open(path: &Path, how: &OpenOptions) -> Result<File, ServeLockError> {
    how.open(path).map_err(|error| io_of(path, error))
}

fn io_of(path: &Path, error: io::Error) -> ServeLockError {
    ServeLockError::Io(path.display().to_string(), error)
}

async fn lock_soon(file: &File) -> io::Result<bool> {
    for _ in 1..TRIES {
        if taken(file.try_lock())? {
            return Ok(true);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    taken(file.try_lock())
}

/// Says whether the lock was taken; false: somebody else has it.
fn taken(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn the_second_one_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (database, copy) = (dir.path().join("relink.db"), dir.path().join("copy.db"));
        fs::write(&database, "").unwrap();
        fs::hard_link(&database, &copy).unwrap();
        let first = ServeLock::take(&database).await.unwrap();
        let lock = dir.path().join("relink.serve-lock");
        fs::remove_file(lock).unwrap();
        assert!(matches!(
            ServeLock::take(&database).await,
            Err(ServeLockError::Held(_))
        ));
        assert!(
            matches!(ServeLock::take(&copy).await, Err(ServeLockError::Held(_))),
            "another name of the same file"
        );
        let (log, none) = (
            dir.path().join("relink.db-wal"),
            dir.path().join("copy.db-wal"),
        );
        fs::write(&log, "").unwrap();
        ServeLock::refuse_if_served_elsewhere(&database, &log)
            .await
            .unwrap();
        let elsewhere = ServeLock::refuse_if_served_elsewhere(&copy, &none).await;
        assert!(matches!(elsewhere, Err(ServeLockError::ElsewhereServed(_))));
        drop(first);
        ServeLock::refuse_if_served_elsewhere(&copy, &none)
            .await
            .unwrap();
        ServeLock::take(&database).await.unwrap();
    }

    #[tokio::test]
    async fn an_older_and_a_newer_server_share_no_file_but_two_files_of_one_stem_have_one_each() {
        let dir = tempfile::tempdir().unwrap();
        let (database, neighbour) = (
            dir.path().join("relink.db"),
            dir.path().join("relink.sqlite"),
        );
        for file in [&database, &neighbour] {
            fs::write(file, "").unwrap();
        }
        let of_before = File::create(dir.path().join("relink.serve-lock")).unwrap();
        of_before.lock().unwrap();
        assert!(matches!(
            ServeLock::take(&database).await,
            Err(ServeLockError::Held(_))
        ));
        of_before.unlock().unwrap();
        let _first = ServeLock::take(&database).await.unwrap();
        assert!(of_before.try_lock().is_err());
        ServeLock::take(&neighbour).await.unwrap();
    }

    #[tokio::test]
    async fn a_command_beside_a_server_that_starts_waits_for_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let (database, log) = (
            dir.path().join("relink.db"),
            dir.path().join("relink.db-wal"),
        );
        fs::write(&database, "").unwrap();
        let _server = ServeLock::take(&database).await.unwrap();
        let (looked, ()) = tokio::join!(
            ServeLock::refuse_if_served_elsewhere(&database, &log),
            async {
                tokio::time::sleep(BETWEEN_TRIES * 3).await;
                fs::write(&log, "").unwrap();
            }
        );
        looked.unwrap();
    }
}
