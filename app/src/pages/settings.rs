//! `/settings`: the Linear app, API keys, appearance, your account, the audit trail, and what this
//! instance is.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::account::Account;
use super::apps::{OwnApps, create_link, no_webhook, removal_question};
use super::audit::AuditTrail;
use super::keys::{ApiKeys, NewKey, revocation_question};
use super::load::loaded;
use crate::api::load_settings;
use crate::parts::{Content, CopyField, Dialog, Glyph, Icon, NoticeBox, Place, Question};
use crate::view::{ClockView, CreateAppView, Refused, SettingsView, Theme};
use relink_frontend::SaveOnChange;

const REDIRECT_HINT: &str = "Must match Linear letter for letter, port included. If Linear says \
    “Invalid redirect_uri parameter”, it is not \
    among the callback URLs of the app there.";

#[component]
pub fn SettingsPage() -> impl IntoView {
    let (shown, before, asked) = use_query_map().with_untracked(|query| {
        let asked = query
            .get("confirm")
            .and_then(|what| query.get(&what).map(|id| (what, id)));
        (query.get("shown"), query.get("before"), asked)
    });
    loaded(load_settings(shown, before), move |view| {
        settings(view, asked.as_ref().map(|(what, id)| (&**what, &**id)))
    })
}

/// The page, given its data; `asked` is what the address bar asks to end: the kind of it, and its
/// id.
pub fn settings(mut view: SettingsView, asked: Option<(&str, &str)>) -> Content {
    let question = asked.and_then(|(what, id)| question(&view, what, id));
    let (keys, new_key, audit) = (view.keys.take(), view.new_key.take(), view.audit.take());
    let (key_refused, refused) = match view.refused.take() {
        Some(Refused::Key { name }) => (Some(name), None),
        Some(Refused::Password(complaint)) => (None, Some(complaint)),
        _ => (None, None),
    };
    let manages = view.person.manages;
    let notice = view
        .notice
        .take()
        .map(|notice| view! { <NoticeBox notice page="/settings".to_owned() manages /> });
    let app_refused = view
        .own_apps
        .as_ref()
        .is_some_and(|own| own.draft.problem.is_some());
    let was_refused = refused.is_some() || key_refused.is_some() || app_refused;
    let main = view! {
        {notice}
        <div class="head">
            <div>
                <h1>"Settings"</h1>
            </div>
        </div>
        {new_key.map(|new_key| view! { <NewKey new_key /> })}
        <LinearApp view=view.clone() />
        {keys.map(|keys| view! { <ApiKeys keys refused=key_refused /> })}
        <Appearance theme=view.theme />
        <Account person=view.person.clone() sessions=view.sessions.clone() refused />
        {audit.map(|trail| view! { <AuditTrail trail /> })}
        <Instance view />
    };
    let title = question.as_ref().map_or_else(
        || "Settings, Relink".to_owned(),
        |question| format!("{} Relink", question.heading),
    );
    let dialog = question.map(|question| view! { <Dialog question open=true /> }.into_any());
    Content {
        refused: was_refused,
        dialog,
        ..Content::new(title, Some(Place::Settings), main)
    }
}

/// The question before something is removed that the page shows: an app while nothing is connected
/// through it, or a key.
fn question(view: &SettingsView, what: &str, id: &str) -> Option<Question> {
    match what {
        "app" => {
            let apps = &view.own_apps.as_ref()?.apps;
            apps.iter()
                .find(|one| one.id == id && one.workspaces == 0)
                .map(removal_question)
        }
        "key" => view
            .keys
            .as_ref()?
            .iter()
            .find(|one| one.id == id)
            .map(revocation_question),
        _ => None,
    }
}

#[component]
fn LinearApp(view: SettingsView) -> impl IntoView {
    let operators = view.client_id.is_some();
    let real = operators && !view.simulated;
    let manages = view.person.manages;
    let create = view.create_app;
    let client_id = view
        .client_id
        .map(|value| view! { <CopyField id="client-id" label="Client ID" value /> });
    let secret = if view.secret_set {
        "Client secret set. PKCE always on"
    } else {
        "No secret, PKCE only"
    };
    view! {
        <section class="set" id="linear-app" aria-labelledby="h-app">
            <header>
                <h2 id="h-app">"Linear app"</h2>
                <p>"The OAuth app in Linear that workspaces approve. " {real.then_some("This \
                    Relink’s is set by environment variables.")}</p>
            </header>
            <div>
                {client_id}
                <CopyField
                    id="redirect-uri"
                    label="Redirect URI"
                    value=view.redirect_uri
                    hint=REDIRECT_HINT
                />
                {real
                    .then(|| {
                        view! {
                            <p class="tag ok">
                                <Glyph icon=Icon::Check />
                                {secret}
                            </p>
                        }
                    })}
                {match (real, manages) {
                    (_, false) => view! { <p class="small soft">"Whoever runs this Relink can \
                        change it."</p> }.into_any(),
                    (true, true) => again(&create),
                    (false, true) => set_up(view.simulated, view.app_configured, &create),
                }}
                {view.own_apps.map(|own| view! { <OwnApps own create operators /> })}
            </div>
        </section>
    }
    .into_any()
}

fn again(create: &CreateAppView) -> AnyView {
    view! { <p class="small soft">{create_link(create)} ", if it is not there any more."</p> }
        .into_any()
}

/// Tells whoever runs this Relink how to set it up. Where there is an app `elsewhere`, workspaces
/// can be connected without it.
fn set_up(simulated: bool, elsewhere: bool, create: &CreateAppView) -> AnyView {
    let now = match (simulated, elsewhere) {
        (true, _) => "This instance talks to the simulated Linear. To use the real one:",
        (false, true) => {
            "This Relink has no Linear app for everybody; your organisation has its own. To set \
                one up:"
        }
        (false, false) => "No Linear app is set up here yet, so nothing can be connected.",
    };
    let webhook = create.webhook.then(
        || view! { ", its webhook signing secret into " <code>"LINEAR_WEBHOOK_SECRET"</code> },
    );
    view! {
        <p>{now}</p>
        <ol class="todo">
            <li>
                {create_link(create)} ", and press Create there. Make it public if several \
                    workspaces are to "
                "approve it."
            </li>
            <li>
                "Put its client ID into " <code>"LINEAR_CLIENT_ID"</code> ", its client secret \
                    into " <code>"LINEAR_CLIENT_SECRET"</code>
                {webhook} ", in the environment or in " <code>".env"</code> "."
            </li>
            <li>"Start Relink again."</li>
        </ol>
        {no_webhook(create)}
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
                    // A browser that puts back what was chosen in another visit would have it saved
                    // again.
                    <form class="row" method="post" action="/theme" autocomplete="off">
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

/// A clock that is wrong makes tokens look too old or too young, and Linear's webhooks as well.
fn clock(clock: ClockView) -> String {
    match clock {
        ClockView::Unknown => "Not compared yet. Linear’s next answer tells".to_owned(),
        ClockView::Agrees => "Agrees with Linear’s".to_owned(),
        ClockView::Ahead(by) => format!("{by} ahead of Linear’s. Set this machine’s clock"),
        ClockView::Behind(by) => format!("{by} behind Linear’s. Set this machine’s clock"),
    }
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
                    {view
                        .next_sweep
                        .map(|at| {
                            view! {
                                <div>
                                    <dt>"Next sweep"</dt>
                                    <dd>
                                        <time datetime=at.iso>{at.text}</time>
                                    </dd>
                                </div>
                            }
                        })}
                    <div>
                        <dt>"Clock"</dt>
                        <dd>{clock(view.clock)}</dd>
                    </div>
                    <div>
                        <dt>"E-mail"</dt>
                        <dd>{view.mail_from.unwrap_or_else(|| "Not set up. Link codes are handed \
                            over by hand".to_owned())}</dd>
                    </div>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
