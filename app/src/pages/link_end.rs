//! The end of a link code: linked, or why nothing was.

use leptos::prelude::*;
use relink_frontend::CodeFromAddress;

use super::sign_in::words;
use crate::parts::{Content, Field, Mark, Problem, possessive};
use crate::view::{Complaint, FirstPassword, LinkEnd, LinkedPerson, Status};

pub fn ended(end: LinkEnd) -> Content {
    match end {
        LinkEnd::Linked {
            person,
            again,
            password,
        } => linked(&person, again, password),
        LinkEnd::Declined { person } => {
            let sentence = format!(
                "The code no longer works. {} now sees that it pointed at someone else and can \
                    send you a new one. You can close this page.",
                who_asked(&person)
            );
            nothing(&person, "?", sentence, None)
        }
        LinkEnd::Taken { person } => {
            let sentence = format!(
                "Another member is {} in {} already. The code no longer works. Ask {} to look into \
                    it.",
                person.name,
                person.workspace,
                whom_to_ask(&person)
            );
            nothing(&person, &person.initials, sentence, None)
        }
        LinkEnd::Other {
            person,
            account,
            name,
        } => {
            let sentence = format!(
                "The code is for {}. Your account, {account}, is {name} in {} already, and cannot \
                    be two people there. The code still \
                    works. Ask {} to unlink you first. If the account is not yours, sign out and \
                    open the link again.",
                person.name,
                person.workspace,
                whom_to_ask(&person)
            );
            nothing(&person, &person.initials, sentence, Some(sign_out()))
        }
    }
}

/// Names who asked, for the beginning of a sentence.
fn who_asked(person: &LinkedPerson) -> String {
    person
        .asker
        .name
        .clone()
        .unwrap_or_else(|| person.asker.organisation.clone())
}

fn whom_to_ask(person: &LinkedPerson) -> String {
    person
        .asker
        .name
        .clone()
        .unwrap_or_else(|| "whoever sent it".to_owned())
}

fn linked(person: &LinkedPerson, again: bool, password: FirstPassword) -> Content {
    let (name, workspace) = (person.name.clone(), person.workspace.clone());
    let tools = possessive(&person.asker.organisation);
    let refused = matches!(password, FirstPassword::Refused { .. });
    let before = if again {
        "You were linked before, and still are. "
    } else {
        ""
    };
    let main = view! {
        {joined(person, &person.initials, Status::Connected)}
        <div>
            <h1>"You are linked"</h1>
            <p class="soft">
                {before} {name} " in " {workspace} " is you. " {tools}
                " tools can now tell which Linear work is yours. You can close this page; there is \
                    nothing else to do."
            </p>
        </div>
        {first_password(password)}
        {next_code()}
    };
    let foot = Some(
        view! { <span>"Wrong person after all? Tell " {whom_to_ask(person)} ", who can unlink \
        you."</span> }
        .into_any(),
    );
    Content {
        refused,
        foot,
        ..Content::new("You are linked, Relink", None, main)
    }
}

fn nothing(
    person: &LinkedPerson,
    initials: &str,
    sentence: String,
    way_on: Option<AnyView>,
) -> Content {
    let main = view! {
        {joined(person, initials, Status::NotConnected)}
        <div>
            <h1>"Nothing was linked"</h1>
            <p class="soft">{sentence}</p>
        </div>
        {way_on}
        {next_code()}
    };
    Content::new("Nothing was linked, Relink", None, main)
}

fn sign_out() -> AnyView {
    view! {
        <form method="post" action="/signout">
            <button class="btn tall wide">"Sign out"</button>
        </form>
    }
    .into_any()
}

fn joined(person: &LinkedPerson, initials: &str, status: Status) -> AnyView {
    let class = format!("joined {}", status.tone());
    view! {
        <div class=class>
            <span class="ava" aria-hidden="true">{initials.to_owned()}</span>
            <Mark status />
            <span class="ava ws" aria-hidden="true">{person.workspace_initials.clone()}</span>
        </div>
    }
    .into_any()
}

/// Offers a first password, folded away: nobody needs one to be linked.
fn first_password(password: FirstPassword) -> Option<AnyView> {
    let (email, complaint) = match password {
        FirstPassword::NotOffered => return None,
        FirstPassword::SignIn => {
            return Some(
                view! { <p>"You are not signed in here. "<a href="/signin">"Sign in"</a></p> }
                    .into_any(),
            );
        }
        FirstPassword::Saved { email } => {
            let saved = view! {
                <p class="note" role="status">
                    "Saved. Sign in later with " {email} " and this password."
                </p>
            };
            return Some(saved.into_any());
        }
        FirstPassword::Offered { email } => (email, None),
        FirstPassword::Refused { email, complaint } => (email, Some(complaint)),
    };
    Some(password_form(email, complaint))
}

fn password_form(email: String, complaint: Option<Complaint>) -> AnyView {
    let problem = complaint.map(|complaint| Problem {
        text: words(complaint),
        first: true,
    });
    let open = problem.is_some();
    view! {
        <details class="later" open=open>
            <summary>"Set a password for later"</summary>
            <form method="post" action="/link/password">
                <p class="small soft">"Your e-mail is " {email.clone()} "."</p>
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
                    id="password"
                    label="Choose a password"
                    kind="password"
                    autocomplete="new-password"
                    min="12"
                    hint="At least 12 characters. A sentence is fine."
                    problem
                />
                <button class="btn tall wide">"Save password"</button>
            </form>
        </details>
    }
    .into_any()
}

/// A second link may be opened while the first one is on the screen.
pub fn next_code() -> AnyView {
    view! {
        <CodeFromAddress>
            <form method="post" action="/link" hidden>
                <input type="hidden" name="code" />
            </form>
        </CodeFromAddress>
    }
    .into_any()
}
