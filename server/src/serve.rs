//! `relink serve`: everything that runs until somebody stops it.

use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::{ListenerExt as _, TapIo};
use relink_engine::clock::Clock;
use relink_engine::entropy::Entropy;
use relink_engine::linear::OauthApp;
use relink_simulator::{Options, Simulator};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use url::Url;

use crate::background;
use crate::config::Config;
use crate::lock::{ServeLock, ServeLockError};
use crate::router::{Web, router};
use crate::start::{self, StartError};

/// Requests under way get this long to finish.
const GRACE: Duration = Duration::from_secs(10);
/// Refreshes under way get this long after that. What does not land is asked for again by whoever comes next.
const LANDING: Duration = Duration::from_secs(5);
/// What is being sent to destinations gets so long: longer than one of them may take.
const HANDED_ON: Duration = Duration::from_secs(16);
/// Where the demo's simulated Linear listens.
pub const SIMULATOR: &str = "127.0.0.1:4010";

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Lock(#[from] ServeLockError),
    #[error("RELINK_ADDR: {addr}: {error}")]
    Listen { addr: String, error: io::Error },
    #[error("the simulated Linear: {0}")]
    Simulator(#[from] relink_simulator::Error),
    #[error("serving stopped: {0}")]
    Io(#[from] io::Error),
}

/// Serves until SIGINT or SIGTERM. With `demo`, and no OAuth app configured, the simulated Linear runs beside it.
pub async fn serve(mut config: Config, demo: bool, clock: Clock, entropy: Entropy) -> Result<(), ServeError> {
    let (stop, stopped) = watch::channel(false);
    if demo && config.app.is_none() {
        start_simulator(&mut config, stopped.clone()).await?;
    }
    let engine = start::engine(&config, clock, entropy).await?;
    let _lock = config.sqlite_file().map(ServeLock::take).transpose()?;
    let listener = listen(config.addr).await?;
    announce(&config, &listener)?;
    let background = background::start(&engine);
    let handing_on = tokio::spawn({
        let engine = engine.clone();
        async move { engine.hand_on().await }
    });
    let service = router(Web::new(engine.clone(), &config)).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(nodelay(listener), service).with_graceful_shutdown(until(stopped));
    let outcome = tokio::select! {
        outcome = server.into_future() => outcome,
        () = async {
            asked_to_stop().await;
            tracing::info!("stopping; requests under way may finish");
            let _ = stop.send(true);
            engine.stop_telling();
            tokio::time::sleep(GRACE).await;
            tracing::warn!("some requests did not finish in time");
        } => Ok(()),
    };
    drop(background);
    // A reply that is on its way is worth waiting for: it holds the only copy of a new pair.
    engine.refreshes_landed(LANDING).await;
    engine.stop_handing_on(HANDED_ON).await;
    handing_on.abort();
    engine.store().close().await;
    Ok(outcome?)
}

async fn listen(addr: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(addr).await.map_err(|error| ServeError::Listen { addr: addr.to_string(), error })
}

/// Pages are streamed in small writes: without this, each waits for the acknowledgement of the one before.
fn nodelay(listener: TcpListener) -> TapIo<TcpListener, fn(&mut TcpStream)> {
    listener.tap_io(|stream| {
        // A socket that refuses is slow, not wrong.
        let _ = stream.set_nodelay(true);
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
async fn start_simulator(config: &mut Config, stopped: watch::Receiver<bool>) -> Result<(), ServeError> {
    let url = format!("http://{SIMULATOR}");
    let state_file = Some(config.data_dir.join("simulated-linear.json"));
    start::make_data_dir(config)?;
    let simulator = Simulator::seeded(Options { url: url.clone(), state_file, redirect_uris: vec![config.redirect_uri().to_string()] })?;
    let listener = TcpListener::bind(SIMULATOR).await.map_err(|error| ServeError::Listen { addr: SIMULATOR.to_owned(), error })?;
    let app = simulator.app();
    simulator.set_webhook_url(Some(config.webhook_url().to_string()));
    config.app = Some(OauthApp { client_id: app.client_id, client_secret: Some(app.client_secret.into()) });
    config.webhook_secret = Some(app.webhook_secret.into());
    let url = Url::parse(&url).expect("a constant address");
    config.linear_url = url.clone();
    config.linear_api_url = url;
    tokio::spawn(async move {
        if let Err(error) = simulator.serve(listener, until(stopped)).await {
            tracing::error!(%error, "the simulated Linear stopped");
        }
    });
    tracing::info!(url = format!("http://{SIMULATOR}"), "no LINEAR_CLIENT_ID is set: the simulated Linear runs beside Relink");
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // The sender is gone only when the program is.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// SIGINT or SIGTERM.
pub async fn asked_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
