//! The reconnect callout: what Linear answered, when, what it most likely means, and the one button that helps.

use leptos::prelude::*;

use super::{Glyph, Icon, ReconnectForm, when};
use crate::view::{ConnectionView, Trouble};

#[component]
pub fn Callout(
    connection: ConnectionView,
    trouble: Trouble,
    manages: bool,
    /// On the connection's own page: a heading of the second level, and more room.
    #[prop(optional)]
    long: bool,
) -> impl IntoView {
    let (lead, text) = when(&trouble.since);
    let heading = view! {
        <Glyph icon=Icon::Warning />
        <span>"Linear refused this connection " {lead} <time datetime=trouble.since.iso.clone()>{text}</time></span>
    };
    let heading = if long { view! { <h2>{heading}</h2> }.into_any() } else { view! { <h3>{heading}</h3> }.into_any() };
    view! {
        <div class=if long { "callout bad pad" } else { "callout bad" }>
            {heading}
            <dl class="ev">
                {answer(&trouble)} <dt>"Most likely"</dt> <dd>{trouble.likely}</dd>
            </dl>
            {remedy(connection, manages, long)}
        </div>
    }
    .into_any()
}

fn answer(trouble: &Trouble) -> Option<AnyView> {
    let verbatim = trouble.answer.clone().map(|answer| view! { <code>{answer}</code> " " });
    (verbatim.is_some() || !trouble.answer_note.is_empty())
        .then(|| view! { <dt>"Answer"</dt> <dd>{verbatim} {trouble.answer_note.clone()}</dd> }.into_any())
}

fn remedy(connection: ConnectionView, manages: bool, long: bool) -> AnyView {
    if !manages {
        return view! { <p>"An admin of your organisation can reconnect it."</p> }.into_any();
    }
    let name = connection.workspace.name;
    let after = if long {
        view! { <p>"Pick " <b>{name.clone()}</b> " on Linear’s screen, then you are back here."</p> }.into_any()
    } else {
        view! { <p>"Linear asks you to approve, then you are back here."</p> }.into_any()
    };
    view! { <div class="do"><ReconnectForm connection=connection.id workspace=name primary=true /> {after}</div> }.into_any()
}
