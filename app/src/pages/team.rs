//! `/team`: who is who in Linear.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::invites::{Invitations, Warnings};
use super::load::loaded;
use super::member_actions::{MemberActions, removal_question, vouch_question};
use super::new_code::NewCode;
use super::you::Myself;
use crate::api::load_team;
use crate::parts::{AsOf, Content, Dialog, NoticeBox, PersonLine, Place, Question};
use crate::view::phrases::role_name;
use crate::view::{MemberView, NewCodeView, TeamPageView};

const HERE: &str = "/team";

/// The things that the address bar asks for beside the page.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The member who is managed.
    pub member: Option<String>,
    /// Whether to remove them.
    pub remove: bool,
    /// Whether to answer for them.
    pub vouch: bool,
}

#[component]
pub fn TeamPage() -> impl IntoView {
    let (shown, asked) = use_query_map().with_untracked(|query| {
        let confirm = query.get("confirm");
        let (remove, vouch) = (
            confirm.as_deref() == Some("remove"),
            confirm.as_deref() == Some("vouch"),
        );
        (
            query.get("shown"),
            Asked {
                member: query.get("member"),
                remove,
                vouch,
            },
        )
    });
    loaded(load_team(shown), move |view| team(view, &asked))
}

/// The page, given its data.
pub fn team(view: TeamPageView, asked: &Asked) -> Content {
    let TeamPageView {
        members,
        inviting,
        new_code,
        you,
        notice,
        manages,
        as_of,
    } = view;
    let managed = managed(&members, asked).cloned();
    let question = managed.as_ref().and_then(|member| question(member, asked));
    let refused = inviting
        .as_ref()
        .is_some_and(|inviting| inviting.draft.problem.is_some());
    // One first thing to do at a time.
    let first = !new_code.as_ref().is_some_and(shows_codes) && managed.is_none();
    let warnings = inviting
        .clone()
        .map(|inviting| view! { <Warnings inviting /> });
    let lede = if manages {
        "Who is who in Linear. You pick the Linear person, they confirm it."
    } else {
        "Who is who in Linear. Whoever is not linked yet asks an admin for a link code."
    };
    let main = view! {
        {notice.map(|notice| view! { <NoticeBox notice page=HERE.to_owned() manages /> })}
        <div class="head">
            <div>
                <h1>"Team"</h1>
                <p class="lede">{lede}</p>
            </div>
            <div class="tools">
                <AsOf at=as_of page=HERE.to_owned() topics="people connections" />
            </div>
        </div>
        {new_code.map(|new_code| view! { <NewCode new_code /> })}
        {managed.map(|member| view! { <MemberActions member /> })}
        <div data-part="warnings">{warnings}</div>
        {inviting.map(|inviting| view! { <Invitations inviting first /> })}
        <div data-part="members">
            <Members members />
        </div>
        <Myself you />
    };
    let title = question.as_ref().map_or_else(
        || "Team, Relink".to_owned(),
        |question| format!("{} Relink", question.heading),
    );
    let dialog = question.map(|question| view! { <Dialog question open=true /> }.into_any());
    Content {
        refused,
        dialog,
        ..Content::new(title, Some(Place::Team), main)
    }
}

fn shows_codes(new_code: &NewCodeView) -> bool {
    match new_code {
        NewCodeView::Shown(_) => true,
        NewCodeView::Several(several) => !several.codes.is_empty(),
        NewCodeView::Gone => false,
    }
}

/// Finds the member that is asked about, for those who may do something about them.
fn managed<'a>(members: &'a [MemberView], asked: &Asked) -> Option<&'a MemberView> {
    let id = asked.member.as_deref()?;
    members
        .iter()
        .find(|member| member.id == id && member.manageable())
}

fn question(member: &MemberView, asked: &Asked) -> Option<Question> {
    if asked.vouch {
        return member.vouchable().then(|| vouch_question(member));
    }
    (asked.remove && member.may.govern).then(|| removal_question(member))
}

#[component]
fn Members(members: Vec<MemberView>) -> impl IntoView {
    let acts = members.iter().any(|member| action(member).is_some());
    let actions = acts.then(|| view! { <th scope="col"><span class="sr">"Actions"</span></th> });
    view! {
        <section class="section" aria-labelledby="h-members">
            <header>
                <div>
                    <h2 id="h-members">"Members"</h2>
                </div>
            </header>
            <div class="panel">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Member"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Linked in"</th>
                            {actions}
                        </tr>
                    </thead>
                    <tbody>
                        {members.into_iter().map(|member| row(member, acts)).collect_view()}
                    </tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

/// `acts`: there is something to do about somebody in the table.
fn row(member: MemberView, acts: bool) -> AnyView {
    let action = acts.then(|| view! { <td class="act">{action(&member)}</td> });
    let linked: Vec<String> = member
        .linked
        .into_iter()
        .map(|link| link.workspace)
        .collect();
    let linked = if linked.is_empty() {
        view! { <span class="muted">"Not linked yet"</span> }.into_any()
    } else {
        let say = format!("{} is linked in ", member.who.name);
        view! { <span data-say=say>{linked.join(", ")}</span> }.into_any()
    };
    let doubt = member.doubt.map(|doubt| {
        let words = if doubt.vouched {
            "E-mail never proved, an owner vouched"
        } else {
            "E-mail never proved"
        };
        view! { " " <small>{words}</small> }
    });
    view! {
        <tr data-key=member.id>
            <td>
                <PersonLine who=member.who />
            </td>
            <td data-l="Role">{role_name(&member.role)} {member.you.then_some(", you")} {doubt}</td>
            <td data-l="Linked in">{linked}</td>
            {action}
        </tr>
    }
    .into_any()
}

fn action(member: &MemberView) -> Option<AnyView> {
    let name = member.who.name.clone();
    if member.manageable() {
        let address = format!("/team?member={}#manage", member.id);
        return Some(
            view! {
                <a class="btn quiet" href=address>"Manage" <span class="sr">" " {name}</span></a>
            }
            .into_any(),
        );
    }
    // Those who may unlink others may invite them too.
    let link = member.may.unlink && !member.you;
    link.then(|| {
        view! { <a class="btn quiet" href="#invite">"Link" <span class="sr">" " {name}</span></a> }
            .into_any()
    })
}

#[cfg(test)]
#[path = "team_tests.rs"]
mod tests;
