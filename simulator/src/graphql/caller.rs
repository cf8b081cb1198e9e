//! The caller, and what their token allows.

use async_graphql::{Context, Error, Result};
use axum::http::{HeaderMap, header};

use super::failure::{not_found, scope_required};
use crate::Simulator;
use crate::world::World;
use crate::world::grants::Actor;
use crate::world::workspace::{Team, User, Workspace};

#[derive(Clone, Debug)]
pub struct Caller {
    pub workspace: String,
    pub user: String,
    /// `None`: an API key, which may do what its person may.
    pub scopes: Option<Vec<String>>,
    pub actor: Actor,
    pub token: String,
    /// Teams taken away from an app user.
    pub hidden_teams: Vec<String>,
}

impl Caller {
    /// Finds the caller: OAuth tokens come as Bearer, API keys bare; the wrong way round is
    /// refused.
    pub fn identify(world: &World, headers: &HeaderMap) -> Option<Caller> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        match value.strip_prefix("Bearer ") {
            Some(token) => Caller::by_token(world, token),
            None => Caller::by_key(world, value),
        }
    }

    fn by_token(world: &World, token: &str) -> Option<Caller> {
        let record = world
            .access
            .get(token)
            .filter(|record| record.is_live(world.now()))?;
        let grant = world
            .grants
            .get(&record.grant)
            .filter(|grant| !grant.ended)?;
        let active = world.workspace(&grant.workspace)?.user(&grant.user)?.active;
        let app = world
            .app(&grant.client_id)
            .filter(|_| grant.actor == Actor::App);
        let installation = app.and_then(|app| app.installations.get(&grant.workspace));
        active.then(|| Caller {
            workspace: grant.workspace.clone(),
            user: grant.user.clone(),
            scopes: Some(grant.scopes.clone()),
            actor: grant.actor,
            token: token.to_owned(),
            hidden_teams: installation
                .map(|found| found.removed_teams.clone())
                .unwrap_or_default(),
        })
    }

    fn by_key(world: &World, key: &str) -> Option<Caller> {
        let person = world.api_keys.get(key)?;
        Some(Caller {
            workspace: person.workspace.clone(),
            user: person.user.clone(),
            scopes: None,
            actor: Actor::User,
            token: key.to_owned(),
            hidden_teams: Vec::new(),
        })
    }

    /// One of these scopes; the first is the one the error names.
    pub fn need(&self, any_of: &[&str]) -> Result<()> {
        let has = |scope: &&str| {
            self.scopes
                .as_ref()
                .is_none_or(|scopes| scopes.iter().any(|own| own == scope))
        };
        if any_of.iter().any(has) {
            Ok(())
        } else {
            Err(scope_required(any_of.first().unwrap_or(&"read")))
        }
    }

    pub fn home<'world>(&self, world: &'world World) -> Result<&'world Workspace> {
        world
            .workspace(&self.workspace)
            .ok_or_else(|| not_found("Organization"))
    }

    pub fn me<'world>(&self, world: &'world World) -> Result<&'world User> {
        self.home(world)?
            .user(&self.user)
            .ok_or_else(|| not_found("User"))
    }

    /// Says whether the caller sees a team: private ones are for the people in them; applications
    /// see public ones that nobody took away.
    pub fn sees(&self, team: &Team) -> bool {
        match self.actor {
            Actor::App => !team.private && !self.hidden_teams.contains(&team.id),
            Actor::User => true,
        }
    }
}

/// The caller of the request being resolved.
pub fn caller<'ctx>(ctx: &Context<'ctx>) -> Result<&'ctx Caller> {
    ctx.data::<Caller>().map_err(|_| Error::new("no caller"))
}

/// Reads the world on the caller's behalf.
pub fn look<T>(ctx: &Context<'_>, read: impl FnOnce(&World, &Caller) -> Result<T>) -> Result<T> {
    let caller = caller(ctx)?;
    ctx.data::<Simulator>()?.look(|world| read(world, caller))
}

/// Changes the world on the caller's behalf.
pub fn change<T>(
    ctx: &Context<'_>,
    change: impl FnOnce(&mut World, &Caller) -> Result<T>,
) -> Result<T> {
    let caller = caller(ctx)?;
    ctx.data::<Simulator>()?
        .change(|world| change(world, caller))
}
