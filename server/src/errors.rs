//! What a person sees where no page could be made: a sentence in place of an empty or a machine's answer.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

/// Replaces the body of a failed answer for browsers; programs get it as it is.
pub async fn in_words(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let person = accept.contains("text/html");
    let response = next.run(request).await;
    let (status, page) = (response.status(), is_page(&response));
    if !person || page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::LOCATION] {
        parts.headers.remove(name);
    }
    (parts, Html(page_of(status))).into_response()
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html")
}

fn page_of(status: StatusCode) -> String {
    let words = match status {
        StatusCode::FORBIDDEN => "This form was sent from another site, so Relink did not accept it. Nothing was changed.",
        StatusCode::NOT_FOUND => "There is nothing here.",
        StatusCode::PAYLOAD_TOO_LARGE => "A form may carry 64 KiB, and this one had more. Nothing was changed.",
        status if status.is_client_error() => "This request makes no sense to Relink. Nothing was changed.",
        _ => "Relink cannot do this right now. Try again in a minute.",
    };
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>That did not work, Relink</title></head>\
         <body><main><h1>That did not work</h1><p>{words}</p><p><a href=\"/integrations\">Back to Relink</a></p></main></body></html>"
    )
}
