//! One refresh, decided step by step. Nothing here waits, asks or writes: whoever drives it carries
//! out a [`Step`] and reports the [`Event`] that came of it, so that a test can walk through every
//! interleaving of several refreshes with crashes in between (`steps_tests.rs`), with the very
//! decisions that production makes.
//!
//! The order is the whole safety argument: the intent is in the row before Linear is asked, and the
//! new pair is in the row, fenced by the generation, before anybody uses it. A lease only keeps
//! others from asking at the same time. Two that ask with the same refresh token get the same pair
//! from Linear (its 30-minute replay), and one of them writes.

use crate::connection::state::Reason;

/// Questions in a row within one refresh when the answer is lost or useless.
pub const TRIES: u8 = 3;
/// A grant is only given up when Linear refused it this often, with a look at the row before each.
pub const REFUSALS: u8 = 2;
/// The number of refusals that make a verdict where an answer may have been lost within Linear's
/// window: a refusal contradicts what Linear promises, so it is asked some more, over some seconds.
pub const REFUSALS_OF_A_REPLAY: u8 = 4;
/// Attempts to write a pair down: longer than Linear's window, after which ours is the only copy.
pub const WRITES: u16 = 1_000;

/// The next thing to do. `P` is the pair of tokens, which the decisions never look into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step<P> {
    /// Read the row, to see why there is no lease to be had or whether somebody was quicker.
    Read,
    /// Look again in a moment: somebody else is asking Linear.
    Wait,
    /// Take the lease, note the intent and read the row, in one statement, on the generation that
    /// this refresh is about.
    Lease,
    /// Show Linear the refresh token.
    Ask,
    /// Take a short breath, as nothing came of it, then read the row again.
    Breathe {
        tries: u8,
    },
    /// Write the pair where the generation is still the one that was read.
    Save {
        pair: P,
        replayed: bool,
    },
    /// The database did not take it: take a short breath, then write again.
    SaveAgain {
        pair: P,
        replayed: bool,
        writes: u16,
    },
    /// Revoke the pair: somebody connected anew or disconnected meanwhile, and nobody will ever use
    /// it.
    Void {
        pair: P,
    },
    /// Mark the connection, if the generation is still the one that Linear refused.
    Break {
        reason: Reason,
        refusals: u8,
    },
    /// Note the failure, let go of the lease, and come back later.
    BackOff(Setback),
    Done(End),
}

/// The reason why a refresh is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setback {
    /// Linear did not answer usefully; `reached`: it may have seen the request.
    Transient { reached: bool },
    /// Linear wishes to be left alone for a while, so this refresh asks no more. It may have seen
    /// the request.
    Busy,
    /// Linear does not accept this Relink as a client: nothing that a connection could help.
    Misconfigured,
}

/// The result of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event<P> {
    Row(Row),
    Leased(Intent),
    NotLeased,
    /// The refresh token was not shown to Linear: the row was read too long ago, or Linear was
    /// asked too often.
    NotShown,
    /// The lease is there, and nothing to show Linear.
    NoToken(Reason),
    Waited,
    Pair(P),
    /// `invalid_grant`.
    Refused,
    Setback(Setback),
    Saved,
    /// The generation had moved: nothing was written.
    Overtaken(By),
    /// The database failed; whether it wrote is not known.
    NotSaved,
    Voided,
    Broken,
    NotBroken,
    PutOff,
}

/// The knowledge of the refresh token at the time when the lease was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// It had never been shown to Linear.
    New,
    /// It had been shown, within Linear's window, and the outcome is not known.
    Open,
    /// The same, but the window is over.
    Late,
}

/// The state of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub generation: i64,
    pub connected: bool,
    /// Another refresh holds a lease that is alive.
    pub leased: bool,
}

/// The party that was quicker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// Another refresh of the same grant: its pair is as good as ours, and may be the very same.
    Refresh,
    /// A new consent, or a disconnect: the grant that we refreshed is not this connection's any
    /// more.
    Person,
}

/// The end of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    Refreshed,
    /// The tokens are refreshed, with a refresh token that had been shown before without an answer
    /// that was kept.
    Replayed,
    /// The row holds newer tokens.
    RotatedByPeer,
    BackedOff,
    Misconfigured,
    Broken,
    /// The connection was broken or ended by somebody else.
    NotConnected,
}

/// The memory of one refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refresh {
    generation: i64,
    replay: bool,
    late: bool,
    refusals: u8,
    tries: u8,
}

impl Refresh {
    /// Begins a refresh of the tokens of this generation, and no other.
    #[must_use]
    pub fn of(generation: i64) -> Refresh {
        Refresh {
            generation,
            replay: false,
            late: false,
            refusals: 0,
            tries: 0,
        }
    }

    #[cfg(test)]
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// The lease comes first: nearly always it is free, and taking it reads the row.
    pub fn begin<P>() -> Step<P> {
        Step::Lease
    }

    /// The next step after what became of the last one.
    pub fn next<P>(&mut self, last: Step<P>, event: Event<P>) -> Step<P> {
        match (last, event) {
            (_, Event::Row(row)) => self.look(row),
            (_, Event::Leased(intent)) => {
                self.replay |= intent != Intent::New;
                self.late |= intent == Intent::Late;
                Step::Ask
            }
            (_, Event::NotLeased | Event::Waited) => Step::Read,
            // Whatever has happened meanwhile, the lease knows: with it the row is read again.
            (_, Event::NotShown) => Step::Lease,
            (_, Event::NoToken(reason)) => Step::Break {
                reason,
                refusals: 0,
            },
            (_, Event::Pair(pair)) => Step::Save {
                pair,
                replayed: self.replay,
            },
            (_, Event::Refused) => self.refused(),
            (_, Event::Setback(setback)) => self.set_back(setback),
            (_, Event::Saved) => Step::Done(if self.replay {
                End::Replayed
            } else {
                End::Refreshed
            }),
            (
                Step::Save { pair, .. } | Step::SaveAgain { pair, .. },
                Event::Overtaken(By::Person),
            ) => Step::Void { pair },
            (_, Event::Overtaken(_) | Event::NotBroken) => Step::Done(End::RotatedByPeer),
            (Step::Save { pair, replayed }, Event::NotSaved) => Step::SaveAgain {
                pair,
                replayed,
                writes: 1,
            },
            (
                Step::SaveAgain {
                    pair,
                    replayed,
                    writes,
                },
                Event::NotSaved,
            ) if writes < WRITES => Step::SaveAgain {
                pair,
                replayed,
                writes: writes + 1,
            },
            // The intent stays open in the row: the next refresh gets the same pair by a replay.
            (_, Event::NotSaved) => Step::BackOff(Setback::Transient { reached: true }),
            (_, Event::Voided) => Step::Done(End::RotatedByPeer),
            (_, Event::Broken) => Step::Done(End::Broken),
            (Step::BackOff(Setback::Misconfigured), Event::PutOff) => {
                Step::Done(End::Misconfigured)
            }
            (_, Event::PutOff) => Step::Done(End::BackedOff),
        }
    }

    fn look<P>(&self, row: Row) -> Step<P> {
        if row.generation != self.generation {
            Step::Done(End::RotatedByPeer)
        } else if !row.connected {
            Step::Done(End::NotConnected)
        } else if row.leased {
            Step::Wait
        } else {
            Step::Lease
        }
    }

    /// The row is read again before the second question: whoever rotated meanwhile has made this
    /// token void.
    fn refused<P>(&mut self) -> Step<P> {
        self.refusals += 1;
        let enough = if self.replay && !self.late {
            REFUSALS_OF_A_REPLAY
        } else {
            REFUSALS
        };
        if self.refusals < enough {
            return Step::Breathe {
                tries: self.refusals,
            };
        }
        Step::Break {
            reason: Reason::InvalidGrant,
            refusals: self.refusals,
        }
    }

    fn set_back<P>(&mut self, setback: Setback) -> Step<P> {
        self.tries += 1;
        match setback {
            Setback::Transient { reached } if self.tries < TRIES => {
                // The answer to this one may have been the pair: what follows is a replay.
                self.replay |= reached;
                Step::Breathe { tries: self.tries }
            }
            setback => Step::BackOff(setback),
        }
    }
}
