//! One connection on the overview: who, in which state, with the evidence.

use leptos::prelude::*;

use super::{
    Badge, Callout, ConnectButton, Glyph, Icon, TokenLifetime, WorkspaceAvatar, acts_as, counted,
};
use crate::view::phrases::KEPT_SEALED;
use crate::view::{Answer, ConnectionView, Farewell, PeopleFacts, Status, Waiting};

#[component]
pub fn Card(connection: ConnectionView, manages: bool) -> impl IntoView {
    let heading = format!("c-{}", connection.id);
    let labelled_by = heading.clone();
    let page = format!("/integrations/{}", connection.id);
    let key = connection.id.clone();
    view! {
        <li class="card panel" data-key=key>
            <article aria-labelledby=labelled_by>
                <div class="card-in">
                    <div class="id">
                        <WorkspaceAvatar workspace=connection.workspace.clone() />
                        <div>
                            <h2 id=heading>
                                <a href=page.clone()>{connection.workspace.name.clone()}</a>
                            </h2>
                            <p class="key">"linear.app/" {connection.workspace.url_key.clone()}</p>
                        </div>
                        <Badge status=connection.status />
                    </div>
                    {evidence(&connection, manages)}
                </div>
                {facts(&connection, page, manages)}
            </article>
        </li>
    }
    .into_any()
}

fn evidence(connection: &ConnectionView, manages: bool) -> AnyView {
    if let Some(trouble) = connection.trouble.clone() {
        return view! { <Callout connection=connection.clone() trouble manages evidence=None /> }
            .into_any();
    }
    if let Some(farewell) = connection.farewell.clone() {
        return past(connection, farewell, manages);
    }
    connection
        .life
        .clone()
        .map(|life| view! { <TokenLifetime status=connection.status life /> })
        .into_any()
}

fn past(connection: &ConnectionView, farewell: Farewell, manages: bool) -> AnyView {
    let name = connection.workspace.name.clone();
    view! {
        <div class="past">
            <p class="soft small">{farewell_words(&farewell)}</p>
            {manages.then(|| view! {
                <ConnectButton
                    label="Connect again"
                    icon=Icon::Turn
                    about=name
                    app=farewell.app.clone()
                />
            })}
        </div>
    }
    .into_any()
}

/// Says how it ended, in two sentences.
pub fn farewell_words(farewell: &Farewell) -> AnyView {
    let (lead, text) = farewell.at.in_sentence();
    let revoked = if farewell.revoked {
        "Both tokens were revoked at Linear."
    } else if farewell.kept {
        KEPT_SEALED
    } else if farewell.asking {
        "The revocation is not confirmed yet; Relink keeps asking Linear for a day. To be sure, \
            remove the app in Linear's settings."
    } else {
        "Linear never confirmed the revocation. To be sure, remove the app in Linear's settings."
    };
    view! {
        "Disconnected by " {farewell.by.clone()} " " {lead}
        <time datetime=farewell.at.iso.clone()>{text}</time> ". " {revoked}
    }
    .into_any()
}

fn failed(waiting: &Waiting) -> AnyView {
    let said = match &waiting.answer {
        Answer::Verbatim(answer) => Some(view! { <code class="whole">{answer.clone()}</code> " " }),
        Answer::Words(_) => None,
    };
    let fact = match waiting.failures {
        0 | 1 if said.is_some() => "Last try failed, ".to_owned(),
        0 | 1 => "Last try failed ".to_owned(),
        tries => format!("{tries} tries failed, last "),
    };
    view! {
        <li>
            <Glyph icon=Icon::Warning />
            <span>
                {fact} {said} "at "
                <time datetime=waiting.at.iso.clone()>{waiting.at.text.clone()}</time>
            </span>
        </li>
    }
    .into_any()
}

/// Names who is linked there; those who manage are told how to change it.
fn people(connection: &ConnectionView, page: &str, manages: bool) -> Option<AnyView> {
    let PeopleFacts { linked, me } = connection.people;
    let working = manages && connection.status.works();
    let name = connection.workspace.name.clone();
    let fact = match linked {
        0 if !working => return None,
        0 => view! {
            "Nobody linked yet. "
            {fact_link("/team#invite".to_owned(), "Invite someone".to_owned(), &name)}
        }
        .into_any(),
        1 => fact_link(
            format!("{page}#people"),
            "1 person linked".to_owned(),
            &name,
        ),
        _ => fact_link(
            format!("{page}#people"),
            format!("{linked} people linked"),
            &name,
        ),
    };
    let me = (working && !me).then(|| {
        view! { ". " {fact_link("/team#me".to_owned(), "Which one is you?".to_owned(), &name)} }
    });
    Some(view! { <li><Glyph icon=Icon::People /> <span>{fact} {me}</span></li> }.into_any())
}

/// Cards carry the same words, so the workspace tells them apart.
fn fact_link(address: String, words: String, workspace: &str) -> AnyView {
    let context = format!(" in {workspace}");
    view! { <a href=address>{words} <span class="sr">{context}</span></a> }.into_any()
}

/// Says what the webhook delivers. A connection that needs a reconnect has a more urgent trouble.
fn deliveries(connection: &ConnectionView, manages: bool) -> Option<AnyView> {
    let webhook = format!("/integrations/{}#webhooks", connection.id);
    let fact = match connection.webhook.last.clone() {
        Some(last) => {
            view! { "Last delivery " <time datetime=last.iso>{last.text}</time> }.into_any()
        }
        // What is refused comes from a webhook that is there.
        None if manages && connection.webhook.refused == 0 && !connection.webhook.by_app => {
            view! { "No delivery yet. " <a href=webhook>"Add the webhook"</a> }.into_any()
        }
        None => "No delivery yet".into_any(),
    };
    connection
        .status
        .works()
        .then(|| view! { <li><Glyph icon=Icon::Inbox /> <span>{fact}</span></li> }.into_any())
}

fn refused(connection: &ConnectionView) -> Option<AnyView> {
    let count = usize::try_from(connection.webhook.refused).unwrap_or(usize::MAX);
    let webhook = format!("/integrations/{}#webhooks", connection.id);
    (count > 0).then(|| {
        view! {
            <li class="wait">
                <Glyph icon=Icon::Warning />
                <span>
                    {counted(count, "delivery request")} " refused. " <a href=webhook>"See why"</a>
                </span>
            </li>
        }
        .into_any()
    })
}

/// Says what calls may do, while there are any.
fn able(connection: &ConnectionView) -> Option<AnyView> {
    connection.status.works().then(|| {
        view! {
            <li>
                <Glyph icon=Icon::Bolt />
                <span>
                    {acts_as(&connection.acts_as)} ", may "
                    <code>{connection.scopes.join(", ")}</code>
                </span>
            </li>
        }
        .into_any()
    })
}

fn facts(connection: &ConnectionView, page: String, manages: bool) -> AnyView {
    let open = view! {
        <li class="end">
            <a href=page.clone()>"Open " {connection.workspace.name.clone()}</a>
        </li>
    };
    if connection.status == Status::NotConnected {
        return view! { <ul class="facts">{open}</ul> }.into_any();
    }
    // The callout takes the place of the bar, whose note would otherwise say this.
    let worked = connection
        .life
        .as_ref()
        .filter(|_| connection.trouble.is_some())
        .map(|life| life.note.clone());
    view! {
        <ul class="facts">
            {connection.waiting.as_ref().map(failed)}
            {worked.map(|worked| view! { <li><Glyph icon=Icon::Clock /> {worked}</li> })}
            {deliveries(connection, manages)}
            {refused(connection)}
            {people(connection, &page, manages)}
            <li>
                <Glyph icon=Icon::Person />
                <span>
                    "Approved by " {connection.connected_by.clone()} ", "
                    <time datetime=connection.connected_at.iso.clone()>
                        {connection.connected_at.text.clone()}
                    </time>
                </span>
            </li>
            {able(connection)}
            {open}
        </ul>
    }
    .into_any()
}
