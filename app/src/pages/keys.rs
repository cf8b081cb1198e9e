//! API keys on `/settings`: the list, the form for a new one, and the new one, once.

use leptos::prelude::*;

use crate::parts::{Ask, CopyFirst, Field, Glyph, Icon, Problem, Question, for_organisation};
use crate::view::{KeyView, NewKeyView};
use relink_frontend::Once;

/// The top of the page: the key that was just made, or that there is none to show any more.
#[component]
pub fn NewKey(new_key: NewKeyView) -> impl IntoView {
    let done = view! { <p><a class="btn" href="/settings">"Done"</a></p> };
    match new_key {
        NewKeyView::Shown { name, key } => view! {
            <section class="once" aria-labelledby="h-new-key">
                <div>
                    <h2 id="h-new-key">"API key " {name} ", shown once."</h2>
                    <p class="soft small">"Relink keeps a hash, not the key."</p>
                </div>
                <CopyFirst id="new-key" label="Key" button="Copy key" value=key />
                {done}
            </section>
        }
        .into_any(),
        NewKeyView::Gone => view! {
            <div class="panel pad stack first-thing">
                <p>"This key was shown already. Make a new one if it got lost."</p>
                {done}
            </div>
        }
        .into_any(),
    }
}

#[component]
pub fn ApiKeys(
    keys: Vec<KeyView>,
    /// A name that did not do.
    #[prop(optional_no_strip)]
    refused: Option<String>,
) -> impl IntoView {
    let problem = refused.is_some().then(|| Problem {
        text: "Enter a name of 1 to 100 characters.".to_owned(),
        first: true,
    });
    let value = refused.unwrap_or_default();
    let purpose = (!keys.is_empty()).then(|| {
        view! { <p>"For machines. Each can ask for tokens of every workspace of this \
        organisation."</p> }
    });
    view! {
        <section class="set" id="api-keys" aria-labelledby="h-keys">
            <header>
                <h2 id="h-keys">"API keys"</h2>
                {purpose}
            </header>
            <div>
                {list(keys)}
                <Once>
                <form class="row" method="post" action=for_organisation("/settings/keys/new")>
                    <Field id="name" label="Name of a new key" value autocomplete="off" problem />
                    <button class="btn">
                        <Glyph icon=Icon::Plus />
                        "Create key"
                    </button>
                </form>
                </Once>
            </div>
        </section>
    }
    .into_any()
}

fn list(keys: Vec<KeyView>) -> AnyView {
    if keys.is_empty() {
        let none = "No key yet. A key lets a program ask for tokens of every workspace of this \
            organisation.";
        return view! { <p class="soft">{none}</p> }.into_any();
    }
    view! {
        <div class="panel">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Key"</th>
                        <th scope="col">"Made by"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">
                            <span class="sr">"Actions"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{keys.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Asks before a key is revoked.
pub fn revocation_question(key: &KeyView) -> Question {
    let used = key.last_used.as_ref().map_or_else(
        || "It was never used".to_owned(),
        |at| format!("It was used {}", at.text),
    );
    Question {
        id: format!("key-{}", key.id),
        heading: format!("Revoke {}?", key.name),
        note: "It cannot be made good again. Programs would need a new key.".to_owned(),
        points: vec![
            "Programs that use it are refused from now on".to_owned(),
            used,
        ],
        action: "/settings/keys/revoke",
        fields: vec![("key", key.id.clone())],
        page: "/settings".to_owned(),
        keep: "Keep it",
        go: "Revoke",
        ..Question::default()
    }
}

fn row(key: KeyView) -> AnyView {
    let question = revocation_question(&key);
    let asked = vec![("key", key.id), ("confirm", "key".to_owned())];
    let used = match key.last_used {
        Some(at) => view! { <time datetime=at.iso>{at.text}</time> }.into_any(),
        None => "Never".into_any(),
    };
    view! {
        <tr>
            <td>
                <b>{key.name.clone()}</b>
            </td>
            <td data-l="Key">
                <code>{key.key}</code>
            </td>
            <td data-l="Made by">{key.made_by.unwrap_or_else(|| "Command line".to_owned())}</td>
            <td data-l="Last used">{used}</td>
            <td class="act">
                <Ask question asked class="btn quiet">
                    "Revoke"
                    <span class="sr">" " {key.name}</span>
                </Ask>
            </td>
        </tr>
    }
    .into_any()
}
