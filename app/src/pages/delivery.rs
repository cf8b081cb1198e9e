//! One delivery in the list: a line, and opened all that is known of it.

use leptos::prelude::*;

use super::delivery_attempts::DeliveryAttempts;
use crate::parts::{Glyph, Icon};
use crate::view::{Again, BodyView, DeliveryOutcome, DeliveryView, Piece, PieceKind, SignedWith};
use relink_frontend::CopyButton;

#[component]
pub fn Row(
    delivery: DeliveryView,
    /// The page that it is on.
    here: String,
    manages: bool,
) -> impl IntoView {
    let (class, icon, outcome) = match delivery.outcome {
        DeliveryOutcome::Accepted => ("tag ok", Icon::Check, "Accepted"),
        DeliveryOutcome::Late => ("tag wait", Icon::Clock, "Accepted late"),
        DeliveryOutcome::Ignored => ("tag", Icon::Minus, "Ignored"),
    };
    let again = delivery.again.as_ref().map(|again| {
        view! {
            <span class="again">
                <Glyph icon=Icon::Duplicate />
                <span aria-hidden="true">"×" {arrivals(again)}</span>
                <span class="sr">{format!("arrived {} times", arrivals(again))}</span>
            </span>
        }
    });
    let number = delivery.number;
    view! {
        <li data-key=number>
            <details name="delivery">
                <summary>
                    <Glyph icon=Icon::Chevron />
                    <time class="t mono" datetime=delivery.at.iso.clone()>
                        {delivery.at.text.clone()}
                    </time>
                    <span class="ev">
                        <b>{delivery.event.clone()}</b> " " <span>{delivery.subject.clone()}</span>
                    </span>
                    <span class="ws">{delivery.workspace.clone()}</span>
                    <span class=class><Glyph icon /> {outcome} {again}</span>
                    <span class="sg">
                        <span class="sr">"signed with: "</span> {short(delivery.signed)}
                    </span>
                    <span class="ms">{delivery.took.clone()}</span>
                </summary>
                <div class="open">
                    {facts(&delivery)}
                    <DeliveryAttempts
                        number=delivery.number
                        handed=delivery.handed.clone()
                        back=here
                        manages
                    />
                    {body(delivery)}
                </div>
            </details>
        </li>
    }
    .into_any()
}

fn short(signed: SignedWith) -> &'static str {
    match signed {
        SignedWith::Current => "Current",
        SignedWith::Previous => "Previous",
        SignedWith::App => "App’s",
        SignedWith::Retired => "Retired",
        SignedWith::Removed => "Removed",
    }
}

fn verified(signed: SignedWith) -> &'static str {
    match signed {
        SignedWith::Current => "Verified, current secret",
        SignedWith::Previous => "Verified, previous secret",
        SignedWith::App => "Verified, the Linear app’s secret",
        SignedWith::Retired => "Verified, a secret retired since",
        SignedWith::Removed => "Verified, a secret removed since",
    }
}

fn facts(delivery: &DeliveryView) -> AnyView {
    let fact = |name: &'static str, value: AnyView| {
        view! { <div><dt>{name}</dt> <dd>{value}</dd></div> }.into_any()
    };
    let id = match delivery.delivery_id.clone() {
        Some(id) => view! { <code>{id}</code> }.into_any(),
        None => "Linear sent no id".into_any(),
    };
    let (sent, received) = (delivery.sent.clone(), delivery.received.clone());
    let actor = Some(delivery.actor.clone()).filter(|actor| !actor.is_empty());
    view! {
        <dl class="kv">
            <div>
                <dt>"Signature"</dt>
                <dd class="tag ok"><Glyph icon=Icon::Shield /> {verified(delivery.signed)}</dd>
            </div>
            {actor.map(|actor| fact("Who", actor.into_any()))}
            {fact("Delivery", id)}
            {fact("Body digest", view! {
                <code>"sha256 " {delivery.digest.clone()}</code>
            }.into_any())}
            {fact(
                "Sent, received",
                view! {
                    <time datetime=sent.iso>{sent.text}</time> ", "
                    <time datetime=received.iso>{received.text}</time>
                }
                    .into_any(),
            )}
            {delivery.again.clone().map(|again| fact("Arrived", arrived(again)))}
            {delivery.twice.then(|| fact("Came through", "the Linear app’s webhook and the \
                workspace’s own, taken once".into_any()))}
        </dl>
    }
    .into_any()
}

fn arrived(again: Again) -> AnyView {
    let times = format!("{} times, last at ", arrivals(&again));
    view! { {times} <time datetime=again.last.iso>{again.last.text}</time> }.into_any()
}

/// The first one counts too.
fn arrivals(again: &Again) -> u64 {
    u64::from(again.times) + 1
}

fn body(delivery: DeliveryView) -> AnyView {
    let BodyView { bytes, raw, pieces } = delivery.body;
    let label = format!(
        "Raw body of {} {} at {}",
        delivery.event, delivery.subject, delivery.at.text
    );
    let (class, size) = match raw {
        Some(_) => (
            None,
            format!("Body, {bytes} bytes, laid out to be read. Copy takes it exactly as signed"),
        ),
        None => (
            Some("cut"),
            format!("The first 16 384 of {bytes} bytes. Read the whole body over the API"),
        ),
    };
    view! {
        <div class="code">
            <header>
                <span>{size}</span>
                {raw.map(copy)}
            </header>
            <pre class=class tabindex="0" role="region" aria-label=label>
                {pieces.into_iter().map(piece).collect_view()}
            </pre>
        </div>
    }
    .into_any()
}

/// Offers the body as received to be copied, not as it is laid out to be read.
fn copy(raw: String) -> AnyView {
    view! {
        <CopyButton>
            <button class="btn quiet js-only" type="button" data-copy=raw>
                <Glyph icon=Icon::Copy />
                <span data-says="Copied">"Copy"</span>
                <span class="sr">" raw body"</span>
            </button>
            <span class="sr" role="status"></span>
        </CopyButton>
    }
    .into_any()
}

fn piece(piece: Piece) -> AnyView {
    match piece.kind {
        PieceKind::Plain => piece.text.into_any(),
        PieceKind::Key => view! { <span class="k">{piece.text}</span> }.into_any(),
        PieceKind::Text => view! { <span class="s">{piece.text}</span> }.into_any(),
    }
}
