//! `/integrations/{id}`: one connection with everything Relink knows about it.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::content::TeamsAndProjects;
use super::destinations::HandedOnThere;
use super::granted_scopes::GrantedScopes;
use super::history::RefreshHistory;
use super::load::loaded;
use super::people::LinkedPeople;
use super::webhook::{WebhookSection, secret_question};
use crate::api::load_connection;
use crate::parts::{
    AsOf, Badge, Callout, ConnectButton, Content, Dialog, DisconnectSection, Glyph, Icon,
    NoticeBox, Place, Question, RefusalNotices, StrayNotices, TokenLifetime, WaitingCallout,
    WorkspaceAvatar, disconnect_question, farewell_words,
};
use crate::view::{
    ActsAs, ConnectionPageView, ConnectionView, EndingView, EvidenceView, Farewell, Freshness,
    Status, ThroughView,
};

#[component]
pub fn ConnectionPage() -> impl IntoView {
    let id = use_params_map()
        .with_untracked(|params| params.get("id"))
        .unwrap_or_default();
    let asked = use_query_map().with_untracked(|query| match query.get("confirm").as_deref() {
        Some("disconnect") => Some(Asked::Disconnect),
        Some("secret") => query.get("secret").map(Asked::Secret),
        _ => None,
    });
    loaded(load_connection(id), move |view| connection(view, asked))
}

/// The question that the address bar asks for.
pub enum Asked {
    Disconnect,
    /// The question whether the signing secret with this id is to be accepted no more.
    Secret(String),
}

/// The page, given its data; `asked` is open over it.
pub fn connection(view: ConnectionPageView, asked: Option<Asked>) -> Content {
    let question = asked.and_then(|asked| question(&view, asked));
    let ConnectionPageView {
        connection,
        evidence,
        chain,
        history,
        ending,
        content,
        through,
        webhook,
        destinations,
        people,
        scopes,
        notice,
        manages,
        as_of,
    } = view;
    let page = format!("/integrations/{}", connection.id);
    let name = connection.workspace.name.clone();
    let asking = question.is_some();
    // What was granted goes with the tokens.
    let held = connection.status != Status::NotConnected;
    let refused = webhook
        .as_ref()
        .is_some_and(|webhook| webhook.shape_refused);
    let notices = webhook
        .as_ref()
        .map(|webhook| webhook.refused.clone())
        .unwrap_or_default();
    let (strays, url) = webhook
        .as_ref()
        .map(|webhook| (webhook.strays.clone(), webhook.url.clone()))
        .unwrap_or_default();
    let last = connection.webhook.last.clone();
    let section = webhook.map(|webhook| {
        view! {
            <WebhookSection connection=connection.id.clone() last webhook manages />
        }
    });
    let people = people
        .map(|people| view! { <LinkedPeople connection=connection.clone() people manages /> });
    let main = view! {
        {notice.map(|notice| view! { <NoticeBox notice page=page.clone() manages /> })}
        <nav class="crumb" aria-label="Breadcrumb">
            <a href="/integrations">"Integrations"</a>
            <span aria-hidden="true">"/"</span>
            <span aria-current="page">{name.clone()}</span>
        </nav>
        <Head connection=connection.clone() manages as_of page />
        <RefusalNotices refused=notices here=true />
        <StrayNotices strays url />
        <div data-part="state">{state(&connection, evidence, through, ending.as_ref())}</div>
        <RefreshHistory status=connection.status life=connection.life.clone() chain history />
        {section}
        {destinations.map(|destinations| view! { <HandedOnThere destinations manages /> })}
        <div data-part="scopes">
            {held.then(|| view! { <GrantedScopes scopes works=connection.status.works() /> })}
        </div>
        {held.then(|| view! { <TeamsAndProjects workspace=name.clone() content /> })}
        {people}
        {ending.filter(|_| held && !asking).map(|ending| view! {
            <DisconnectSection connection ending />
        })}
    };
    let title = question.as_ref().map_or_else(
        || format!("{name}, Relink"),
        |question| format!("{} Relink", question.heading),
    );
    let dialog = question.map(|question| view! { <Dialog question open=true /> }.into_any());
    Content {
        refused,
        dialog,
        ..Content::new(title, Some(Place::Integrations), main)
    }
}

/// The question that a dialog asks, for those who may answer yes.
fn question(view: &ConnectionPageView, asked: Asked) -> Option<Question> {
    let connection = &view.connection;
    if !view.manages || connection.status == Status::NotConnected {
        return None;
    }
    match asked {
        Asked::Disconnect => view
            .ending
            .as_ref()
            .map(|ending| disconnect_question(connection, ending)),
        Asked::Secret(id) => {
            let secret = view
                .webhook
                .iter()
                .flat_map(|webhook| &webhook.secrets)
                .find(|secret| secret.id == id)?;
            Some(secret_question(&connection.id, secret))
        }
    }
}

#[component]
fn Head(
    connection: ConnectionView,
    manages: bool,
    as_of: Freshness,
    page: String,
) -> impl IntoView {
    let works = connection.status.works();
    let check = works.then(|| {
        view! {
            <form method="post" action="/integrations/check">
                <input type="hidden" name="connection" value=connection.id.clone() />
                <button class="btn" title="Makes one call to Linear">
                    "Check now"
                </button>
            </form>
        }
    });
    let refresh = (works && manages).then(|| {
        view! {
            <form method="post" action="/integrations/refresh">
                <input type="hidden" name="connection" value=connection.id.clone() />
                <button class="btn" title="Gets a new token from Linear">
                    <Glyph icon=Icon::Turn />
                    "Refresh now"
                </button>
            </form>
        }
    });
    let say = format!("{}: ", connection.workspace.name);
    view! {
        <div class="head">
            <div class="title">
                <WorkspaceAvatar workspace=connection.workspace.clone() />
                <div>
                    <h1>{connection.workspace.name.clone()}</h1>
                    <p class="muted small">"linear.app/" {connection.workspace.url_key.clone()}</p>
                </div>
                <div class="contents" data-part="badge">
                    <span class="contents" data-say=say>
                        <Badge status=connection.status />
                    </span>
                </div>
            </div>
            <div class="tools">
                <AsOf at=as_of page topics="connections deliveries people" />
                <div class="contents" data-part="tools">{check} {refresh}</div>
            </div>
        </div>
    }
    .into_any()
}

/// `ending` is for those who manage.
fn state(
    connection: &ConnectionView,
    evidence: Option<EvidenceView>,
    through: Option<ThroughView>,
    ending: Option<&EndingView>,
) -> AnyView {
    let manages = ending.is_some();
    let callout = connection.trouble.clone().map(|trouble| {
        view! {
            <div class="first-thing">
                <Callout connection=connection.clone() trouble manages evidence />
            </div>
        }
    });
    let waiting = connection.waiting.clone().map(|waiting| {
        view! {
            <div class="first-thing">
                <WaitingCallout waiting />
            </div>
        }
    });
    let life = connection.life.clone().map(|life| {
        view! {
            <div class="pad">
                <TokenLifetime status=connection.status life />
            </div>
        }
    });
    let past = connection.farewell.clone().map(|farewell| {
        view! {
            <div class="pad stack">
                <p>{farewell_words(&farewell)}</p>
                {ending.map(|ending| again(&farewell, &ending.kept))}
            </div>
        }
    });
    view! {
        {callout}
        {waiting}
        <section class="panel" aria-labelledby="h-token">
            <h2 class="sr" id="h-token">"Token"</h2>
            {life}
            {past}
            <Facts connection=connection.clone() through />
        </section>
    }
    .into_any()
}

/// Offers to connect again, while what belongs to the workspace is kept.
fn again(farewell: &Farewell, kept: &str) -> AnyView {
    let stays = format!(
        "Signing secrets, linked people and this history are kept for {kept}, and come back when \
            you connect again."
    );
    view! {
        <p class="soft">{stays} " Linear asks you to approve, then you are back here."</p>
        <div class="past">
            <ConnectButton label="Connect again" icon=Icon::Turn app=farewell.app.clone() />
        </div>
    }
    .into_any()
}

fn linear_app(through: ThroughView) -> AnyView {
    let ThroughView {
        name,
        client_id,
        owned,
    } = through;
    let client_id = view! { <code>{client_id}</code> };
    let client_id = if owned {
        view! { <a href="/settings#linear-app">{client_id}</a> }.into_any()
    } else {
        client_id.into_any()
    };
    view! {
        <div>
            <dt>"Linear app"</dt>
            <dd>{format!("Through the app “{name}”")} " " {client_id}</dd>
        </div>
    }
    .into_any()
}

#[component]
fn Facts(
    connection: ConnectionView,
    #[prop(optional_no_strip)] through: Option<ThroughView>,
) -> impl IntoView {
    let acts_as = match connection.acts_as {
        ActsAs::App { name } => format!("The app “{name}”"),
        ActsAs::User { name } => name,
    };
    let verified = match connection.verified {
        Some(at) => view! { <time datetime=at.iso>{at.text}</time> }.into_any(),
        None => "None yet".into_any(),
    };
    view! {
        <div class="pad split">
            <dl class="kv">
                <div>
                    <dt>{if connection.status == Status::NotConnected { "Acted as" } else { "Acts \
                        as" }}</dt>
                    <dd>{acts_as}</dd>
                </div>
                {through.map(linear_app)}
                <div>
                    <dt>"Connected by"</dt>
                    <dd>
                        {connection.connected_by} ", "
                        <time datetime=connection.connected_at.iso>
                            {connection.connected_at.text}
                        </time>
                    </dd>
                </div>
                <div>
                    <dt>"Last real call"</dt>
                    <dd>{verified}</dd>
                </div>
                {connection
                    .fingerprint
                    .map(|fingerprint| {
                        view! {
                            <div>
                                <dt>"Token fingerprint"</dt>
                                <dd>
                                    <code>{fingerprint}</code>
                                </dd>
                            </div>
                        }
                    })}
            </dl>
        </div>
    }
    .into_any()
}
