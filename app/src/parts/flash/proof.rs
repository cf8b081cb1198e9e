//! What proving who somebody is led to.

use super::{Tone, Words};
use crate::view::{EmailCodeView, LentView, ProofProblem};

pub fn proved_at_linear(name: &str, workspace: &str, email_proved: bool, lent: LentView) -> Words {
    let says = if email_proved {
        "Linear says so, and knows you by the e-mail that you have here."
    } else {
        "Linear says so."
    };
    let lent = match lent {
        LentView::HandedBack => "The permission to look is handed back.",
        LentView::Kept => {
            "The permission to look is kept sealed, and handed back with the connection that may \
                hang on it."
        }
        LentView::Asked => "The permission to look is handed back as soon as Linear confirms it.",
    };
    Words::new(
        Tone::Good,
        format!("You are {name} in {workspace}."),
        format!("{says} {lent}"),
    )
}

pub fn not_raised(name: &str, sentence: &str) -> Words {
    let rest = format!(
        "{sentence} Nothing was changed. They prove it on this page, by e-mail or at Linear; or \
            you vouch for them under Manage."
    );
    Words::new(
        Tone::Bad,
        format!("{name} cannot be given this role yet."),
        rest,
    )
}

pub fn vouched(name: &str) -> Words {
    Words::new(
        Tone::Good,
        format!("You vouched for {name}."),
        "They can be given any role in this organisation now.",
    )
}

pub fn not_vouched() -> Words {
    let rest = "Nobody vouches for themself, and where an e-mail is proved or vouched for there is \
        no need. Nothing was changed.";
    Words::new(Tone::Bad, "There was nothing to vouch for.", rest)
}

pub fn email_code(code: &EmailCodeView) -> Words {
    match code {
        EmailCodeView::Sent { email } => Words::new(
            Tone::Good,
            format!("A code is on its way to {email}."),
            "Enter it under “You in Linear”. It works for 30 minutes.",
        ),
        EmailCodeView::Proved { email } => Words::new(
            Tone::Good,
            format!("{email} is proved."),
            "Nothing more is asked for.",
        ),
        EmailCodeView::Invalid => Words::new(
            Tone::Bad,
            "This code is not valid.",
            "It was used, ran out, or has a typo. Only the newest one works.",
        ),
        EmailCodeView::Paused { minutes } => Words::new(
            Tone::Bad,
            "Too many codes.",
            format!("Wait {minutes} minutes, then try again. Nothing was changed."),
        ),
        EmailCodeView::NotSent => Words::new(
            Tone::Waiting,
            "The code could not be sent.",
            "The mail server did not take it. Nothing was changed. Try again later, or continue \
                with Linear.",
        ),
        EmailCodeView::NotSetUp => Words::new(
            Tone::Bad,
            "No mail server is set up.",
            "Nothing was sent. Continue with Linear, or ask an owner to vouch for you.",
        ),
    }
}

pub fn not_proved(problem: &ProofProblem) -> Words {
    use Tone::{Bad, Waiting};
    match problem {
        ProofProblem::SomebodyElse {
            name,
            email,
            workspace,
        } => Words::new(
            Bad,
            format!("Linear says that you are {name}."),
            format!("{email} in {workspace} is not who was meant. Nothing was linked."),
        ),
        ProofProblem::OtherWorkspace {
            name,
            email,
            workspace,
            expected,
        } => Words::new(
            Bad,
            "You approved another workspace.",
            format!(
                "Linear says that you are {name}, {email}, in {workspace}. This is about \
                    {expected}. Nothing was linked. Choose {expected} \
                    on Linear’s page."
            ),
        ),
        ProofProblem::NotLinkable { name, workspace } => Words::new(
            Bad,
            format!("Linear says that you are {name}."),
            format!("That is a bot, or somebody who left {workspace}. Nothing was linked."),
        ),
        ProofProblem::Taken { name, email } => Words::new(
            Bad,
            format!("Linear says that you are {name}."),
            format!(
                "{email} is linked as that person already. Nothing was changed. If that account is \
                    not yours, tell an owner."
            ),
        ),
        ProofProblem::Other { name, already } => Words::new(
            Bad,
            format!("Linear says that you are {name}."),
            format!(
                "You are {already} in this workspace already. Nothing was changed. Unlink that \
                    first."
            ),
        ),
        ProofProblem::Denied => Words::new(
            Bad,
            "Linear did not say who you are.",
            "Somebody pressed Cancel, or the Linear app may not be used there. Nothing was linked. \
                A link code does it too.",
        ),
        ProofProblem::Stopped => Words::new(
            Bad,
            "Linear stopped before it said who you are.",
            "Nothing was linked. Try again, or use a link code.",
        ),
        ProofProblem::Mismatch => Words::new(
            Bad,
            "Somebody else is signed in by now.",
            "Nothing was linked. Continue with Linear once more.",
        ),
        ProofProblem::Refused => Words::new(
            Bad,
            "Linear would not say who you are.",
            "Most often the client ID or client secret here differs from the app in Linear. \
                Nothing was linked. An owner can compare them.",
        ),
        ProofProblem::Unreachable => Words::new(
            Waiting,
            "Linear does not answer right now.",
            "Nothing was linked. Try again in a minute.",
        ),
        ProofProblem::Gone => Words::new(
            Bad,
            "There is nothing to prove any more.",
            "The workspace was disconnected, or who you are here has changed meanwhile. Nothing \
                was linked.",
        ),
        ProofProblem::Unproved => Words::new(
            Bad,
            "Nobody proved that your account’s e-mail is yours.",
            "Until then it gets no place in another organisation. Nothing was linked, and the code \
                still works. Prove it on your team’s \
                page first.",
        ),
        ProofProblem::OwnCode => Words::new(
            Bad,
            "You made this code yourself, for somebody with another e-mail.",
            "Nothing was linked, and the code still works for whom it is for. If they are you, \
                continue with Linear.",
        ),
        ProofProblem::NotConfigured => Words::new(
            Bad,
            "No Linear app is set up.",
            "Linear cannot be asked who you are. Nothing was linked.",
        ),
        ProofProblem::Interrupted => Words::new(
            Bad,
            "Relink was stopped while it asked Linear who you are.",
            "Nothing was linked, unless this page shows it. Begin again: continue with Linear once \
                more.",
        ),
        ProofProblem::Internal => Words::new(
            Waiting,
            "Relink could not finish this.",
            "Nothing was linked. Try again in a minute.",
        ),
    }
}
