//! Every write, sync and open of the SQLite file fails once, and once for good, through everything
//! that must not be lost.
//!
//! The faults come from a library that is loaded before libc's own (`fault.c`), so the tests run in
//! a process of their own: this binary again, with that library in front.

#![expect(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[expect(dead_code, reason = "other suites move the clock too")]
mod control;
mod world;

use std::path::Path;
use std::process::Command;

use control::{Control, Fault, compile};
use world::{Act, World};

const CHILD: &str = "every_failing_write_loses_nothing_in_this_process";

/// The number of calls that no act exceeds.
const CALLS_MAX: i64 = 400;

#[test]
fn whatever_write_sync_or_open_of_the_database_fails_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let library = dir.path().join("fault.so");
    compile(&library);
    let control = dir.path().join("control");
    Control::make(&control);
    let child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD, "--exact", "--ignored", "--nocapture"])
        .env("LD_PRELOAD", &library)
        .env("FAULT_CONTROL", &control)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "only with fault.c in front of libc"]
#[expect(
    clippy::disallowed_methods,
    reason = "is told where the faults are set"
)]
async fn every_failing_write_loses_nothing_in_this_process() {
    let control = Control::open(Path::new(&std::env::var("FAULT_CONTROL").unwrap()));
    for act in Act::ALL {
        let mut world = World::new().await;
        let mut fired = 0;
        for fault in Fault::ALL {
            fired += every_call(&control, &mut world, act, fault).await;
        }
        assert!(fired > 20, "{act:?}: only {fired} calls failed");
        println!("{act:?}: {fired} calls failed, lost 0");
    }
}

/// Fails the first call, then the second, until the act is through before its turn comes.
async fn every_call(control: &Control, world: &mut World, act: Act, fault: Fault) -> u32 {
    for n in 1..CALLS_MAX {
        let what = format!("{act:?}, {fault:?}, call {n}");
        let before = world.before();
        control.arm(fault, n);
        let doing = world.begin(act);
        let done = world.wait_a_moment(doing).await;
        let at_the_crash = world.as_after_a_crash();
        let fired = control.disarm() >= n;
        let outcome = world.wait(done, &what).await;
        world.nothing_is_lost(&before, outcome, &at_the_crash, &what);
        if !fired {
            return u32::try_from(n - 1).unwrap();
        }
        world.all_is_well(&what).await;
    }
    panic!("{act:?} makes no end of calls");
}
