//! `/settings`: the Linear app, API keys, appearance, your account, the audit trail, and what this instance is.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::audit::AuditTrail;
use super::keys::{ApiKeys, NewKey};
use super::load::loaded;
use crate::api::load_settings;
use crate::islands::SaveOnChange;
use crate::parts::{Content, CopyField, Field, FlashMessage, Glyph, Icon, Place, Problem};
use crate::view::{Complaint, Flash, PersonView, SettingsView, Theme};

#[component]
pub fn SettingsPage() -> impl IntoView {
    let (shown, before) = use_query_map().with_untracked(|query| (query.get("shown"), query.get("before")));
    loaded(load_settings(shown, before), settings)
}

/// The page, given its data.
pub fn settings(mut view: SettingsView) -> Content {
    let (keys, new_key, audit) = (view.keys.take(), view.new_key.take(), view.audit.take());
    let key_refused = view.refused.take().filter(|refused| refused.complaints.contains(&Complaint::KeyName));
    let flash = view.flash.clone();
    let refused = flash.clone().filter(|flash| matches!(flash, Flash::PasswordTooShort | Flash::PasswordTooLong | Flash::PasswordWrong));
    let manages = view.person.manages;
    // A refused password is said at its field instead, which also takes the focus.
    let flash = flash.filter(|_| refused.is_none()).map(|flash| view! { <FlashMessage flash page="/settings".to_owned() manages /> });
    let was_refused = refused.is_some() || key_refused.is_some();
    let main = view! {
        {flash}
        <div class="head">
            <div>
                <h1>"Settings"</h1>
            </div>
        </div>
        {new_key.map(|new_key| view! { <NewKey new_key /> })}
        <LinearApp view=view.clone() />
        {keys.map(|keys| view! { <ApiKeys keys refused=key_refused /> })}
        <Appearance theme=view.theme />
        <Account person=view.person.clone() refused />
        {audit.map(|trail| view! { <AuditTrail trail /> })}
        <Instance view />
    };
    Content { refused: was_refused, ..Content::new("Settings, Relink", Some(Place::Settings), main) }
}

#[component]
fn LinearApp(view: SettingsView) -> impl IntoView {
    let real = view.client_id.is_some() && !view.simulated;
    let client_id = view.client_id.map(|value| view! { <CopyField id="client-id" label="Client ID" value /> });
    let secret = if view.secret_set { "Client secret set. PKCE always on" } else { "No secret, PKCE only" };
    view! {
        <section class="set" id="linear-app" aria-labelledby="h-app">
            <header>
                <h2 id="h-app">"Linear app"</h2>
                <p>"The OAuth app in Linear that workspaces approve. Set by environment variables."</p>
            </header>
            <div>
                {client_id}
                <CopyField
                    id="redirect-uri"
                    label="Redirect URI"
                    value=view.redirect_uri
                    hint="Must match Linear letter for letter, port included."
                />
                {real
                    .then(|| {
                        view! {
                            <p class="tag ok">
                                <Glyph icon=Icon::Check />
                                {secret}
                            </p>
                        }
                    })} {way_to_an_app(real, view.simulated, view.create_app_url)}
            </div>
        </section>
    }
    .into_any()
}

fn way_to_an_app(real: bool, simulated: bool, create: String) -> AnyView {
    let create = view! { <a href=create rel="external noreferrer">"Create the app in Linear"</a> };
    if real {
        return view! { <p class="small soft">{create} " with every field filled in, if it is not there any more."</p> }.into_any();
    }
    let now = if simulated {
        "This instance talks to the simulated Linear. To use the real one:"
    } else {
        "No Linear app is set up here yet, so nothing can be connected."
    };
    view! {
        <p>{now}</p>
        <ol class="todo">
            <li>{create} " with every field filled in, and press Create there."</li>
            <li>
                "Put its client ID into " <code>"LINEAR_CLIENT_ID"</code> " and its client secret into "
                <code>"LINEAR_CLIENT_SECRET"</code> ", in the environment or in " <code>".env"</code> "."
            </li>
            <li>"Start Relink again."</li>
        </ol>
    }
    .into_any()
}

#[component]
fn Appearance(theme: Theme) -> impl IntoView {
    let choice = move |each: Theme, label: &'static str| {
        view! {
            <label>
                <input type="radio" name="theme" value=each.name() checked=each == theme />
                {label}
            </label>
        }
    };
    view! {
        <section class="set" id="appearance" aria-labelledby="h-look">
            <header>
                <h2 id="h-look">"Appearance"</h2>
                <p>"Kept in this browser."</p>
            </header>
            <div>
                <SaveOnChange>
                    <form class="row" method="post" action="/theme">
                        <fieldset class="choice">
                            <legend class="sr">"Theme"</legend>
                            {choice(Theme::System, "System")}
                            {choice(Theme::Light, "Light")}
                            {choice(Theme::Dark, "Dark")}
                        </fieldset>
                        <button class="btn no-js">"Save"</button>
                    </form>
                </SaveOnChange>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Account(person: PersonView, refused: Option<Flash>) -> impl IntoView {
    let problem = |words: &str| Some(Problem { text: format!("Your password was not changed: {words}"), first: true });
    let (present, new) = match refused {
        Some(Flash::PasswordWrong) => (problem("this one is wrong, or was tried too often. Then wait 15 minutes."), None),
        Some(Flash::PasswordTooLong) => (None, problem("the new one is too long.")),
        Some(_) => (None, problem("the new one is too short.")),
        None => (None, None),
    };
    view! {
        <section class="set" id="account" aria-labelledby="h-account">
            <header>
                <h2 id="h-account">"Your account"</h2>
                <p>{person.name} ", " {person.role}</p>
                <p>{person.email.clone()}</p>
            </header>
            <div>
                <form class="row" method="post" action="/password">
                    // Tells password managers whose password this is.
                    <input type="text" name="username" autocomplete="username" value=person.email hidden readonly />
                    <Field
                        id="present"
                        label="Present password"
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
                <form method="post" action="/signout-elsewhere">
                    <button class="btn quiet">
                        <Glyph icon=Icon::Out />
                        "Sign out everywhere else"
                    </button>
                </form>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Instance(view: SettingsView) -> impl IntoView {
    view! {
        <section class="set" aria-labelledby="h-instance">
            <header>
                <h2 id="h-instance">"This instance"</h2>
            </header>
            <div>
                <dl class="kv panel pad">
                    <div>
                        <dt>"Version"</dt>
                        <dd>{view.version}</dd>
                    </div>
                    <div>
                        <dt>"Database"</dt>
                        <dd>{view.database}</dd>
                    </div>
                    <div>
                        <dt>"Sealing key"</dt>
                        <dd>
                            <code>{view.sealing_key}</code>
                        </dd>
                    </div>
                </dl>
            </div>
        </section>
    }
    .into_any()
}
