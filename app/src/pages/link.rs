//! `/link`: a link code is typed, looked at and answered. Nobody needs to be signed in, and a phone
//! is enough.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::link_end::{ended, next_code};
use super::load::loaded;
use super::sign_in::words;
use crate::api::load_link;
use crate::parts::{Content, Field, Glyph, Icon, NoticeLine, Problem, possessive};
use crate::view::{AskerView, Choice, Complaint, LinkAccount, LinkProblem, LinkView, PreviewView};
use relink_frontend::{CodeFromAddress, Once};

const SIGN_IN: &str = "/signin?next=/link";
/// The explanation beside Continue with Linear.
pub const LINEAR_LOOKS: &str = "Linear will ask whether Relink may see who you are. Relink looks \
    once and hands the permission back.";

#[component]
pub fn LinkPage() -> impl IntoView {
    let ended = use_query_map().with_untracked(|query| query.get("ended").is_some());
    loaded(load_link(ended), link)
}

/// The page, given its data.
pub fn link(view: LinkView) -> Content {
    let content = match view {
        LinkView::Enter {
            typed,
            problem,
            workspaces,
        } => enter(typed, problem, workspaces),
        LinkView::Preview(preview) => preview_of(preview),
        LinkView::Ended(end) => ended(end),
    };
    let about = Some(
        "A teammate sent you a link code. Enter it, and say whether the Linear person that it \
            stands for is you.",
    );
    Content {
        alone: true,
        about,
        ..content
    }
}

fn enter(typed: String, problem: Option<LinkProblem>, workspaces: Vec<Choice>) -> Content {
    let problem = problem.map(|problem| Problem {
        text: sentence(problem),
        first: true,
    });
    let refused = problem.is_some();
    let main = view! {
        <div>
            <h1>"Enter your link code"</h1>
            <p class="soft">"Next you see which Linear person it stands for, and say yes or no."</p>
        </div>
        <CodeFromAddress>
            <form method="post" action="/link">
                <Field
                    id="code"
                    label="Link code"
                    value=typed
                    autocomplete="off"
                    placeholder="XXXX-XXXX-XXXX-XXXX"
                    hint="The part after # in the link you got. Capitals and dashes do not matter."
                    code=true
                    problem
                />
                <button class="btn primary tall wide">"Continue"</button>
            </form>
        </CodeFromAddress>
        {(!workspaces.is_empty()).then(|| by_linear(workspaces))}
    };
    let foot = Some(view! { <span>"Looking at a code does not use it up."</span> }.into_any());
    Content {
        refused,
        foot,
        ..Content::new("Enter your link code, Relink", None, main)
    }
}

/// Offers to be linked without a code, for those who are signed in.
fn by_linear(workspaces: Vec<Choice>) -> AnyView {
    let form = |one: Choice| {
        view! {
            <form method="post" action="/oauth/linear/prove">
                <input type="hidden" name="workspace" value=one.value />
                <button class="btn tall wide">
                    <span>
                        "Continue with Linear" <span class="sr">" in "</span> " · " {one.label}
                    </span>
                </button>
            </form>
        }
    };
    view! {
        <div>
            <h2>"No code?"</h2>
            <p class="soft">{LINEAR_LOOKS}</p>
        </div>
        {workspaces.into_iter().map(form).collect_view()}
    }
    .into_any()
}

fn sentence(problem: LinkProblem) -> String {
    match problem {
        LinkProblem::Invalid => {
            "This code is not valid. It was used, ran out, or has a typo. Ask whoever sent it for \
                a new one."
                .to_owned()
        }
        LinkProblem::Paused { minutes } => words(Complaint::Paused { minutes }),
        LinkProblem::Unavailable => "Relink cannot reach its database right now. Try again in a \
            minute."
            .to_owned(),
        LinkProblem::Forgotten => "That took too long, so Relink forgot the code. Nothing was \
            changed. Enter it again."
            .to_owned(),
    }
}

fn preview_of(view: PreviewView) -> Content {
    let (answers, by_linear) = (answers(&view), better(&view));
    let told = view
        .told
        .clone()
        .map(|notice| view! { <NoticeLine notice /> });
    let (account, never) = (account(&view), never_signed_in(&view));
    let main = view! {
        <h1>"Is this you in Linear?"</h1>
        {told}
        <div class="me">
            <span class="ava xl" aria-hidden="true">{view.initials}</span>
            <p class="nm">{view.name}</p>
            <p class="at">{view.email}</p>
            <p class="in">
                <span class="ava ws s" aria-hidden="true">{view.workspace_initials}</span>
                <span>"in " <b>{view.workspace}</b> " on Linear"</span>
            </p>
        </div>
        {account}
        {answers}
        <p class="small muted">{asking(&view.asker)} " It gives nobody access to your Linear \
            account."</p>
        {by_linear}
        {never}
        {next_code()}
    };
    let foot = Some(view! { <span>"Code runs out in " {view.runs_out}</span> }.into_any());
    Content {
        foot,
        ..Content::new("Is this you in Linear? Relink", None, main)
    }
}

fn account(view: &PreviewView) -> Option<AnyView> {
    match &view.account {
        LinkAccount::New => None,
        LinkAccount::Yours { email } => Some(
            view! { <p class="note">"A yes adds this to your account, " {email.clone()} "."</p> }
                .into_any(),
        ),
        LinkAccount::SignInFirst => Some(
            view! {
                <p class="note">
                    "Somebody has an account with " {view.email.clone()}
                    " here. If that is you, sign in first; then you are back on this page."
                </p>
            }
            .into_any(),
        ),
    }
}

fn never_signed_in(view: &PreviewView) -> Option<AnyView> {
    let words = "You never set a password? Ask whoever invited you to remove you from the team and \
        invite you again; where the account is another team’s, ask whoever runs this Relink.";
    matches!(view.account, LinkAccount::SignInFirst)
        .then(|| view! { <p class="small muted">{words}</p> }.into_any())
}

fn answers(view: &PreviewView) -> AnyView {
    let yes = match view.account {
        LinkAccount::SignInFirst => view! { <a class="btn primary tall wide" href=SIGN_IN>"Yes, \
        that’s me: sign in"</a> }
        .into_any(),
        LinkAccount::New | LinkAccount::Yours { .. } => view! {
            <button class="btn primary tall wide" name="answer" value="yes">
                <Glyph icon=Icon::Check />
                "Yes, that’s me"
            </button>
        }
        .into_any(),
    };
    let preview = view.preview.clone();
    view! {
        <Once>
            <form method="post" action="/link/confirm">
                <input type="hidden" name="preview" value=preview />
                {yes}
                <button class="btn tall wide" name="answer" value="no">"That’s not me"</button>
            </form>
        </Once>
    }
    .into_any()
}

/// Linear's word instead of a yes, for whoever need not sign in first.
fn better(view: &PreviewView) -> Option<AnyView> {
    let preview = view.preview.clone();
    (view.account != LinkAccount::SignInFirst).then(|| {
        view! {
            <p class="small muted">
                "Better than a yes: Linear itself says that it is you. " {LINEAR_LOOKS}
            </p>
            <form method="post" action="/link/prove">
                <input type="hidden" name="preview" value=preview />
                <button class="btn tall wide">"Continue with Linear"</button>
            </form>
        }
        .into_any()
    })
}

fn asking(asker: &AskerView) -> String {
    let AskerView { name, organisation } = asker;
    let who = name.as_ref().map_or_else(
        || organisation.clone(),
        |name| format!("{name} at {organisation}"),
    );
    format!(
        "{who} asks, so that {} tools know who you are.",
        possessive(organisation)
    )
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
