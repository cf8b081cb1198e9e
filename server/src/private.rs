//! Files that hold secrets: who else may read them, and reading them so that no copy is left in
//! memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{getegid, geteuid, getgroups};
use zeroize::Zeroizing;

/// The length of a file: longer than any secret.
const SECRET_MAX: usize = 64 * 1024;
/// The time to read a file: longer than any disk takes for so little.
const PATIENCE: Duration = Duration::from_secs(5);

/// The users who may read a file, beside the process itself and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    Nobody,
    /// A group that this process is in. Kubernetes makes this of a mount for whoever sets
    /// `fsGroup`.
    OwnGroup,
    Others,
}

pub fn readers(file: &File) -> io::Result<Readers> {
    let file = file.metadata()?;
    let trusted_owner = file.uid() == 0 || file.uid() == geteuid().as_raw();
    Ok(match (file.mode() & 0o070 != 0, file.mode() & 0o007 != 0) {
        (false, false) => Readers::Nobody,
        (true, false) if trusted_owner && is_own_group(file.gid())? => Readers::OwnGroup,
        _ => Readers::Others,
    })
}

fn is_own_group(id: u32) -> io::Result<bool> {
    Ok(getegid().as_raw() == id || getgroups()?.iter().any(|group| group.as_raw() == id))
}

/// The secret that comes from here, without one newline at its end and the mark that some editors
/// put at the start. What it was read into is wiped.
///
/// # Errors
/// Reading fails, or this is no text, or longer than any secret.
pub fn read_secret(from: impl Read) -> io::Result<Zeroizing<String>> {
    let bytes = read_whole(from, SECRET_MAX)?;
    let text = str::from_utf8(&bytes).map_err(|_| invalid("it is not text in UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned().into())
}

/// All that comes from here, which is at most this many bytes. What it was read into is wiped.
pub fn read_whole(from: impl Read, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Never grows: what a buffer leaves behind when it moves is wiped by nobody.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
    from.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(invalid("it is too long"));
    }
    Ok(bytes)
}

fn invalid(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Reads what comes in a moment. A pipe is a file too, and nobody may ever write into it.
pub fn in_time<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, waiting) = mpsc::channel();
    // Whoever waits may have given up, which ends the process.
    thread::spawn(move || done.send(read()));
    waiting.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "nothing comes from it",
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_group_may_read_along_only_if_it_is_the_process_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let readers_with = |mode, group| {
            std::os::unix::fs::chown(file.path(), None, Some(group)).unwrap();
            set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            readers(file.as_file()).unwrap()
        };
        let own = getegid().as_raw();
        for (mode, expected) in [
            (0o400, Readers::Nobody),
            (0o600, Readers::Nobody),
            (0o440, Readers::OwnGroup),
            (0o640, Readers::OwnGroup),
            (0o660, Readers::OwnGroup),
            (0o604, Readers::Others),
            (0o644, Readers::Others),
            (0o666, Readers::Others),
        ] {
            assert_eq!(readers_with(mode, own), expected, "{mode:o}");
        }
        // Only root can give a file to a group that it is not in.
        if geteuid().is_root() {
            assert_eq!(readers_with(0o640, 54_321), Readers::Others);
            assert_eq!(readers_with(0o600, 54_321), Readers::Nobody);
        }
    }

    #[test]
    fn one_newline_is_dropped_and_nothing_is_cut() {
        let read = |bytes: &[u8]| read_secret(bytes).map(|text| text.to_string());
        for (text, secret) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a b ", " a b "),
            ("\u{feff}a", "a"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), secret);
        }
        assert_eq!(read(&[b'x'; SECRET_MAX]).unwrap().len(), SECRET_MAX);
        assert!(read(&[b'x'; SECRET_MAX + 1]).is_err() && read(b"\xff").is_err());
    }
}
