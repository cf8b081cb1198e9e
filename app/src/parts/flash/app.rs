//! What adding, changing and removing an app of one's own led to.

use super::{Next, Tone, Words};

pub fn added(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is added."),
        "Workspaces can be connected through it now.",
    )
    .then(Next::Integrations)
}

pub fn secrets_replaced(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("The secrets of {name} are replaced."),
        "Relink uses what you entered from now on.",
    )
}

pub fn removed(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is removed."),
        "Its secrets are forgotten. The app in Linear is still there.",
    )
}

pub fn in_use(name: &str) -> Words {
    let rest = "Workspaces are connected through it; disconnect them first. Nothing was changed.";
    Words::new(Tone::Bad, format!("{name} was not removed."), rest)
}
