//! The webhook on a connection's page: the URL for Linear, the secrets that are accepted, and whose
//! a delivery would be.

use leptos::prelude::*;

use super::webhook_forms::{Check, NewSecret};
use crate::parts::{Ask, CopyField, Glyph, Icon, Question};
use crate::view::{Moment, SecretView, WebhookView};

const STOP: &str = "/integrations/webhook-secret/stop";
const BOTH_GOOD: &str = "Linear retries for up to seven hours with the old signature. No delivery \
    is lost while both are good.";
const ALL_GOOD: &str = "Linear retries for up to seven hours with the old signature. No delivery \
    is lost while all of them are good.";

#[component]
pub fn WebhookSection(
    connection: String,
    #[prop(optional_no_strip)] last: Option<Moment>,
    webhook: WebhookView,
    manages: bool,
) -> impl IntoView {
    let deliveries = format!("/deliveries?workspace={connection}");
    let last = match last {
        Some(last) => {
            view! { "Last verified delivery " <time datetime=last.iso>{last.text}</time> ". " }
                .into_any()
        }
        None => "No delivery yet. ".into_any(),
    };
    view! {
        <section class="section" id="webhooks" aria-labelledby="h-webhook">
            <header>
                <div>
                    <h2 id="h-webhook">"Webhook"</h2>
                    <p>{last} <a href=deliveries>"See deliveries"</a></p>
                </div>
            </header>
            <div class="panel">
                {by_app(&webhook)} {own(&connection, webhook, manages)}
                {manages.then(|| view! { <Check connection /> })}
            </div>
        </section>
    }
    .into_any()
}

/// Says that the app's own webhook delivers already, so that nobody sets up the same once more.
fn by_app(webhook: &WebhookView) -> Option<AnyView> {
    let words = if webhook.twice {
        "Every event arrives twice: through the Linear app’s own webhook and through this \
            workspace’s. Relink takes it once. \
            The workspace’s webhook can be deleted in Linear."
    } else {
        "Deliveries arrive through the Linear app’s own webhook. Nothing has to be set up for this \
            workspace."
    };
    webhook
        .by_app
        .then(|| view! { <p class="pad">{words}</p> }.into_any())
}

/// The workspace's own webhook. Where another one delivers it is nothing to recommend, and out of
/// the way unless it is in use.
fn own(connection: &str, webhook: WebhookView, manages: bool) -> AnyView {
    let WebhookView {
        url,
        secrets: known,
        shape_refused,
        by_app,
        ..
    } = webhook;
    let aside = by_app && known.is_empty();
    let parts = view! {
        <div class="pad">
            <CopyField id="webhook-url" label="URL to paste into Linear" value=url />
        </div>
        {overlap(&known)}
        {secrets(connection, known, manages)}
        {manages.then(|| view! {
            <NewSecret connection=connection.to_owned() refused=shape_refused />
        })}
    };
    if !aside {
        return parts.into_any();
    }
    view! {
        <details class="check split" open=shape_refused>
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                "A webhook of the workspace’s own instead"
            </summary>
            {parts}
        </details>
    }
    .into_any()
}

/// Explains that several secrets are accepted, or one only that stops by itself.
fn overlap(secrets: &[SecretView]) -> Option<AnyView> {
    if secrets.iter().any(|secret| secret.replaced) {
        return Some(waits(secrets.len()));
    }
    let first_stop = secrets
        .iter()
        .filter_map(|secret| secret.stops.as_ref())
        .min_by_key(|stop| stop.at.iso.clone())?;
    let stop =
        view! { <time datetime=first_stop.at.iso.clone()>{first_stop.at.text.clone()}</time> };
    let (heading, rest) = match secrets.len() {
        1 => (
            "The only secret is accepted until ",
            "Save the one that is set on the webhook in Linear now before then.",
        ),
        2 => ("Two secrets are accepted until ", BOTH_GOOD),
        3 => ("Three secrets are accepted until ", ALL_GOOD),
        _ => ("Several secrets are accepted until ", ALL_GOOD),
    };
    Some(
        view! {
            <div class="pad split">
                <div class="callout wait">
                    <h3><Glyph icon=Icon::Clock /> <span>{heading} {stop}</span></h3>
                    <p>{rest}</p>
                </div>
            </div>
        }
        .into_any(),
    )
}

/// The new one may be mistyped: nothing goes before it has shown that it is not.
fn waits(accepted: usize) -> AnyView {
    let all = if accepted == 2 {
        "Both secrets are accepted"
    } else {
        "All these secrets are accepted"
    };
    view! {
        <div class="pad split">
            <div class="callout wait">
                <h3><Glyph icon=Icon::Clock /> <span>{all} " until a delivery signed with the new \
                    one arrives"</span></h3>
                <p>
                    "Then the previous one stays for a while, in which Linear may still retry with \
                        it. If none arrives, compare the \
                        new secret with the one in Linear and save it again."
                </p>
            </div>
        </div>
    }
    .into_any()
}

fn secrets(connection: &str, secrets: Vec<SecretView>, manages: bool) -> AnyView {
    if secrets.is_empty() {
        let who = if manages {
            "one is saved here"
        } else {
            "an admin saves one here"
        };
        let none = format!(
            "No signing secret yet. What this workspace’s own webhook sends is refused until \
                {who}."
        );
        return view! { <p class="pad split soft">{none}</p> }.into_any();
    }
    let rows = secrets
        .into_iter()
        .map(|secret| row(connection, secret, manages))
        .collect_view();
    view! { <ul class="secrets">{rows}</ul> }.into_any()
}

fn row(connection: &str, secret: SecretView, manages: bool) -> AnyView {
    let (class, icon, name) = if is_previous(&secret) {
        ("tag wait", Icon::Clock, "Previous")
    } else {
        ("tag ok", Icon::Check, "Current")
    };
    let matched = match secret.matched.clone() {
        Some(at) => view! { "Matched " <time datetime=at.iso>{at.text}</time> }.into_any(),
        None => "Never matched yet".into_any(),
    };
    let (lead, added) = secret.added.in_sentence();
    let by = secret
        .added_by
        .clone()
        .map_or_else(|| " by command".to_owned(), |name| format!(" by {name}"));
    let stops = match &secret.stops {
        Some(stop) => Some(format!(". Stops in {}", stop.within)),
        None => secret
            .replaced
            .then(|| ". Stops after the new one has matched".to_owned()),
    };
    view! {
        <li>
            <span class=class><Glyph icon /> {name}</span>
            <p>
                <code>{secret.secret.clone()}</code>
                <small>
                    "Added " {lead} <time datetime=secret.added.iso.clone()>{added}</time> {by} ". "
                    {matched} {stops}
                </small>
            </p>
            {manages.then(|| way_out(connection, secret))}
        </li>
    }
    .into_any()
}

fn is_previous(secret: &SecretView) -> bool {
    secret.stops.is_some() || secret.replaced
}

/// A previous secret that Linear does not use any more goes without a question.
fn way_out(connection: &str, secret: SecretView) -> AnyView {
    let (id, name) = (secret.id.clone(), secret.secret.clone());
    let label = if is_previous(&secret) {
        "Stop accepting now"
    } else {
        "Remove"
    };
    let label = view! { {label} <span class="sr">" " {name}</span> }.into_any();
    if is_previous(&secret)
        && !secret.in_use
        && (secret.stops.is_some() || secret.matched.is_none())
    {
        return view! {
            <form method="post" action=STOP>
                <input type="hidden" name="connection" value=connection.to_owned() />
                <input type="hidden" name="secret" value=id />
                <button class="btn">{label}</button>
            </form>
        }
        .into_any();
    }
    let asked = vec![("confirm", "secret".to_owned()), ("secret", id)];
    view! { <Ask question=secret_question(connection, &secret) asked class="btn">{label}</Ask> }
        .into_any()
}

/// Asks before a secret is accepted no more.
pub fn secret_question(connection: &str, secret: &SecretView) -> Question {
    let current = !is_previous(secret);
    let used = match &secret.matched {
        Some(at) => format!("Linear used it {}", at.text),
        None => "No delivery matched it yet".to_owned(),
    };
    let by_itself = match &secret.stops {
        Some(stop) => Some(format!("Kept, it stops by itself in {}", stop.within)),
        None => secret
            .replaced
            .then(|| "Kept, it stops by itself after the new one has matched".to_owned()),
    };
    Question {
        id: format!("secret-{}", secret.id),
        heading: format!(
            "{} {}?",
            if current { "Remove" } else { "Stop accepting" },
            secret.secret
        ),
        note: format!("{used}. You can save it again later."),
        points: vec![
            "Every delivery signed with it is refused from now on, Linear’s retries too".to_owned(),
        ],
        stays: by_itself.into_iter().collect(),
        action: STOP,
        fields: vec![
            ("connection", connection.to_owned()),
            ("secret", secret.id.clone()),
        ],
        page: format!("/integrations/{connection}"),
        keep: "Keep it",
        go: if current { "Remove" } else { "Stop accepting" },
        ..Question::default()
    }
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
