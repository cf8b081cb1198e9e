//! Tells `fault.c` what to fail, through the file that it has mapped.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

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
    /// From one write on there is no room, until somebody makes some.
    Full,
    /// One call fails.
    FailingOnce,
    /// From one call on, all fail.
    Failing,
    /// From one call on, nothing may be written.
    ReadOnly,
}

impl Fault {
    pub const ALL: [Fault; 5] = [Fault::FullOnce, Fault::Full, Fault::FailingOnce, Fault::Failing, Fault::ReadOnly];

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

/// `struct control` of `fault.c`.
pub struct Control(File);

impl Control {
    pub fn make(path: &Path) {
        std::fs::write(path, [0; 40]).unwrap();
    }

    pub fn open(path: &Path) -> Control {
        Control(OpenOptions::new().read(true).write(true).open(path).unwrap())
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

    fn write(&self, numbers: &[i64; 5]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.0.write_all_at(&bytes, 0).unwrap();
    }
}
