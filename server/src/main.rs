//! `relink`: builds the real clock and the real dice, and runs the command.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use relink_engine::clock::{Clock, Millis};
use relink_engine::entropy::Entropy;

/// Every request allocates dozens of small pieces, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the one real clock")]
fn clock() -> Clock {
    Clock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
        Millis::try_from(since.as_millis()).expect("the clock is before the year 292 million")
    })
}

#[expect(clippy::disallowed_methods, reason = "the one real source of chance")]
fn entropy() -> Entropy {
    // Without randomness nothing here is safe: better to stop than to go on.
    Entropy::new(|slice| getrandom::fill(slice).expect("the operating system gives random bytes"))
}

fn main() -> ExitCode {
    relink_server::run(clock(), entropy())
}
