//! The reasons why Linear's word about who somebody is linked nobody.

use relink_engine::people::{ProofError, Told};
use relink_engine::text;

use crate::view::Notice;

pub fn not_proved(error: ProofError) -> Notice {
    tracing::warn!(%error, "a proof at Linear linked nobody");
    match error {
        ProofError::AccessDenied => Notice::bad(
            "Linear did not say who you are.",
            "Somebody pressed Cancel, or the Linear app may not be used there. Nothing was linked. \
                A link code does it too.",
        ),
        ProofError::AuthorizationFailed => Notice::bad(
            "Linear stopped before it said who you are.",
            "Nothing was linked. Try again, or use a link code.",
        ),
        ProofError::StateMismatch => Notice::bad(
            "Somebody else is signed in by now.",
            "Nothing was linked. Continue with Linear once more.",
        ),
        ProofError::ExchangeFailed(_) => Notice::bad(
            "Linear would not say who you are.",
            "Most often the client ID or client secret here differs from the app in Linear. \
                Nothing was linked. An owner can compare them.",
        ),
        ProofError::LinearUnreachable(_) => Notice::waiting(
            "Linear does not answer right now.",
            "Nothing was linked. Try again in a minute.",
        ),
        ProofError::Gone | ProofError::EmailTaken => gone(),
        ProofError::OtherWorkspace { told, expected } => {
            other_workspace(&shown(told), &text::name(&expected))
        }
        ProofError::SomebodyElse { told } => {
            let told = shown(told);
            let rest = format!(
                "{} in {} is not who was meant. Nothing was linked.",
                told.email, told.workspace
            );
            Notice::bad(says(&told), rest)
        }
        ProofError::NotLinkable { told } => {
            let told = shown(told);
            let rest = format!(
                "That is a bot, or somebody who left {}. Nothing was linked.",
                told.workspace
            );
            Notice::bad(says(&told), rest)
        }
        ProofError::PersonTaken { told, email } => {
            let rest = format!(
                "{} is linked as that person already. Nothing was changed. If that account is not \
                    yours, tell an owner.",
                text::email(&email)
            );
            Notice::bad(says(&shown(told)), rest)
        }
        ProofError::OtherPerson { told, name } => {
            let rest = format!(
                "You are {} in this workspace already. Nothing was changed. Unlink that first.",
                text::name(&name)
            );
            Notice::bad(says(&shown(told)), rest)
        }
        ProofError::Unproved => unproved(),
        ProofError::Stopped => Notice::bad(
            "Relink was stopped while it asked Linear who you are.",
            "Nothing was linked, unless this page shows it. Begin again: continue with Linear once \
                more.",
        ),
        ProofError::Failed | ProofError::Sealed(_) | ProofError::Store(_) => Notice::waiting(
            "Relink could not finish this.",
            "Nothing was linked. Try again in a minute.",
        ),
    }
}

/// Makes what Linear calls people and places fit to be shown.
pub fn shown(told: Told) -> Told {
    Told {
        name: text::name(&told.name),
        email: text::email(&told.email),
        workspace: text::name(&told.workspace),
    }
}

fn says(told: &Told) -> String {
    format!("Linear says that you are {}.", told.name)
}

fn other_workspace(told: &Told, expected: &str) -> Notice {
    let Told {
        name,
        email,
        workspace,
    } = told;
    Notice::bad(
        "You approved another workspace.",
        format!(
            "Linear says that you are {name}, {email}, in {workspace}. This is about {expected}. \
                Nothing was linked. Choose {expected} on Linear’s page."
        ),
    )
}

/// The thing to be proved is not there any more.
pub fn gone() -> Notice {
    Notice::bad(
        "There is nothing to prove any more.",
        "The workspace was disconnected, or who you are here has changed meanwhile. Nothing was \
            linked.",
    )
}

/// The account's e-mail, and the code is another organisation's.
pub fn unproved() -> Notice {
    Notice::bad(
        "Nobody proved that your account’s e-mail is yours.",
        "Until then it gets no place in another organisation. Nothing was linked, and the code \
            still works. Prove it on your team’s page first.",
    )
}

pub fn own_code() -> Notice {
    Notice::bad(
        "You made this code yourself, for somebody with another e-mail.",
        "Nothing was linked, and the code still works for whom it is for. If they are you, \
            continue with Linear.",
    )
}

pub fn no_app() -> Notice {
    Notice::bad(
        "No Linear app is set up.",
        "Linear cannot be asked who you are. Nothing was linked.",
    )
}
