//! Several people at once: the list to pick from that is folded away below the form for one.

use leptos::prelude::*;

use crate::parts::{Glyph, Icon, good_for};
use crate::view::{INVITED_AT_ONCE, InviteProblem, Pick, PickGroup};
use relink_frontend::PeopleFilter;

/// The form that invites several people at once. Empty where there is nobody to pick and nothing to
/// say.
#[component]
pub fn BulkInviteForm(
    groups: Vec<PickGroup>,
    valid: String,
    problem: Option<InviteProblem>,
) -> impl IntoView {
    (!groups.is_empty() || problem.is_some()).then(|| folded(groups, valid, problem))
}

fn folded(groups: Vec<PickGroup>, valid: String, problem: Option<InviteProblem>) -> AnyView {
    let open = problem.is_some();
    let several = groups.len() > 1;
    let groups = groups
        .into_iter()
        .map(|one| group(one, several))
        .collect_view();
    view! {
        <details class="check split" open=open>
            <summary class="pad">
                <Glyph icon=Icon::Chevron />
                "Several people at once"
            </summary>
            <PeopleFilter>
                <div class="pad stack picking">
                    // Outside of the form: Enter must not invite anybody.
                    <div class="field js-only">
                        <label for="find">"Find people"</label>
                        <input
                            class="input"
                            id="find"
                            type="search"
                            autocomplete="off"
                            placeholder="Name or e-mail"
                        />
                    </div>
                    <form class="stack" method="post" action="/team/invites/several">
                        {problem.map(wrong)}
                        <p class="small soft" id="several-h">
                            {format!("Up to {INVITED_AT_ONCE} people at a time. Each gets a code \
                                of their own.")}
                        </p>
                        <div class="people" data-list="">
                            {groups}
                        </div>
                        <p class="small soft" role="status" data-nobody="Nobody on this list has \
                            that name or e-mail."></p>
                        <div class="row">
                            {good_for("several-valid", &valid)}
                            <button class="btn">
                                <Glyph icon=Icon::Plus />
                                "Invite those picked"
                            </button>
                        </div>
                    </form>
                </div>
            </PeopleFilter>
        </details>
    }
    .into_any()
}

fn wrong(problem: InviteProblem) -> AnyView {
    view! {
        <div class="field">
            <p class="err" role="alert" tabindex="-1" autofocus>
                <Glyph icon=Icon::Warning />
                <span>{problem.to_string()}</span>
            </p>
        </div>
    }
    .into_any()
}

/// The people of one workspace. Where there is no other workspace, its name is only said to screen
/// readers.
fn group(PickGroup { workspace, people }: PickGroup, several: bool) -> AnyView {
    view! {
        <fieldset aria-describedby="several-h">
            <legend class=(!several).then_some("sr")>{workspace}</legend>
            {people.into_iter().map(pick).collect_view()}
        </fieldset>
    }
    .into_any()
}

fn pick(one: Pick) -> AnyView {
    let guest = one
        .guest
        .then(|| view! { " " <span class="pill">"Guest"</span> });
    view! {
        <label class="tick">
            <input type="checkbox" name="people[]" value=one.value checked=one.picked />
            <span>{one.name} " " <small>{one.email}</small> {guest}</span>
        </label>
    }
    .into_any()
}
