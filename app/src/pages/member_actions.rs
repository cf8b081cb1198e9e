//! The actions on one member: another role, unlinking, and removing.

use leptos::prelude::*;

use crate::parts::{Ask, Question};
use crate::view::phrases::role_name;
use crate::view::{LinkedView, MemberView};

/// The least comes last.
const ROLES: [&str; 3] = ["owner", "admin", "member"];

#[component]
pub fn MemberActions(member: MemberView) -> impl IntoView {
    let (governed, removing) = member
        .may
        .govern
        .then(|| (governing(&member), removing(&member)))
        .unzip();
    let doubted = member.doubt.is_some().then(|| doubted(&member));
    let heading = if member.you {
        "Manage yourself".to_owned()
    } else {
        format!("Manage {}", member.who.name)
    };
    let linked = (!member.linked.is_empty()).then(|| {
        view! {
            <div>
                <h3>"Linked in Linear"</h3>
                <ul class="links">{member.linked.into_iter().map(link).collect_view()}</ul>
            </div>
        }
    });
    view! {
        <section class="panel pad stack first-thing" id="manage" aria-labelledby="h-manage">
            <div>
                <h2 id="h-manage">{heading}</h2>
                <p class="soft small">{member.who.email} ", " {role_name(&member.role)}</p>
            </div>
            {linked}
            {doubted}
            {governed}
            <div class="do apart">
                <a class="btn" href="/team">"Done"</a>
                {removing}
            </div>
        </section>
    }
    .into_any()
}

fn link(link: LinkedView) -> AnyView {
    view! {
        <li>
            <p>
                <b>{link.name}</b>
                " in "
                {link.workspace.clone()}
                <small>{link.email}</small>
            </p>
            <form method="post" action="/team/unlink">
                <input type="hidden" name="workspace" value=link.workspace_id />
                <input type="hidden" name="person" value=link.linear_id />
                <button class="btn">
                    "Unlink" <span class="sr">" in " {link.workspace}</span>
                </button>
            </form>
        </li>
    }
    .into_any()
}

/// Explains that nobody proved who they are, and who can change that.
fn doubted(member: &MemberView) -> AnyView {
    let doubt = member.doubt.as_ref();
    let sentence = doubt
        .map(|doubt| doubt.sentence.clone())
        .unwrap_or_default();
    let rest = if doubt.is_some_and(|doubt| doubt.vouched) {
        " An owner vouched for it, which counts in this organisation."
    } else {
        " Until they prove it, by e-mail or at Linear, or until another owner vouches for them, \
            they get no role above the one \
            that they have, and no place in another organisation."
    };
    let vouch = member.vouchable().then(|| {
        let asked = vec![
            ("member", member.id.clone()),
            ("confirm", "vouch".to_owned()),
        ];
        let name = member.who.name.clone();
        view! {
            <Ask question=vouch_question(member) asked class="btn">
                "Vouch"
                <span class="sr">" for " {name}</span>
            </Ask>
        }
    });
    view! {
        <div class="doubt">
            <h3>"E-mail never proved"</h3>
            <p class="soft">{sentence} {rest}</p>
            {vouch}
        </div>
    }
    .into_any()
}

/// Asks before an owner answers for somebody.
pub fn vouch_question(member: &MemberView) -> Question {
    let name = &member.who.name;
    Question {
        id: "vouch".to_owned(),
        heading: format!("Vouch for {name}?"),
        note: member
            .doubt
            .as_ref()
            .map(|doubt| doubt.sentence.clone())
            .unwrap_or_default(),
        points: vec!["If it is somebody else’s, that person can be given any role here".to_owned()],
        stays: vec!["Your word counts in this organisation, and in no other".to_owned()],
        action: "/team/vouch",
        fields: vec![("member", member.id.clone())],
        page: format!("/team?member={}", member.id),
        keep: "Not now",
        go: "I vouch for them",
        ..Question::default()
    }
}

/// Lists the roles that can be given. Those above the present one are only for members who are
/// known.
fn roles(member: &MemberView) -> &'static [&'static str] {
    let known = member.doubt.as_ref().is_none_or(|doubt| doubt.vouched);
    let present = ROLES
        .iter()
        .position(|role| *role == member.role)
        .unwrap_or_default();
    if known { &ROLES } else { &ROLES[present..] }
}

fn governing(member: &MemberView) -> AnyView {
    let present = member.role.clone();
    let option = |role: &&'static str| {
        view! {
            <option value=*role selected=*role == present>{role_name(role)}</option>
        }
    };
    let options = roles(member).iter().map(option).collect_view();
    let id = member.id.clone();
    view! {
        <form class="row" method="post" action="/team/role">
            <input type="hidden" name="member" value=id />
            <div class="field">
                <label for="role">"Role"</label>
                <select class="input" id="role" name="role" aria-describedby="role-h">
                    {options}
                </select>
                <p class="hint" id="role-h">
                    "Owners also give roles and make API keys. Admins connect and invite. Members \
                        look. Whoever gets another role is signed out."
                </p>
            </div>
            <button class="btn">"Save role"</button>
        </form>
    }
    .into_any()
}

fn removing(member: &MemberView) -> AnyView {
    let (question, name) = (removal_question(member), member.who.name.clone());
    let asked = vec![
        ("member", member.id.clone()),
        ("confirm", "remove".to_owned()),
    ];
    view! {
        <Ask question asked class="btn danger">
            "Remove"
            <span class="sr">" " {name}</span>
        </Ask>
    }
    .into_any()
}

/// Offers to revoke the keys that they made: whoever made a key has seen it.
fn keys_offer(keys: &[String]) -> Option<(&'static str, String)> {
    let words = match keys {
        [] => return None,
        [one] => format!("Also revoke the API key that they made: {one}"),
        _ => format!(
            "Also revoke the {} API keys that they made: {}",
            keys.len(),
            keys.join(", ")
        ),
    };
    Some(("keys", words))
}

/// Asks before a member is removed.
pub fn removal_question(member: &MemberView) -> Question {
    let codes = (member.role != "member")
        .then(|| "The link codes that they made, and that nobody has used, end".to_owned());
    let forgotten = member
        .linked
        .iter()
        .map(|link| format!("Their link to {} in {} ends", link.name, link.workspace));
    Question {
        id: "remove-member".to_owned(),
        heading: format!("Remove {}?", member.who.name),
        note: "They can be invited again later.".to_owned(),
        points: ["They are signed out everywhere".to_owned()]
            .into_iter()
            .chain(codes)
            .chain(forgotten)
            .collect(),
        stays: Vec::new(),
        action: "/team/remove",
        fields: vec![("member", member.id.clone())],
        offer: keys_offer(&member.keys),
        page: format!("/team?member={}", member.id),
        keep: "Keep them",
        go: "Remove",
    }
}
