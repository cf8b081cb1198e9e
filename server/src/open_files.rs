//! Open files: connections are files, too. As many as the system allows are asked for, and a part
//! is kept for the database, Linear and destinations, so that whoever connects takes none from
//! them.

use rlimit::Resource;

/// The number of files below which database, Linear, destinations and those who connect would be in
/// each other's way.
const LEAST: u64 = 256;
/// The files kept for the rest at most; never more than half.
const KEPT: u64 = 512;
/// The limit where the system does not say it.
const USUAL: u64 = 1_024;

#[derive(Debug, thiserror::Error)]
#[error(
    "this process may have {0} files open, and Relink needs {LEAST}: raise the limit (ulimit -n, \
        LimitNOFILE= for systemd, --ulimit nofile= for \
        containers)"
)]
pub struct TooFew(u64);

/// Raises the limit as far as the system lets it, and answers it.
pub fn raise() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(USUAL)
}

/// The same for a server, which does not run with too few.
pub fn raise_or_refuse() -> Result<(), TooFew> {
    let most = raise();
    if most < LEAST {
        Err(TooFew(most))
    } else {
        Ok(())
    }
}

/// Reads how many files may be open.
pub fn limit() -> u64 {
    Resource::NOFILE.get_soft().unwrap_or(USUAL)
}

/// The number of connections that there may be at a time.
pub fn for_connections() -> usize {
    left_of(limit())
}

fn left_of(limit: u64) -> usize {
    usize::try_from(limit - KEPT.min(limit / 2))
        .unwrap_or(usize::MAX)
        .min(tokio::sync::Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_connects_leaves_a_part() {
        for (limit, left) in [(256, 128), (1_024, 512), (20_000, 19_488)] {
            assert_eq!(left_of(limit), left);
        }
        assert_eq!(left_of(u64::MAX), tokio::sync::Semaphore::MAX_PERMITS);
    }
}
