//! The folder of the database and the keys, where it cannot be used: whose fault that is, and what
//! to do.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::config::Config;

/// The reason why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderTrouble {
    #[error(
        "is not there, and user {user}, whom Relink runs as, may not make it. Make it and give it \
            to that user (install -d -o {user})"
    )]
    NotMade { user: u32 },
    #[error("is not there. Make it")]
    Missing,
    #[error(
        "cannot be written to by user {user}, whom Relink runs as. Give it to that user (chown -R \
            {user})"
    )]
    NotOurs { user: u32 },
    #[error("is on a disk that is mounted read-only. Mount it so that it can be written to")]
    ReadOnly,
    #[error("is not a folder. Name one")]
    NotAFolder,
    #[error("cannot be used: {0}. Put that right")]
    Other(io::Error),
}

/// The setting that names it, with what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {path} {trouble}, or set {setting} to another place")]
pub struct UnusableFolder {
    setting: &'static str,
    path: String,
    trouble: FolderTrouble,
}

/// Finds what of the SQLite file's folder, or in it, cannot be used; `None` where something else is
/// wrong, or with PostgreSQL.
pub fn unusable(config: &Config) -> Option<UnusableFolder> {
    let file = config.sqlite_file()?;
    let folder = fs::canonicalize(file)
        .ok()
        .and_then(|file| file.parent().map(Path::to_owned));
    let folder = folder.or_else(|| file.parent().map(Path::to_owned))?;
    let (path, trouble) = trouble_of(&folder, file)?;
    let setting = if file.parent() == Some(config.data_dir.as_path()) {
        "RELINK_DATA_DIR"
    } else {
        "DATABASE_URL"
    };
    Some(UnusableFolder {
        setting,
        path: path.display().to_string(),
        trouble,
    })
}

/// Says whether the data directory is not there yet, and a start would make it.
pub fn is_still_to_be_made(config: &Config) -> bool {
    let folder = &config.data_dir;
    let above = folder.ancestors().find(|above| above.exists());
    fs::symlink_metadata(folder).is_err()
        && access(
            above.unwrap_or(Path::new(".")),
            Access::WRITE_OK | Access::EXEC_OK,
        )
        .is_ok()
}

/// The data directory could not be made.
pub fn not_made(config: &Config, error: io::Error) -> UnusableFolder {
    let path = config.data_dir.display().to_string();
    let trouble = match error.kind() {
        ErrorKind::PermissionDenied => FolderTrouble::NotMade { user: user() },
        ErrorKind::ReadOnlyFilesystem => FolderTrouble::ReadOnly,
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => FolderTrouble::NotAFolder,
        _ => FolderTrouble::Other(error),
    };
    UnusableFolder {
        setting: "RELINK_DATA_DIR",
        path,
        trouble,
    }
}

/// Finds what is wrong with a folder: SQLite makes files beside the database, and writes to those
/// that are there.
fn trouble_of(folder: &Path, file: &Path) -> Option<(PathBuf, FolderTrouble)> {
    if fs::metadata(folder).is_ok_and(|there| !there.is_dir()) {
        return Some((folder.to_owned(), FolderTrouble::NotAFolder));
    }
    let beside = ["-wal", "-shm"].map(|end| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    let lock = file.with_extension("serve-lock");
    let whole = access(folder, Access::WRITE_OK | Access::EXEC_OK)
        .err()
        .map(|error| (folder.to_owned(), error));
    let one = [file, &beside[0], &beside[1], &lock]
        .into_iter()
        .find_map(|file| {
            let error = access(file, Access::READ_OK | Access::WRITE_OK)
                .err()
                .filter(|error| *error != Errno::NOENT)?;
            Some((file.to_owned(), error))
        });
    whole
        .or(one)
        .map(|(path, error)| (path, FolderTrouble::from(error)))
}

impl From<Errno> for FolderTrouble {
    fn from(error: Errno) -> FolderTrouble {
        match error {
            Errno::ACCESS | Errno::PERM => FolderTrouble::NotOurs { user: user() },
            Errno::NOENT => FolderTrouble::Missing,
            Errno::ROFS => FolderTrouble::ReadOnly,
            Errno::NOTDIR => FolderTrouble::NotAFolder,
            other => FolderTrouble::Other(other.into()),
        }
    }
}

fn user() -> u32 {
    geteuid().as_raw()
}
