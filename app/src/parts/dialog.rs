//! A question before anything that cannot be taken back: in place where scripts run, otherwise on
//! the same page under `?confirm=…`.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::view::{ConnectionView, EndingView, KeyUsedView};
use relink_frontend::Confirm;

/// A question, and what happens after a yes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The id of the dialog on its page.
    pub id: String,
    pub heading: String,
    pub note: String,
    /// The things that are lost by it, and those that are not.
    pub points: Vec<String>,
    pub stays: Vec<String>,
    /// The address that the yes is posted to, and the fields that go with it.
    pub action: &'static str,
    pub fields: Vec<(&'static str, String)>,
    /// An extra that can be done in the same go, ticked: the name of its field, and its label.
    pub offer: Option<(&'static str, String)>,
    /// The page without the question.
    pub page: String,
    pub keep: &'static str,
    pub go: &'static str,
}

/// The button that leads to the question. `asked` is what the address bar holds then.
#[component]
pub fn Ask(
    question: Question,
    asked: Vec<(&'static str, String)>,
    class: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <Confirm>
            <form method="get" action=question.page.clone()>
                {hidden(asked)}
                <button class=class>{children()}</button>
            </form>
            <Dialog question open=false />
        </Confirm>
    }
    .into_any()
}

#[component]
pub fn Dialog(question: Question, open: bool) -> impl IntoView {
    let Question {
        id,
        heading,
        note,
        points,
        stays,
        action,
        fields,
        offer,
        page,
        keep,
        go,
    } = question;
    // The same question waits, closed, beside its button.
    let id = if open { format!("{id}-asked") } else { id };
    let (heading_id, note_id) = (format!("{id}-h"), format!("{id}-p"));
    let (labelled_by, described_by) = (heading_id.clone(), note_id.clone());
    let entry = |icon| move |point: String| view! { <li><Glyph icon /> <span>{point}</span></li> };
    let points = points
        .into_iter()
        .map(entry(Icon::Cross))
        .chain(stays.into_iter().map(entry(Icon::Check)))
        .collect_view();
    view! {
        <dialog open=open aria-labelledby=labelled_by aria-describedby=described_by>
            <h2 id=heading_id>{heading}</h2>
            <p class="soft" id=note_id>{note}</p>
            <ul>{points}</ul>
            <form class="do" method="post" action=action>
                {hidden(fields)}
                {offer.map(offered)}
                <a class="btn" href=page autofocus>{keep}</a>
                <button class="btn danger solid">{go}</button>
            </form>
        </dialog>
    }
    .into_any()
}

fn offered((name, words): (&'static str, String)) -> AnyView {
    view! {
        <label class="tick">
            <input type="checkbox" name=name value="yes" checked />
            <span>{words}</span>
        </label>
    }
    .into_any()
}

fn hidden(fields: Vec<(&'static str, String)>) -> AnyView {
    fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
        .into_any()
}

const TOKENS_KEPT: &str = "The tokens are kept sealed, as another organisation here is connected \
    to it through the same Linear app; \
    they are revoked when that ends";

/// Asks before a disconnect.
#[must_use]
pub fn disconnect_question(connection: &ConnectionView, ending: &EndingView) -> Question {
    let revoked = if ending.tokens_kept {
        TOKENS_KEPT
    } else {
        "Both tokens are revoked at Linear now"
    }
    .to_owned();
    Question {
        id: "disconnect".to_owned(),
        heading: format!("Disconnect {}?", connection.workspace.name),
        note: "You can connect it again later; Linear will ask for approval.".to_owned(),
        points: [
            revoked,
            "Webhooks of this workspace are refused from now on".to_owned(),
        ]
        .into_iter()
        .chain(keys_lose(ending))
        .collect(),
        stays: vec![format!(
            "Linked people, signing secrets and this history are kept for {}",
            ending.kept
        )],
        action: "/integrations/disconnect",
        fields: vec![("connection", connection.id.clone())],
        page: format!("/integrations/{}", connection.id),
        keep: "Keep connected",
        go: "Disconnect",
        ..Question::default()
    }
}

/// "3 API keys lose this workspace; “ci-runner” was used 2 min ago".
fn keys_lose(ending: &EndingView) -> Option<String> {
    let lose = match ending.keys {
        0 => return None,
        1 => "1 API key loses this workspace".to_owned(),
        keys => format!("{keys} API keys lose this workspace"),
    };
    Some(match &ending.last_used {
        Some(KeyUsedView { key, ago }) => format!("{lose}; “{key}” was used {ago}"),
        None => lose,
    })
}

#[component]
pub fn DisconnectSection(connection: ConnectionView, ending: EndingView) -> impl IntoView {
    let question = disconnect_question(&connection, &ending);
    let revokes = (!ending.tokens_kept).then_some("Revokes both tokens at Linear. ");
    view! {
        <section class="section" aria-labelledby="h-disconnect">
            <header>
                <div>
                    <h2 id="h-disconnect">"Disconnect"</h2>
                    <p>
                        {revokes} "Programs that ask for this workspace are told that a person \
                            disconnected it."
                    </p>
                </div>
                <Ask question asked=vec![("confirm", "disconnect".to_owned())] class="btn danger">
                    "Disconnect"
                </Ask>
            </header>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disconnect_counts_what_loses_the_workspace() {
        let said = |keys, used: Option<&str>| {
            let last_used = used.map(|key| KeyUsedView {
                key: key.to_owned(),
                ago: "2 min ago".to_owned(),
            });
            keys_lose(&EndingView {
                tokens_kept: false,
                keys,
                last_used,
                kept: "30 days".to_owned(),
            })
        };
        assert_eq!(said(0, None), None);
        assert_eq!(
            said(1, None).as_deref(),
            Some("1 API key loses this workspace")
        );
        assert_eq!(
            said(3, Some("ci-runner")).as_deref(),
            Some("3 API keys lose this workspace; “ci-runner” was used 2 min ago")
        );
    }
}
