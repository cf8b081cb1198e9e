//! Pages that are not there, not yours, or cannot be shown right now.

use axum::http::StatusCode;
use leptos::prelude::*;

use crate::api::set_status;
use crate::parts::Content;
use crate::view::{Failure, RequestId};

/// The text that stands instead of the page. The status tells programs the same.
pub fn failed(failure: &Failure) -> Content {
    let (heading, sentence, way_on, label) = match failure {
        Failure::SignedOut => (
            "You were signed out",
            "Sign in to go on.",
            "/signin",
            "Sign in",
        ),
        Failure::Forbidden => {
            set_status(StatusCode::FORBIDDEN);
            (
                "This is not open to you",
                "Your role in this organisation does not include this page. Ask an owner, who can \
                    change that. Nothing was changed.",
                "/integrations",
                "Go to Integrations",
            )
        }
        Failure::NotFound | Failure::Malformed | Failure::OtherOrganisation => {
            set_status(StatusCode::NOT_FOUND);
            (
                "There is no page here",
                "The address has a typo, or what it led to is gone.",
                "/integrations",
                "Go to Integrations",
            )
        }
        Failure::Unavailable => {
            set_status(StatusCode::SERVICE_UNAVAILABLE);
            (
                "This page cannot be shown right now",
                "Relink could not read its own data. Nothing was changed. Try again in a minute; \
                    if it stays like this, tell whoever \
                    runs this Relink.",
                "",
                "Try again",
            )
        }
    };
    let request = use_context::<RequestId>().filter(|_| *failure == Failure::Unavailable);
    let main = view! {
        <div class="head">
            <div>
                <h1>{heading}</h1>
                <p class="lede">{sentence}</p>
                {request.map(in_the_log)}
            </div>
        </div>
        <p>
            <a class="btn" href=way_on>{label}</a>
        </p>
    };
    Content::new(format!("{heading}, Relink"), None, main)
}

/// Points whoever runs this Relink to the reason in the log.
pub fn in_the_log(RequestId(id): RequestId) -> impl IntoView {
    view! {
        <p class="small muted">
            "The server’s log says why, under request " <code class="whole">{id}</code> "."
        </p>
    }
}
