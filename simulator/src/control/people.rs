//! Adding and renaming workspaces and the people in them.

use super::asked::{NewPerson, NewProject, NewTeam, NewWorkspace, Rename};
use super::error::ControlError;
use crate::Simulator;
use crate::world::World;
use crate::world::dice::Dice;
use crate::world::workspace::{Project, Role, Team, User, Workspace};

/// Linear remembers this many former url keys.
const PREVIOUS_KEYS: usize = 3;
const WORKSPACES_MAX: usize = 1_000;

impl Simulator {
    /// Adds a workspace and answers its id.
    ///
    /// # Errors
    /// The url key or id is taken, empty, or there are too many workspaces.
    pub fn add_workspace(&self, new: NewWorkspace) -> Result<String, ControlError> {
        self.change(|world| add_workspace(world, new))
    }

    /// Adds a person, or changes the one with the same id or e-mail address. Answers the id.
    ///
    /// # Errors
    /// There is no such workspace.
    pub fn put_user(&self, workspace: &str, new: NewPerson) -> Result<String, ControlError> {
        self.change(|world| {
            let now = world.now();
            let mut dice = world.dice.clone();
            let home = world
                .workspace_mut(workspace)
                .ok_or(ControlError::Unknown("workspace"))?;
            let id = put_user(home, &mut dice, now, new);
            world.dice = dice;
            Ok(id)
        })
    }

    /// # Errors
    /// There is no such workspace, or the url key is another one's.
    pub fn rename_workspace(&self, rename: Rename) -> Result<(), ControlError> {
        self.change(|world| {
            let taken = rename
                .url_key
                .as_ref()
                .and_then(|key| world.workspace(key))
                .map(|found| found.id.clone());
            let home = world
                .workspace_mut(&rename.workspace)
                .ok_or(ControlError::Unknown("workspace"))?;
            if taken.is_some_and(|id| id != home.id) {
                return Err(ControlError::Invalid("this url key is taken".into()));
            }
            if let Some(key) = rename.url_key {
                let old = std::mem::replace(&mut home.url_key, key);
                home.previous_url_keys.insert(0, old);
                home.previous_url_keys.truncate(PREVIOUS_KEYS);
            }
            home.name = rename.name.unwrap_or_else(|| home.name.clone());
            Ok(())
        })
    }
}

fn add_workspace(world: &mut World, new: NewWorkspace) -> Result<String, ControlError> {
    let fits = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !fits(&new.url_key) || new.name.is_empty() {
        return Err(ControlError::Invalid(
            "a workspace needs a name and a url key of letters, digits and dashes".into(),
        ));
    }
    let id_taken = new
        .id
        .as_ref()
        .is_some_and(|id| world.workspace(id).is_some());
    if world.workspace(&new.url_key).is_some()
        || id_taken
        || world.workspaces.len() >= WORKSPACES_MAX
    {
        return Err(ControlError::Invalid(
            "this workspace is there already, or there are too many".into(),
        ));
    }
    let now = world.now();
    let dice = &mut world.dice;
    let mut home = Workspace {
        id: new.id.unwrap_or_else(|| dice.uuid()),
        name: new.name,
        url_key: new.url_key,
        previous_url_keys: Vec::new(),
        created_ms: now,
        users: Vec::new(),
        teams: Vec::new(),
        projects: Vec::new(),
        issues: Vec::new(),
        comments: Vec::new(),
    };
    let owner = || NewPerson {
        name: "Olive Owner".into(),
        role: Some(Role::Owner),
        ..NewPerson::default()
    };
    let users = if new.users.is_empty() {
        vec![owner()]
    } else {
        new.users
    };
    users.into_iter().for_each(|user| {
        put_user(&mut home, dice, now, user);
    });
    let team = || NewTeam {
        key: "GEN".into(),
        name: "General".into(),
        private: false,
    };
    let teams = if new.teams.is_empty() {
        vec![team()]
    } else {
        new.teams
    };
    home.teams = teams
        .into_iter()
        .map(|team| new_team(dice, now, team))
        .collect();
    home.projects = new
        .projects
        .into_iter()
        .map(|project| new_project(&home, dice, now, project))
        .collect();
    let id = home.id.clone();
    world.workspaces.push(home);
    Ok(id)
}

fn put_user(home: &mut Workspace, dice: &mut Dice, now: i64, new: NewPerson) -> String {
    let handle = new.name.to_lowercase().replace(' ', ".");
    let email = new
        .email
        .unwrap_or_else(|| format!("{handle}@{}.example", home.url_key));
    let known = home
        .users
        .iter_mut()
        .find(|user| user.email == email || Some(&user.id) == new.id.as_ref());
    if let Some(user) = known {
        user.name = new.name;
        user.email = email;
        user.role = new.role.unwrap_or(user.role);
        user.active = new.active.unwrap_or(user.active);
        user.updated_ms = now;
        return user.id.clone();
    }
    let user = User {
        id: new.id.unwrap_or_else(|| dice.uuid()),
        name: new.name,
        display_name: handle,
        email,
        role: new.role.unwrap_or(Role::Member),
        active: new.active.unwrap_or(true),
        created_ms: now,
        updated_ms: now,
    };
    let id = user.id.clone();
    home.users.push(user);
    id
}

fn new_team(dice: &mut Dice, now: i64, new: NewTeam) -> Team {
    Team {
        id: dice.uuid(),
        key: new.key,
        name: new.name,
        private: new.private,
        created_ms: now,
        next_number: 1,
    }
}

fn new_project(home: &Workspace, dice: &mut Dice, now: i64, new: NewProject) -> Project {
    let id = dice.uuid();
    let team = new
        .team
        .as_deref()
        .and_then(|key| home.team(key))
        .or(home.teams.first());
    Project {
        slug_id: id.replace('-', "").chars().take(12).collect(),
        id,
        name: new.name,
        description: String::new(),
        team_ids: team.map(|team| team.id.clone()).into_iter().collect(),
        lead_id: None,
        created_ms: now,
        updated_ms: now,
    }
}
