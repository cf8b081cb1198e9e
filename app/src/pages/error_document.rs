//! The document where no page could be made: it needs no data, no script, and nothing that could
//! fail too.

use leptos::prelude::*;

use super::error_page::in_the_log;
use crate::Start;
use crate::parts::{BareLayout, Strip, title};
use crate::view::{RequestId, Theme};

/// The page that people get instead of an empty answer or a machine's.
pub struct ErrorDocument {
    pub heading: &'static str,
    pub words: &'static str,
    pub theme: Theme,
    /// The address of the stylesheet.
    pub css: String,
    /// The strip of the simulated Linear is on every page.
    pub simulated: bool,
    /// The address to go on to, and its name.
    pub way_on: (String, &'static str),
    /// The name under which the log has more about an error of ours.
    pub request: Option<RequestId>,
}

/// The document as text.
#[must_use]
pub fn error_document(
    ErrorDocument {
        heading,
        words,
        theme,
        css,
        simulated,
        way_on,
        request,
    }: ErrorDocument,
) -> String {
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                <Start theme css />
                <link rel="icon" type="image/svg+xml" href="/favicon-off.svg" />
                {title(format!("{heading}, Relink"))}
            </head>
            <body>
                <div class=simulated.then_some("has-sim")>
                    {simulated.then(|| view! { <Strip way_out=false /> })}
                    <BareLayout host=String::new()>
                        <div>
                            <h1>{heading}</h1>
                            <p class="soft">{words}</p>
                        </div>
                        {request.map(in_the_log)}
                        <a class="btn primary tall wide" href=way_on.0>
                            {way_on.1}
                        </a>
                    </BareLayout>
                </div>
            </body>
        </html>
    };
    document.to_html()
}
