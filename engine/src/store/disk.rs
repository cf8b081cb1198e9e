//! The disk under an SQLite file: whether the file is still the one that was opened, and whether there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes in a file beside the database that are given up when a pair of tokens that Linear has
/// minted already finds no other room.
const RESERVE: u64 = 8 << 20;
/// Bytes that have to be free, beside the reserve, for anything new to begin.
const FLOOR: u64 = 8 << 20;

/// Why nothing that is written now can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskTrouble {
    #[error("the disk is full, or nearly")]
    Full,
    #[error("the database file cannot be written to")]
    ReadOnly,
    #[error("the database file is gone from its path")]
    Gone,
    #[error("another file is where the database was")]
    Replaced,
    #[error("the disk fails to write the database")]
    Failing,
}

impl DiskTrouble {
    const ALL: [DiskTrouble; 5] =
        [DiskTrouble::Full, DiskTrouble::ReadOnly, DiskTrouble::Gone, DiskTrouble::Replaced, DiskTrouble::Failing];

    #[must_use]
    pub fn from_name(name: &str) -> Option<DiskTrouble> {
        DiskTrouble::ALL.into_iter().find(|trouble| trouble.name() == name)
    }

    /// A name for `/readyz`, metrics and the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DiskTrouble::Full => "disk_full",
            DiskTrouble::ReadOnly => "database_read_only",
            DiskTrouble::Gone => "database_file_gone",
            DiskTrouble::Replaced => "database_file_replaced",
            DiskTrouble::Failing => "disk_failing",
        }
    }
}

/// The file that was opened, and where.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    opened: (u64, u64),
    /// The last write that failed for the disk's sake, until one has worked again.
    failed: Mutex<Option<(DiskTrouble, Instant)>>,
}

impl Disk {
    /// Makes the file, for its owner's eyes only, where there is none. SQLite gives the files beside
    /// it the same permissions.
    pub fn open(path: &Path) -> io::Result<Disk> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        // A file on a disk that takes no writes can still be read from.
        let file = file.or_else(|error| File::open(path).map_err(|_| error))?;
        let opened = identity(&file.metadata()?);
        Ok(Disk { path: path.to_owned(), opened, failed: Mutex::default() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What keeps anything new from being begun, as far as one can tell without writing.
    pub fn trouble(&self) -> Option<DiskTrouble> {
        self.file_trouble().or_else(|| self.room_trouble()).or(self.failed().map(|(trouble, _)| trouble))
    }

    /// Whether the file at the path is the one that is open, with room for more.
    pub fn takes_more(&self) -> Option<DiskTrouble> {
        self.file_trouble().or_else(|| self.room_trouble())
    }

    /// Whether the file at the path is the one that is open: what goes into any other is lost.
    pub fn same_file(&self) -> Result<(), sqlx::Error> {
        self.file_trouble().map_or(Ok(()), |trouble| Err(sqlx::Error::Io(io::Error::other(trouble))))
    }

    fn file_trouble(&self) -> Option<DiskTrouble> {
        match fs::metadata(&self.path) {
            Ok(there) if identity(&there) == self.opened => None,
            Ok(_) => Some(DiskTrouble::Replaced),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(DiskTrouble::Gone),
            Err(_) => Some(DiskTrouble::Failing),
        }
    }

    fn room_trouble(&self) -> Option<DiskTrouble> {
        // Where the question is not answered, a write that fails will tell.
        let room = free(&self.path).unwrap_or(u64::MAX);
        (room < FLOOR).then_some(DiskTrouble::Full)
    }

    fn failed(&self) -> MutexGuard<'_, Option<(DiskTrouble, Instant)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.path.with_extension("reserve")
    }

    /// Sets room aside, where there is plenty of it.
    pub fn reserve_make(&self) -> io::Result<()> {
        let reserve = self.reserve();
        let there = fs::metadata(&reserve).is_ok_and(|file| file.len() == RESERVE);
        if there || free(&self.path).is_ok_and(|room| room < 2 * FLOOR + RESERVE) {
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

fn identity(file: &fs::Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Bytes that this user may still take on the disk of a path.
fn free(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Written, not only given a length, and not with noughts: some disks keep neither.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    let block: Vec<u8> = (0..1_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for _ in 0..RESERVE / block.len() as u64 {
        file.write_all(&block)?;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (tempfile::TempDir, Disk) {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(&dir.path().join("relink.db")).unwrap();
        (dir, disk)
    }

    #[test]
    fn a_file_that_is_gone_or_replaced_is_noticed_and_so_is_its_return() {
        let (dir, disk) = made();
        assert_eq!(disk.trouble(), None);
        let aside = dir.path().join("aside");
        fs::rename(disk.path(), &aside).unwrap();
        assert_eq!(disk.trouble(), Some(DiskTrouble::Gone));
        fs::write(disk.path(), "").unwrap();
        assert_eq!(disk.trouble(), Some(DiskTrouble::Replaced));
        fs::rename(&aside, disk.path()).unwrap();
        assert_eq!(disk.trouble(), None);
    }

    #[test]
    fn only_a_write_that_began_after_a_failure_ends_it() {
        let (_dir, disk) = made();
        let before = Instant::now();
        disk.note_failure(DiskTrouble::ReadOnly);
        disk.note_success(before);
        assert_eq!(disk.trouble(), Some(DiskTrouble::ReadOnly));
        disk.note_success(Instant::now());
        assert_eq!(disk.trouble(), None);
    }

    #[test]
    fn the_reserve_is_real_and_can_be_given_up_once() {
        let (_dir, disk) = made();
        disk.reserve_make().unwrap();
        let there = fs::metadata(disk.reserve()).unwrap();
        assert!(there.blocks() * 512 >= RESERVE, "{} blocks", there.blocks());
        assert!(disk.reserve_give_up() && !disk.reserve_give_up());
    }
}
