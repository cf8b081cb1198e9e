//! Playing the people who approve, expire, revoke and uninstall.

use serde::Serialize;

use super::asked::{Approve, Permissions, RevokeToken, Uninstall};
use super::error::ControlError;
use super::{client_id, workspace_id};
use crate::Simulator;
use crate::oauth::{authorize, scope};
use crate::world::authorising::Answer;
use crate::world::ending::Revoked;
use crate::world::grants::Actor;
use crate::world::{Person, World};

const NO_WORKSPACE: ControlError = ControlError::Unknown("workspace");

impl Simulator {
    /// Plays the person on the consent page and answers where the browser goes.
    /// `None`: nowhere, an administrator has to approve first.
    ///
    /// # Errors
    /// The authorize page would refuse the request, or there is nobody like that.
    pub fn approve(&self, asked: &Approve) -> Result<Option<String>, ControlError> {
        let query = asked
            .authorize_url
            .split_once('?')
            .map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        self.change(|world| {
            let request = authorize::check(world, query)
                .map_err(|mistake| ControlError::Invalid(mistake.0))?;
            let person = world.find_person(&asked.workspace, asked.user.as_deref());
            let (workspace, user) =
                person.ok_or(ControlError::Unknown("person who could sign in"))?;
            let person = Person {
                workspace: workspace.id.clone(),
                user: user.id.clone(),
            };
            if let Some(shortcut) = world.shortcut(&request, Some(&person)) {
                return Ok(Some(world.take_shortcut(&request, &shortcut)));
            }
            match asked.decision.as_deref() {
                None | Some("approve") => {}
                Some("cancel") => return Ok(Some(world.decline(&request))),
                Some(_) => {
                    return Err(ControlError::Invalid(
                        "decision is approve or cancel".into(),
                    ));
                }
            }
            match world.approve(&request, &person.workspace, Some(&person.user)) {
                Answer::Redirect(location) => Ok(Some(location)),
                Answer::NeedsAdmin => Ok(None),
                Answer::NoSuchPerson => Err(ControlError::Unknown("person who could sign in")),
            }
        })
    }

    /// Access tokens (of one workspace) are past their time now. Answers how many.
    ///
    /// # Errors
    /// There is no such workspace.
    pub fn expire(&self, workspace: Option<&str>) -> Result<usize, ControlError> {
        self.change(|world| {
            let id = workspace.map(|key| workspace_id(world, key)).transpose()?;
            Ok(world.expire_access(id.as_deref()))
        })
    }

    /// Revokes one token as if somebody did it in Linear. False if it was dead already.
    ///
    /// # Errors
    /// There is no such token.
    pub fn revoke_token(&self, asked: &RevokeToken) -> Result<bool, ControlError> {
        self.change(|world| {
            let token = match (&asked.token, &asked.workspace) {
                (Some(token), _) => token.clone(),
                (None, Some(key)) => current_token(world, key, asked.which.as_deref())?,
                (None, None) => {
                    return Err(ControlError::Invalid("token or workspace is needed".into()));
                }
            };
            match world.revoke_token(&token) {
                Revoked::Done => Ok(true),
                Revoked::AlreadyDead => Ok(false),
                Revoked::Unknown => Err(ControlError::Unknown("token")),
            }
        })
    }

    /// Ends the grants of a workspace (of one user there), whichever application's they are.
    /// Answers how many; webhooks are told.
    ///
    /// # Errors
    /// There is no such workspace.
    pub fn revoke_grant(&self, workspace: &str, user: Option<&str>) -> Result<usize, ControlError> {
        self.change(|world| {
            let id = workspace_id(world, workspace)?;
            let of_user = |acting: &str| user.is_none_or(|key| acting == key);
            let ending = world
                .living_grants(&id)
                .filter(|grant| of_user(&grant.user) || of_user(&grant.authorised_by));
            let ending: Vec<String> = ending.map(|grant| grant.id.clone()).collect();
            ending.iter().for_each(|grant| world.end_grant(grant));
            Ok(ending.len())
        })
    }

    /// Removes the first application from a workspace. False if it was not there.
    ///
    /// # Errors
    /// There is no such workspace.
    pub fn uninstall(&self, workspace: &str) -> Result<bool, ControlError> {
        self.uninstall_app(&Uninstall {
            workspace: workspace.to_owned(),
            client_id: None,
        })
    }

    /// Removes an application from a workspace and leaves the others there. False if it was not
    /// there.
    ///
    /// # Errors
    /// There is no such workspace or application.
    pub fn uninstall_app(&self, asked: &Uninstall) -> Result<bool, ControlError> {
        self.change(|world| {
            let client_id = client_id(world, asked.client_id.as_deref())?;
            let id = workspace_id(world, &asked.workspace)?;
            Ok(world.uninstall(&client_id, &id))
        })
    }

    /// A token of the first application from before refresh tokens.
    ///
    /// # Errors
    /// There is no such workspace, nobody who could approve, or no such scope.
    pub fn mint_legacy(
        &self,
        workspace: &str,
        actor: Actor,
        scopes: &str,
    ) -> Result<String, ControlError> {
        let scopes = scope::parse(scopes)
            .map_err(|unknown| ControlError::Invalid(format!("no scope {unknown}")))?;
        let minted = self.change(|world| {
            let first = world.first_app().client_id.clone();
            world.mint_legacy(&first, workspace, actor, scopes)
        });
        minted.ok_or(NO_WORKSPACE)
    }

    /// A grant of the first application in a workspace with its first pair, as if somebody had
    /// approved it there.
    ///
    /// # Errors
    /// There is no such workspace, nobody who could approve, or no such scope.
    pub fn mint_grant(&self, workspace: &str, scopes: &str) -> Result<MintedGrant, ControlError> {
        let scopes = scope::parse(scopes)
            .map_err(|unknown| ControlError::Invalid(format!("no scope {unknown}")))?;
        let pair = self.change(|world| {
            let first = world.first_app().client_id.clone();
            world.mint_grant(&first, workspace, scopes)
        });
        let pair = pair.ok_or(NO_WORKSPACE)?;
        let refresh_token = pair.refresh.unwrap_or_default();
        Ok(MintedGrant {
            access_token: pair.access,
            refresh_token,
            expires_in: pair.expires_in,
        })
    }

    /// A personal API key.
    ///
    /// # Errors
    /// There is no such person.
    pub fn mint_api_key(
        &self,
        workspace: &str,
        user: Option<&str>,
    ) -> Result<String, ControlError> {
        self.change(|world| {
            let found = world.find_person(workspace, user);
            let person = found.map(|(home, user)| Person {
                workspace: home.id.clone(),
                user: user.id.clone(),
            });
            let person = person.ok_or(ControlError::Unknown("person"))?;
            let key = world.mint("api_key", "lin_api_");
            world.api_keys.insert(key.clone(), person);
            Ok(key)
        })
    }

    /// Changes which teams an app user sees, and tells the webhooks.
    ///
    /// # Errors
    /// The application is not installed there.
    pub fn change_permissions(&self, asked: Permissions) -> Result<(), ControlError> {
        self.change(|world| {
            let id = workspace_id(world, &asked.workspace)?;
            let client_id = client_id(world, asked.client_id.as_deref())?;
            let done = world.change_permissions(
                &client_id,
                &id,
                asked.added_team_ids,
                asked.removed_team_ids,
            );
            if done {
                Ok(())
            } else {
                Err(ControlError::Unknown("installation"))
            }
        })
    }
}

/// The answer that the token endpoint would have given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MintedGrant {
    pub access_token: String,
    pub refresh_token: String,
    /// Seconds.
    pub expires_in: i64,
}

fn current_token(
    world: &World,
    workspace: &str,
    which: Option<&str>,
) -> Result<String, ControlError> {
    let id = workspace_id(world, workspace)?;
    let newest = world
        .living_grants(&id)
        .max_by_key(|grant| grant.created_ms);
    let grant = newest.ok_or(ControlError::Unknown("grant"))?;
    let token = match which {
        None | Some("access") => grant.current_access.clone(),
        Some("refresh") => grant.current_refresh.clone(),
        Some(_) => return Err(ControlError::Invalid("which is access or refresh".into())),
    };
    token.ok_or(ControlError::Unknown("token"))
}
