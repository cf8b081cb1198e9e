//! Forms that hash a password wait in a queue of their own. A hash takes a processor for a while,
//! so whoever waits for one holds no place of the pages, and turns go round by who asks: many from
//! one address wait for each other.

use std::hash::Hash;
use std::net::IpAddr;

use axum::extract::Request;
use axum::http::Method;
use relink_app::api::device_of;
use relink_engine::Device;

use crate::Web;
use crate::asker::asker;
use crate::share::{Held, Room};

/// The addresses that hash a password when they are posted to.
const HASHING: [&str; 4] = ["/signin", "/signup", "/password", "/link/password"];
/// Forms that wait, and those of one name.
const WAITING: usize = 4_096;
const WAITING_EACH: usize = 32;
/// Turns at once. Strangers leave one of the engine's four hashes to browsers that are known.
const STRANGERS: usize = 3;
const KNOWN: usize = 8;

/// Strangers stand in line by address. Browsers that somebody was signed in with have a line of
/// their own, by that person: an attack from any number of addresses does not stand in their way.
#[derive(Debug)]
pub struct PasswordQueue {
    strangers: Line<IpAddr>,
    known: Line<String>,
}

impl Default for PasswordQueue {
    fn default() -> PasswordQueue {
        PasswordQueue {
            strangers: Line::new(STRANGERS),
            known: Line::new(KNOWN),
        }
    }
}

impl PasswordQueue {
    /// Waits for a turn; `None` where too many wait already.
    pub async fn turn(&self, who: &Who) -> Option<Turn> {
        match who {
            Who::Stranger(address) => self.strangers.turn(address).await,
            Who::Known(person) => self.known.turn(person).await,
        }
    }
}

/// The one behind whom others of the same name wait.
#[derive(Debug)]
pub enum Who {
    Stranger(IpAddr),
    Known(String),
}

impl Who {
    pub fn of(web: &Web, request: &Request) -> Who {
        let device = device_of(request.headers(), &web.site, &web.engine);
        let person = device.as_ref().and_then(Device::person);
        person.map_or_else(
            || Who::Stranger(asker(request.extensions())),
            |person| Who::Known(person.to_owned()),
        )
    }
}

pub fn hashes(request: &Request) -> bool {
    request.method() == Method::POST && HASHING.contains(&request.uri().path())
}

#[derive(Debug)]
struct Line<Name> {
    waiting: Room<Name>,
    turns: Room<Name>,
}

/// The turn of somebody, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _waited: Held,
    _turn: Held,
}

impl<Name: Hash + Eq + Clone> Line<Name> {
    fn new(turns: usize) -> Line<Name> {
        Line {
            waiting: Room::new(WAITING, WAITING_EACH),
            turns: Room::new(turns, 1),
        }
    }

    async fn turn(&self, name: &Name) -> Option<Turn> {
        let waited = self.waiting.try_take(name, 1)?;
        Some(Turn {
            _waited: waited,
            _turn: self.turns.take(name).await,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::yield_now;

    use super::*;

    /// Stands in line, and says so when it is their turn.
    fn comes(
        line: &Arc<Line<u32>>,
        name: u32,
        said: &Arc<std::sync::Mutex<Vec<u32>>>,
    ) -> tokio::task::JoinHandle<bool> {
        let (line, said) = (line.clone(), said.clone());
        tokio::spawn(async move {
            let turn = line.turn(&name).await;
            said.lock().unwrap().push(name);
            yield_now().await;
            turn.is_some()
        })
    }

    #[tokio::test]
    async fn a_newcomer_waits_for_one_of_each_address_and_not_for_all_that_wait() {
        let (line, said) = (Arc::new(Line::new(1)), Arc::default());
        let mut all: Vec<_> = (0..768)
            .map(|number| comes(&line, number % 32, &said))
            .collect();
        yield_now().await;
        all.push(comes(&line, 99, &said));
        for one in all {
            assert!(one.await.unwrap());
        }
        let before = said
            .lock()
            .unwrap()
            .iter()
            .position(|name| *name == 99)
            .unwrap();
        assert!(before <= 64, "behind {before} of 768");
    }

    #[tokio::test]
    async fn who_sends_too_many_is_refused_at_once_and_others_are_not() {
        let (line, said) = (Arc::new(Line::new(2)), Arc::default());
        let held = line.turn(&1).await.unwrap();
        let waiting: Vec<_> = (1..WAITING_EACH).map(|_| comes(&line, 1, &said)).collect();
        yield_now().await;
        assert!(line.turn(&1).await.is_none());
        assert!(line.turn(&2).await.is_some());
        drop(held);
        for one in waiting {
            assert!(one.await.unwrap());
        }
    }

    #[test]
    fn what_hashes_a_password_waits_in_this_queue_and_nothing_else() {
        let asked = |method: Method, path: &str| {
            hashes(
                &Request::builder()
                    .method(method)
                    .uri(path)
                    .body(Default::default())
                    .unwrap(),
            )
        };
        assert!(asked(Method::POST, "/signin?next=/team") && asked(Method::POST, "/link/password"));
        assert!(!asked(Method::GET, "/signin") && !asked(Method::POST, "/link"));
    }
}
