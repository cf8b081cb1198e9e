//! Pages as the HTML standard has them. The renderer writes three things that browsers forgive and
//! the standard does not: `<!>` for an empty comment, its last script behind the end of the
//! document, and the nonce as the value of `crossorigin`. The comments are for finding places again
//! in the browser, which happens in islands only: elsewhere they are left out. Nor does any text
//! hold a character that acts on what stands around it, whoever wrote it.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use relink_engine::text::acts;

use crate::Web;
use crate::csrf::Asker;

const ENDS: [&str; 2] = ["</body>", "</html>"];

pub fn is_page(response: &Response) -> bool {
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.starts_with("text/html")
}

/// Pages are whole before their first byte leaves, so nobody waits for this.
pub async fn tidy(State(web): State<Web>, request: Request, next: Next) -> Response {
    let asker = Asker::of(&web, &request);
    let response = next.run(request).await;
    if !is_page(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let field = asker
        .and_then(|asker| asker.field(&web, &mut parts.headers))
        .unwrap_or_default();
    let tidied = std::str::from_utf8(&bytes).map(|page| tidied(page, &field));
    Response::from_parts(
        parts,
        tidied.map_or_else(|_| Body::from(bytes.clone()), Body::from),
    )
}

/// `field` goes into each form that changes something.
fn tidied(html: &str, field: &str) -> String {
    let mut page = String::with_capacity(html.len() + html.len() / 16);
    let mut ends = String::new();
    let mut islands = 0_usize;
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (text, from_tag) = rest.split_at(start);
        let (tag, after) = from_tag.split_at(length(from_tag));
        push_text(&mut page, text);
        islands += usize::from(tag.starts_with("<leptos-island"));
        islands = islands.saturating_sub(usize::from(tag == "</leptos-island>"));
        match tag {
            "<!>" if islands == 0 => {}
            "<!>" => page.push_str("<!---->"),
            end if ENDS.contains(&end) => ends.push_str(end),
            link if link.starts_with("<link ") => push_link(&mut page, link),
            form if form.starts_with("<form ") && form.contains(" method=\"post\"") => {
                page.extend([form, field])
            }
            tag => page.push_str(tag),
        }
        rest = after;
    }
    push_text(&mut page, rest);
    page + &ends
}

/// Names are made fit for a page where it is made (`relink_engine::text`); this is for what was
/// forgotten.
fn push_text(page: &mut String, text: &str) {
    let acts = |c: char| acts(c) && !matches!(c, '\n' | '\t');
    if text.contains(acts) {
        page.extend(text.chars().filter(|c| !acts(*c)))
    } else {
        page.push_str(text)
    }
}

/// Measures the tag, comment or script that the text starts with: what stands in quotes or in a
/// script is no markup.
fn length(text: &str) -> usize {
    let through = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with("<!--") {
        return through("-->");
    }
    if text.starts_with("<script") {
        return through("</script>");
    }
    let mut quoted = false;
    let end = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.map_or(text.len(), |at| at + 1)
}

fn push_link(page: &mut String, link: &str) {
    match link
        .split_once(" crossorigin=\"")
        .and_then(|(before, value)| Some((before, value.split_once('"')?.1)))
    {
        Some((before, after)) => page.extend([before, " crossorigin", after]),
        None => page.push_str(link),
    }
}

#[cfg(test)]
mod tests {
    fn tidied(html: &str) -> String {
        super::tidied(html, "")
    }

    #[test]
    fn each_form_that_changes_something_has_the_field() {
        let html = "<form method=\"get\" action=\"/a\"></form><form class=\"x\" method=\"post\" \
            action=\"/b\"><b>c</b></form>";
        let right = "<form method=\"get\" action=\"/a\"></form><form class=\"x\" method=\"post\" \
            action=\"/b\"><i><b>c</b></form>";
        assert_eq!(super::tidied(html, "<i>"), right);
    }

    #[test]
    fn what_browsers_forgive_is_put_right() {
        let html = "<html><head><link rel=\"preload\" crossorigin=\"nonce\" \
            href=\"/a\"></head><body>a<!>b\
            <leptos-island \
            data-component=\"A\">c<!>d</leptos-island>e<!></body></html><script>1</script>";
        let right = "<html><head><link rel=\"preload\" crossorigin href=\"/a\"></head><body>ab\
            <leptos-island \
            data-component=\"A\">c<!---->d</leptos-island>e<script>1</script></body></html>";
        assert_eq!(tidied(html), right);
        assert_eq!(tidied(right), right);
    }

    #[test]
    fn no_text_acts_on_what_stands_around_it() {
        let html = "<p>Acme\u{202e}dekcah\u{2069}\u{1b}[2J\r\n\t\u{9b}x</p>\u{200f}";
        assert_eq!(tidied(html), "<p>Acmedekcah[2J\n\tx</p>");
    }

    #[test]
    fn what_people_wrote_stays_as_it_is() {
        for html in [
            "<p title=\"a <!> b > </body>\">&lt;!> \" <b>it's</b></p>",
            "<script>if (a < b) \"<!></body>\"</script>",
            "<!-- <!> </html> --><p>1 < 2",
            "<link rel=\"stylesheet\" href=\"/a?b>c\">",
            "",
        ] {
            assert_eq!(tidied(html), html);
        }
    }
}
