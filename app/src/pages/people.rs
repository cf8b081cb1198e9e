//! Linked people on a connection's page: which member is which person in its workspace.

use leptos::prelude::*;

use crate::parts::{Glyph, Icon, Mark, PersonLine};
use crate::view::{ConnectionView, LinkedMemberView, PeopleView, Status};

#[component]
pub fn LinkedPeople(
    connection: ConnectionView,
    people: PeopleView,
    manages: bool,
) -> impl IntoView {
    let PeopleView {
        workspace_id,
        linked,
    } = people;
    // Nobody can be picked where Linear cannot be asked.
    let inviting = manages && connection.status.works();
    let invite = inviting.then(|| {
        view! {
            <a class="btn" href="/team#invite">
                <Glyph icon=Icon::Plus />
                "Invite teammate"
            </a>
        }
    });
    let list = if linked.is_empty() {
        nobody(inviting)
    } else {
        let rows = linked
            .into_iter()
            .map(|one| row(one, &workspace_id, &connection.id))
            .collect_view();
        view! { <ul class="pairs">{rows}</ul> }.into_any()
    };
    view! {
        <section class="section" id="people" aria-labelledby="h-people">
            <header>
                <div>
                    <h2 id="h-people">"Linked people"</h2>
                    <p>"Which member is which person in this workspace."</p>
                </div>
                {invite}
            </header>
            <div class="panel">{list}</div>
        </section>
    }
    .into_any()
}

fn nobody(inviting: bool) -> AnyView {
    let next = inviting.then_some(" Invite somebody: you pick the Linear person, they confirm it.");
    view! { <p class="pad soft">"Nobody is linked yet." {next}</p> }.into_any()
}

fn row(linked: LinkedMemberView, workspace: &str, connection: &str) -> AnyView {
    let LinkedMemberView {
        member,
        person,
        linear_id,
        unlink,
    } = linked;
    let name = person.name.clone();
    let form = unlink.then(|| {
        view! {
            <form method="post" action="/team/unlink">
                <input type="hidden" name="workspace" value=workspace.to_owned() />
                <input type="hidden" name="person" value=linear_id />
                <input type="hidden" name="back" value=connection.to_owned() />
                <button class="btn quiet">"Unlink" <span class="sr">" " {name}</span></button>
            </form>
        }
    });
    view! {
        <li>
            <PersonLine who=member />
            <Mark status=Status::Connected />
            <span class="sr">"is"</span>
            <PersonLine who=person />
            {form}
        </li>
    }
    .into_any()
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
