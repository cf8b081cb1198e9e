//! The states issues are in.

use async_graphql::{ComplexObject, Context, Result};

pub use super::fields::issue::WorkflowState;
use super::team::Team;
use crate::graphql::caller::look;
use crate::graphql::failure::not_found;
use crate::graphql::paging::connection;
use crate::graphql::scalars::DateTime;
use crate::world::issues::{STATES, state_id};
use crate::world::workspace;

connection!(WorkflowStateConnection, WorkflowStateEdge, WorkflowState);

impl WorkflowState {
    pub fn of(team: &str, created_ms: i64, at: usize) -> WorkflowState {
        let (name, kind, color) = STATES[at.min(STATES.len() - 1)];
        WorkflowState {
            color: color.into(),
            created_at: DateTime(created_ms),
            id: state_id(team, name).into(),
            name: name.into(),
            position: f64::from(u32::try_from(at).unwrap_or(u32::MAX)),
            r#type: kind.into(),
            updated_at: DateTime(created_ms),
            ..WorkflowState::default()
        }
    }
}

impl WorkflowState {
    /// The states of every team the caller sees.
    pub fn all(ctx: &Context<'_>) -> Result<Vec<WorkflowState>> {
        look(ctx, |world, caller| {
            let teams = caller
                .home(world)?
                .teams
                .iter()
                .filter(|team| caller.sees(team));
            Ok(teams
                .flat_map(|team| {
                    (0..STATES.len()).map(|at| WorkflowState::of(&team.id, team.created_ms, at))
                })
                .collect())
        })
    }
}

#[ComplexObject]
impl WorkflowState {
    async fn inherited_from(&self) -> Option<WorkflowState> {
        None
    }

    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        look(ctx, |world, caller| {
            let home = caller.home(world)?;
            let owns = |team: &&workspace::Team| {
                STATES
                    .iter()
                    .any(|(name, ..)| state_id(&team.id, name) == self.id.as_str())
            };
            home.teams
                .iter()
                .find(owns)
                .map(|team| Team::of(home, team))
                .ok_or_else(|| not_found("Team"))
        })
    }
}
