//! A code becomes a grant with its first pair of tokens.

use super::app::{App, Installation};
use super::grants::{AccessToken, Actor, Code, Grant, GrantCounts, RefreshState, RefreshToken};
use super::workspace::{Role, User};
use super::{Person, World};

/// The answer to a token request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub access: String,
    pub refresh: Option<String>,
    pub expires_in: i64,
    pub scopes: Vec<String>,
}

/// Tokens from before refresh tokens lived this long.
pub const LEGACY_LIFE_MS: i64 = 10 * 365 * 86_400_000;
/// Tokens of the client itself live for thirty days.
const CLIENT_LIFE_MS: i64 = 30 * 86_400_000;

impl World {
    /// The code was checked: its application is authorised now. `None` if there is no such
    /// application.
    pub fn redeem(&mut self, code: &Code) -> Option<Pair> {
        let grant = self.authorise(code)?;
        let pair = self.new_pair(&grant);
        self.note_authorised(&grant);
        Some(pair)
    }

    fn authorise(&mut self, code: &Code) -> Option<String> {
        let Code {
            request,
            workspace,
            user: person,
            ..
        } = code;
        let user = match request.actor {
            Actor::App => self.install(&request.client_id, workspace)?,
            Actor::User => {
                let approving = Person {
                    workspace: workspace.clone(),
                    user: person.clone(),
                };
                self.app_mut(&request.client_id)?
                    .remember_approval(approving, &request.scopes);
                person.clone()
            }
        };
        let pkce = request.code_challenge.is_some();
        Some(self.add_grant(
            &request.client_id,
            workspace,
            request.actor,
            (user, person.clone()),
            request.scopes.clone(),
            pkce,
        ))
    }

    fn add_grant(
        &mut self,
        client_id: &str,
        workspace: &str,
        actor: Actor,
        (user, authorised_by): (String, String),
        scopes: Vec<String>,
        pkce: bool,
    ) -> String {
        let id = self.dice.uuid();
        let grant = Grant {
            id: id.clone(),
            client_id: client_id.to_owned(),
            workspace: workspace.to_owned(),
            actor,
            user,
            authorised_by,
            scopes,
            pkce,
            created_ms: self.now(),
            ended: false,
            current_access: None,
            current_refresh: None,
            counts: GrantCounts::default(),
        };
        self.grants.insert(id.clone(), grant);
        self.ensure_app_webhook(client_id, workspace);
        id
    }

    /// Answers the application's own account in the workspace.
    fn install(&mut self, client_id: &str, workspace: &str) -> Option<String> {
        let now = self.now();
        let bot = bot_user(self.app(client_id)?, workspace, now);
        let id = bot.id.clone();
        if let Some(workspace) = self.workspace_mut(workspace) {
            match workspace.users.iter_mut().find(|user| user.id == id) {
                Some(known) => known.active = true,
                None => workspace.users.push(bot),
            }
        }
        let installation = Installation {
            bot_user: id.clone(),
            installed_ms: now,
            removed_teams: Vec::new(),
        };
        self.app_mut(client_id)?
            .installations
            .entry(workspace.to_owned())
            .or_insert(installation);
        Some(id)
    }

    /// A fresh access and refresh token; the grant's current pair from now on.
    pub fn new_pair(&mut self, grant: &str) -> Pair {
        let life_ms = self.settings.access_token_life_s.saturating_mul(1_000);
        let access = self.new_access(grant, life_ms, false);
        let refresh = self.mint("refresh_token", "lin_refresh_");
        let record = RefreshToken {
            grant: grant.to_owned(),
            issued_ms: self.now(),
            state: RefreshState::Live,
        };
        self.refresh.insert(refresh.clone(), record);
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.current_refresh = Some(refresh.clone());
        }
        self.pair_of(access, Some(refresh))
    }

    pub fn new_access(&mut self, grant: &str, life_ms: i64, legacy: bool) -> String {
        let access = self.mint("access_token", "lin_oauth_");
        let expires_ms = self.now().saturating_add(life_ms);
        let record = AccessToken {
            grant: grant.to_owned(),
            expires_ms,
            revoked: false,
            legacy,
        };
        self.access.insert(access.clone(), record);
        if let Some(grant) = self.grants.get_mut(grant) {
            grant.current_access = Some(access.clone());
        }
        access
    }

    /// Tells a pair as the client gets it. A token of 24 hours says 86399, as Linear's do.
    pub fn pair_of(&self, access: String, refresh: Option<String>) -> Pair {
        let record = self.access.get(&access);
        let left_ms = record.map_or(0, |record| record.expires_ms - self.now());
        let grant = record.and_then(|record| self.grants.get(&record.grant));
        let scopes = grant.map(|grant| grant.scopes.clone()).unwrap_or_default();
        Pair {
            access,
            refresh,
            expires_in: ((left_ms - 1) / 1_000).max(0),
            scopes,
        }
    }

    /// A long-lived token from the old days, without a refresh token.
    pub fn mint_legacy(
        &mut self,
        client_id: &str,
        workspace: &str,
        actor: Actor,
        scopes: Vec<String>,
    ) -> Option<String> {
        let (workspace, person) = self
            .find_person(workspace, None)
            .map(|(w, u)| (w.id.clone(), u.id.clone()))?;
        let user = if actor == Actor::App {
            self.install(client_id, &workspace)?
        } else {
            person.clone()
        };
        let grant = self.add_grant(client_id, &workspace, actor, (user, person), scopes, false);
        Some(self.new_access(&grant, LEGACY_LIFE_MS, true))
    }

    /// Makes a grant as if the person who approves first had approved an app with PKCE.
    pub fn mint_grant(
        &mut self,
        client_id: &str,
        workspace: &str,
        scopes: Vec<String>,
    ) -> Option<Pair> {
        let (workspace, person) = self
            .find_person(workspace, None)
            .map(|(w, u)| (w.id.clone(), u.id.clone()))?;
        let bot = self.install(client_id, &workspace)?;
        let grant = self.add_grant(
            client_id,
            &workspace,
            Actor::App,
            (bot, person),
            scopes,
            true,
        );
        Some(self.new_pair(&grant))
    }

    /// `client_credentials`: the application acts as itself in the workspace that owns it.
    pub fn mint_for_client(&mut self, client_id: &str, scopes: Vec<String>) -> Option<Pair> {
        let owner = self.app(client_id)?.private_to_workspace.clone();
        let key = owner.or_else(|| {
            self.workspaces
                .first()
                .map(|workspace| workspace.id.clone())
        })?;
        let (workspace, person) = self
            .find_person(&key, None)
            .map(|(w, u)| (w.id.clone(), u.id.clone()))?;
        let bot = self.install(client_id, &workspace)?;
        self.end_client_grants_with_other_scopes(client_id, &workspace, &scopes);
        let grant = self.add_grant(
            client_id,
            &workspace,
            Actor::App,
            (bot, person),
            scopes,
            false,
        );
        let access = self.new_access(&grant, CLIENT_LIFE_MS, false);
        Some(self.pair_of(access, None))
    }
}

fn bot_user(app: &App, workspace: &str, now: i64) -> User {
    User {
        id: app.bot_user(workspace),
        name: app.name.clone(),
        display_name: app.name.to_lowercase().replace(' ', "-"),
        email: app.bot_email(),
        role: Role::App,
        active: true,
        created_ms: now,
        updated_ms: now,
    }
}
