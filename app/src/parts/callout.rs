//! The reconnect callout: what Linear answered, when, what it most likely means, and the one button
//! that helps.

use leptos::prelude::*;

use super::{Glyph, Icon, ReconnectForm, counted};
use crate::view::{ConnectionView, EvidenceView, Trouble};

#[component]
pub fn Callout(
    connection: ConnectionView,
    trouble: Trouble,
    manages: bool,
    /// The evidence, on the connection's own page: a heading of the second level, and more room.
    evidence: Option<EvidenceView>,
) -> impl IntoView {
    let (lead, text) = trouble.since.in_sentence();
    let heading = view! {
        <Glyph icon=Icon::Warning />
        <span>
            "Linear refused this connection " {lead}
            <time datetime=trouble.since.iso.clone()>{text}</time>
        </span>
    };
    let long = evidence.is_some();
    let EvidenceView {
        asked,
        ruled_out,
        keys,
    } = evidence.unwrap_or_default();
    let heading = if long {
        view! { <h2>{heading}</h2> }.into_any()
    } else {
        view! { <h3>{heading}</h3> }.into_any()
    };
    view! {
        <div class=if long { "callout long" } else { "callout" }>
            {heading}
            <dl class="ev">
                {answer(&trouble)} {asked.map(|asked| view! { <dt>"Asked"</dt> <dd>{asked}</dd> })}
                <dt>"Most likely"</dt>
                {trouble.likely.into_iter().map(|likely| view! {
                    <dd>{likely}</dd>
                }).collect_view()}
                {not_it(ruled_out)} {waiting(keys)}
            </dl>
            {remedy(connection, manages, long)}
        </div>
    }
    .into_any()
}

fn answer(trouble: &Trouble) -> Option<AnyView> {
    let verbatim = trouble
        .answer
        .clone()
        .map(|answer| view! { <code>{answer}</code> " " });
    (verbatim.is_some() || !trouble.answer_note.is_empty()).then(|| {
        view! { <dt>"Answer"</dt> <dd>{verbatim} {trouble.answer_note.clone()}</dd> }.into_any()
    })
}

fn not_it(ruled_out: Vec<String>) -> Option<AnyView> {
    (!ruled_out.is_empty()).then(|| {
        let causes = ruled_out
            .into_iter()
            .map(|cause| view! { <dd>{cause}</dd> })
            .collect_view();
        view! { <dt>"Ruled out"</dt> {causes} }.into_any()
    })
}

fn waiting(keys: u32) -> Option<AnyView> {
    let count = usize::try_from(keys).unwrap_or(usize::MAX);
    let (were, they) = if keys == 1 {
        ("was", "it gets")
    } else {
        ("were", "they get")
    };
    (keys > 0).then(|| {
        view! {
            <dt>"Waiting"</dt>
            <dd>
                {format!("{} {were} used since; for this workspace {they} ", counted(count, "API \
                    key"))} <code>"409 reconnect_required"</code>
            </dd>
        }
        .into_any()
    })
}

fn remedy(connection: ConnectionView, manages: bool, long: bool) -> AnyView {
    if !manages {
        return view! { <p class="small">"An admin of your organisation can reconnect it."</p> }
            .into_any();
    }
    let name = connection.workspace.name;
    let after = if long {
        view! { <p>"Pick " <b>{name.clone()}</b> " on Linear’s screen. Webhook secrets, people and \
        API keys stay as they are."</p> }
        .into_any()
    } else {
        view! { <p>"Linear asks you to approve, then you are back here. Webhook secrets, people \
        and API keys stay."</p> }
        .into_any()
    };
    view! {
        <div class="do">
            <ReconnectForm connection=connection.id workspace=name primary=true /> {after}
        </div>
    }
    .into_any()
}

#[cfg(test)]
#[path = "callout_tests.rs"]
mod tests;
