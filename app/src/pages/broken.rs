//! The document where no page could be made: it needs no data, no script, and nothing that could fail too.

use leptos::prelude::*;

use super::missing::in_the_log;
use crate::Start;
use crate::parts::Solo;
use crate::view::{RequestId, Theme};

/// What to say instead of an empty or a machine's answer.
pub struct Broken {
    pub heading: &'static str,
    pub words: &'static str,
    pub theme: Theme,
    /// The address of the stylesheet.
    pub css: String,
    /// Of an error of ours: the log has more under this name.
    pub request: Option<RequestId>,
}

/// The document as text.
#[must_use]
pub fn broken(Broken { heading, words, theme, css, request }: Broken) -> String {
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                <Start theme css />
                <link rel="icon" type="image/svg+xml" href="/favicon-off.svg" />
                <title>{format!("{heading}, Relink")}</title>
            </head>
            <body>
                <Solo host=String::new()>
                    <div>
                        <h1>{heading}</h1>
                        <p class="soft">{words}</p>
                    </div>
                    {request.map(in_the_log)}
                    <p>
                        <a class="btn" href="/integrations">
                            "Go to Integrations"
                        </a>
                    </p>
                </Solo>
            </body>
        </html>
    };
    document.to_html()
}
