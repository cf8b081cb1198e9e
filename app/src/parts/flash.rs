//! What the last post led to, said once at the top of the page: bold fact, plain consequence, next
//! step.

use leptos::prelude::*;

use self::connected::{Proposal, connected, proposed};
use super::card::KEPT;
use super::{ConnectButton, Glyph, Icon, ReconnectForm};
use crate::view::{ConnectError, Flash, ProofProblem};

mod app;
mod connected;
mod destination;
mod proof;
mod team;
mod webhook;

pub use team::invite_problem;

const TRY_AGAIN: &str = "Try again";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    Waiting,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    Connect(&'static str),
    Reconnect {
        connection: String,
        workspace: String,
    },
    Settings(&'static str),
    /// For those who own.
    OwnApp,
    Integrations,
    /// The connection whose webhook is to be set up.
    Webhook(String),
    WhichIsYou,
    /// Into the form, which is folded away.
    CheckAnother,
}

struct Words {
    tone: Tone,
    fact: String,
    rest: String,
    next: Vec<Next>,
    proposal: Option<Proposal>,
}

impl Words {
    fn new(tone: Tone, fact: impl Into<String>, rest: impl Into<String>) -> Words {
        Words {
            tone,
            fact: fact.into(),
            rest: rest.into(),
            next: Vec::new(),
            proposal: None,
        }
    }

    fn then(mut self, next: Next) -> Words {
        self.next.push(next);
        self
    }
}

#[component]
pub fn FlashMessage(
    flash: Flash,
    /// The address of the page without the message.
    page: String,
    /// Next steps are offered to those who may take them.
    manages: bool,
    #[prop(optional)] owns: bool,
    /// There is more than one app to connect through: the form on the page has the choice.
    #[prop(optional)]
    several_apps: bool,
) -> impl IntoView {
    let words = words(flash);
    let (class, icon) = match words.tone {
        Tone::Good => ("flash ok", Icon::Check),
        Tone::Bad => ("flash bad", Icon::Warning),
        Tone::Waiting => ("flash wait", Icon::Clock),
    };
    let alarming = words.tone != Tone::Good;
    let next: Vec<Next> = words
        .next
        .into_iter()
        .filter(|next| manages && (owns || *next != Next::OwnApp))
        .collect();
    let step = |next| {
        if several_apps {
            step_to_choice(next)
        } else {
            step(next)
        }
    };
    let next = (!next.is_empty())
        .then(|| view! { <div class="do">{next.into_iter().map(step).collect_view()}</div> });
    let proposal = words
        .proposal
        .filter(|_| manages)
        .map(|proposal| proposed(proposal, page.clone()));
    view! {
        <div
            class=class
            role=if alarming { "alert" } else { "status" }
            tabindex=alarming.then_some("-1")
            autofocus=alarming
        >
            <Glyph icon />
            <div>
                <p><b>{words.fact}</b> " " {words.rest}</p>
                {next}
                {proposal}
            </div>
            <a class="btn quiet x" href=page aria-label="Dismiss message">
                <Glyph icon=Icon::Cross />
            </a>
        </div>
    }
    .into_any()
}

/// Why Linear's word did not do, on a page that has no place for messages.
#[component]
pub fn NotProved(problem: ProofProblem) -> impl IntoView {
    let words = proof::not_proved(&problem);
    view! { <p class="note" role="alert" tabindex="-1" autofocus><b>{words.fact}</b> " " {words.rest}</p> }.into_any()
}

fn step_to_choice(next: Next) -> AnyView {
    match next {
        Next::Connect(label) => view! { <a class="btn" href="#connect">{label}</a> }.into_any(),
        next => step(next),
    }
}

fn step(next: Next) -> AnyView {
    match next {
        Next::Connect(label) => {
            let icon = if label == TRY_AGAIN {
                Icon::Turn
            } else {
                Icon::Plus
            };
            view! { <ConnectButton label icon /> }.into_any()
        }
        Next::Reconnect {
            connection,
            workspace,
        } => view! { <ReconnectForm connection workspace /> }.into_any(),
        Next::Webhook(connection) => {
            view! { <a class="btn" href=format!("/integrations/{connection}#webhooks")>"Paste the \
            webhook secret"</a> }
            .into_any()
        }
        Next::WhichIsYou => {
            view! { <a class="btn" href="/team#me">"Which one is you?"</a> }.into_any()
        }
        Next::CheckAnother => {
            view! { <a class="btn" href="#check-body">"Check another delivery"</a> }.into_any()
        }
        Next::OwnApp => {
            view! { <a class="btn quiet" href="/settings#own-apps">"Add an app of your own"</a> }
                .into_any()
        }
        Next::Integrations => {
            view! { <a class="btn" href="/integrations">"Connect a workspace"</a> }.into_any()
        }
        Next::Settings(label) => {
            view! { <a class="btn quiet" href="/settings#linear-app">{label}</a> }.into_any()
        }
    }
}

fn words(flash: Flash) -> Words {
    use Tone::{Bad, Good, Waiting};
    match flash {
        Flash::Connected {
            connection,
            workspace,
            delivers,
            you,
        } => connected(connection, workspace, delivers, you),
        Flash::Reconnected { workspace, viewer } => Words::new(
            Good,
            format!("{workspace} is connected again."),
            format!("Linear answered as “{viewer}”."),
        ),
        Flash::Disconnected {
            workspace,
            revoked: true,
        } => Words::new(
            Good,
            format!("{workspace} is disconnected."),
            "Both tokens were revoked at Linear.",
        ),
        Flash::DisconnectedKept { workspace } => {
            Words::new(Good, format!("{workspace} is disconnected."), KEPT)
        }
        Flash::DisconnectedLater { workspace } => Words::new(
            Good,
            format!("{workspace} is disconnected."),
            "Somebody is just connecting through the same Linear app: the tokens are revoked at \
                Linear within a few minutes.",
        ),
        Flash::Disconnected { revoked: false, .. } => Words::new(
            Waiting,
            "Disconnected here.",
            "Linear did not confirm the revocation; remove the app in Linear's settings to be \
                sure.",
        ),
        Flash::Checked { millis } => Words::new(
            Good,
            format!("Linear answered in {millis} ms."),
            "The connection works.",
        ),
        Flash::CheckUnreachable => Words::new(
            Waiting,
            "Linear does not answer right now.",
            "Relink keeps trying; nothing for you to do.",
        ),
        Flash::CheckRefused => Words::new(
            Bad,
            "Linear refused the check.",
            "What that means for the connection is shown below.",
        ),
        Flash::Refreshed { until } => Words::new(
            Good,
            "The token was refreshed.",
            format!("It is good until {until}."),
        ),
        Flash::NotRefreshable { until } => Words::new(
            Waiting,
            "This token cannot be refreshed.",
            format!(
                "Linear gave no refresh token with it. It is good until {until}; reconnect before \
                    then."
            ),
        ),
        Flash::RefreshPutOff => Words::new(
            Waiting,
            "The token was not refreshed.",
            "Linear cannot do it right now. The present token stays in use while it is good; \
                Relink tries again by itself.",
        ),
        Flash::PasswordChanged => Words::new(
            Good,
            "Your password is changed.",
            "Every other browser is signed out.",
        ),
        Flash::PasswordRefused(_) => Words::new(
            Bad,
            "The password was not changed.",
            "It needs at least 12 characters, and must not be one that is easily guessed.",
        ),
        Flash::PasswordWrong => Words::new(
            Bad,
            "The password was not changed.",
            "The current password is wrong, or it was tried too often; then wait 15 minutes.",
        ),
        Flash::KeyRevoked { name } => Words::new(
            Good,
            format!("The key {name} is revoked."),
            "Programs that use it are refused from now on.",
        ),
        Flash::SecretSaved { replaced } => webhook::saved(replaced),
        Flash::SecretUnchanged => Words::new(
            Good,
            "This is the current secret already.",
            "Nothing was changed.",
        ),
        Flash::SecretsTooMany => Words::new(
            Bad,
            "The secret was not saved.",
            "No more can be accepted at a time. Stop accepting one of those below, then save it \
                again.",
        ),
        Flash::SecretStopped { secret } => Words::new(
            Good,
            format!("{secret} is accepted no more."),
            "What is signed with it is refused from now on.",
        ),
        Flash::DeliveryChecked(check) => webhook::checked(check),
        Flash::DestinationPaused { name } => destination::paused(&name),
        Flash::DestinationResumed { name } => destination::resumed(&name),
        Flash::DestinationRemoved { name } => destination::removed(&name),
        Flash::SentAgain {
            name,
            count,
            paused,
        } => destination::sent_again(&name, count, paused),
        Flash::CodeRevoked { name } => team::code_revoked(&name),
        Flash::NoNewCode(problem) => team::no_new_code(&problem),
        Flash::SelfLinked { name, workspace } => team::self_linked(&name, &workspace),
        Flash::SelfNotLinked(problem) => team::self_not_linked(&problem),
        Flash::SelfOther { name } => team::self_other(&name),
        Flash::Unlinked { name, workspace } => team::unlinked(&name, &workspace),
        Flash::RoleChanged { name, role } => team::role_changed(&name, &role),
        Flash::MemberRemoved { name } => team::member_removed(&name),
        Flash::LastOwner => team::last_owner(),
        Flash::NotRaised { name, sentence } => proof::not_raised(&name, &sentence),
        Flash::Vouched { name } => proof::vouched(&name),
        Flash::NotVouched => proof::not_vouched(),
        Flash::ProvedAtLinear {
            name,
            workspace,
            email_proved,
            lent,
        } => proof::proved_at_linear(&name, &workspace, email_proved, lent),
        Flash::NotProved(problem) => proof::not_proved(&problem),
        Flash::EmailCode(code) => proof::email_code(&code),
        Flash::AppAdded { name } => app::added(&name),
        Flash::AppSecretsReplaced { name } => app::secrets_replaced(&name),
        Flash::AppRemoved { name } => app::removed(&name),
        Flash::AppInUse { name } => app::in_use(&name),
        Flash::InOrganisation { name } => Words::new(
            Good,
            format!("You are in {name} now."),
            "So are your other tabs, as soon as they are loaded again.",
        ),
        Flash::SessionEnded { browser } => {
            let which = if browser.is_empty() {
                "That browser".to_owned()
            } else {
                browser
            };
            Words::new(
                Good,
                format!("{which} is signed out."),
                "Whoever used it there has to sign in again.",
            )
        }
        Flash::SignedOutElsewhere => Words::new(
            Good,
            "Signed out everywhere else.",
            "Only this browser is still signed in.",
        ),
        Flash::ConnectFailed(error) => failed(error),
        Flash::Failed(failure) => Words::new(Bad, "That did not work.", failure.to_string()),
    }
}

fn failed(error: ConnectError) -> Words {
    use Tone::{Bad, Waiting};
    const AGAIN: Next = Next::Connect(TRY_AGAIN);
    const CHECK: Next = Next::Settings("Check the app in Linear");
    match error {
        ConnectError::AccessDenied => Words::new(
            Bad,
            "Linear did not give access.",
            "Someone pressed Cancel, the person is no admin there, or the Linear app is private to \
                another workspace. \
                Nothing was changed.",
        )
        .then(AGAIN)
        .then(CHECK)
        .then(Next::OwnApp),
        ConnectError::StateMismatch => Words::new(
            Bad,
            "This attempt did not start in this browser,",
            "or it is older than 10 minutes. Nothing was changed. Press Connect Linear to start \
                again; if Linear asked an \
                admin to approve the app first, wait until they have.",
        )
        .then(Next::Connect("Connect Linear")),
        ConnectError::ExchangeFailed => Words::new(
            Bad,
            "Linear would not hand over a token.",
            "Most often the client ID, client secret or redirect URI here differs from the app in \
                Linear. Nothing was changed.",
        )
        .then(Next::Settings("Compare in Settings"))
        .then(AGAIN),
        ConnectError::AuthorizationFailed => Words::new(
            Bad,
            "Linear stopped the approval.",
            "Check the app's settings in Linear, then try again. Nothing was changed.",
        )
        .then(CHECK)
        .then(AGAIN),
        ConnectError::WrongWorkspace { expected } => wrong_workspace(expected),
        ConnectError::AlreadyConnected(there) => {
            let rest = "Nothing was changed. Linear’s page lists all your workspaces: pick a \
                different one there. If this one makes \
                trouble, reconnect it; to change what it may do, disconnect it first.";
            Words::new(
                Bad,
                format!("{} is connected here already.", there.name),
                rest,
            )
            .then(Next::Connect("Pick another workspace"))
            .then(Next::Reconnect {
                connection: there.connection,
                workspace: there.name,
            })
        }
        ConnectError::WorkspaceAlreadyLinked { email } => {
            let whom = if email.is_some() {
                "them"
            } else {
                "whoever connected it"
            };
            let by = email.map_or_else(String::new, |email| format!("by {email}, "));
            let rest = format!(
                "{by}in another organisation on this Relink. Nothing was changed. Ask {whom} to \
                    disconnect it, or pick \
                    a different workspace."
            );
            Words::new(Bad, "That workspace is already connected", rest)
                .then(Next::Connect("Pick another workspace"))
        }
        ConnectError::LinearUnreachable => Words::new(
            Waiting,
            "Linear does not answer right now.",
            "Nothing was changed and your approval was not used up. Try again in a minute.",
        )
        .then(AGAIN),
        ConnectError::NotConfigured => Words::new(
            Bad,
            "No Linear app is set up here yet.",
            "Without one Linear cannot ask anybody for approval. Nothing was changed.",
        )
        .then(Next::Settings("Set up the Linear app")),
        ConnectError::Interrupted => Words::new(
            Bad,
            "Relink was stopped while it asked Linear.",
            "Nothing was changed, unless the workspace is listed as connected. If it is not, begin \
                again.",
        )
        .then(AGAIN),
        ConnectError::Internal => Words::new(
            Bad,
            "Connecting did not work.",
            "Relink could not finish it on its side. Nothing was changed. Try again in a minute.",
        )
        .then(AGAIN),
        ConnectError::Unknown => {
            Words::new(Bad, "Connecting did not work.", "Nothing was changed.").then(AGAIN)
        }
    }
}

fn wrong_workspace(expected: Option<crate::view::ExpectedWorkspace>) -> Words {
    let fact = "You approved another workspace.";
    let Some(expected) = expected else {
        let rest = "This Reconnect is for a different one. Nothing was changed. Choose it on \
            Linear's page, or connect the \
            other one as a new workspace.";
        return Words::new(Tone::Bad, fact, rest).then(Next::Connect("Connect Linear"));
    };
    let name = expected.name;
    let rest = format!(
        "This Reconnect is for {name}. Nothing was changed. Choose {name} on Linear's page, or \
            connect the other one as a new \
            workspace."
    );
    Words::new(Tone::Bad, fact, rest)
        .then(Next::Reconnect {
            connection: expected.connection,
            workspace: name,
        })
        .then(Next::Connect("Connect Linear"))
}

#[cfg(test)]
#[path = "flash_tests.rs"]
mod tests;
