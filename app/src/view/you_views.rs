//! The things that whoever looks at the team can do so that others know who they are.

use relink_engine::connection::State;
use relink_engine::identity::{Person, Standing};
use relink_engine::people::TeamMember;
use relink_engine::store::StoreError;
use relink_engine::{Engine, text};

use super::team_views::doubt;
use crate::view::{Choice, InvitingView, SelfView, YouView};

pub async fn you(
    engine: &Engine,
    person: &Person,
    team: &[TeamMember],
    inviting: Option<&InvitingView>,
) -> Result<YouView, StoreError> {
    let doubt = doubt(&person.email, person.standing);
    let mails = doubt.is_some() && engine.mail_sender().is_some();
    Ok(YouView {
        email: person.email.clone(),
        code_waits: if mails {
            Some(engine.email_code_waits(person).await?)
        } else {
            None
        },
        workspaces: workspaces(engine, person, team, inviting).await?,
        doubt,
    })
}

/// Lists the workspaces where they are nobody yet, or where Linear's word would prove more than who
/// they are.
async fn workspaces(
    engine: &Engine,
    person: &Person,
    team: &[TeamMember],
    inviting: Option<&InvitingView>,
) -> Result<Vec<SelfView>, StoreError> {
    let me = team.iter().find(|member| member.user_id == person.user_id);
    let linked = |workspace: &str| {
        me.is_some_and(|me| me.linked.iter().any(|link| link.workspace_id == workspace))
    };
    let people = |connection: &str| {
        let selves = inviting.into_iter().flat_map(|inviting| &inviting.selves);
        selves
            .filter(|(id, _)| id == connection)
            .flat_map(|(_, people)| people.clone())
            .collect()
    };
    let connections = engine.connections(person).list().await?;
    let here = connections
        .into_iter()
        .filter(|connection| matches!(connection.state, State::Connected { .. }));
    let mut selves: Vec<SelfView> = here
        .map(|connection| SelfView {
            linked: linked(&connection.workspace.id),
            people: people(&connection.id),
            connection: connection.id,
            workspace: text::name(&connection.workspace.name),
        })
        .filter(|one| !one.linked || person.standing != Standing::Proved)
        .collect();
    selves.sort_by_cached_key(|one| one.workspace.to_lowercase());
    Ok(selves)
}

/// Connections whose workspaces Linear can say for who somebody is.
pub async fn proof_choices(engine: &Engine, person: &Person) -> Result<Vec<Choice>, StoreError> {
    let team = engine.members(person).list().await?;
    let selves = workspaces(engine, person, &team, None).await?;
    Ok(selves
        .into_iter()
        .map(|one| Choice {
            value: one.connection,
            label: one.workspace,
            chosen: false,
        })
        .collect())
}
