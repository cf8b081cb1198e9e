//! The troubles of this Relink itself, as the strips on every page name them.

use relink_engine::Engine;
use relink_engine::clock::{AGREE, DAY, Millis};
use relink_engine::store::DiskTrouble;

use crate::view::InstanceTrouble;
use crate::view::time::span;

/// Everything at once, the worst first.
pub fn troubles(engine: &Engine) -> Vec<InstanceTrouble> {
    let disk = engine.disk_trouble().map(disk);
    disk.into_iter()
        .chain(clock(engine.clock_trust().ahead))
        .collect()
}

fn disk(trouble: DiskTrouble) -> InstanceTrouble {
    match trouble {
        DiskTrouble::Full => InstanceTrouble::DiskFull,
        DiskTrouble::ReadOnly => InstanceTrouble::ReadOnly,
        DiskTrouble::Gone | DiskTrouble::Replaced | DiskTrouble::LogGone => {
            InstanceTrouble::FileGone
        }
        DiskTrouble::Failing => InstanceTrouble::DiskFailing,
    }
}

fn clock(ahead: Millis) -> Option<InstanceTrouble> {
    match ahead {
        ahead if ahead >= AGREE => Some(InstanceTrouble::ClockAhead(about(ahead))),
        ahead if ahead <= -AGREE => Some(InstanceTrouble::ClockBehind(about(-ahead))),
        _ => None,
    }
}

fn about(off: Millis) -> String {
    if off >= 2 * DAY {
        format!("{} days", off / DAY)
    } else {
        span(off)
    }
}
