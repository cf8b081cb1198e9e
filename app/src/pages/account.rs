//! One's own account on `/settings`: the password, and where one is signed in.

use leptos::prelude::*;

use super::sign_in::words;
use crate::parts::{Field, Glyph, Icon, Problem};
use crate::view::{Complaint, PersonView, SessionView};

#[component]
pub fn Account(
    person: PersonView,
    sessions: Vec<SessionView>,
    /// The reason why the password was not changed.
    #[prop(optional_no_strip)]
    refused: Option<Complaint>,
) -> impl IntoView {
    let others = sessions.len() > 1;
    view! {
        <section class="set" id="account" aria-labelledby="h-account">
            <header>
                <h2 id="h-account">"Your account"</h2>
                <p>{person.name} ", " {person.role}</p>
                <p>{person.email.clone()}</p>
            </header>
            <div>
                {password_form(person.email, refused)}
                {list(sessions)}
                {others.then(elsewhere)}
            </div>
        </section>
    }
    .into_any()
}

fn password_form(email: String, refused: Option<Complaint>) -> AnyView {
    let problem = refused.map(|complaint| Problem {
        text: format!("Your password was not changed. {}", words(complaint)),
        first: true,
    });
    let (present, new) = if refused == Some(Complaint::PasswordWrong) {
        (problem, None)
    } else {
        (None, problem)
    };
    view! {
        <form class="row" method="post" action="/password">
            // Tells password managers whose password this is.
            <input
                type="text"
                name="username"
                autocomplete="username"
                value=email
                hidden
                readonly
            />
            <Field
                id="present"
                label="Current password"
                kind="password"
                autocomplete="current-password"
                problem=present
            />
            <Field
                id="password"
                label="New password"
                kind="password"
                autocomplete="new-password"
                min="12"
                hint="At least 12 characters. A sentence is fine."
                problem=new
            />
            <button class="btn">"Change password"</button>
        </form>
    }
    .into_any()
}

fn elsewhere() -> AnyView {
    view! {
        <form method="post" action="/signout-elsewhere">
            <button class="btn quiet">
                <Glyph icon=Icon::Out />
                "Sign out everywhere else"
            </button>
        </form>
    }
    .into_any()
}

fn list(sessions: Vec<SessionView>) -> AnyView {
    view! {
        <div class="panel">
            <table class="table">
                <caption class="sr">"Where you are signed in"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Signed in"</th>
                        <th scope="col">"From"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{sessions.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        <p class="small soft">"A session ends after 30 days without use, and after 90 days in any \
            case."</p>
    }
    .into_any()
}

fn row(session: SessionView) -> AnyView {
    let browser = if session.browser.is_empty() {
        "Unknown browser".to_owned()
    } else {
        session.browser
    };
    let from = if session.address.is_empty() {
        "Unknown".into_any()
    } else {
        view! { <code>{session.address}</code> }.into_any()
    };
    let used = match session.last_used {
        Some(at) => view! { <time datetime=at.iso>{at.text}</time> }.into_any(),
        None => "Unknown".into_any(),
    };
    let end = if session.here {
        "This browser".into_any()
    } else {
        end(session.id, browser.clone())
    };
    view! {
        <tr>
            <td>
                <b>{browser}</b>
            </td>
            <td data-l="From">{from}</td>
            <td data-l="Last used">{used}</td>
            <td class="act">{end}</td>
        </tr>
    }
    .into_any()
}

fn end(id: String, browser: String) -> AnyView {
    view! {
        <form method="post" action="/settings/sessions/end">
            <input type="hidden" name="session" value=id />
            <button class="btn quiet">"Sign out" <span class="sr">" " {browser}</span></button>
        </form>
    }
    .into_any()
}
