//! The content of the simulation, as JSON.

use serde_json::{Value, json};

use crate::Simulator;
use crate::world::World;
use crate::world::grants::Grant;
use crate::world::workspace::Workspace;

impl Simulator {
    /// Everything a test may want to look at.
    #[must_use]
    pub fn state(&self) -> Value {
        self.look(|world| {
            json!({
                "now_ms": world.now(),
                "manual": world.clock.is_manual(),
                "app": world.first_app(),
                "apps": world.apps,
                "settings": world.settings,
                "workspaces": world.workspaces.iter()
                    .map(|home| workspace(world, home)).collect::<Vec<_>>(),
                "grants": world.grants.values()
                    .map(|found| grant(world, found)).collect::<Vec<_>>(),
                "webhooks": world.webhooks,
                "faults": world.faults,
            })
        })
    }

    #[must_use]
    pub fn deliveries(&self) -> Value {
        self.look(|world| json!({"deliveries": world.deliveries}))
    }

    #[must_use]
    pub fn counts(&self) -> Value {
        self.look(|world| {
            let grants: Vec<Value> = world
                .grants
                .values()
                .map(|found| grant(world, found))
                .collect();
            json!({"endpoints": world.counts, "grants": grants})
        })
    }
}

fn workspace(world: &World, home: &Workspace) -> Value {
    let apps = world.apps.iter().filter(|app| app.is_installed(&home.id));
    let apps: Vec<_> = apps.map(|app| &app.client_id).collect();
    json!({
        "id": home.id, "name": home.name, "url_key": home.url_key,
        "previous_url_keys": home.previous_url_keys,
        "installed": world.first_app().is_installed(&home.id),
        "installed_apps": apps,
        "users": home.users, "teams": home.teams, "projects": home.projects, "issues": home.issues,
        "comments": home.comments,
    })
}

fn grant(world: &World, found: &Grant) -> Value {
    let now = world.now();
    let living = world
        .access
        .values()
        .filter(|token| token.grant == found.id && token.is_live(now))
        .count();
    let url_key = world
        .workspace(&found.workspace)
        .map(|home| home.url_key.as_str());
    json!({
        "id": found.id, "client_id": found.client_id, "workspace": url_key, "actor": found.actor,
        "user": found.user,
        "authorised_by": found.authorised_by, "scopes": found.scopes, "pkce": found.pkce,
        "ended": found.ended,
        "live_access_tokens": living, "counts": found.counts,
        "access_token": found.current_access, "refresh_token": found.current_refresh,
    })
}
