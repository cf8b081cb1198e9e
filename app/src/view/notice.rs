//! The result of an act, said once at the top of the next page.

use serde::{Deserialize, Serialize};

/// Bold fact, plain consequence, next steps. Made where the act is; it waits in the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub tone: Tone,
    pub fact: String,
    pub rest: String,
    pub next: Vec<Next>,
    /// The contract's code in `?error=` of a connect that did not work.
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    Good,
    Bad,
    Waiting,
}

/// A next step, for those who may take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// The label of the button.
    Connect(String),
    ConnectAgain,
    Reconnect {
        connection: String,
        workspace: String,
    },
    Link {
        label: String,
        href: String,
        quiet: bool,
    },
    /// The way to add an own app, for owners.
    OwnApp,
    /// Asks whether they are the person that they approved as: Linear's id, and the name.
    AreYou {
        connection: String,
        workspace: String,
        person: String,
        name: String,
    },
}

impl Next {
    #[must_use]
    pub fn link(label: &str, href: impl Into<String>) -> Next {
        Next::Link {
            label: label.to_owned(),
            href: href.into(),
            quiet: false,
        }
    }

    /// Leads to the settings, which tell of this Relink's own app.
    #[must_use]
    pub fn settings(label: &str) -> Next {
        Next::Link {
            label: label.to_owned(),
            href: "/settings#linear-app".to_owned(),
            quiet: true,
        }
    }
}

impl Notice {
    pub fn new(tone: Tone, fact: impl Into<String>, rest: impl Into<String>) -> Notice {
        Notice {
            tone,
            fact: fact.into(),
            rest: rest.into(),
            next: Vec::new(),
            error: None,
        }
    }

    pub fn good(fact: impl Into<String>, rest: impl Into<String>) -> Notice {
        Notice::new(Tone::Good, fact, rest)
    }

    pub fn bad(fact: impl Into<String>, rest: impl Into<String>) -> Notice {
        Notice::new(Tone::Bad, fact, rest)
    }

    /// Makes a notice of what passes by itself, or is nobody's fault.
    pub fn waiting(fact: impl Into<String>, rest: impl Into<String>) -> Notice {
        Notice::new(Tone::Waiting, fact, rest)
    }

    #[must_use]
    pub fn then(mut self, next: Next) -> Notice {
        self.next.push(next);
        self
    }
}
