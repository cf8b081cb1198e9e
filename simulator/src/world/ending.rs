//! The ends of authorisations: one token, a whole grant, an uninstall, or time.

use super::World;
use super::grants::{Actor, RefreshState};

/// The result of revoking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    Done,
    /// Known, but dead already.
    AlreadyDead,
    Unknown,
}

impl World {
    /// Revokes one access or refresh token. When nothing of the current pair is left the grant is
    /// over.
    pub fn revoke_token(&mut self, token: &str) -> Revoked {
        let now = self.now();
        let grant = if let Some(record) = self.access.get_mut(token) {
            if !record.is_live(now) {
                return Revoked::AlreadyDead;
            }
            record.revoked = true;
            record.grant.clone()
        } else if let Some(record) = self.refresh.get_mut(token) {
            if record.state != RefreshState::Live {
                return Revoked::AlreadyDead;
            }
            record.state = RefreshState::Revoked;
            record.grant.clone()
        } else {
            return Revoked::Unknown;
        };
        if self.settings.revoke_ends_installation {
            let of = self
                .grants
                .get(&grant)
                .map(|grant| (grant.client_id.clone(), grant.workspace.clone()));
            if let Some((client_id, workspace)) = of {
                self.uninstall(&client_id, &workspace);
            }
        } else if self.settings.revoke_ends_grant || self.pair_is_dead(&grant) {
            self.end_grant(&grant);
        }
        if self.settings.revoke_ends_authorisation {
            self.end_authorisation(&grant);
        }
        Revoked::Done
    }

    /// Ends all that the person of a grant gave its application in the workspace. What is the
    /// application's own stays.
    fn end_authorisation(&mut self, id: &str) {
        let Some(grant) = self
            .grants
            .get(id)
            .filter(|grant| grant.actor == Actor::User)
            .cloned()
        else {
            return;
        };
        let living = self.living_grants_of(&grant.client_id, &grant.workspace);
        let theirs = living.filter(|other| other.actor == Actor::User && other.user == grant.user);
        for id in theirs.map(|other| other.id.clone()).collect::<Vec<_>>() {
            self.end_grant(&id);
        }
    }

    fn pair_is_dead(&self, grant: &str) -> bool {
        let Some(grant) = self.grants.get(grant) else {
            return true;
        };
        let now = self.now();
        let access = grant
            .current_access
            .as_ref()
            .and_then(|token| self.access.get(token));
        let refresh = grant
            .current_refresh
            .as_ref()
            .and_then(|token| self.refresh.get(token));
        access.is_none_or(|record| !record.is_live(now))
            && refresh.is_none_or(|record| record.state != RefreshState::Live)
    }

    /// Ends a grant with all its tokens, tells the webhooks, and clears up what nobody uses any
    /// more.
    pub fn end_grant(&mut self, id: &str) {
        let Some(grant) = self.grants.get_mut(id).filter(|grant| !grant.ended) else {
            return;
        };
        grant.ended = true;
        let grant = grant.clone();
        self.kill_tokens(id);
        self.note_authorisation(&grant, "revoked");
        self.forget_unused(&grant.client_id, &grant.workspace);
    }

    fn kill_tokens(&mut self, grant: &str) {
        self.revoke_access_of(grant);
        let of_grant = self
            .refresh
            .values_mut()
            .filter(|record| record.grant == grant);
        of_grant.for_each(|record| record.state = RefreshState::Revoked);
    }

    /// Forgets an application without a grant: it has no installation, no approval, and at last no
    /// webhook.
    fn forget_unused(&mut self, client_id: &str, workspace: &str) {
        let living: Vec<_> = self
            .living_grants_of(client_id, workspace)
            .map(|grant| (grant.actor, grant.user.clone()))
            .collect();
        if !living.iter().any(|(actor, _)| *actor == Actor::App) {
            self.remove_installation(client_id, workspace);
        }
        if let Some(app) = self.app_mut(client_id) {
            app.approvals.retain(|approval| {
                approval.person.workspace != workspace
                    || living
                        .iter()
                        .any(|(actor, user)| *actor == Actor::User && *user == approval.person.user)
            });
        }
        if living.is_empty() {
            self.note_app_revoked(client_id, workspace);
        }
    }

    fn remove_installation(&mut self, client_id: &str, workspace: &str) {
        let Some(installation) = self
            .app_mut(client_id)
            .and_then(|app| app.installations.remove(workspace))
        else {
            return;
        };
        let Some(workspace) = self.workspace_mut(workspace) else {
            return;
        };
        let bots = workspace
            .users
            .iter_mut()
            .filter(|user| user.id == installation.bot_user);
        bots.for_each(|bot| bot.active = false);
    }

    pub fn living_grants(&self, workspace: &str) -> impl Iterator<Item = &super::grants::Grant> {
        self.grants
            .values()
            .filter(move |grant| grant.workspace == workspace && !grant.ended)
    }

    fn living_grants_of(
        &self,
        client_id: &str,
        workspace: &str,
    ) -> impl Iterator<Item = &super::grants::Grant> {
        self.living_grants(workspace)
            .filter(move |grant| grant.client_id == client_id)
    }

    /// An administrator ends every authorisation of an application in a workspace. True if there
    /// was anything to end.
    pub fn uninstall(&mut self, client_id: &str, workspace: &str) -> bool {
        let grants: Vec<String> = self
            .living_grants_of(client_id, workspace)
            .map(|grant| grant.id.clone())
            .collect();
        let was_installed = self
            .app(client_id)
            .is_some_and(|app| app.is_installed(workspace))
            || !grants.is_empty();
        for grant in &grants {
            self.end_grant(grant);
        }
        if grants.is_empty() && was_installed {
            self.forget_unused(client_id, workspace);
        }
        was_installed
    }

    /// Every living access token (of one workspace) is past its time from now on.
    pub fn expire_access(&mut self, workspace: Option<&str>) -> usize {
        let now = self.now();
        let grants = &self.grants;
        let wanted = |grant: &str| {
            workspace.is_none_or(|id| grants.get(grant).is_some_and(|grant| grant.workspace == id))
        };
        let living = self
            .access
            .values_mut()
            .filter(|record| record.is_live(now) && wanted(&record.grant));
        living.map(|record| record.expires_ms = now).count()
    }

    /// Other scopes for the client's own tokens replace all that were handed out before.
    pub fn end_client_grants_with_other_scopes(
        &mut self,
        client_id: &str,
        workspace: &str,
        scopes: &[String],
    ) {
        let other = self.living_grants_of(client_id, workspace).filter(|grant| {
            grant.actor == Actor::App && grant.current_refresh.is_none() && grant.scopes != scopes
        });
        let other: Vec<String> = other.map(|grant| grant.id.clone()).collect();
        for grant in other {
            if let Some(grant) = self.grants.get_mut(&grant) {
                grant.ended = true;
            }
            self.kill_tokens(&grant);
        }
    }
}
