//! Makes the library of `fault.c`, and tells it what to fail, through the file that it has mapped.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

const WRITES: i64 = 1;
const SYNCS: i64 = 2;
const OPENS: i64 = 4;
const ENOSPC: i64 = 28;
const EIO: i64 = 5;
const EROFS: i64 = 30;

/// A kind of bad day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// One write finds no room.
    FullOnce,
    /// The disk has no room from one write on, until somebody makes some.
    Full,
    /// One call fails.
    FailingOnce,
    /// The calls all fail from one on.
    Failing,
    /// The file may not be written from one call on.
    ReadOnly,
}

impl Fault {
    pub const ALL: [Fault; 5] = [
        Fault::FullOnce,
        Fault::Full,
        Fault::FailingOnce,
        Fault::Failing,
        Fault::ReadOnly,
    ];

    /// Kinds of calls, whether all after the first fail too, and what they say.
    fn set(self) -> (i64, i64, i64) {
        match self {
            Fault::FullOnce => (WRITES, 0, ENOSPC),
            Fault::Full => (WRITES, 1, ENOSPC),
            Fault::FailingOnce => (WRITES | SYNCS | OPENS, 0, EIO),
            Fault::Failing => (WRITES | SYNCS | OPENS, 1, EIO),
            Fault::ReadOnly => (WRITES, 1, EROFS),
        }
    }
}

const BYTES: usize = 48;

/// Builds the library, to be named in `LD_PRELOAD`.
pub fn compile(library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/faults/fault.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(library)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(
        made.unwrap().success(),
        "the C compiler that Rust needs anyway is missing"
    );
}

/// `struct control` of `fault.c`.
pub struct Control(File);

impl Control {
    pub fn make(path: &Path) {
        std::fs::write(path, [0; BYTES]).unwrap();
    }

    pub fn open(path: &Path) -> Control {
        Control(
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .unwrap(),
        )
    }

    /// The `n`-th call from now on fails.
    pub fn arm(&self, fault: Fault, n: i64) {
        let (kinds, lasting, error) = fault.set();
        self.write(&[kinds, 0, lasting, error, 0]);
        self.0.write_all_at(&n.to_ne_bytes(), 8).unwrap();
    }

    /// All is well again. Answers how many calls there were.
    pub fn disarm(&self) -> i64 {
        let mut seen = [0; 8];
        self.0.read_exact_at(&mut seen, 32).unwrap();
        self.write(&[0; 5]);
        i64::from_ne_bytes(seen)
    }

    /// The machine's clock shows this many seconds more.
    pub fn move_clock(&self, ahead_s: i64) {
        self.0.write_all_at(&ahead_s.to_ne_bytes(), 40).unwrap();
    }

    fn write(&self, numbers: &[i64; 5]) {
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_ne_bytes())
            .collect();
        self.0.write_all_at(&bytes, 0).unwrap();
    }
}
