//! Linear apps of an organisation's own, on `/settings`: the list, the forms, and the way to a new
//! app in Linear.

use leptos::prelude::*;

use super::webhook_forms::NO_SIGNING_SECRET;
use crate::parts::{
    Ask, CopyField, Field, Glyph, Icon, Problem, Question, counted, for_organisation,
};
use crate::view::{AppDraft, AppProblem, AppView, CreateAppView, OwnAppsView};

const HERE: &str = "/settings#linear-app";
const SEALED: &str = "Relink seals both secrets and never shows them again.";

#[component]
pub fn OwnApps(
    own: OwnAppsView,
    create: CreateAppView,
    /// The operator has one.
    operators: bool,
) -> impl IntoView {
    let OwnAppsView { apps, draft } = own;
    let new = if draft.app.is_empty() {
        draft.clone()
    } else {
        AppDraft::default()
    };
    let list = if apps.is_empty() {
        let none = if operators {
            "None yet: workspaces are connected through this Relink’s app."
        } else {
            "None yet."
        };
        view! { <p class="pad soft">{none}</p> }.into_any()
    } else {
        view! { <ul class="own">{apps.into_iter().map(|app| row(app, &draft)).collect_view()}</ul> }
            .into_any()
    };
    view! {
        <div id="own-apps">
            <h3>"Apps of your own"</h3>
            <p class="small soft">"For a workspace that needs its own private app."</p>
        </div>
        <div class="panel">{list} <AddApp draft=new create /></div>
    }
    .into_any()
}

fn row(app: AppView, draft: &AppDraft) -> AnyView {
    let (client_id, whose) = (app.client_id.clone(), format!(" of {}", app.name));
    let problem = draft.problem.filter(|_| draft.app == app.id);
    view! {
        <li>
            <div class="pad stack">
                <div class="top">
                    <b>{app.name.clone()}</b>
                    {(app.workspaces == 0).then(|| removal(&app))}
                </div>
                <CopyField
                    id=format!("client-id-{}", app.id)
                    label="Client ID"
                    value=client_id
                    whose
                />
                <p class="tags">
                    {secret(app.has_secret, "Client secret set", "No secret, PKCE only")}
                    {secret(app.has_webhook_secret, "Signing secret set", "No signing secret")}
                </p>
                <p class="small soft">{use_of(app.workspaces)} {overlap(&app)}</p>
            </div>
            <ReplaceSecrets app problem />
        </li>
    }
    .into_any()
}

fn removal(app: &AppView) -> AnyView {
    let asked = vec![("confirm", "app".to_owned()), ("app", app.id.clone())];
    let name = app.name.clone();
    view! {
        <Ask question=removal_question(app) asked class="btn quiet">
            "Remove"
            <span class="sr">" " {name}</span>
        </Ask>
    }
    .into_any()
}

/// Asks before an app is removed.
pub fn removal_question(app: &AppView) -> Question {
    Question {
        id: format!("app-{}", app.id),
        heading: format!("Remove {}?", app.name),
        note: "The app in Linear stays as it is. You can add it here again later.".to_owned(),
        points: vec![
            "Its secrets are forgotten here".to_owned(),
            "No workspace can be connected through it any more".to_owned(),
        ],
        stays: Vec::new(),
        action: "/settings/apps/remove",
        fields: vec![("app", app.id.clone())],
        page: HERE.to_owned(),
        keep: "Keep it",
        go: "Remove",
        ..Question::default()
    }
}

fn secret(set: bool, there: &'static str, absent: &'static str) -> AnyView {
    let (class, icon, words) = if set {
        ("tag ok", Icon::Check, there)
    } else {
        ("tag", Icon::Minus, absent)
    };
    view! { <span class=class><Glyph icon /> {words}</span> }.into_any()
}

fn use_of(workspaces: u64) -> String {
    match usize::try_from(workspaces).unwrap_or(usize::MAX) {
        0 => "No workspace is connected through it.".to_owned(),
        1 => "1 workspace is connected through it; to remove it, disconnect that first.".to_owned(),
        count => format!(
            "{} are connected through it; to remove it, disconnect them first.",
            counted(count, "workspace")
        ),
    }
}

fn overlap(app: &AppView) -> Option<AnyView> {
    if app.overlap_open {
        let until = " The previous signing secret is accepted until a delivery signed with the new \
            one arrives, and for a while longer.";
        return Some(until.into_any());
    }
    let until = app.overlap_until.clone()?;
    Some(
        view! {
            " The previous signing secret is accepted until "
            <time datetime=until.iso>{until.text}</time> "."
        }
        .into_any(),
    )
}

#[component]
fn ReplaceSecrets(
    app: AppView,
    #[prop(optional_no_strip)] problem: Option<AppProblem>,
) -> impl IntoView {
    let whose = format!(" of {}", app.name);
    view! {
        <details class="check split" open=problem.is_some()>
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                <span>"Replace secrets" <span class="sr">{whose}</span></span>
            </summary>
            <form class="pad stack" method="post" action="/settings/apps/secrets">
                <p class="soft small">
                    "What stays empty stays as it is."
                    {app
                        .has_webhook_secret
                        .then_some(
                            " The previous signing secret stays accepted for a while, because \
                                Linear signs its retries with it.",
                        )}
                </p>
                {secrets(&format!("-{}", app.id), false, problem)}
                <input type="hidden" name="app" value=app.id />
                <p><button class="btn">"Replace"</button></p>
            </form>
        </details>
    }
    .into_any()
}

#[component]
fn AddApp(draft: AppDraft, create: CreateAppView) -> impl IntoView {
    let AppDraft {
        name,
        client_id,
        problem,
        ..
    } = draft;
    view! {
        <details class="check split" open=problem.is_some()>
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                "Add an app"
            </summary>
            <form class="pad stack" method="post" action=for_organisation("/settings/apps")>
                <p>{create_link(&create)} ", then copy back what Linear shows:"</p>
                {no_webhook(&create)}
                <Field
                    id="app-name"
                    name="name"
                    label="Name"
                    value=name
                    autocomplete="off"
                    placeholder="Acme internal"
                    hint="What it is called here."
                    problem=at("name", problem)
                />
                <Field
                    id="app-client-id"
                    name="client_id"
                    label="Client ID"
                    value=client_id
                    autocomplete="off"
                    problem=at("client_id", problem)
                />
                {secrets("", true, problem)}
                <p>
                    <button class="btn">
                        <Glyph icon=Icon::Plus />
                        "Add app"
                    </button>
                </p>
            </form>
        </details>
    }
    .into_any()
}

/// The fields of both secrets; `end` keeps their ids apart where there are several forms.
fn secrets(end: &str, new: bool, problem: Option<AppProblem>) -> AnyView {
    let alone = if new {
        "An app without one relies on PKCE alone."
    } else {
        "Empty keeps the one that is set, if there is one."
    };
    view! {
        <Field
            id=format!("app-client-secret{end}")
            name="client_secret"
            label="Client secret"
            kind="password"
            autocomplete="off"
            optional=true
            hint=alone
            problem=at("client_secret", problem)
        />
        <Field
            id=format!("app-webhook-secret{end}")
            name="webhook_secret"
            label="Webhook signing secret"
            kind="password"
            autocomplete="off"
            placeholder="lin_wh_…"
            optional=true
            hint=SEALED
            problem=at("webhook_secret", problem)
        />
    }
    .into_any()
}

/// The complaint about the field of this name.
fn at(field: &str, problem: Option<AppProblem>) -> Option<Problem> {
    let problem = problem.filter(|problem| place(*problem) == field)?;
    Some(Problem {
        text: in_words(problem),
        first: true,
    })
}

fn place(problem: AppProblem) -> &'static str {
    match problem {
        AppProblem::Name | AppProblem::TooMany => "name",
        AppProblem::ClientId | AppProblem::Known => "client_id",
        AppProblem::ClientSecret | AppProblem::NoSecret => "client_secret",
        AppProblem::WebhookSecret => "webhook_secret",
    }
}

fn in_words(problem: AppProblem) -> String {
    match problem {
        AppProblem::Name => "Enter a name of 1 to 100 characters.".to_owned(),
        AppProblem::TooMany => {
            "No more apps can be added. Remove one of those above first.".to_owned()
        }
        AppProblem::ClientId => "This does not look like a client ID. Copy it from the app’s page \
            in Linear."
            .to_owned(),
        AppProblem::Known => "The app with this client ID is here already.".to_owned(),
        AppProblem::ClientSecret => "This does not look like a client secret. Copy it from the \
            app’s page in Linear."
            .to_owned(),
        AppProblem::NoSecret => "Enter at least one of the two secrets.".to_owned(),
        AppProblem::WebhookSecret => NO_SIGNING_SECRET.to_owned(),
    }
}

/// Leads to Linear's page for a new app.
pub fn create_link(create: &CreateAppView) -> AnyView {
    let filled = if create.webhook {
        " with every field filled in"
    } else {
        " with every field but the webhook’s filled in"
    };
    view! {
        <a href=create.url.clone() rel="external noreferrer">"Create the app in Linear"</a> {filled}
    }
    .into_any()
}

/// Explains why the address for webhooks is not among the fields.
pub fn no_webhook(create: &CreateAppView) -> Option<AnyView> {
    (!create.webhook).then(|| {
        view! {
            <p class="small soft">
                "Linear takes no webhook address on localhost or a private network, so that one is \
                    left out; set " <code>"RELINK_URL"</code>
                " to an https address on the internet to have it filled in too."
            </p>
        }
        .into_any()
    })
}
