//! The troubles that a round may have beside Linear's: kills, disks, clocks, pauses, partitions,
//! logs that nobody reads, and an operator who changes their mind.

use std::time::Duration;

use crate::cable::Cable;
use crate::control::{Control, Fault};
use crate::dice::Dice;
use crate::fleet::Fleet;

const HOUR_S: i64 = 3_600;
const CLOCKS_S: [i64; 6] = [
    HOUR_S,
    -HOUR_S,
    48 * HOUR_S,
    -48 * HOUR_S,
    31 * 24 * HOUR_S,
    -31 * 24 * HOUR_S,
];

#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    Kill,
    /// The process stands still for a while.
    Pause,
    /// The disk under SQLite fills or fails.
    Disk,
    /// The machine's clock shows another time for a while.
    Clock,
    /// The way to PostgreSQL is cut, or goes dead without a word.
    Partition,
    /// It is started again with a log that nobody reads.
    Log,
    /// It is started again with the other policy for shared workspaces.
    Policy,
}

const ALL: [Trouble; 7] = [
    Trouble::Kill,
    Trouble::Pause,
    Trouble::Disk,
    Trouble::Clock,
    Trouble::Partition,
    Trouble::Log,
    Trouble::Policy,
];

/// The ways to make trouble for one server.
pub struct Strings {
    pub control: Control,
    /// The cable, only where the database is a server of its own.
    pub cable: Option<Cable>,
}

/// Makes one kind of trouble for one server, for a while.
pub async fn make(fleet: &mut Fleet, strings: &[Strings], dice: &Dice) -> Trouble {
    let trouble = dice.one_of(&ALL);
    let victim = dice.below(strings.len() as u64) as usize;
    let (string, a_while) = (&strings[victim], Duration::from_millis(dice.below(2_500)));
    match trouble {
        Trouble::Kill => {
            fleet.kill(victim);
            if dice.one_in(2) {
                fleet.restart(victim).await;
            }
        }
        Trouble::Pause => {
            fleet.signal(victim, "STOP");
            tokio::time::sleep(a_while).await;
            fleet.signal(victim, "CONT");
        }
        Trouble::Disk => {
            string
                .control
                .arm(dice.one_of(&Fault::ALL), 1 + dice.below(30) as i64);
            tokio::time::sleep(a_while).await;
            string.control.disarm();
        }
        Trouble::Clock => {
            string.control.move_clock(dice.one_of(&CLOCKS_S));
            tokio::time::sleep(a_while).await;
            string.control.move_clock(0);
        }
        Trouble::Partition => {
            if let Some(cable) = &string.cable {
                if dice.one_in(2) {
                    cable.cut()
                } else {
                    cable.go_dead()
                }
                tokio::time::sleep(a_while).await;
                cable.plug_in();
            }
        }
        Trouble::Log => {
            fleet.kill(victim);
            fleet.restart_deaf(victim).await;
        }
        Trouble::Policy => {
            fleet.kill(victim);
            let shared = (
                "RELINK_SHARED_WORKSPACES".to_owned(),
                dice.one_in(2).to_string(),
            );
            fleet.own[victim].push(shared);
            fleet.restart(victim).await;
        }
    }
    trouble
}
