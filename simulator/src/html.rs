//! The frame of every page for people: plain HTML without scripts.

use std::fmt::Write;

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "\
    :root{color-scheme:light dark;--line:#8886;--accent:#4f5bd5}\
    *{box-sizing:border-box}\
    body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:1.5rem 1rem}\
    main{max-width:46rem;margin:0 auto}main.narrow{max-width:30rem}\
    .note{border:1px solid var(--line);border-left:.3rem solid \
    #d97706;border-radius:.4rem;padding:.5rem .8rem;margin:0 0 1.5rem}\
    h1{font-size:1.4rem;line-height:1.25}h2{font-size:1.1rem;margin-top:2rem}\
    fieldset{border:1px solid var(--line);border-radius:.5rem;margin:1rem 0;padding:.6rem .9rem}\
    label{display:block;padding:.35rem \
    0}select,input:not([type=radio]){font:inherit;padding:.45rem .5rem;max-width:100%}\
    button{font:inherit;padding:.5rem 1rem;border-radius:.4rem;border:1px solid \
    var(--line);cursor:pointer;min-height:2.75rem}\
    button.main{background:var(--accent);border-color:var(--accent);color:#fff}\
    .row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.6rem \
    0}form.inline{display:inline}\
    form>.row:last-child{margin-top:1.25rem}.whole{white-space:nowrap}\
    @media(max-width:36rem){.row>label{flex:1 1 \
    100%}.row>label>:is(input,select){display:block;width:100%}}\
    .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}\
    td,th{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid \
    var(--line);vertical-align:top}\
    code{overflow-wrap:anywhere}:focus-visible{outline:3px solid \
    var(--accent);outline-offset:2px}";

/// Text made safe for element content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A whole page. `body` is HTML already; `title` is text.
pub(crate) fn page(status: StatusCode, title: &str, narrow: bool, body: &str) -> Response {
    let (title, class) = (escape(title), if narrow { " class=\"narrow\"" } else { "" });
    let mut html = String::with_capacity(STYLE.len() + body.len() + 600);
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
            <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
            <link rel=\"icon\" href=\"data:,\"><title>{title} · Simulated \
            Linear</title><style>{STYLE}</style></head><body><main{class}>\
            <p class=\"note\" role=\"note\"><strong>This is the simulated Linear.</strong> \
            Nothing here reaches the real linear.app; all people and workspaces are invented.</p>\
            <h1>{title}</h1>{body}</main></body></html>"
    );
    let headers: [(HeaderName, &str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; \
                base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_a_person_wrote_becomes_markup() {
        assert_eq!(escape("<a b='c\"&'>"), "&lt;a b=&#39;c&quot;&amp;&#39;&gt;");
    }
}
