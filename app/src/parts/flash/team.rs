//! What inviting, linking and managing members led to.

use super::{Tone, Words};
use crate::parts::possessive;
use crate::view::{INVITED_AT_ONCE, InviteProblem};

pub fn code_revoked(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{} code is revoked.", possessive(name)),
        "It is worth nothing any more.",
    )
}

pub fn no_new_code(problem: &InviteProblem) -> Words {
    Words::new(Tone::Bad, "No new code was made.", invite_problem(problem))
}

pub fn self_linked(name: &str, workspace: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("You are {name} in {workspace}."),
        "Tools of your organisation know it from now on.",
    )
}

pub fn self_not_linked(problem: &InviteProblem) -> Words {
    Words::new(Tone::Bad, "You were not linked.", invite_problem(problem))
}

pub fn self_other(name: &str) -> Words {
    Words::new(
        Tone::Bad,
        "You were not linked.",
        format!("You are {name} in this workspace already. Unlink that first."),
    )
}

pub fn unlinked(name: &str, workspace: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} in {workspace} is unlinked."),
        "A new link code can link them again.",
    )
}

pub fn role_changed(name: &str, role: &str) -> Words {
    let role = match role {
        "owner" => "an owner",
        "admin" => "an admin",
        _ => "a member",
    };
    Words::new(
        Tone::Good,
        format!("{name} is {role} now."),
        "They were signed out everywhere.",
    )
}

pub fn member_removed(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("{name} is removed."),
        "They were signed out everywhere, and who they are in Linear is forgotten.",
    )
}

pub fn last_owner() -> Words {
    Words::new(
        Tone::Bad,
        "An organisation needs an owner.",
        "Nothing was changed. Make somebody else an owner first.",
    )
}

/// Why no code was made, for the field and for the top of the page.
#[must_use]
pub fn invite_problem(problem: &InviteProblem) -> String {
    match problem {
        InviteProblem::Nobody => "Nobody active in this workspace has that name or e-mail. Pick \
            from the list, or type the e-mail that \
            Linear knows."
            .to_owned(),
        InviteProblem::Several => "More than one person has this name. Type the e-mail.".to_owned(),
        InviteProblem::Linked { email } => {
            format!("They are linked to {email} already. Unlink that first if it is wrong.")
        }
        InviteProblem::NeedsProof { name, email } => {
            format!(
                "In Linear {name} has the e-mail {email}, which is not yours here. If they are \
                    you, continue with Linear. Nothing was changed."
            )
        }
        InviteProblem::Unreachable => "Linear does not answer right now. Nothing was changed. Try \
            again in a minute."
            .to_owned(),
        InviteProblem::Refused => {
            "Linear refused this one question, for its rate limit or a missing permission. Nothing \
                was changed."
                .to_owned()
        }
        InviteProblem::Reconnect => {
            "This workspace needs a reconnect first. Nothing was changed.".to_owned()
        }
        InviteProblem::Late => {
            "Linear took too long for those before. Try again in a minute.".to_owned()
        }
        InviteProblem::NobodyPicked => "Pick at least one person. Nobody was invited.".to_owned(),
        InviteProblem::TooMany => {
            format!("{INVITED_AT_ONCE} people at a time. Nobody was invited.")
        }
        InviteProblem::Failed(failure) => failure.to_string(),
    }
}
