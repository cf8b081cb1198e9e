//! Pages that are open hear of what changes, on whatever replica it happens: each process looks at
//! the table of changes twice a second, as long as anybody watches, and goes on from the last one
//! it saw. Nothing is listened to on a database connection, since a pooler would share it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

use crate::Engine;
use crate::every::Rhythm;
use crate::names::named;
use crate::store::{ChangeRow, StoreError};

/// The pause between two looks.
const LOOK: Rhythm = Rhythm::new("tell_changes", Duration::from_millis(500));
/// Changes read at a time.
const LIMIT: i64 = 10_000;
/// A number that is missed now may still become visible: its transaction is under way.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// The distance behind the last number seen from which whoever comes back looks, for the same
/// reason.
const LOOK_BACK: i64 = 100;
/// Changes that are kept for those who come back.
const KEPT: i64 = 20_000;
/// Changes that wait for a slow reader; one that is behind hears that everything changed.
const WAITING: usize = 16;

named! {
    /// A part of an organisation's pages that changed.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Topic {
        /// Connections, their history and their secrets.
        Connections = "connections",
        /// Deliveries and where they are handed on to.
        Deliveries = "deliveries",
        /// Members, link codes, and who is who.
        People = "people",
    }
}

/// The point up to which somebody has seen an organisation's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The number of a change.
    pub change: i64,
    /// The number of a delivery.
    pub delivery: i64,
}

impl Mark {
    /// Reads what [`Mark::to_string`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Mark> {
        let (change, delivery) = text.split_once('-')?;
        Some(Mark {
            change: change.parse().ok()?,
            delivery: delivery.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.change, self.delivery)
    }
}

/// The message to somebody who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub topics: BTreeSet<Topic>,
    /// The point up to which they are news.
    pub mark: Mark,
}

#[derive(Debug, Default)]
pub(crate) struct Live {
    watched: Mutex<HashMap<String, Watched>>,
    /// Wakes the reader when somebody watches again.
    wake: Notify,
    /// The reader; there is none while nobody watches.
    reader: tokio::sync::Mutex<Option<Reader>>,
    closing: AtomicBool,
}

#[derive(Debug)]
struct Watched {
    news: broadcast::Sender<News>,
    mark: Mark,
}

impl Live {
    fn watched(&self) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open page's way to hear of changes.
#[derive(Debug)]
pub struct Watch {
    news: broadcast::Receiver<News>,
    missed: Option<News>,
    mark: Mark,
}

impl Watch {
    /// Waits for the next changes. `None`: this process is closing.
    pub async fn next(&mut self) -> Option<News> {
        if let Some(missed) = self.missed.take() {
            return Some(missed);
        }
        match self.news.recv().await {
            Ok(news) => {
                self.mark = news.mark;
                Some(news)
            }
            Err(broadcast::error::RecvError::Lagged(_)) => Some(News {
                topics: Topic::ALL.into(),
                mark: self.mark,
            }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// The place of one process in the table of changes.
#[derive(Debug, Default)]
struct Reader {
    /// Everything up to here was seen, and nothing more can come there.
    settled: i64,
    seen: BTreeMap<i64, Instant>,
}

impl Reader {
    fn newest(&self) -> i64 {
        self.seen
            .last_key_value()
            .map_or(self.settled, |(newest, _)| self.settled.max(*newest))
    }

    /// Keeps the rows that were not seen before.
    fn fresh<T>(&mut self, rows: Vec<T>, number: impl Fn(&T) -> i64) -> Vec<T> {
        let now = Instant::now();
        let mut fresh = Vec::new();
        for row in rows {
            if let std::collections::btree_map::Entry::Vacant(vacant) =
                self.seen.entry(number(&row))
            {
                vacant.insert(now);
                fresh.push(row);
            }
        }
        while let Some(oldest) = self
            .seen
            .first_entry()
            .filter(|oldest| oldest.get().elapsed() > SETTLED_AFTER)
        {
            self.settled = *oldest.key();
            oldest.remove();
        }
        fresh
    }
}

impl Engine {
    /// The point up to which an organisation's pages have changed; for a page that is about to be
    /// made.
    pub async fn live_mark(&self, organisation: &str) -> Result<Mark, StoreError> {
        let change = self.store().changes_last().await?;
        let deliveries = self
            .store()
            .delivery_numbers(&[organisation.to_owned()])
            .await?;
        Ok(Mark {
            change,
            delivery: deliveries.get(organisation).copied().unwrap_or_default(),
        })
    }

    /// Watches an organisation from a mark on: what changed since is told first. Whoever comes
    /// `again` may have been away while a transaction with a lower number was under way.
    pub async fn watch(
        &self,
        organisation: &str,
        from: Mark,
        again: bool,
    ) -> Result<Watch, StoreError> {
        // First to be told, then to look: what comes in between is told twice.
        let news = {
            let mut watched = self.live().watched();
            if watched.is_empty() {
                self.live().wake.notify_one();
            }
            let entry = watched.entry(organisation.to_owned());
            let news = entry
                .or_insert_with(|| Watched {
                    news: broadcast::Sender::new(WAITING),
                    mark: from,
                })
                .news
                .subscribe();
            if self.live().closing.load(Ordering::SeqCst) {
                watched.clear();
            }
            news
        };
        let mark = self.live_mark(organisation).await?;
        let after = if again {
            from.change - LOOK_BACK
        } else {
            from.change
        };
        // What is behind the page is another copy of the database.
        let mut topics: BTreeSet<Topic> =
            if mark.change < from.change || mark.change - from.change > KEPT {
                Topic::ALL.into()
            } else {
                self.store()
                    .topics_changed(organisation, after)
                    .await?
                    .iter()
                    .filter_map(|name| Topic::from_name(name))
                    .collect()
            };
        if mark.delivery != from.delivery {
            topics.insert(Topic::Deliveries);
        }
        let missed = (!topics.is_empty()).then_some(News { topics, mark });
        Ok(Watch { news, missed, mark })
    }

    /// Tells those who watch what changes, for as long as the process lives.
    pub async fn tell_changes(&self) {
        self.every_or_woken(LOOK, &self.live().wake, |engine| async move {
            engine.look_for_changes().await
        })
        .await;
    }

    async fn look_for_changes(&self) {
        let mut reader = self.live().reader.lock().await;
        if self.live().watched().is_empty() {
            *reader = None;
        } else if let Err(error) = self.tell_news(&mut reader).await {
            *reader = None;
            tracing::warn!(%error, "changes could not be read; trying again");
        }
    }

    /// Starts over where an older copy took the database's place: its numbers are not those that
    /// were seen, and everything may be another.
    async fn go_back(&self, reader: &mut Option<Reader>) -> Result<(), StoreError> {
        let last = self.store().changes_last().await?;
        if reader.as_ref().is_some_and(|reader| reader.newest() > last) {
            *reader = None;
            for watched in self.live().watched().values_mut() {
                watched.mark.change = last;
                // Nobody is left to hear it: the next look takes the entry away.
                let _ = watched.news.send(News {
                    topics: Topic::ALL.into(),
                    mark: watched.mark,
                });
            }
        }
        Ok(())
    }

    /// Tells what is new. At the first look that is only what is newer than the pages that are
    /// open.
    async fn tell_news(&self, reader: &mut Option<Reader>) -> Result<(), StoreError> {
        self.go_back(reader).await?;
        let first = reader.is_none();
        let settled = if first {
            self.store().changes_last().await? - LOOK_BACK
        } else {
            0
        };
        let reader = reader.get_or_insert_with(|| Reader {
            settled,
            ..Reader::default()
        });
        let rows = self.store().changes_after(reader.settled, LIMIT).await?;
        let organisations: Vec<String> = {
            let mut watched = self.live().watched();
            watched.retain(|_, watched| watched.news.receiver_count() > 0);
            watched.keys().cloned().collect()
        };
        let newest = if organisations.is_empty() {
            HashMap::new()
        } else {
            self.store().delivery_numbers(&organisations).await?
        };
        let last = rows.last().map_or(0, |row| row.seq);
        let mut changed: HashMap<String, Vec<ChangeRow>> = HashMap::new();
        for row in reader.fresh(rows, |row| row.seq) {
            changed
                .entry(row.organisation_id.clone())
                .or_default()
                .push(row);
        }
        for (organisation, watched) in self.live().watched().iter_mut() {
            let rows = changed.remove(organisation).unwrap_or_default();
            let news = rows
                .iter()
                .filter(|row| !first || row.seq > watched.mark.change);
            let mut topics: BTreeSet<Topic> = news
                .filter_map(|row| Topic::from_name(&row.topic))
                .collect();
            let delivery = newest
                .get(organisation)
                .copied()
                .unwrap_or(watched.mark.delivery);
            if delivery != watched.mark.delivery {
                topics.insert(Topic::Deliveries);
            }
            watched.mark = Mark {
                change: watched.mark.change.max(last),
                delivery,
            };
            if !topics.is_empty() {
                // Nobody is left to hear it: the next look takes the entry away.
                let _ = watched.news.send(News {
                    topics,
                    mark: watched.mark,
                });
            }
        }
        Ok(())
    }

    /// Ends every watch, now and from now on: pages that hear no more let a server stop.
    pub fn stop_telling(&self) {
        self.live().closing.store(true, Ordering::SeqCst);
        self.live().watched().clear();
    }

    /// Forgets changes that whoever comes back would rather load the whole page for.
    pub async fn forget_changes(&self) -> Result<(), StoreError> {
        self.store().changes_forget(KEPT).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_what_it_was() {
        let mark = Mark {
            change: 1_042,
            delivery: 88,
        };
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for nonsense in ["", "1", "1-", "-1", "a-b", "1-2-3"] {
            assert_eq!(Mark::parse(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_number_that_shows_late_is_still_seen_once() {
        let mut reader = Reader {
            settled: 10,
            ..Reader::default()
        };
        assert_eq!(reader.fresh(vec![11, 13], |seq| *seq), [11, 13]);
        // 12 was under way.
        assert_eq!(reader.fresh(vec![11, 12, 13, 14], |seq| *seq), [12, 14]);
        assert_eq!(reader.settled, 10);
        tokio::time::advance(SETTLED_AFTER + Duration::from_millis(1)).await;
        assert_eq!(
            reader.fresh(vec![11, 12, 13, 14], |seq| *seq),
            Vec::<i64>::new()
        );
        assert_eq!(reader.settled, 14);
    }
}
