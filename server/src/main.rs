//! `relink`: builds the real clock and the real dice, and runs the command.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use relink_engine::clock::{Clock, Millis, SECOND};
use relink_engine::entropy::Entropy;

/// Every request allocates dozens of small pieces, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the one real clock")]
fn clock() -> Clock {
    let wall = || {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    };
    // Counts while the machine sleeps too.
    let stopwatch = || {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        since.tv_sec * SECOND + since.tv_nsec / 1_000_000
    };
    Clock::new(wall, stopwatch)
}

#[expect(clippy::disallowed_methods, reason = "the one real source of chance")]
fn entropy() -> Entropy {
    // Without randomness nothing here is safe: better to stop than to go on.
    Entropy::new(|slice| getrandom::fill(slice).expect("the operating system gives random bytes"))
}

fn main() -> ExitCode {
    relink_server::run(clock(), entropy())
}
