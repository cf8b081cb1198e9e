//! The disk under an SQLite file: whether the file is still the one that was opened, and whether
//! there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::serve_lock::{ServeLock, ServeLockError};
use crate::names::named;

/// Bytes in a file beside the database that are given up when a pair of tokens that Linear has
/// minted already finds no other room.
const RESERVE: u64 = 8 << 20;
/// Bytes that have to be free, beside the reserve, for webhooks to be taken,
const FLOOR: u64 = 8 << 20;
/// and for tokens to be renewed, which take next to nothing.
const LEAST: u64 = 2 << 20;

named! {
    /// The reason why nothing that is written now can be relied on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum DiskTrouble {
        #[error("the disk is full, or nearly")]
        Full = "disk_full",
        #[error("the database file cannot be written to")]
        ReadOnly = "database_read_only",
        #[error("the database file is gone from its path")]
        Gone = "database_file_gone",
        #[error("another file is where the database was")]
        Replaced = "database_file_replaced",
        #[error("the database's log file was deleted or replaced: restart Relink")]
        LogGone = "database_log_gone",
        #[error("the disk fails to write the database")]
        Failing = "disk_failing",
    }
}

/// The one who opens an SQLite file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// A server, which has it for itself beside commands.
    Server,
    /// Everybody else.
    Other,
}

/// The file that was opened, and where.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    /// The file that the path led to: the files beside the database are there.
    real: PathBuf,
    opened: (u64, u64),
    /// The end of SQLite's log beside the file, where the last writes are, once it is open.
    log: Mutex<Option<(u64, u64)>>,
    /// The lock, which only a server has.
    _serving: Option<ServeLock>,
    /// It was said that no room could be set aside.
    reserve_failed: AtomicBool,
    /// The last write that failed for the disk's sake, until one has worked again.
    failed: Mutex<Option<(DiskTrouble, Instant)>>,
}

impl Disk {
    /// Makes the file, for its owner's eyes only, where there is none. SQLite gives the files
    /// beside it the same permissions.
    pub async fn open(path: &Path, opener: Opener) -> Result<Disk, ServeLockError> {
        let io = |error| ServeLockError::Io(path.display().to_string(), error);
        let opened = make_or_find(path).map_err(io)?;
        if fs::metadata(path).map_err(io)?.nlink() > 1 {
            // What the last user of the other name left in its log is not beside this one.
            return Err(ServeLockError::HardLink(path.display().to_string()));
        }
        let real = fs::canonicalize(path).map_err(io)?;
        let serving = match opener {
            Opener::Server => Some(ServeLock::take(&real).await?),
            Opener::Other => ServeLock::refuse_if_served_elsewhere(&real, &log_of(&real))
                .await
                .map(|()| None)?,
        };
        Ok(Disk {
            path: path.to_owned(),
            real,
            opened,
            log: Mutex::default(),
            _serving: serving,
            reserve_failed: AtomicBool::default(),
            failed: Mutex::default(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds what keeps anything new from being begun, as far as one can tell without writing.
    pub fn trouble(&self) -> Option<DiskTrouble> {
        self.takes_more()
            .or(self.failed().map(|(trouble, _)| trouble))
    }

    /// Finds why no deliveries can be taken: the file at the path is not the one that is open, or
    /// lacks room for them.
    pub fn takes_more(&self) -> Option<DiskTrouble> {
        self.file_trouble().or_else(|| self.room_trouble(FLOOR))
    }

    /// The same, with room for the little that must not wait.
    pub fn takes_little(&self) -> Option<DiskTrouble> {
        self.file_trouble().or_else(|| self.room_trouble(LEAST))
    }

    /// A connection has the log open, and keeps it open.
    pub fn note_log(&self) {
        let log = fs::metadata(log_of(&self.real)).ok();
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = log.as_ref().map(identity);
    }

    /// Checks that the file at the path is the one that is open: what goes into any other is lost.
    pub fn same_file(&self) -> Result<(), sqlx::Error> {
        self.file_trouble().map_or(Ok(()), |trouble| {
            Err(sqlx::Error::Io(io::Error::other(trouble)))
        })
    }

    fn file_trouble(&self) -> Option<DiskTrouble> {
        match fs::metadata(&self.path) {
            Ok(there) if identity(&there) == self.opened => self.log_trouble(),
            Ok(_) => Some(DiskTrouble::Replaced),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(DiskTrouble::Gone),
            Err(_) => Some(DiskTrouble::Failing),
        }
    }

    fn log_trouble(&self) -> Option<DiskTrouble> {
        let opened = (*self.log.lock().unwrap_or_else(PoisonError::into_inner))?;
        let there = fs::metadata(log_of(&self.real)).is_ok_and(|log| identity(&log) == opened);
        (!there).then_some(DiskTrouble::LogGone)
    }

    fn room_trouble(&self, least: u64) -> Option<DiskTrouble> {
        // Where the question is not answered, a write that fails will tell.
        let room = free(&self.path).unwrap_or(u64::MAX);
        (room < least).then_some(DiskTrouble::Full)
    }

    fn failed(&self) -> MutexGuard<'_, Option<(DiskTrouble, Instant)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write failed, and none has worked since.
    pub fn failed_lately(&self) -> bool {
        self.failed().is_some()
    }

    pub fn note_failure(&self, trouble: DiskTrouble) {
        *self.failed() = Some((trouble, Instant::now()));
    }

    /// A write that began at `began` worked.
    pub fn note_success(&self, began: Instant) {
        let mut failed = self.failed();
        if failed.is_some_and(|(_, at)| at < began) {
            *failed = None;
        }
    }

    fn reserve(&self) -> PathBuf {
        beside(&self.real, ".reserve")
    }

    /// Sets room aside, where there is plenty of it.
    pub fn reserve_make(&self) {
        let made = self.reserve_try();
        let failed_before = self.reserve_failed.swap(made.is_err(), Ordering::Relaxed);
        if let (Err(error), false) = (made, failed_before) {
            tracing::warn!(%error, "no room on the disk could be set aside for tokens that Linear \
                mints");
        }
    }

    fn reserve_try(&self) -> io::Result<()> {
        let reserve = self.reserve();
        let of_before = self.real.with_extension("reserve");
        if of_before != reserve {
            let _ = fs::remove_file(of_before);
        }
        let there = fs::metadata(&reserve).is_ok_and(|file| file.len() == RESERVE);
        if there || free(&self.path).is_ok_and(|room| room < FLOOR + RESERVE + LEAST) {
            return Ok(());
        }
        let made = fill(&reserve);
        if made.is_err() {
            let _ = fs::remove_file(&reserve);
        }
        made
    }

    /// True if there was a reserve: there is room now.
    pub fn reserve_give_up(&self) -> bool {
        fs::remove_file(self.reserve()).is_ok()
    }
}

/// The path of the log in which SQLite keeps what was committed last.
fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The whole name goes before the ending: two databases in a folder may differ in theirs alone.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn make_or_find(path: &Path) -> io::Result<(u64, u64)> {
    if !path.exists() && fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0) {
        // Another file under this name would take what is in the log for its own.
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the file is gone, and its log (-wal) is still there: put it back",
        ));
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path);
    // A file on a disk that takes no writes can still be read from.
    let file = file.or_else(|error| File::open(path).map_err(|_| error))?;
    Ok(identity(&file.metadata()?))
}

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Bytes that this user may still take on the disk of a path.
fn free(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Writes the file, and does not only give it a length, and not with noughts: some disks keep
/// neither.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    let block: Vec<u8> = (0..1_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for _ in 0..RESERVE / block.len() as u64 {
        file.write_all(&block)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn made() -> (tempfile::TempDir, Disk) {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(&dir.path().join("relink.db"), Opener::Other)
            .await
            .unwrap();
        (dir, disk)
    }

    #[tokio::test]
    async fn a_file_that_is_gone_or_replaced_is_noticed_and_so_is_its_return() {
        let (dir, disk) = made().await;
        assert_eq!(disk.trouble(), None);
        let aside = dir.path().join("aside");
        fs::rename(disk.path(), &aside).unwrap();
        assert_eq!(disk.trouble(), Some(DiskTrouble::Gone));
        fs::write(disk.path(), "").unwrap();
        assert_eq!(disk.trouble(), Some(DiskTrouble::Replaced));
        fs::rename(&aside, disk.path()).unwrap();
        assert_eq!(disk.trouble(), None);
    }

    #[tokio::test]
    async fn a_file_of_two_names_is_opened_by_neither() {
        let (dir, disk) = made().await;
        fs::hard_link(disk.path(), dir.path().join("other.db")).unwrap();
        for name in ["relink.db", "other.db"] {
            let opened = Disk::open(&dir.path().join(name), Opener::Server).await;
            assert!(
                matches!(opened, Err(ServeLockError::HardLink(_))),
                "{opened:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_log_that_is_gone_is_noticed_and_no_other_file_takes_what_is_in_it() {
        let (dir, disk) = made().await;
        let log = log_of(disk.path());
        fs::write(&log, "committed").unwrap();
        disk.note_log();
        assert_eq!(disk.trouble(), None);
        fs::rename(disk.path(), dir.path().join("aside")).unwrap();
        assert!(
            Disk::open(disk.path(), Opener::Other).await.is_err(),
            "a command must not make another file"
        );
        fs::rename(dir.path().join("aside"), disk.path()).unwrap();
        fs::remove_file(&log).unwrap();
        assert_eq!(disk.trouble(), Some(DiskTrouble::LogGone));
    }

    #[tokio::test]
    async fn only_a_write_that_began_after_a_failure_ends_it() {
        let (_dir, disk) = made().await;
        let before = Instant::now();
        disk.note_failure(DiskTrouble::ReadOnly);
        disk.note_success(before);
        assert_eq!(disk.trouble(), Some(DiskTrouble::ReadOnly));
        disk.note_success(Instant::now());
        assert_eq!(disk.trouble(), None);
    }

    #[tokio::test]
    async fn the_reserve_is_real_and_can_be_given_up_once() {
        let (_dir, disk) = made().await;
        disk.reserve_make();
        let there = fs::metadata(disk.reserve()).unwrap();
        assert!(there.blocks() * 512 >= RESERVE, "{} blocks", there.blocks());
        assert!(disk.reserve_give_up() && !disk.reserve_give_up());
    }
}
