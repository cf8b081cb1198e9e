//! `/signin` and `/signup`: the pages before anybody is signed in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::load::loaded;
use crate::api::load_sign_in;
use crate::parts::{Content, Field, Problem};
use crate::view::{Complaint, Refused, SignInView, SignUpDraft};

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = use_query_map().with_untracked(|query| query.get("next"));
    loaded(load_sign_in(), move |view| sign_in(view, next))
}

#[component]
pub fn SignUpPage() -> impl IntoView {
    loaded(load_sign_in(), sign_up)
}

/// `next` is where to go afterwards.
pub fn sign_in(view: SignInView, next: Option<String>) -> Content {
    let (email, complaints) = match view.refused {
        Some(Refused::SignIn { email, complaint }) => (email, vec![complaint]),
        // One that came second ends here.
        Some(Refused::SignUp(draft)) => (draft.email, draft.complaints),
        _ => (String::new(), Vec::new()),
    };
    let failed = !complaints.is_empty();
    let owned = complaints.contains(&Complaint::AlreadyOwned);
    let lede = view.organisation.map_or_else(
        || "Relink keeps Linear connections here.".to_owned(),
        |organisation| format!("{organisation} keeps its Linear connections here."),
    );
    let main = view! {
        {view.timed_out.then(|| view! { <p class="note" role="status">"You were signed out. Sign \
            in to go on."</p> })}
        {owned.then(|| view! { <p class="note" role="alert">{words(Complaint::AlreadyOwned)}</p> })}
        <div>
            <h1>"Sign in"</h1>
            <p class="soft">{lede}</p>
        </div>
        <form method="post" action="/signin">
            {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
            <Field
                id="email"
                label="E-mail"
                kind="email"
                value=email
                autocomplete="username"
                problem=problem(&complaints, "email")
            />
            <Field
                id="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                problem=problem(&complaints, "password")
            />
            <button class="btn primary tall wide">"Sign in"</button>
        </form>
        {view
            .unowned
            .then(|| view! {
                <p class="small muted">
                    <a href="/signup">"Set up Relink"</a> " first; nobody owns it yet."
                </p>
            })}
    };
    let foot = Some(view! { <a href="/link">"I have a link code"</a> }.into_any());
    let about =
        Some("Sign in to the Relink that keeps your organisation’s Linear connections alive.");
    Content {
        refused: failed,
        foot,
        about,
        ..Content::new("Sign in, Relink", None, main)
    }
}

pub fn sign_up(view: SignInView) -> Content {
    let draft = match view.refused {
        Some(Refused::SignUp(draft)) => draft,
        _ => SignUpDraft::default(),
    };
    let owned = !view.unowned || draft.complaints.contains(&Complaint::AlreadyOwned);
    let failed = !draft.complaints.is_empty();
    let main = if owned { closed() } else { sign_up_form(draft) };
    Content {
        refused: failed,
        ..Content::new("Set up Relink", None, main)
    }
}

fn closed() -> AnyView {
    view! {
        <div>
            <h1>"This Relink has an owner"</h1>
            <p class="soft">"Setting up is over; nothing was changed. Ask the owner for access, or \
                sign in."</p>
        </div>
        <a class="btn primary tall wide" href="/signin">"Sign in"</a>
    }
    .into_any()
}

fn sign_up_form(draft: SignUpDraft) -> AnyView {
    let field = |id| problem(&draft.complaints, id);
    view! {
        <div>
            <h1>"Set up Relink"</h1>
            <p class="soft">"You become the owner. This page closes for good once you have."</p>
        </div>
        <form method="post" action="/signup">
            <Field
                id="organisation"
                label="Organisation"
                value=draft.organisation
                autocomplete="organization"
                problem=field("organisation")
            />
            <Field
                id="name"
                label="Your name"
                value=draft.name
                autocomplete="name"
                problem=field("name")
            />
            <Field
                id="email"
                label="E-mail"
                kind="email"
                value=draft.email
                autocomplete="username"
                problem=field("email")
            />
            <Field
                id="password"
                label="Password"
                kind="password"
                autocomplete="new-password"
                min="12"
                hint="At least 12 characters. A sentence is fine."
                problem=field("password")
            />
            <button class="btn primary tall wide">"Create owner account"</button>
        </form>
        <p class="small muted">"Secrets are sealed with a key that is not in the database."</p>
    }
    .into_any()
}

/// The complaint about the field of this name.
fn problem(complaints: &[Complaint], field: &str) -> Option<Problem> {
    let at = complaints
        .iter()
        .position(|complaint| place(*complaint) == field)?;
    Some(Problem {
        text: words(complaints[at]),
        first: at == 0,
    })
}

fn place(complaint: Complaint) -> &'static str {
    match complaint {
        Complaint::OrganisationMissing => "organisation",
        Complaint::NameMissing => "name",
        Complaint::EmailInvalid | Complaint::EmailTaken => "email",
        Complaint::PasswordTooShort | Complaint::PasswordTooLong | Complaint::PasswordCommon => {
            "password"
        }
        Complaint::PasswordOwn
        | Complaint::PasswordUnusable
        | Complaint::NoMatch { .. }
        | Complaint::Paused { .. } => "password",
        Complaint::AlreadyOwned
        | Complaint::PasswordWrong
        | Complaint::DestinationUrl
        | Complaint::DestinationPrivate
        | Complaint::DestinationEvent
        | Complaint::DestinationsTooMany => "",
    }
}

/// A complaint in words, for its field.
pub fn words(complaint: Complaint) -> String {
    match complaint {
        Complaint::OrganisationMissing => "Enter the name of your organisation.".to_owned(),
        Complaint::NameMissing => "Enter your name.".to_owned(),
        Complaint::EmailInvalid => "Enter an e-mail address, like name@example.com.".to_owned(),
        Complaint::EmailTaken => {
            "Somebody has an account with this address. Enter another one.".to_owned()
        }
        Complaint::PasswordTooShort => "This password is too short.".to_owned(),
        Complaint::PasswordTooLong => "This password is too long. Enter a shorter one.".to_owned(),
        Complaint::PasswordCommon => "This password is among the first that are guessed. A \
            sentence of your own is better."
            .to_owned(),
        Complaint::PasswordOwn => {
            "This password is little more than your address or organisation. Enter another one."
                .to_owned()
        }
        Complaint::PasswordUnusable => "This password has a character that cannot be typed \
            everywhere. Enter another one."
            .to_owned(),
        Complaint::NoMatch { tries_left } => {
            let tries = if tries_left == 1 {
                "1 try".to_owned()
            } else {
                format!("{tries_left} tries")
            };
            format!("E-mail and password do not match. {tries} left before a 15 minute pause.")
        }
        Complaint::Paused { minutes } => {
            let wait = if minutes == 1 {
                "1 minute".to_owned()
            } else {
                format!("{minutes} minutes")
            };
            format!("Too many tries. Wait {wait}, then try again.")
        }
        Complaint::PasswordWrong => {
            "This one is wrong, or was tried too often. Then wait 15 minutes.".to_owned()
        }
        Complaint::DestinationUrl => {
            "Enter an address that starts with https://, without a user name or password, of 2,000 \
                characters at most."
                .to_owned()
        }
        Complaint::DestinationPrivate => "This address is not on the public internet. To send to \
            your own network, whoever runs this \
            Relink sets RELINK_ALLOW_PRIVATE_DESTINATIONS=true."
            .to_owned(),
        Complaint::DestinationEvent => {
            "One of the event types does not exist. Pick from the list.".to_owned()
        }
        Complaint::DestinationsTooMany => "No more addresses can be added. Remove one of those \
            above first."
            .to_owned(),
        Complaint::AlreadyOwned => {
            "Somebody else set up this Relink first. Nothing was changed.".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_wrong_field_takes_the_focus() {
        let complaints = [Complaint::NameMissing, Complaint::PasswordTooShort];
        assert!(problem(&complaints, "name").is_some_and(|problem| problem.first));
        assert!(problem(&complaints, "password").is_some_and(|problem| !problem.first));
        assert_eq!(problem(&complaints, "email"), None);
    }

    #[test]
    fn a_refused_sign_in_counts_the_tries() {
        assert_eq!(
            words(Complaint::NoMatch { tries_left: 4 }),
            "E-mail and password do not match. 4 tries left before a 15 minute pause."
        );
        assert_eq!(
            words(Complaint::NoMatch { tries_left: 1 }),
            "E-mail and password do not match. 1 try left before a 15 minute pause."
        );
        assert_eq!(
            words(Complaint::Paused { minutes: 15 }),
            "Too many tries. Wait 15 minutes, then try again."
        );
    }
}
