//! Forms whose fields name nothing of an organisation say which one their page was made for: a page
//! that was left open must not act in another one that was switched to since.

use leptos::prelude::*;

#[derive(Clone)]
struct MadeFor(String);

/// Sets the organisation for the forms of the page from here on.
pub fn set_form_organisation(organisation: &str) {
    provide_context(MadeFor(organisation.to_owned()));
}

/// The address that such a form is posted to. The server refuses it where the person is in another
/// organisation by then.
pub fn for_organisation(action: &str) -> String {
    match use_context::<MadeFor>() {
        Some(MadeFor(id)) => format!("{action}?organisation={id}"),
        None => action.to_owned(),
    }
}
