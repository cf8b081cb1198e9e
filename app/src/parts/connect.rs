//! The forms that leave for Linear's consent screen.

use leptos::prelude::*;

use super::{Glyph, Icon, ScopePicker, for_organisation};
use crate::view::{Choice, ScopeView};
use relink_frontend::Leave;

const START: &str = "/oauth/linear/start";

fn class(primary: bool) -> &'static str {
    if primary { "btn primary" } else { "btn" }
}

/// **Connect Linear** and nothing else: the preselected scopes, acting as the app.
#[component]
pub fn ConnectButton(
    #[prop(into, default = "Connect Linear".to_owned())] label: String,
    #[prop(default = Icon::Plus)] icon: Icon,
    /// The thing that the button is about, where several buttons of this name are on a page.
    #[prop(optional)]
    about: Option<String>,
    /// The organisation's own app to connect through.
    #[prop(optional_no_strip)]
    app: Option<String>,
) -> impl IntoView {
    view! {
        <Leave>
            <form method="post" action=for_organisation(START)>
                {app.map(|app| view! { <input type="hidden" name="app" value=app /> })}
                <button class=class(false)>
                    <Glyph icon />
                    {label}
                    {about.map(|about| view! { <span class="sr">" " {about}</span> })}
                </button>
            </form>
        </Leave>
    }
    .into_any()
}

/// **Connect Linear** with the choice of who acts and what it may do, and of the app if there are
/// several.
#[component]
pub fn ConnectForm(
    scopes: Vec<ScopeView>,
    apps: Vec<Choice>,
    primary: bool,
    form_class: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <Leave>
            <form class=form_class id="connect" method="post" action=for_organisation(START)>
                {children.map(|children| children())}
                {(!apps.is_empty()).then(|| choice(apps))}
                <button class=class(primary)>
                    <Glyph icon=Icon::Plus />
                    "Connect Linear"
                </button>
                <ScopePicker scopes />
            </form>
        </Leave>
    }
    .into_any()
}

fn choice(apps: Vec<Choice>) -> AnyView {
    let option =
        |app: Choice| view! { <option value=app.value selected=app.chosen>{app.label}</option> };
    view! {
        <div class="field which">
            <label for="app">"Linear app"</label>
            <select class="input" id="app" name="app">
                {apps.into_iter().map(option).collect_view()}
            </select>
        </div>
    }
    .into_any()
}

/// **Reconnect** for one connection. Several on a page carry the same name, so the workspace is
/// their description.
#[component]
pub fn ReconnectForm(
    connection: String,
    workspace: String,
    #[prop(optional)] primary: bool,
) -> impl IntoView {
    let description = format!("Opens Linear to approve {workspace} again");
    view! {
        <Leave>
            <form method="post" action=START>
                <input type="hidden" name="connection" value=connection />
                <button class=class(primary) title=description>
                    <Glyph icon=Icon::Turn />
                    "Reconnect"
                </button>
            </form>
        </Leave>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::set_form_organisation;
    use crate::rendered;

    fn form(apps: Vec<Choice>) -> String {
        rendered::html(
            || view! { <ConnectForm scopes=Vec::new() apps primary=true form_class="first" /> },
        )
    }

    #[test]
    fn the_app_is_chosen_where_there_are_several() {
        let choice = |value: &str, label: &str, chosen| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen,
        };
        let several = form(vec![
            choice("", "This Relink’s app", true),
            choice("a1", "Acme internal", false),
        ]);
        for part in [
            r#"<select id="app" name="app""#,
            r#"<option value="" selected>This Relink’s app</option>"#,
            r#"<option value="a1">Acme internal</option>"#,
        ] {
            assert!(several.contains(part), "{part} is not in {several}");
        }
        assert!(!form(Vec::new()).contains("<select"));
    }

    #[test]
    fn what_was_connected_through_an_app_goes_through_it_again() {
        let button = |app| rendered::html(|| view! { <ConnectButton app /> });
        assert!(
            button(Some("a1".to_owned()))
                .contains(r#"<input type="hidden" name="app" value="a1">"#)
        );
        assert!(!button(None).contains("<input"));
    }

    #[test]
    fn a_new_connection_is_for_the_organisation_of_its_page() {
        let page = rendered::html(|| {
            set_form_organisation("org-1");
            view! { <ConnectButton /> }
        });
        assert!(
            page.contains(r#"action="/oauth/linear/start?organisation=org-1""#),
            "{page}"
        );
    }
}
