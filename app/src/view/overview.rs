//! The connections that the overview shows: of many, those that are searched for, and one page of
//! them.

use relink_engine::clock::Millis;
use relink_engine::connection::Connection;
use relink_engine::text;

use super::connection_view::{fault, status, waiting};
use super::url::url_encode;
use crate::view::{Fault, PagerView, SearchView, Status, TallyView, Waiting};

/// The number of connections that are seen at a glance; more can be searched.
const GLANCE: usize = 8;
const PER_PAGE: usize = 50;
/// The length at which a search is cut. No name is longer, and what is typed comes back in every
/// link of the page.
const TYPED_MAX: usize = 100;

/// A page of connections, in its order.
pub struct Overview<'a> {
    pub shown: Vec<&'a Connection>,
    pub search: Option<SearchView>,
    pub pager: Option<PagerView>,
    /// The address of this very page.
    pub here: String,
}

impl<'a> Overview<'a> {
    /// `q` and `page` as they stand in the address bar.
    pub fn of(connections: &'a [Connection], q: Option<&str>, page: Option<&str>) -> Overview<'a> {
        let searchable = connections.len() > GLANCE;
        let q: String = q
            .filter(|_| searchable)
            .unwrap_or_default()
            .trim()
            .chars()
            .take(TYPED_MAX)
            .collect();
        let found = in_order(connections, &q);
        let pages = found.len().div_ceil(PER_PAGE).max(1);
        let page = page
            .and_then(|page| page.parse().ok())
            .unwrap_or(1)
            .clamp(1, pages);
        Overview {
            shown: found
                .iter()
                .copied()
                .skip((page - 1) * PER_PAGE)
                .take(PER_PAGE)
                .collect(),
            pager: (pages > 1).then(|| pager(&q, page, pages, found.len())),
            here: address(&q, page),
            search: searchable.then(|| SearchView {
                found: count(found.len()),
                q,
            }),
        }
    }
}

/// Finds those that are searched for: what needs a person first, then by name.
fn in_order<'a>(connections: &'a [Connection], q: &str) -> Vec<&'a Connection> {
    let q = q.to_lowercase();
    let meant = |connection: &&Connection| {
        let workspace = &connection.workspace;
        workspace.name.to_lowercase().contains(&q) || workspace.url_key.to_lowercase().contains(&q)
    };
    let mut found: Vec<_> = connections.iter().filter(meant).collect();
    found.sort_by_cached_key(|connection| {
        (
            status(connection),
            connection.workspace.name.to_lowercase(),
            connection.id.clone(),
        )
    });
    found
}

fn pager(q: &str, page: usize, pages: usize, found: usize) -> PagerView {
    PagerView {
        first: count((page - 1) * PER_PAGE + 1),
        last: count((page * PER_PAGE).min(found)),
        of: count(found),
        previous: (page > 1).then(|| address(q, page - 1)),
        next: (page < pages).then(|| address(q, page + 1)),
    }
}

fn address(q: &str, page: usize) -> String {
    let q = (!q.is_empty()).then(|| format!("q={}", url_encode(q)));
    let page = (page > 1).then(|| format!("page={page}"));
    let query: Vec<String> = q.into_iter().chain(page).collect();
    if query.is_empty() {
        "/integrations".to_owned()
    } else {
        format!("/integrations?{}", query.join("&"))
    }
}

/// Counts all connections, whichever of them are shown.
pub fn tally(connections: &[Connection]) -> TallyView {
    let statuses: Vec<Status> = connections.iter().map(status).collect();
    let counted = |status: Status| count(statuses.iter().filter(|one| **one == status).count());
    TallyView {
        reconnect: counted(Status::ReconnectRequired),
        waiting: counted(Status::LinearUnreachable),
        connected: counted(Status::Connected),
        ended: counted(Status::NotConnected),
        only: only(connections, &statuses),
    }
}

/// The workspace in the worst state, where it is the only one in it.
fn only(connections: &[Connection], statuses: &[Status]) -> Option<String> {
    let worst = statuses.iter().min()?;
    let mut those = connections
        .iter()
        .zip(statuses)
        .filter(|(_, status)| *status == worst);
    match (those.next(), those.next()) {
        (Some((connection, _)), None) => Some(text::name(&connection.workspace.name)),
        _ => None,
    }
}

/// Collects the mistakes in the set-up that stop connections alike, each once.
pub fn wrong_set_up(connections: &[Connection], now: Millis) -> Vec<Waiting> {
    let from_any = |what| {
        connections
            .iter()
            .filter(|connection| fault(connection) == what)
            .find_map(|connection| waiting(connection, now))
    };
    [Fault::Keys, Fault::OtherApp, Fault::App, Fault::OwnApp]
        .into_iter()
        .filter_map(from_any)
        .collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
