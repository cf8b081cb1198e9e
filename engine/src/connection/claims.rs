//! The organisation that holds a workspace. Claims are always written, and read only where a
//! workspace may not be shared, so that the operator may change that at any time.

use crate::Engine;
use crate::store::StoreError;

/// Connections looked at, at a start.
const LOOKED_AT_MAX: i64 = 1_000;

/// A workspace that several organisations are connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedWorkspace {
    pub url_key: String,
    /// The organisation that keeps it, by its slug.
    pub holder: String,
    pub others: Vec<String>,
}

impl Engine {
    /// Names in the log what contradicts the operator's word that no workspace is shared, once;
    /// nothing is taken from anybody.
    pub async fn name_shared_workspaces(&self) -> Result<Vec<SharedWorkspace>, StoreError> {
        if self.settings().shared_workspaces {
            return Ok(Vec::new());
        }
        let shared = grouped(self.store().workspaces_shared(LOOKED_AT_MAX).await?);
        for SharedWorkspace {
            url_key,
            holder,
            others,
        } in &shared
        {
            let others = others.join(", ");
            tracing::warn!(
                workspace = url_key,
                holder,
                others,
                "RELINK_SHARED_WORKSPACES is off, and several organisations are connected to one \
                    workspace: the holder keeps it and \
                    may reconnect; the others go on until they are disconnected or have to \
                    reconnect, which is refused"
            );
        }
        Ok(shared)
    }
}

/// Rows of one workspace come together, the holder's first.
fn grouped(rows: Vec<(String, String, String)>) -> Vec<SharedWorkspace> {
    let mut shared: Vec<(String, SharedWorkspace)> = Vec::new();
    for (id, url_key, slug) in rows {
        match shared.last_mut().filter(|(last, _)| *last == id) {
            Some((_, workspace)) => workspace.others.push(slug),
            None => shared.push((
                id,
                SharedWorkspace {
                    url_key,
                    holder: slug,
                    others: Vec::new(),
                },
            )),
        }
    }
    shared.into_iter().map(|(_, workspace)| workspace).collect()
}
