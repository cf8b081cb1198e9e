//! Destinations: where deliveries are handed on to, and what became of each delivery there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Answer, Choice, Complaint, Moment};

/// The numbers of deliveries that can be sent again at a time; the engine takes no more than the
/// last.
pub const RESENT_AT_ONCE: [u32; 3] = [10, 100, 1_000];

/// The section at the foot of `/deliveries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandedOnView {
    /// The oldest first.
    pub destinations: Vec<DestinationView>,
    /// The form for a new one; `None` for those who do not manage.
    pub form: Option<DestinationForm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationView {
    pub id: String,
    /// "hooks.example.com"; with its path where another one has the same host.
    pub name: String,
    pub url: String,
    /// Types of events; empty for all.
    pub events: Vec<String>,
    /// Events about the same issue go one after the other.
    pub ordered: bool,
    /// "whsec_····8fQ="
    pub secret: String,
    pub state: DestinationState,
    /// The time at which it last took a delivery: "2 min ago"; `None` if never.
    pub taken: Option<Moment>,
    pub waiting: u64,
    pub given_up: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationState {
    Active,
    /// The destination has failed since "14:02 UTC today", with its last answer.
    Failing {
        since: Moment,
        answer: Option<Answer>,
    },
    Paused {
        since: Moment,
        because: PausedBecause,
        answer: Option<Answer>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedBecause {
    /// It took nothing for a day.
    Failures,
    /// It said that it is no more.
    Gone,
    Person,
}

/// The form for a new destination: empty, or as it was typed and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationForm {
    pub url: String,
    pub events: Vec<Choice>,
    pub ordered: bool,
    pub complaint: Option<Complaint>,
}

/// The fields that were typed for a new destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub url: String,
    pub events: Vec<String>,
    pub ordered: bool,
}

/// The attempts to hand a delivery on to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttemptView {
    pub destination: String,
    /// [`DestinationView::name`]
    pub name: String,
    pub fate: Fate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// "2 min ago"
    Sent {
        answer: Option<Answer>,
        at: Option<Moment>,
    },
    Waiting {
        answer: Option<Answer>,
        tries: u32,
        next: NextTry,
    },
    GivenUp {
        answer: Option<Answer>,
        tries: u32,
        at: Option<Moment>,
    },
    /// It takes events of other types.
    Unwanted,
    /// It came before the destination was there.
    NotSent,
}

/// The time of the next try of a delivery that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextTry {
    /// "in 4 min"
    At(String),
    /// It was not tried yet.
    First,
    /// It is tried as soon as it can be: somebody asked for it.
    Soon,
    /// The delivery is not tried before the destination is resumed.
    Paused,
}

/// The page after a destination was added.
#[derive(Clone, PartialEq, Eq)]
pub enum NewDestinationView {
    Shown {
        name: String,
        secret: String,
    },
    /// It was shown before.
    Gone,
}

/// Leaves out the secret, which must not get into a log.
impl fmt::Debug for NewDestinationView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NewDestinationView::Shown { name, .. } => formatter
                .debug_struct("Shown")
                .field("name", name)
                .finish_non_exhaustive(),
            NewDestinationView::Gone => formatter.write_str("Gone"),
        }
    }
}
