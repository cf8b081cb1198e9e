//! The troubles of this Relink itself, for everybody who looks at a page of it.

/// Something that only whoever runs this Relink can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceTrouble {
    DiskFull,
    /// The database cannot be written to.
    ReadOnly,
    /// The database file was moved, deleted or replaced under the running process.
    FileGone,
    DiskFailing,
    /// The machine's clock is this much ahead, or behind.
    ClockAhead(String),
    ClockBehind(String),
}

impl InstanceTrouble {
    /// Names the trouble.
    #[must_use]
    pub fn fact(&self) -> String {
        match self {
            InstanceTrouble::DiskFull => "Relink’s disk is full.".to_owned(),
            InstanceTrouble::ReadOnly => "Relink’s database cannot be written to.".to_owned(),
            InstanceTrouble::FileGone => {
                "Relink’s database files were moved or replaced.".to_owned()
            }
            InstanceTrouble::DiskFailing => "Relink’s disk fails.".to_owned(),
            InstanceTrouble::ClockAhead(span) => {
                format!("The clock of Relink’s machine is {span} ahead.")
            }
            InstanceTrouble::ClockBehind(span) => {
                format!("The clock of Relink’s machine is {span} behind.")
            }
        }
    }

    /// Says what follows from it, and what to do.
    #[must_use]
    pub fn rest(&self) -> &'static str {
        match self {
            InstanceTrouble::DiskFull => {
                "Tokens that are valid keep working, but none is renewed, and webhooks wait at \
                    Linear, which sends them again for \
                    seven hours. Make room on the disk; Relink goes on by itself."
            }
            InstanceTrouble::ReadOnly | InstanceTrouble::DiskFailing => {
                "Tokens that are valid keep working, but nothing can be saved, and webhooks wait \
                    at Linear, which sends them again \
                    for seven hours. Relink goes on by itself as soon as a write works."
            }
            InstanceTrouble::FileGone => {
                "What is saved now would be lost, so nothing is, and webhooks wait at Linear. Put \
                    the files back, or restart \
                    Relink to use what is there."
            }
            InstanceTrouble::ClockAhead(_) | InstanceTrouble::ClockBehind(_) => {
                "Relink goes by Linear’s time and deletes nothing while that is in question. Set \
                    the clock."
            }
        }
    }
}
