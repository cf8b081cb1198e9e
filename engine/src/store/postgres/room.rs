//! Room for commands, and for other servers, where few connections are to be had: a server takes
//! fewer than it may, or gives some back, so that two are always left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Error, PgPool};
use tokio::sync::Semaphore;

use super::Pg;

/// The `application_name` of a command's connections.
pub(super) const COMMAND: &str = "relink command";
/// The greatest number of connections that a command takes.
pub(in crate::store) const LEFT: i64 = 2;

/// Counts how many more connections there could be: for the role and in the database, and on the
/// whole server. What commands hold now is theirs anyway. `NULL`: no limit.
const FREE: &str = "SELECT LEAST(\
    (SELECT r.rolconnlimit - COUNT(a.pid) FROM pg_roles r LEFT JOIN pg_stat_activity a ON \
    a.usesysid = r.oid AND a.application_name <> $1 \
    WHERE r.rolname = session_user AND r.rolconnlimit >= 0 AND NOT r.rolsuper GROUP BY \
    r.rolconnlimit), \
    (SELECT d.datconnlimit - COUNT(a.pid) FROM pg_database d LEFT JOIN pg_stat_activity a ON \
    a.datid = d.oid AND a.application_name <> $1 \
    WHERE d.datname = current_database() AND d.datconnlimit >= 0 GROUP BY d.datconnlimit)), \
    (SELECT current_setting('max_connections')::BIGINT - \
    current_setting('superuser_reserved_connections')::BIGINT \
    - COALESCE(current_setting('reserved_connections', TRUE), '0')::BIGINT - COUNT(*) \
    FROM pg_stat_activity WHERE datid IS NOT NULL AND application_name <> $1)";

/// The number of connections of its pool that a process takes, and of those that are for pages.
#[derive(Debug)]
pub(super) struct Room {
    full: u32,
    taken: AtomicU32,
    pages: AtomicU32,
    pub page_turns: Arc<Semaphore>,
}

impl Room {
    pub fn new(full: u32) -> Room {
        let pages = for_pages(full);
        Room {
            full,
            taken: AtomicU32::new(full),
            pages: AtomicU32::new(pages),
            page_turns: Arc::new(Semaphore::new(pages as usize)),
        }
    }

    /// Whether a pool of this many takes no more, though it could.
    pub fn is_full(&self, open: u32) -> bool {
        let taken = self.taken.load(Ordering::Relaxed);
        taken < self.full && open >= taken
    }

    /// Answers whether that is another number than before.
    fn set(&self, taken: u32) -> bool {
        let (pages, wanted) = (self.pages.load(Ordering::Relaxed), for_pages(taken));
        if wanted > pages {
            self.page_turns.add_permits((wanted - pages) as usize);
            self.pages.store(wanted, Ordering::Relaxed);
        } else {
            // Those that are taken now go with one of the next looks.
            let gone = self.page_turns.forget_permits((pages - wanted) as usize);
            self.pages
                .store(pages - u32::try_from(gone).unwrap_or(0), Ordering::Relaxed);
        }
        self.taken.swap(taken, Ordering::Relaxed) != taken
    }

    /// Decides how many to take, with that many open and more to be had: for us, and for all. What
    /// others leave of the whole server is no reason to take less than half of what was asked for:
    /// they would only take that, too.
    fn fitting(&self, open: u32, ours: Option<i64>, all: i64) -> u32 {
        let wanted = |free: i64| i64::from(open) + free - LEFT;
        let fits = ours
            .map_or(i64::MAX, wanted)
            .min(wanted(all).max(i64::from(self.full / 2)));
        u32::try_from(fits).map_or(1, |fits| fits.clamp(1, self.full))
    }
}

fn for_pages(taken: u32) -> u32 {
    (taken / 2).max(1)
}

impl Pg {
    /// Sees to it that commands find connections, by taking fewer.
    ///
    /// Behind a pooler nothing has to be left: it deals them out itself.
    pub(in crate::store) async fn leave_room(&self) -> Result<(), Error> {
        if self.begin.pooled {
            return Ok(());
        }
        let (ours, all): (Option<i64>, i64) =
            sqlx::query_as(FREE).bind(COMMAND).fetch_one(self).await?;
        let room = self.room.fitting(self.pool.size(), ours, all);
        if self.room.set(room) {
            tracing::info!(
                room,
                "PostgreSQL has few connections for Relink: two are left for commands"
            );
        }
        give_back(&self.pool, room).await;
        Ok(())
    }
}

/// Gives back the connections that nobody uses right now; the others come back soon.
async fn give_back(pool: &PgPool, room: u32) {
    for _ in room..pool.size() {
        match pool.try_acquire() {
            Some(connection) => drop(connection.close().await),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_left_whatever_others_take() {
        let room = Room::new(16);
        for (open, ours, all, fits) in [
            (2, None, 90, 16),
            (2, Some(3), 90, 3),
            (3, Some(2), 90, 3),
            (5, Some(0), 90, 3),
            (3, Some(-1), 90, 1),
            (1, Some(0), 90, 1),
            (16, None, 1, 15),
            (16, None, -3, 11),
            (8, None, -3, 8),
            (1, Some(40), 200, 16),
        ] {
            assert_eq!(
                room.fitting(open, ours, all),
                fits,
                "{open} open, {ours:?} and {all} to be had"
            );
        }
    }

    #[test]
    fn pages_have_half_of_what_is_taken() {
        let room = Room::new(16);
        assert!(!room.set(16) && !room.is_full(16));
        assert!(room.set(3) && room.is_full(3) && !room.is_full(2));
        assert_eq!(room.page_turns.available_permits(), 1);
        assert!(room.set(8));
        assert_eq!(room.page_turns.available_permits(), 4);
        let held = room.page_turns.clone().try_acquire_many_owned(4).unwrap();
        room.set(2);
        drop(held);
        assert!(!room.set(2));
        assert_eq!(room.page_turns.available_permits(), 1);
    }
}
