//! The control API for tests, and the page for people.

pub mod apps;
pub mod asked;
pub mod authorisations;
pub mod error;
pub mod events;
pub mod forms;
mod guard;
pub mod page;
pub mod people;
pub mod routes;
pub mod show;
pub mod switches;

pub(crate) use guard::guard;
pub(crate) use routes::routes;

use error::ControlError;

use crate::world::World;

fn workspace_id(world: &World, key: &str) -> Result<String, ControlError> {
    world
        .workspace(key)
        .map(|workspace| workspace.id.clone())
        .ok_or(ControlError::Unknown("workspace"))
}

/// The application that a call names, or the first one.
fn client_id(world: &World, asked: Option<&str>) -> Result<String, ControlError> {
    let app = asked.map_or_else(|| Some(world.first_app()), |id| world.app(id));
    app.map(|app| app.client_id.clone())
        .ok_or(ControlError::Unknown("application"))
}
