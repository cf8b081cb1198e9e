//! The result of the last post, said once at the top of the page.

use leptos::prelude::*;

use super::{ConnectButton, Glyph, Icon, ReconnectForm};
use crate::view::{Next, Notice, Tone};

const TRY_AGAIN: &str = "Try again";

#[component]
pub fn NoticeBox(
    notice: Notice,
    /// The address of the page without the message.
    page: String,
    /// Next steps are offered to those who may take them.
    manages: bool,
    #[prop(optional)] owns: bool,
    /// There is more than one app to connect through: the form on the page has the choice.
    #[prop(optional)]
    several_apps: bool,
) -> impl IntoView {
    let (class, icon) = match notice.tone {
        Tone::Good => ("flash ok", Icon::Check),
        Tone::Bad => ("flash bad", Icon::Warning),
        Tone::Waiting => ("flash wait", Icon::Clock),
    };
    let alarming = notice.tone != Tone::Good;
    let (questions, steps): (Vec<Next>, Vec<Next>) = notice
        .next
        .into_iter()
        .filter(|next| manages && (owns || *next != Next::OwnApp))
        .partition(|next| matches!(next, Next::AreYou { .. }));
    let shown = |next| step(next, page.clone(), several_apps);
    let steps = (!steps.is_empty())
        .then(|| view! { <div class="do">{steps.into_iter().map(shown).collect_view()}</div> });
    let questions = questions.into_iter().map(shown).collect_view();
    view! {
        <div
            class=class
            role=if alarming { "alert" } else { "status" }
            tabindex=alarming.then_some("-1")
            autofocus=alarming
        >
            <Glyph icon />
            <div>
                <p><b>{notice.fact}</b> " " {notice.rest}</p>
                {steps}
                {questions}
            </div>
            <a class="btn quiet x" href=page aria-label="Dismiss message">
                <Glyph icon=Icon::Cross />
            </a>
        </div>
    }
    .into_any()
}

/// The same on a page that has no place for messages.
#[component]
pub fn NoticeLine(notice: Notice) -> impl IntoView {
    view! {
        <p class="note" role="alert" tabindex="-1" autofocus>
            <b>{notice.fact}</b> " " {notice.rest}
        </p>
    }
    .into_any()
}

fn step(next: Next, page: String, several_apps: bool) -> AnyView {
    match next {
        Next::Connect(label) => connect(label, Icon::Plus, several_apps),
        Next::ConnectAgain => connect(TRY_AGAIN.to_owned(), Icon::Turn, several_apps),
        Next::Reconnect {
            connection,
            workspace,
        } => view! { <ReconnectForm connection workspace /> }.into_any(),
        Next::Link { label, href, quiet } => {
            let class = if quiet { "btn quiet" } else { "btn" };
            view! { <a class=class href=href>{label}</a> }.into_any()
        }
        Next::OwnApp => {
            view! { <a class="btn quiet" href="/settings#own-apps">"Add an app of your own"</a> }
                .into_any()
        }
        Next::AreYou {
            connection,
            workspace,
            person,
            name,
        } => {
            // Not now is the page without the message: the question is asked once.
            view! {
                <div class="ask">
                    <p>
                        <b>{format!("Are you {name} in {workspace}?")}</b>
                    </p>
                    <div class="do">
                        <form method="post" action="/team/me">
                            <input type="hidden" name="workspace" value=connection />
                            <input type="hidden" name="person" value=person />
                            <button class="btn">"Yes, that’s me"</button>
                        </form>
                        <a class="btn quiet" href=page>"Not now"</a>
                    </div>
                </div>
            }
            .into_any()
        }
    }
}

fn connect(label: String, icon: Icon, several_apps: bool) -> AnyView {
    if several_apps {
        view! { <a class="btn" href="#connect">{label}</a> }.into_any()
    } else {
        view! { <ConnectButton label icon /> }.into_any()
    }
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
