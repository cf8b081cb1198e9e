//! The way from verified to committed: deliveries that come at the same time share a transaction.

use std::collections::VecDeque;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::incoming::WebhookError;
use crate::Engine;
use crate::store::{BATCH_MAX, NewDelivery, StoreError};

/// Deliveries that wait to be stored, and bytes of their bodies; more are refused, and Linear sends
/// them again.
const WAITING_MAX: usize = 2_048;
const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of bodies after which a transaction is full.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Failures among the deliveries of one batch, after which the rest of it is not tried: it is the
/// database.
const FAILURES_MAX: u32 = 3;
/// Linear takes five seconds for a failure. What is stored after all by then is a duplicate when it
/// comes again.
const PATIENCE: Duration = Duration::from_secs(4);

#[derive(Debug, Default)]
pub(crate) struct Ingest {
    waiting: Mutex<Waiting>,
    /// Bytes of deliveries that went to make room since the database was tidied.
    pub(super) freed: AtomicI64,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Pending>,
    bytes: usize,
    /// Somebody is writing; what comes meanwhile goes with the next transaction.
    writing: bool,
}

#[derive(Debug)]
struct Pending {
    delivery: NewDelivery,
    done: Done,
}

/// Told whether somebody has the delivery now who had not before; dropped when it could not be
/// stored.
type Done = oneshot::Sender<bool>;

/// A writer that panics makes way for the next one.
struct Writing<'a>(&'a Engine);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // Only a panic leaves it set; another writer may have begun since it was cleared.
        if std::thread::panicking() {
            self.0.deliveries_waiting().waiting().writing = false;
        }
    }
}

impl Ingest {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what goes into the next transaction; nothing is left when it is empty.
    fn next_batch(&self) -> Vec<Pending> {
        let mut waiting = self.waiting();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_MAX && bytes < BATCH_BYTES {
            let Some(pending) = waiting.queue.pop_front() else {
                break;
            };
            bytes += pending.delivery.body.len();
            waiting.bytes -= pending.delivery.body.len();
            batch.push(pending);
        }
        // Set while the queue is held, so that whoever comes next knows that a new writer is
        // needed.
        waiting.writing = !batch.is_empty();
        batch
    }
}

impl Engine {
    /// Stores a delivery. `true`: somebody has it now who had not before. When this answers, it is
    /// committed.
    pub(super) async fn ingest(&self, delivery: NewDelivery) -> Result<bool, WebhookError> {
        let (done, stored) = oneshot::channel();
        {
            let mut waiting = self.deliveries_waiting().waiting();
            if waiting.queue.len() >= WAITING_MAX
                || waiting.bytes + delivery.body.len() > WAITING_BYTES
            {
                self.webhook_counts().add("busy");
                return Err(WebhookError::Busy);
            }
            waiting.bytes += delivery.body.len();
            waiting.queue.push_back(Pending { delivery, done });
            if !waiting.writing {
                waiting.writing = true;
                self.start_writing();
            }
        }
        match timeout(PATIENCE, stored).await {
            Ok(Ok(new)) => Ok(new),
            Ok(Err(_)) | Err(_) => {
                self.webhook_counts().add("unstored");
                Err(StoreError::Timeout.into())
            }
        }
    }

    fn start_writing(&self) {
        let engine = self.clone();
        if self.store().blocks() {
            // The whole loop stays on one thread: from a transaction straight into the next one.
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || runtime.block_on(engine.write_deliveries()));
        } else {
            tokio::spawn(async move { engine.write_deliveries().await });
        }
    }

    async fn write_deliveries(&self) {
        let _writing = Writing(self);
        loop {
            let batch = self.deliveries_waiting().next_batch();
            if batch.is_empty() {
                return;
            }
            let (deliveries, waiting): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|pending| (pending.delivery, pending.done))
                .unzip();
            match self.store().deliveries_put(&deliveries).await {
                Ok(put) => {
                    // Who stopped waiting has told Linear to send it again.
                    for (done, fresh) in waiting.into_iter().zip(put.fresh) {
                        let _ = done.send(fresh);
                    }
                    self.keep_within(put.kept).await;
                }
                // One that the database does not take must not keep the others out.
                Err(error) if error.is_refusal() && deliveries.len() > 1 => {
                    self.write_singly(&deliveries, waiting).await
                }
                Err(error) => {
                    tracing::error!(%error, count = deliveries.len(), "deliveries could not be \
                        stored; Linear will send them again")
                }
            }
        }
    }

    async fn write_singly(&self, deliveries: &[NewDelivery], waiting: Vec<Done>) {
        let mut failures = 0;
        for (delivery, done) in deliveries.iter().zip(waiting) {
            match self
                .store()
                .deliveries_put(std::slice::from_ref(delivery))
                .await
            {
                Ok(put) => {
                    let _ = done.send(put.fresh == [true]);
                }
                Err(error) => {
                    tracing::error!(%error, workspace = delivery.workspace_id, "a delivery could \
                        not be stored; Linear will send it again");
                    failures += 1;
                }
            }
            if failures > FAILURES_MAX {
                return;
            }
        }
    }
}
