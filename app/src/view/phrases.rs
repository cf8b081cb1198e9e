//! Phrases that several parts share.

use leptos::prelude::*;

use super::{ActsAs, Answer};

/// Quotes Linear's answer, in mono where the words are its own.
pub fn said(answer: Answer) -> AnyView {
    match answer {
        Answer::Verbatim(answer) => view! { <code>{answer}</code> }.into_any(),
        Answer::Words(words) => words.into_any(),
    }
}

/// ", last answer 503", ", last try: no connection": the end of what is said of something that
/// fails.
pub fn said_last(answer: Option<Answer>) -> Option<AnyView> {
    let lead = match answer.as_ref()? {
        Answer::Verbatim(_) => ", last answer ",
        Answer::Words(_) => ", last try: ",
    };
    answer.map(|answer| view! { {lead} {said(answer)} }.into_any())
}

/// The fate of the tokens where revoking them might end a grant that others live by.
pub const KEPT_SEALED: &str = "Another organisation here is connected to it through the same \
    Linear app: the tokens are kept sealed, and revoked when that ends.";

/// "1 team", "3 teams".
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// "1 delivery", "3 deliveries".
#[must_use]
pub fn counted_deliveries(count: u64) -> String {
    if count == 1 {
        "1 delivery".to_owned()
    } else {
        format!("{count} deliveries")
    }
}

/// "Jun Sato’s", "Northwind Labs’".
#[must_use]
pub fn possessive(name: &str) -> String {
    if name.ends_with(['s', 'S']) {
        format!("{name}’")
    } else {
        format!("{name}’s")
    }
}

/// The first word of a name: how one speaks of somebody at the second mention.
#[must_use]
pub fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// Says whose name Linear shows, as the fact on a card.
#[must_use]
pub fn acts_as(who: &ActsAs) -> String {
    match who {
        ActsAs::App { .. } => "Acts as the app".to_owned(),
        ActsAs::User { name } => format!("Acts as {name}"),
    }
}

/// "Owner"
pub fn role_name(role: &str) -> &'static str {
    match role {
        "owner" => "Owner",
        "admin" => "Admin",
        _ => "Member",
    }
}
