//! "You in Linear": how whoever looks at the team says who they are, and proves it.

use leptos::prelude::*;

use super::link::LINEAR_LOOKS;
use crate::parts::options;
use crate::parts::{Field, Glyph, Icon};
use crate::view::{DoubtView, SelfView, YouView};

#[component]
pub fn Myself(you: YouView) -> impl IntoView {
    let YouView {
        email,
        doubt,
        code_waits,
        workspaces,
    } = you;
    let nothing = doubt.is_none() && workspaces.is_empty();
    let doubted = doubt.map(|doubt| doubted(doubt, &email, code_waits));
    (!nothing).then(|| {
        view! {
            <section class="section" id="me" aria-labelledby="h-myself">
                <header>
                    <div>
                        <h2 id="h-myself">"You in Linear"</h2>
                        <p>"So that tools know you too. You can skip this."</p>
                    </div>
                </header>
                <div class="panel selves">
                    {doubted} {workspaces.into_iter().enumerate().map(myself).collect_view()}
                    <p class="pad small soft">{LINEAR_LOOKS} " " <a href="/link">"I have a link \
                        code"</a></p>
                </div>
            </section>
        }
        .into_any()
    })
}

/// Says that their e-mail was never proved, what that means for them, and what they can do.
fn doubted(doubt: DoubtView, email: &str, code_waits: Option<bool>) -> AnyView {
    let ways = match code_waits {
        Some(_) => {
            "Continue with Linear, if Linear knows you by this e-mail, or have a code sent there."
        }
        None => {
            "Continue with Linear, if Linear knows you by this e-mail, or ask an owner to vouch \
                for you."
        }
    };
    let vouched = doubt
        .vouched
        .then_some(" An owner of this organisation vouched for you.");
    view! {
        <div class="pad stack">
            <p>
                <b>"Nobody proved that " {email.to_owned()} " is yours."</b>
                " You get no role above member and no place in another organisation until then."
                {vouched}
                " "
                {ways}
            </p>
            {code_waits.map(by_mail)}
        </div>
    }
    .into_any()
}

fn by_mail(waits: bool) -> AnyView {
    let label = if waits {
        "Send another code"
    } else {
        "Send me a code"
    };
    let entering = waits.then(|| {
        view! {
            <form class="row" method="post" action="/team/email-code">
                <Field
                    id="email-code"
                    name="code"
                    label="Code from the e-mail"
                    autocomplete="one-time-code"
                    placeholder="XXXX-XXXX-XXXX-XXXX"
                    code=true
                />
                <button class="btn">"Prove it"</button>
            </form>
        }
    });
    view! {
        {entering}
        <form method="post" action="/team/email-code/send">
            <button class="btn">{label}</button>
        </form>
    }
    .into_any()
}

fn myself((number, one): (usize, SelfView)) -> AnyView {
    let SelfView {
        connection,
        workspace,
        linked,
        people,
    } = one;
    let question = if linked {
        format!("Let Linear prove your e-mail, in {workspace}")
    } else {
        format!("Who are you in {workspace}?")
    };
    let picking = (!people.is_empty()).then(|| {
        let id = format!("me-{number}");
        let labelled = id.clone();
        let label = format!("Person in {workspace}");
        // Nobody is somebody else by pressing the button too soon.
        let known = people.iter().any(|person| person.chosen);
        view! {
            <details class="check">
                <summary class="pad">
                    <Glyph icon=Icon::Chevron />
                    {format!("Which one is you in {workspace}?")}
                </summary>
                <form class="pad row" method="post" action="/team/me">
                    <input type="hidden" name="workspace" value=connection.clone() />
                    <div class="field">
                        <label for=labelled>{label}</label>
                        <select class="input" id=id name="person" required>
                            {(!known).then(|| view! { <option value="">"Pick yourself"</option> })}
                            {options(people)}
                        </select>
                    </div>
                    <button class="btn">"That’s me"</button>
                </form>
            </details>
        }
    });
    view! {
        <form class="pad row" method="post" action="/oauth/linear/prove">
            <p class="field"><b>{question}</b></p>
            <input type="hidden" name="workspace" value=connection.clone() />
            <button class="btn">
                "Continue with Linear" <span class="sr">" in " {workspace.clone()}</span>
            </button>
        </form>
        {picking}
    }
    .into_any()
}
