//! The key file of an instance on SQLite: made at the first start, for its owner's eyes only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use relink_engine::entropy::Entropy;
use relink_engine::vault::{KeyRing, KeyRingError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::private::{Readers, read_secret, readers};

const FILE: &str = "keys";

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{path} can be read by others; keep it to yourself with: chmod 600 {path}")]
    Open { path: String },
    #[error(
        "{path} is missing, but the database holds data sealed with it; put it back from your \
            backup, or set RELINK_KEYS"
    )]
    Missing { path: String },
    #[error("{path} is damaged: {error}; put it back from your backup")]
    Damaged { path: String, error: KeyRingError },
    #[error("{path}: {error}")]
    Io { path: String, error: io::Error },
}

/// Reads the key file; makes one where there is none and nothing was ever sealed.
pub fn load_or_create(
    data_dir: &Path,
    sealed_before: bool,
    entropy: &Entropy,
) -> Result<KeyRing, KeyFileError> {
    let file = data_dir.join(FILE);
    let path = file.display().to_string();
    let io = |error| KeyFileError::Io {
        path: path.clone(),
        error,
    };
    if !file.try_exists().map_err(io)? {
        if sealed_before {
            return Err(KeyFileError::Missing { path });
        }
        create(data_dir, &file, &KeyRing::generate(entropy), entropy).map_err(io)?;
    }
    let file = File::open(&file).map_err(io)?;
    match readers(&file).map_err(io)? {
        Readers::Nobody => {}
        Readers::OwnGroup => tracing::warn!(path, "whoever is in its group can read the key file"),
        Readers::Others => return Err(KeyFileError::Open { path }),
    }
    let text = read_secret(&file).map_err(io)?;
    KeyRing::parse(&text).map_err(|error| KeyFileError::Damaged { path, error })
}

/// Writes the file whole or not at all, and never over one that is there: several processes may
/// start at once.
fn create(data_dir: &Path, file: &Path, keys: &SecretString, entropy: &Entropy) -> io::Result<()> {
    let draft = data_dir.join(format!(".{FILE}-{}", entropy.id()));
    let mut written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    written.write_all(keys.expose_secret().as_bytes())?;
    written.write_all(b"\n")?;
    written.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    File::open(data_dir)?.sync_all()?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn made_once_private_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_create(dir.path(), false, &Entropy::seeded(1)).unwrap();
        let mode = fs::metadata(dir.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let bytes = fs::read(dir.path().join(FILE)).unwrap();
        load_or_create(dir.path(), true, &Entropy::seeded(2)).unwrap();
        assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), bytes);
        assert_eq!(first.sealing_key(), "k1");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no draft is left"
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        load_or_create(dir.path(), false, &Entropy::seeded(1)).unwrap();
        for mode in [0o644, 0o604, 0o606] {
            fs::set_permissions(dir.path().join(FILE), fs::Permissions::from_mode(mode)).unwrap();
            let error = load_or_create(dir.path(), true, &Entropy::seeded(1)).unwrap_err();
            assert!(matches!(error, KeyFileError::Open { .. }), "{error}");
        }
    }

    #[test]
    fn a_file_that_a_mount_gave_to_the_group_of_this_process_is_read() {
        let dir = tempfile::tempdir().unwrap();
        load_or_create(dir.path(), false, &Entropy::seeded(1)).unwrap();
        for mode in [0o440, 0o640, 0o660] {
            fs::set_permissions(dir.path().join(FILE), fs::Permissions::from_mode(mode)).unwrap();
            load_or_create(dir.path(), true, &Entropy::seeded(1)).unwrap();
        }
    }

    #[test]
    fn a_missing_or_damaged_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let error = load_or_create(dir.path(), true, &Entropy::seeded(1)).unwrap_err();
        assert!(matches!(error, KeyFileError::Missing { .. }), "{error}");
        load_or_create(dir.path(), false, &Entropy::seeded(1)).unwrap();
        fs::write(dir.path().join(FILE), "k1:AAAA").unwrap();
        let error = load_or_create(dir.path(), true, &Entropy::seeded(1)).unwrap_err();
        assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
        assert!(!error.to_string().contains("AAAA"));
    }
}
