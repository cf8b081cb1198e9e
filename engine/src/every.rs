//! Everything that repeats in the background: it survives a panic of its job, gives up on one that
//! never returns, and knows when it last ran.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::Engine;

/// A run that shows no sign of life for this long hangs: longer than all that it may wait for.
const LIMIT: Duration = Duration::from_secs(120);
/// A vital loop that has not run within this many of its spans is missed.
const SPANS_MISSED: u32 = 3;
/// A run that was cancelled gets this long to end. One that blocks its thread never does.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// The rhythm of a loop: its name, its pause and its limits.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    name: &'static str,
    span: Duration,
    limit: Duration,
    vital: bool,
}

impl Rhythm {
    /// Makes the rhythm of a loop: its name in logs and metrics, and the pause from the end of one
    /// run to the next.
    #[must_use]
    pub const fn new(name: &'static str, span: Duration) -> Rhythm {
        Rhythm {
            name,
            span,
            limit: LIMIT,
            vital: false,
        }
    }

    /// The time from the end of one run to the next.
    #[must_use]
    pub const fn span(self) -> Duration {
        self.span
    }

    /// Makes it a loop without which the process is of no use.
    #[must_use]
    pub const fn vital(self) -> Rhythm {
        Rhythm {
            vital: true,
            ..self
        }
    }

    /// A run that shows no sign of life for this long is cancelled.
    #[must_use]
    pub const fn limit(self, limit: Duration) -> Rhythm {
        Rhythm { limit, ..self }
    }
}

/// The health of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopHealth {
    pub name: &'static str,
    /// The time since it last ran to its end, or got on.
    pub since: Duration,
    pub panics: u64,
    /// Runs that were cancelled because they hung.
    pub overruns: u64,
    /// The process is of no use without it, and it should have run by now.
    pub missed: bool,
}

/// The loops of this process.
#[derive(Debug, Default)]
pub(crate) struct Loops(Mutex<BTreeMap<&'static str, Arc<Pulse>>>);

#[derive(Debug)]
struct Pulse {
    rhythm: Rhythm,
    beats: Mutex<Beats>,
}

#[derive(Clone, Copy, Debug)]
struct Beats {
    /// The last time that it ran to its end, or got on.
    ran: Instant,
    /// The last time that it ran to its end, got on, or began a run.
    sign: Instant,
    running: bool,
    /// Runs that went wrong since it last ran.
    failures: u32,
    panics: u64,
    overruns: u64,
}

/// The end of a run.
enum End {
    Ran,
    Panicked,
    Overran,
}

tokio::task_local! {
    static PULSE: Arc<Pulse>;
}

/// Says that the loop which this is called from gets on, however long its run takes. Elsewhere it
/// says nothing.
pub fn gets_on() {
    let _ = PULSE.try_with(|pulse| pulse.beat(Instant::now()));
}

impl Pulse {
    fn new(rhythm: Rhythm) -> Pulse {
        let now = Instant::now();
        let beats = Beats {
            ran: now,
            sign: now,
            running: false,
            failures: 0,
            panics: 0,
            overruns: 0,
        };
        Pulse {
            rhythm,
            beats: Mutex::new(beats),
        }
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        let mut beats = self.beats();
        (beats.sign, beats.running) = (Instant::now(), true);
    }

    fn beat(&self, now: Instant) {
        let mut beats = self.beats();
        (beats.ran, beats.sign, beats.failures) = (now, now, 0);
    }

    /// The time from which a run without another sign of life hangs.
    fn hangs_at(&self) -> Instant {
        self.beats().sign + self.rhythm.limit
    }

    fn end(&self, end: &End) {
        let (name, limit) = (self.rhythm.name, self.rhythm.limit);
        match end {
            End::Ran => self.beat(Instant::now()),
            End::Panicked => tracing::error!(
                name,
                "a run of a loop in the background panicked; the loop goes on"
            ),
            End::Overran => tracing::error!(
                name,
                ?limit,
                "a run of a loop in the background hung; the loop begins anew"
            ),
        }
        let mut beats = self.beats();
        beats.running = false;
        match end {
            End::Ran => return,
            End::Panicked => beats.panics += 1,
            End::Overran => beats.overruns += 1,
        }
        beats.failures += 1;
    }

    fn health(&self) -> LoopHealth {
        let (beats, rhythm) = (*self.beats(), self.rhythm);
        let since = beats.ran.elapsed();
        // The first run since it last ran may take its time; one after a failure has had it.
        let allowed = if beats.running && beats.failures == 0 {
            rhythm.limit
        } else {
            Duration::ZERO
        };
        let missed = rhythm.vital && since > rhythm.span * SPANS_MISSED + allowed;
        LoopHealth {
            name: rhythm.name,
            since,
            panics: beats.panics,
            overruns: beats.overruns,
            missed,
        }
    }
}

impl Loops {
    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<Pulse>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn health(&self) -> Vec<LoopHealth> {
        self.all().values().map(|pulse| pulse.health()).collect()
    }

    /// Runs the job again and again, until the future is dropped; the job is cancelled with it.
    async fn every<Job>(&self, rhythm: Rhythm, wake: Option<&Notify>, job: impl Fn() -> Job)
    where
        Job: Future<Output = ()> + Send + 'static,
    {
        let pulse = Arc::new(Pulse::new(rhythm));
        self.all().insert(rhythm.name, pulse.clone());
        loop {
            pulse.begin();
            let end = run(&pulse, job()).await;
            pulse.end(&end);
            match wake {
                // Either is reason enough.
                Some(wake) => drop(timeout(rhythm.span, wake.notified()).await),
                None => sleep(rhythm.span).await,
            }
        }
    }
}

/// Runs the job in a task of its own, so that neither a panic nor a thread that is blocked ends the
/// loop.
async fn run(pulse: &Arc<Pulse>, job: impl Future<Output = ()> + Send + 'static) -> End {
    let mut task = JoinSet::new();
    task.spawn(PULSE.scope(pulse.clone(), job));
    loop {
        match timeout_at(pulse.hangs_at(), task.join_next()).await {
            Ok(Some(Err(error))) if error.is_panic() => return End::Panicked,
            Ok(_) => return End::Ran,
            // It got on meanwhile.
            Err(_) if pulse.hangs_at() > Instant::now() => {}
            Err(_) => break,
        }
    }
    task.abort_all();
    let _ = timeout(CANCEL_PATIENCE, task.join_next()).await;
    End::Overran
}

impl Engine {
    /// Runs a job again and again, until the future is dropped. The job has to bear being cancelled
    /// at any point, as it has to bear a crash.
    pub async fn every<Job>(&self, rhythm: Rhythm, job: impl Fn(Engine) -> Job)
    where
        Job: Future<Output = ()> + Send + 'static,
    {
        self.loops().every(rhythm, None, || job(self.clone())).await;
    }

    /// [`Engine::every`], and sooner when it is woken.
    pub(crate) async fn every_or_woken<Job>(
        &self,
        rhythm: Rhythm,
        wake: &Notify,
        job: impl Fn(Engine) -> Job,
    ) where
        Job: Future<Output = ()> + Send + 'static,
    {
        self.loops()
            .every(rhythm, Some(wake), || job(self.clone()))
            .await;
    }

    /// Tells the health of the loops in the background of this process.
    #[must_use]
    pub fn loop_health(&self) -> Vec<LoopHealth> {
        self.loops().health()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SPAN: Duration = Duration::from_secs(10);
    const VITAL: Rhythm = Rhythm::new("sweep", SPAN).vital();

    /// A loop whose job is told the number of its run, and how often it began.
    fn started<Job>(
        rhythm: Rhythm,
        job: impl Fn(u32) -> Job + Send + Sync + 'static,
    ) -> (Arc<Loops>, Arc<AtomicU32>, JoinSet<()>)
    where
        Job: Future<Output = ()> + Send + 'static,
    {
        let (loops, runs) = (Arc::new(Loops::default()), Arc::new(AtomicU32::new(0)));
        let (there, count) = (loops.clone(), runs.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            there
                .every(rhythm, None, || job(count.fetch_add(1, Ordering::SeqCst)))
                .await
        });
        (loops, runs, task)
    }

    fn health(loops: &Loops) -> LoopHealth {
        loops.health()[0]
    }

    /// A little more than this many spans.
    async fn spans(count: u32) {
        sleep(SPAN * count + Duration::from_millis(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_goes_on_after_its_job_panicked() {
        let (loops, runs, _task) = started(VITAL, async |run| assert_ne!(run, 1, "the second run"));
        spans(3).await;
        assert_eq!((runs.load(Ordering::SeqCst), health(&loops).panics), (4, 1));
        assert!(!health(&loops).missed && health(&loops).since < SPAN);
    }

    #[tokio::test(start_paused = true)]
    async fn a_vital_loop_that_always_panics_is_missed_after_three_spans_until_it_runs() {
        let (loops, _, _task) = started(VITAL, async |run| assert!(run > 5, "run {run}"));
        spans(2).await;
        assert!(!health(&loops).missed);
        spans(1).await;
        assert!(health(&loops).missed, "{:?}", health(&loops));
        spans(3).await;
        assert!(!health(&loops).missed, "{:?}", health(&loops));
        let (loops, _, _mail) = started(Rhythm::new("mail", SPAN), async |_| panic!("always"));
        spans(9).await;
        assert!(!health(&loops).missed, "nobody's life depends on it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_never_returns_is_cancelled_counted_and_begun_anew() {
        let (loops, runs, _task) = started(VITAL, async |run| {
            if run == 1 {
                pending().await
            }
        });
        spans(1).await;
        sleep(LIMIT - SPAN).await;
        assert_eq!(
            (
                runs.load(Ordering::SeqCst),
                health(&loops).overruns,
                health(&loops).missed
            ),
            (2, 0, false)
        );
        sleep(SPAN).await;
        assert_eq!(
            (
                runs.load(Ordering::SeqCst),
                health(&loops).overruns,
                health(&loops).missed
            ),
            (2, 1, true)
        );
        spans(1).await;
        assert_eq!(
            (
                runs.load(Ordering::SeqCst),
                health(&loops).overruns,
                health(&loops).missed
            ),
            (3, 1, false)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_run_that_gets_on_is_left_alone() {
        let (loops, runs, _task) = started(VITAL, async |_| {
            for _ in 0..100 {
                sleep(LIMIT / 2).await;
                gets_on();
            }
        });
        sleep(LIMIT * 20).await;
        assert_eq!(
            (
                runs.load(Ordering::SeqCst),
                health(&loops).overruns,
                health(&loops).missed
            ),
            (1, 0, false)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_wakes_a_loop_does_not_wait_for_its_span() {
        let (loops, wake, runs) = (Loops::default(), Notify::new(), AtomicU32::new(0));
        let job = || {
            runs.fetch_add(1, Ordering::SeqCst);
            async {}
        };
        let waking = async {
            sleep(Duration::from_secs(1)).await;
            wake.notify_one();
            sleep(Duration::from_secs(1)).await;
        };
        tokio::select! { () = loops.every(VITAL, Some(&wake), job) => {}, () = waking => {} }
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_ends_with_its_loop() {
        struct Ended(Arc<AtomicU32>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let ended = Arc::new(AtomicU32::new(0));
        let there = ended.clone();
        let (_, _, mut task) = started(VITAL, move |_| {
            let mark = Ended(there.clone());
            async move {
                let _mark = mark;
                pending().await
            }
        });
        spans(1).await;
        assert_eq!(ended.load(Ordering::SeqCst), 0);
        task.shutdown().await;
        spans(0).await;
        assert_eq!(ended.load(Ordering::SeqCst), 1);
    }
}
