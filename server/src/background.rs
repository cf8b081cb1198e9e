//! The work that goes on by itself for as long as the server runs.

use std::time::Duration;

use relink_engine::Engine;
use relink_engine::every::{Rhythm, gets_on};
use relink_engine::refresh::Swept;
use tokio::task::JoinSet;
use tokio::time::sleep;

const TIDY_UP: Rhythm = Rhythm::new("tidy_up", Duration::from_secs(600));
/// The loop of refreshes: with [`SWEEP_APART`], every ten seconds give or take two.
const SWEEP: Rhythm = Rhythm::new("sweep", Duration::from_secs(8)).vital();
/// Replicas that started together do not stay together.
const SWEEP_APART: Duration = Duration::from_secs(4);
const RESUME: Rhythm = Rhythm::new("resume", Duration::from_secs(3)).vital();
/// The loop that forgets deliveries; it runs often, so that a flood of them does not fill the disk.
const PRUNE: Rhythm = Rhythm::new("prune", Duration::from_secs(5)).vital();
const GIVE_BACK: Rhythm = Rhythm::new("give_back", Duration::from_secs(10));
/// The loop that revokes; it runs often: somebody was told that it takes a few minutes at most.
const REVOKE: Rhythm = Rhythm::new("revoke", Duration::from_secs(60));
const STORAGE: Rhythm = Rhythm::new("storage", Duration::from_secs(3)).vital();
const CLOCK: Rhythm = Rhythm::new("clock", Duration::from_secs(10));
/// The loop that leaves room for commands: sooner than anybody wonders why one waits.
const CONNECTIONS: Rhythm = Rhythm::new("connections", Duration::from_secs(2));
/// Linear is asked far more rarely.
const LOOK_AGAIN: Rhythm = Rhythm::new("look_again", Duration::from_secs(5));
const ALARM: Rhythm = Rhythm::new("alarm", Duration::from_secs(10));

/// Starts it all but for handing on, which ends later than the rest. It ends when the set is
/// dropped.
pub fn start(engine: &Engine) -> JoinSet<()> {
    let mut background = JoinSet::new();
    background.spawn(every(engine, TIDY_UP, tidy_up));
    background.spawn(every(engine, SWEEP, sweep));
    background.spawn(every(engine, RESUME, resume));
    background.spawn(every(engine, GIVE_BACK, give_back));
    background.spawn(every(engine, REVOKE, revoke));
    background.spawn(every(engine, PRUNE, prune));
    background.spawn(every(engine, LOOK_AGAIN, look_again));
    background.spawn(every(engine, ALARM, alarm));
    background.spawn(every(engine, STORAGE, storage));
    background.spawn(every(engine, CLOCK, clock));
    background.spawn(every(engine, CONNECTIONS, connections));
    let engine = engine.clone();
    background.spawn(async move { engine.tell_changes().await });
    background
}

fn every<Job>(
    engine: &Engine,
    rhythm: Rhythm,
    job: fn(Engine) -> Job,
) -> impl Future<Output = ()> + use<Job>
where
    Job: Future<Output = ()> + Send + 'static,
{
    let engine = engine.clone();
    async move { engine.every(rhythm, job).await }
}

/// Forgets what has run out.
async fn tidy_up(engine: Engine) {
    if let Err(error) = engine.forget_expired().await {
        tracing::error!(%error, "tidying up failed");
    }
    gets_on();
    if let Err(error) = engine.forget_history().await {
        tracing::error!(%error, "old history could not be forgotten");
    }
    gets_on();
    if let Err(error) = engine.forget_changes().await {
        tracing::error!(%error, "old changes could not be forgotten");
    }
    gets_on();
    if let Err(error) = engine.forget_refusals().await {
        tracing::error!(%error, "old refusals could not be forgotten");
    }
    gets_on();
    if let Err(error) = engine.forget_processes().await {
        tracing::error!(%error, "processes that are gone could not be forgotten");
    }
    gets_on();
    match engine.forget_disconnected().await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(
            forgotten,
            "workspaces that were disconnected long ago are forgotten"
        ),
        Err(error) => tracing::error!(%error, "disconnected workspaces could not be forgotten"),
    }
}

/// Revokes what an ended connection left at Linear, where that could not be done at once.
async fn revoke(engine: Engine) {
    match engine.finish_revocations().await {
        Ok(0) => {}
        Ok(revoked) => tracing::info!(revoked, "tokens of ended connections are void now"),
        Err(error) => tracing::error!(%error, "revoking failed"),
    }
}

/// Refreshes ahead of expiry.
async fn sweep(engine: Engine) {
    match engine.sweep_due().await {
        Ok(swept) if swept == Swept::default() => {}
        Ok(swept) => tracing::info!(?swept, "tokens refreshed in the background"),
        Err(error) => tracing::error!(%error, "the background refresh could not look for what is \
            due"),
    }
    gets_on();
    let dice = f64::from(engine.entropy().bytes::<1>()[0]) / 255.0;
    let apart = SWEEP_APART.mul_f64(dice);
    engine.plan_sweep(SWEEP.span() + apart);
    sleep(apart).await;
}

/// Finds out whether the database keeps what it is given.
async fn storage(engine: Engine) {
    engine.watch_storage().await;
    if engine.storage_trouble().is_none()
        && let Err(error) = engine.catch_up().await
    {
        tracing::error!(%error, "the database could not be brought up to date");
    }
}

/// Leaves some for commands.
async fn connections(engine: Engine) {
    if let Err(error) = engine.leave_room().await {
        tracing::warn!(%error, "how many connections PostgreSQL has could not be asked");
    }
}

/// Keeps the time.
async fn clock(engine: Engine) {
    if let Err(error) = engine.watch_clock().await {
        tracing::warn!(%error, "the database's clock could not be read");
    }
}

/// Finds out whether Linear accepts again what it did not.
async fn look_again(engine: Engine) {
    match engine.look_at_given_up().await {
        Ok(0) => {}
        Ok(connections) => tracing::info!(
            connections,
            "Linear accepts tokens again that it had refused: connected as before"
        ),
        Err(error) => tracing::error!(%error, "connections that were given up could not be looked \
            at"),
    }
}

/// Gives pairs back that consents left behind.
async fn give_back(engine: Engine) {
    match engine.give_back_left().await {
        Ok(0) => {}
        Ok(given) => tracing::info!(given, "pairs that nobody needs were given back"),
        Err(error) => tracing::error!(%error, "pairs that nobody needs could not be given back"),
    }
}

/// Mails to those who can help.
async fn alarm(engine: Engine) {
    match engine.send_alarms().await {
        Ok(0) => {}
        Ok(sent) => tracing::info!(
            sent,
            "people were told by e-mail that a connection needs them"
        ),
        Err(error) => tracing::error!(%error, "alarms could not be sent"),
    }
}

/// Forgets deliveries that are old or too many.
async fn prune(engine: Engine) {
    match engine.forget_deliveries().await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(forgotten, "old deliveries are forgotten"),
        Err(error) => tracing::error!(%error, "old deliveries could not be forgotten"),
    }
}

/// Picks up what a crash or a silent Linear left open.
async fn resume(engine: Engine) {
    engine.run_connection_events().await;
    gets_on();
    if let Err(error) = engine.resume_intents().await {
        tracing::error!(%error, "open refreshes could not be looked for");
    }
}
