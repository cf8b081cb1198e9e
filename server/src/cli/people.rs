//! Commands about people: link codes and members.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _};

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::identity::{self, Organisation, Person, Role, Standing};
use relink_engine::people::{Guesser, Mailed, MemberError};
use relink_engine::text::name;
use relink_engine::{Acting, ApiKey, Engine};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::args::{Member, Workspace};
use super::output::{ask, print, print_end, print_list, print_secret, say};
use super::shared::{Outcome, by_command, connection, from_stdin, organisation};
use crate::times::rfc3339;

/// Tries at the command line are counted together.
const HERE: Guesser<'static> = Guesser {
    address: "command line",
    browser: "",
};

/// A person to be added.
pub struct NewUser<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub org: &'a str,
    pub role: Role,
}

pub async fn add_user(json: bool, engine: &Engine, new: NewUser<'_>, existing: bool) -> Outcome {
    let NewUser {
        email,
        name,
        org,
        role,
    } = new;
    let person = if existing {
        let person = engine.member_add_existing(org, email, role).await?;
        say("Their name and their password stay what they are.");
        person
    } else {
        engine
            .member_add(org, name, email, from_stdin()?, role)
            .await?
    };
    let value = json!({
        "id": person.user_id, "email": person.email, "name": person.name, "organisation": org,
        "role": person.role.name(),
        "email_proved": person.standing == Standing::Proved,
    });
    print(
        json,
        &value,
        &format!("{} is {} of {org} now.", person.email, person.role.name()),
    )?;
    Ok(())
}

pub async fn workspaces(json: bool, engine: &Engine, command: Workspace) -> Outcome {
    let Workspace::List { org } = command;
    let organisation = organisation(engine, &org).await?;
    let people = engine.members(by_command(&organisation)).linked().await?;
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    for connection in engine.connections(by_command(&organisation)).list().await? {
        let (workspace, state) = (&connection.workspace, connection.state.name());
        let linked = people
            .iter()
            .filter(|link| link.workspace_id == workspace.id)
            .count();
        lines.push(format!(
            "{}  {}  {state}, {linked} linked",
            name(&workspace.url_key),
            name(&workspace.name)
        ));
        values.push(json!({
            "id": workspace.id, "name": workspace.name, "url_key": workspace.url_key,
            "connection": connection.id, "state": state,
            "linked": linked,
        }));
    }
    Ok(print_list(
        json,
        &json!({ "workspaces": values }),
        &lines,
        "No workspace is connected yet.",
    )?)
}

/// The one output is the code itself, as for a key.
pub async fn invite(
    engine: &Engine,
    connection: &Connection,
    person: &str,
    valid: Millis,
    url: &str,
) -> Outcome {
    let invites = engine.invites(Acting::command(&connection.organisation_id));
    let draft = invites.draft(&connection.id, person, valid).await?;
    let (new, code) = (draft.invited(), draft.invited().code.expose_secret());
    print_secret(&json!({
        "id": new.id, "code": code, "link": format!("{}/link#{code}", url.trim_end_matches('/')),
        "workspace": new.workspace,
        "person": { "name": new.name, "email": new.email }, "expires_at": rfc3339(new.expires_at),
    }))?;
    let invited = invites.keep(draft).await?;
    print_end(&json!({ "mailed": invited.mailed == Mailed::Sent }))?;
    match invited.mailed {
        Mailed::NotSetUp => {}
        Mailed::Sent => say(&format!("Sent to {} too.", name(&invited.email))),
        Mailed::Failed => say(&format!(
            "The e-mail to {} could not be sent; hand the link over yourself.",
            name(&invited.email)
        )),
    }
    say(&format!(
        "This code is shown once, for {} alone. Relink keeps a hash of it.",
        name(&invited.name)
    ));
    Ok(())
}

pub async fn link(
    json: bool,
    engine: &Engine,
    organisation: &Organisation,
    user: &str,
    yes: bool,
    code: &SecretString,
) -> Outcome {
    let person = member(engine, organisation, user).await?;
    // A script may answer on the second line.
    let (code, answer) = code
        .expose_secret()
        .split_once('\n')
        .unwrap_or((code.expose_secret(), ""));
    let preview = engine.code_preview(code, HERE).await?;
    let [who, email, workspace] =
        [&preview.name, &preview.email, &preview.workspace].map(|text| name(text));
    say(&format!(
        "{who} ({email}) in {workspace} on Linear, for {}.",
        person.email
    ));
    if !yes && !is_yes(answer) && !says_yes("Is that them? Type yes: ")? {
        return Err("nothing was linked; the code can still be used".into());
    }
    let confirmed = engine.code_confirm(code, Some(&person), HERE).await?;
    let value = json!({ "member": person.email, "person": confirmed.name,
        "workspace": confirmed.workspace, "again": confirmed.again });
    Ok(print(
        json,
        &value,
        &format!(
            "{} is {} in {} now.",
            person.email,
            name(&confirmed.name),
            name(&confirmed.workspace)
        ),
    )?)
}

/// Asks on the terminal, as stdin may be where a code came from.
fn says_yes(question: &str) -> Result<bool, Box<dyn Error>> {
    let no_terminal = "a yes is needed: run this in a terminal, or say --yes";
    let terminal = std::fs::File::open("/dev/tty").map_err(|_| no_terminal)?;
    if !terminal.is_terminal() {
        return Err(no_terminal.into());
    }
    ask(question);
    let mut answer = String::new();
    BufReader::new(terminal)
        .read_line(&mut answer)
        .map_err(io::Error::other)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    answer.trim().eq_ignore_ascii_case("yes")
}

pub async fn members(json: bool, engine: &Engine, command: Member) -> Outcome {
    match command {
        Member::List { org } => list(json, engine, &organisation(engine, &org).await?).await,
        Member::Role { org, email, role } => {
            let role = Role::from(role);
            let organisation = organisation(engine, &org).await?;
            let person = member(engine, &organisation, &email).await?;
            let team = engine.members(Acting::command(&person.organisation_id));
            team.set_role(&person.user_id, role).await?;
            let value = json!({ "email": person.email, "role": role.name() });
            Ok(print(
                json,
                &value,
                &format!("{} is {} of {org} now.", person.email, role.name()),
            )?)
        }
        Member::Vouch { org, email, yes } => {
            let person = member(engine, &organisation(engine, &org).await?, &email).await?;
            say(&identity::never_proved(&person.email));
            if !yes && !says_yes("Do you answer for it? Type yes: ")? {
                return Err("nothing was changed".into());
            }
            let team = engine.members(Acting::command(&person.organisation_id));
            team.vouch(&person.user_id).await?;
            let value = json!({ "email": person.email, "email_proved": true });
            Ok(print(
                json,
                &value,
                &format!(
                    "{} counts as proved now, in every organisation.",
                    person.email
                ),
            )?)
        }
        Member::Remove {
            org,
            email,
            revoke_keys,
        } => {
            let person = member(engine, &organisation(engine, &org).await?, &email).await?;
            remove(json, engine, &person, &org, revoke_keys).await
        }
        Member::Unlink {
            org,
            email,
            workspace,
        } => {
            let organisation = organisation(engine, &org).await?;
            let person = member(engine, &organisation, &email).await?;
            let workspace = connection(engine, &organisation, &workspace)
                .await?
                .workspace;
            let team = engine.members(Acting::command(&person.organisation_id));
            let mut linked = team
                .list()
                .await?
                .into_iter()
                .filter(|member| member.user_id == person.user_id)
                .flat_map(|member| member.linked);
            let link = linked
                .find(|link| link.workspace_id == workspace.id)
                .ok_or(MemberError::NotFound)?;
            team.unlink(&workspace.id, &link.linear_id).await?;
            let was = link.name;
            let value =
                json!({ "member": person.email, "person": was, "workspace": workspace.name });
            let words = format!(
                "{} is not {} in {} any more.",
                person.email,
                name(&was),
                name(&workspace.name)
            );
            Ok(print(json, &value, &words)?)
        }
    }
}

/// Removes a member. Their keys outlive them unless somebody says otherwise, so that no pipeline
/// stops by surprise: but that has to be known.
async fn remove(
    json: bool,
    engine: &Engine,
    person: &Person,
    org: &str,
    revoke_keys: bool,
) -> Outcome {
    let keys = engine
        .keys(Acting::command(&person.organisation_id))
        .list()
        .await?;
    let theirs = |key: &ApiKey| {
        key.made_by
            .as_ref()
            .is_some_and(|(id, _)| *id == person.user_id)
    };
    let keys: Vec<ApiKey> = keys.into_iter().filter(theirs).collect();
    let team = engine.members(Acting::command(&person.organisation_id));
    team.remove(&person.user_id, revoke_keys).await?;
    let values = keys.iter().map(|key| {
        json!({ "id": key.id, "name": key.name,
        "last_four": key.last_four, "revoked": revoke_keys })
    });
    let value = json!({ "removed": person.email, "keys": values.collect::<Vec<Value>>() });
    print(
        json,
        &value,
        &format!("{} is no member of {org} any more.", person.email),
    )?;
    let named: Vec<String> = keys
        .iter()
        .map(|key| format!("{} (…{})", name(&key.name), key.last_four))
        .collect();
    match (named.is_empty(), revoke_keys) {
        (true, _) => {}
        (false, true) => say(&format!(
            "Revoked, because they made them: {}.",
            named.join(", ")
        )),
        (false, false) => say(&format!(
            "API keys that they made still work: {}. An owner can revoke them in Settings; with \
                --revoke-keys this command does.",
            named.join(", ")
        )),
    }
    Ok(())
}

async fn list(json: bool, engine: &Engine, organisation: &Organisation) -> Outcome {
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    for member in engine.members(by_command(organisation)).list().await? {
        let linked: Vec<String> = member
            .linked
            .iter()
            .map(|link| format!("{} in {}", name(&link.name), name(&link.workspace)))
            .collect();
        let who = if linked.is_empty() {
            "not linked".to_owned()
        } else {
            linked.join(", ")
        };
        let mark = match member.standing {
            Standing::Proved => "",
            Standing::Vouched => ", e-mail never proved, an owner vouched",
            Standing::Unproved => ", e-mail never proved",
        };
        lines.push(format!(
            "{}  {}  {}{mark}, {who}",
            member.email,
            member.name,
            member.role.name()
        ));
        let linked = member.linked.iter().map(|link| {
            json!({ "workspace": link.workspace_id,
                "linear_id": link.linear_id, "name": link.name })
        });
        values.push(json!({
            "email": member.email, "name": member.name, "role": member.role.name(),
            "since": rfc3339(member.since),
            "linked": linked.collect::<Vec<Value>>(),
            "email_proved": member.standing == Standing::Proved,
            "vouched": member.standing == Standing::Vouched,
        }));
    }
    Ok(print_list(
        json,
        &json!({ "members": values }),
        &lines,
        "There is no member yet.",
    )?)
}

async fn member(
    engine: &Engine,
    organisation: &Organisation,
    email: &str,
) -> Result<Person, Box<dyn Error>> {
    let nobody = || {
        format!(
            "{email:?} is no member of {}; `relink member list` shows them",
            organisation.slug
        )
    };
    let email = identity::email(email).ok_or_else(nobody)?;
    let members = engine.members(by_command(organisation));
    Ok(members.by_email(&email).await?.ok_or_else(nobody)?)
}
