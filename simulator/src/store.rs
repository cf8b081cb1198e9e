//! The world on disk, so that a restarted demo still honours its tokens.

mod upgrade;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;

use crate::Error;
use crate::world::World;
use crate::world::hooks::DeliveryState;

/// The saved world; `None` when there is none yet.
pub(crate) fn load(path: &Path) -> Result<Option<World>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut world = read(&text).map_err(|source| Error::Corrupt {
        path: path.to_owned(),
        source,
    })?;
    requeue_interrupted(&mut world);
    Ok(Some(world))
}

fn read(text: &[u8]) -> serde_json::Result<World> {
    let mut saved: Value = serde_json::from_slice(text)?;
    upgrade::upgrade(&mut saved);
    serde_json::from_value(saved)
}

/// A delivery that was on its way when the process ended is sent again.
fn requeue_interrupted(world: &mut World) {
    let due_ms = world.now();
    let interrupted = world
        .deliveries
        .iter_mut()
        .filter(|delivery| delivery.state == DeliveryState::Sending);
    interrupted.for_each(|delivery| delivery.state = DeliveryState::Waiting { due_ms });
}

/// Writes beside the file and renames over it, so that a crash leaves the old world or the new one.
pub(crate) fn save(path: &Path, world: &World) -> io::Result<()> {
    let beside = path.with_extension("new");
    let text = serde_json::to_vec(world).map_err(io::Error::other)?;
    let mut file = private_file(&beside)?;
    file.write_all(&text)?;
    drop(file);
    fs::rename(&beside, path)
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
