//! `relink serve`: everything that runs until somebody stops it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use relink_engine::Engine;
use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use relink_engine::linear::OauthApp;
use relink_simulator::{Options, Simulator};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::bootstrap::{self, StartError};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::router::router;
use crate::state::Web;
use crate::{background, listen, open_files, stop};

/// The time from the beginning of a stop by which requests under way have to be answered,
const ANSWERED: Duration = Duration::from_secs(8);
/// refreshes and messages have to have landed, since the reply to a refresh holds the only copy of
/// a new pair,
const LANDED: Duration = Duration::from_secs(11);
/// what was claimed has to be let go of,
const LET_GO: Duration = Duration::from_millis(11_500);
/// and the database has to be closed.
const CLOSED: Duration = Duration::from_secs(12);
/// A start waits this long for a database that takes what is written.
const EPOCH_PATIENCE: Duration = Duration::from_secs(3);
/// The address at which the demo's simulated Linear listens.
pub const SIMULATOR: &str = "127.0.0.1:4010";

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    OpenFiles(#[from] open_files::TooFew),
    #[error("{setting}: {addr}: {error}")]
    Listen {
        setting: &'static str,
        addr: SocketAddr,
        error: io::Error,
    },
    #[error("the simulated Linear: {addr}: {error}")]
    Simulated {
        addr: &'static str,
        error: io::Error,
    },
    #[error("the simulated Linear: {0}")]
    Simulator(#[from] relink_simulator::Error),
    #[error("the server cannot be run: {0}")]
    Io(#[from] io::Error),
    #[error(
        "the database did not answer when the server stopped; what was under way is taken up at \
            the next start"
    )]
    Unfinished,
    #[error("some requests were not done when the server had to stop, and were cut off")]
    CutOff,
    #[error("nobody listens for requests any more; the log says why")]
    Deaf,
}

/// Serves until SIGINT or SIGTERM. With `demo`, and no OAuth app configured, the simulated Linear
/// runs beside it.
pub async fn serve(
    mut config: Config,
    demo: bool,
    clock: Clock,
    entropy: Entropy,
) -> Result<(), ServeError> {
    open_files::raise_or_refuse()?;
    let (stop, stopped) = watch::channel(false);
    if demo && config.app.is_none() {
        start_simulator(&mut config, stopped.clone()).await?;
    }
    let engine = bootstrap::engine(&config, clock, entropy).await?;
    engine.leave_room().await.map_err(StartError::from)?;
    engine
        .name_shared_workspaces()
        .await
        .map_err(StartError::from)?;
    engine.abandon_consents().await;
    let beginning = tokio::spawn(begin_epoch(engine.clone()));
    // A database that takes nothing now gives out no numbers either.
    let _ = tokio::time::timeout(EPOCH_PATIENCE, beginning).await;
    let listener = bind("RELINK_ADDR", config.addr).await?;
    let for_metrics = match config.metrics_addr {
        Some(addr) => Some(bind("RELINK_METRICS_ADDR", addr).await?),
        None => None,
    };
    announce(&config, &listener)?;
    stop::on_signal(stop)?;
    let background = background::start(&engine);
    let handing_on = tokio::spawn({
        let engine = engine.clone();
        async move { engine.hand_on().await }
    });
    let app = router(Web::new(engine.clone(), &config));
    let proxies = config.trusted_proxies.clone();
    let mut requests = tokio::spawn(listen::serve(
        listener,
        app,
        proxies.clone(),
        stop::asked(stopped.clone()),
    ));
    if let Some(listener) = for_metrics {
        // Nothing waits for its end: what asks for counts asks again.
        let metrics = Metrics::alone(engine.clone(), &config);
        tokio::spawn(listen::serve(
            listener,
            metrics,
            proxies,
            stop::asked(stopped.clone()),
        ));
    }
    tokio::select! {
        biased;
        () = stop::asked(stopped) => {}
        // It does not, but a process that only looks alive is worse than none.
        _ = &mut requests => return Err(ServeError::Deaf),
    }
    let closed = wind_up(&engine, requests, background).await;
    handing_on.abort();
    closed
}

/// Brings everything to its end, side by side where it can be. Whatever hangs, it is over in time.
async fn wind_up(
    engine: &Engine,
    requests: JoinHandle<()>,
    background: JoinSet<()>,
) -> Result<(), ServeError> {
    let began = Instant::now();
    tracing::info!("stopping; requests under way may finish");
    engine.stop_telling();
    let landing = async {
        // None of them may find the database closed, and blame it.
        let answered = finished_or_cut_off(began + ANSWERED, requests).await;
        drop(background);
        // Before the database closes: a line of the trail must not be lost for having come after an
        // answer.
        match engine
            .afterwards_done(LANDED.saturating_sub(began.elapsed()))
            .await
        {
            0 => {}
            lost => tracing::error!(
                lost,
                "wrong passwords could not be written into the audit trail before the stop"
            ),
        }
        engine
            .refreshes_landed(LANDED.saturating_sub(began.elapsed()))
            .await;
        answered
    };
    let (answered, let_go) = tokio::join!(
        landing,
        timeout_at(began + LET_GO, engine.stop_handing_on(LANDED))
    );
    let closed = timeout_at(began + CLOSED, engine.close()).await;
    let_go.and(closed).map_err(|_| ServeError::Unfinished)?;
    if answered {
        Ok(())
    } else {
        Err(ServeError::CutOff)
    }
}

/// Waits for the requests until then and cuts off the others. True if all were answered.
async fn finished_or_cut_off(end: Instant, mut requests: JoinHandle<()>) -> bool {
    let finished = timeout_at(end, &mut requests).await.is_ok();
    requests.abort();
    finished
}

/// This may be an older copy of the database than the one that the last server gave numbers out of.
async fn begin_epoch(engine: Engine) {
    while let Err(error) = engine.begin_epoch().await {
        tracing::error!(%error, "numbers of deliveries cannot begin anew; trying again");
        tokio::time::sleep(EPOCH_PATIENCE).await;
    }
}

async fn bind(setting: &'static str, addr: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(addr)
        .await
        .map_err(|error| ServeError::Listen {
            setting,
            addr,
            error,
        })
}

fn announce(config: &Config, listener: &TcpListener) -> io::Result<()> {
    tracing::info!(addr = %listener.local_addr()?, url = %config.url, "Relink is ready");
    if config.app.is_none() {
        tracing::warn!("LINEAR_CLIENT_ID is not set: no workspace can be connected");
    }
    Ok(())
}

/// Starts the simulated Linear and points the configuration at it.
async fn start_simulator(
    config: &mut Config,
    stopped: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let url = format!("http://{SIMULATOR}");
    let state_file = Some(config.data_dir.join("simulated-linear.json"));
    bootstrap::make_data_dir(config)?;
    let simulator = Simulator::seeded(Options {
        url: url.clone(),
        state_file,
        redirect_uris: vec![config.redirect_uri().to_string()],
    })?;
    let listener = TcpListener::bind(SIMULATOR)
        .await
        .map_err(|error| ServeError::Simulated {
            addr: SIMULATOR,
            error,
        })?;
    let app = simulator.app();
    simulator.set_webhook_url(Some(config.webhook_url().to_string()));
    config.app = Some(OauthApp {
        client_id: app.client_id,
        client_secret: Some(app.client_secret.into()),
    });
    config.webhook_secret = Some(app.webhook_secret.into());
    let url = Url::parse(&url).expect("a constant address");
    config.linear_url = url.clone();
    config.linear_api_url = url;
    tokio::spawn(async move {
        if let Err(error) = simulator.serve(listener, stop::asked(stopped)).await {
            tracing::error!(%error, "the simulated Linear stopped");
        }
    });
    tracing::info!(
        url = format!("http://{SIMULATOR}"),
        "no LINEAR_CLIENT_ID is set: the simulated Linear runs beside Relink"
    );
    Ok(())
}
