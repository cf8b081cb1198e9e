//! Link codes on `/team`: the form for a new one, those that wait, what became of others, and who
//! you are yourself.

use leptos::prelude::*;

use super::bulk_invite::BulkInviteForm;
use crate::parts::{
    Field, Glyph, Icon, LooseLinks, PersonLine, Problem, counted, good_for, options, possessive,
};
use crate::view::{
    AnsweredCodeView, Choice, CodeAnswer, GuessesView, InviteDraft, InvitingView, WaitingCodeView,
};

/// The warnings that those who manage should see first.
#[component]
pub fn Warnings(inviting: InvitingView) -> impl IntoView {
    let answered = inviting.answered.into_iter().map(answered).collect_view();
    view! {
        {inviting.guesses.map(guesses)}
        {answered}
    }
    .into_any()
}

fn answered(code: AnsweredCodeView) -> AnyView {
    let AnsweredCodeView {
        id,
        name,
        workspace,
        at,
        answer,
    } = code;
    let (lead, text) = at.in_sentence();
    let whose = possessive(&name);
    let key = id.clone();
    let dismiss = dismiss(id, format!(" the answer to {whose} code"));
    let time = view! { {lead} <time datetime=at.iso>{text}</time> };
    let words = match answer {
        CodeAnswer::NotMe => view! {
            <b>{whose} " code for " {workspace} " was answered with “That’s not me” " {time} "."</b>
            " Pick the right person."
        }
        .into_any(),
        CodeAnswer::Taken { email: Some(email) } => view! {
            <b>{name} " is linked to " {email} " already."</b>
            " Somebody with another account used the code for " {workspace} " " {time} ". It is \
                worth nothing any more."
        }
        .into_any(),
        CodeAnswer::Taken { email: None } => view! {
            <b>{whose} " code for " {workspace} " was refused " {time} "."</b>
            " Another member was that person then. Make a new one if that is over."
        }
        .into_any(),
    };
    warning(key, words, Some(dismiss))
}

fn dismiss(id: String, context: String) -> AnyView {
    view! {
        <form class="contents" method="post" action="/team/invites/dismiss">
            <input type="hidden" name="invite" value=id />
            <button class="btn quiet x">
                <Glyph icon=Icon::Cross />
                <span class="sr">"Dismiss" {context}</span>
            </button>
        </form>
    }
    .into_any()
}

fn guesses(guesses: GuessesView) -> AnyView {
    let (lead, text) = guesses.until.in_sentence();
    let number = usize::try_from(guesses.tries).unwrap_or(usize::MAX);
    warning(
        "guesses".to_owned(),
        view! {
            <b>{counted(number, "wrong link code")} " were tried lately."</b>
            " Somebody may be guessing. Relink makes them wait, and codes are too long to be found \
                that way; the count starts anew "
            {lead}
            <time datetime=guesses.until.iso>{text}</time>
            "."
        }
        .into_any(),
        None,
    )
}

fn warning(key: String, words: AnyView, dismiss: Option<AnyView>) -> AnyView {
    view! {
        <div class="flash wait" data-key=key>
            <Glyph icon=Icon::Warning />
            <div>
                <p data-say="">{words}</p>
            </div>
            {dismiss}
        </div>
    }
    .into_any()
}

#[component]
pub fn Invitations(
    inviting: InvitingView,
    /// Inviting is the first thing to do on the page.
    first: bool,
) -> impl IntoView {
    let broken = reconnect_first(&inviting.broken).into_iter().collect();
    let InvitingView {
        workspaces,
        people,
        pickable,
        more_people,
        silent,
        mut draft,
        waiting,
        ..
    } = inviting;
    let form = if workspaces.is_empty() {
        nobody(broken)
    } else {
        let class = if first { "btn primary" } else { "btn" };
        let notes = notes(silent, more_people, broken);
        let (valid, problem) = (
            draft.valid.clone(),
            draft.problem.take_if(|problem| problem.of_several()),
        );
        view! {
            <div class="panel">
                <InviteForm workspaces people notes draft class />
                <BulkInviteForm groups=pickable valid problem />
            </div>
        }
        .into_any()
    };
    view! {
        <section id="invite" aria-labelledby="h-invite">
            <h2 class="sr" id="h-invite">"Invite teammate"</h2>
            {form}
        </section>
        <div data-part="waiting">{(!waiting.is_empty()).then(|| list(waiting))}</div>
    }
    .into_any()
}

/// "Globex and Hooli need a reconnect before anybody there can be invited."
fn reconnect_first(broken: &[String]) -> Option<String> {
    let (last, before) = broken.split_last()?;
    let (names, need) = if before.is_empty() {
        (last.clone(), "needs")
    } else {
        (format!("{} and {last}", before.join(", ")), "need")
    };
    Some(format!(
        "{names} {need} a reconnect before anybody there can be invited."
    ))
}

fn nobody(broken: Vec<String>) -> AnyView {
    view! {
        <div class="panel">
            <div class="empty">
                <LooseLinks />
                <h3>"Nobody can be invited yet"</h3>
                <p>"People are picked from a connected workspace. " {broken.join(" ")}</p>
                <a class="btn" href="/integrations">
                    {if broken.is_empty() { "Connect a workspace" } else { "Go to Integrations" }}
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// The notes that whoever fills in the form should read about its list.
fn notes(silent: Vec<String>, more_people: bool, broken: Vec<String>) -> Vec<String> {
    let silent = silent.into_iter().map(|name| {
        format!("Linear does not list the people of {name} right now. Type an e-mail address.")
    });
    let more = more_people.then(|| {
        "Only some people are listed. Type the e-mail address of anybody else.".to_owned()
    });
    silent.chain(more).chain(broken).collect()
}

#[component]
fn InviteForm(
    workspaces: Vec<Choice>,
    people: Vec<String>,
    notes: Vec<String>,
    draft: InviteDraft,
    class: &'static str,
) -> impl IntoView {
    let problem = draft.problem.as_ref().map(|problem| Problem {
        text: problem.to_string(),
        first: true,
    });
    view! {
        <form class="pad row" method="post" action="/team/invites">
            <div class="field">
                <label for="workspace">"Workspace"</label>
                <select class="input" id="workspace" name="workspace">
                    {options(workspaces)}
                </select>
            </div>
            <Field
                id="person"
                label="Person in Linear"
                value=draft.person
                autocomplete="off"
                placeholder="Name or e-mail"
                list="people"
                problem
            />
            <datalist id="people">
                {people.into_iter().map(|person| view! {
                    <option value=person></option>
                }).collect_view()}
            </datalist>
            {good_for("valid", &draft.valid)}
            <button class=class>
                <Glyph icon=Icon::Plus />
                "Invite teammate"
            </button>
            {(!notes.is_empty()).then(|| view! {
                <p class="small soft note">{notes.join(" ")}</p>
            })}
        </form>
    }
    .into_any()
}

fn list(waiting: Vec<WaitingCodeView>) -> AnyView {
    view! {
        <section class="section" aria-labelledby="h-waiting">
            <header>
                <div>
                    <h2 id="h-waiting">"Waiting for an answer"</h2>
                </div>
            </header>
            <div class="panel">
                <table class="table waiting">
                    <thead>
                        <tr>
                            <th scope="col">"Linear person"</th>
                            <th scope="col">"Workspace"</th>
                            <th scope="col">"Opened"</th>
                            <th scope="col">"Runs out"</th>
                            <th scope="col">
                                <span class="sr">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{waiting.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn row(code: WaitingCodeView) -> AnyView {
    let name = code.who.name.clone();
    let opened = match code.opened {
        Some(at) => {
            let say = format!("{name} opened the link code: ");
            view! { <time datetime=at.iso data-say=say>{at.text}</time> }.into_any()
        }
        None => "Not yet".into_any(),
    };
    let by = format!(
        "invited by {}",
        code.made_by.unwrap_or_else(|| "a command".to_owned())
    );
    view! {
        <tr data-key=code.id.clone()>
            <td>
                <PersonLine who=code.who />
            </td>
            <td data-l="Workspace">{code.workspace} " " <small>{by}</small></td>
            <td data-l="Opened">{opened}</td>
            <td data-l="Runs out">
                <time datetime=code.runs_out.iso>{code.runs_out.text}</time>
            </td>
            <td class="act">
                {button("/team/invites/again", &code.id, "New code", format!(" for {name}"))}
                {button("/team/invites/revoke", &code.id, "Revoke", format!(" code for {name}"))}
            </td>
        </tr>
    }
    .into_any()
}

fn button(action: &'static str, id: &str, label: &'static str, context: String) -> AnyView {
    view! {
        <form method="post" action=action>
            <input type="hidden" name="invite" value=id.to_owned() />
            <button class="btn quiet">{label} <span class="sr">{context}</span></button>
        </form>
    }
    .into_any()
}
