//! A workspace was connected for the first time, and who did it may say who they are there.

use leptos::prelude::*;

use super::{Next, Tone, Words};
use crate::view::WhoAreYou;

/// Whether somebody is the person that they approved as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    connection: String,
    workspace: String,
    /// Linear's id, and the name.
    person: String,
    name: String,
}

pub fn connected(
    connection: String,
    workspace: String,
    delivers: bool,
    you: Option<WhoAreYou>,
) -> Words {
    let done = format!("{workspace} is connected.");
    let words = if delivers {
        Words::new(
            Tone::Good,
            done,
            "Its deliveries arrive through the Linear app’s own webhook.",
        )
    } else {
        let next = "Next: paste its webhook secret, so deliveries can be verified.";
        Words::new(Tone::Good, done, next).then(Next::Webhook(connection.clone()))
    };
    match you {
        Some(WhoAreYou::Viewer { id, name }) => Words {
            proposal: Some(Proposal {
                connection,
                workspace,
                person: id,
                name,
            }),
            ..words
        },
        Some(WhoAreYou::Anybody) => words.then(Next::WhichIsYou),
        None => words,
    }
}

/// Not now is the page without the message: the question is asked once.
pub fn proposed(proposal: Proposal, page: String) -> AnyView {
    let Proposal {
        connection,
        workspace,
        person,
        name,
    } = proposal;
    view! {
        <div class="ask">
            <p>
                <b>{format!("Are you {name} in {workspace}?")}</b>
            </p>
            <div class="do">
                <form method="post" action="/team/me">
                    <input type="hidden" name="workspace" value=connection />
                    <input type="hidden" name="person" value=person />
                    <button class="btn">"Yes, that’s me"</button>
                </form>
                <a class="btn quiet" href=page>"Not now"</a>
            </div>
        </div>
    }
    .into_any()
}
