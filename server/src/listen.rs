//! Connections: taking them, answering on them, and leaving nobody without an answer when the
//! server stops.
//!
//! A stop has three stages. First no new connection is begun, while those that the system has begun
//! are still taken; each answer says that it is the last one on its connection. Then the port is
//! closed, and connections that wait for their next request too. Then whoever was only just taken
//! still gets the answer to its first request.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, header};
use relink_engine::network::counted;
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use crate::proxies::TrustedProxies;
use crate::share::{Held, Room};
use crate::{connection, open_files};

/// Handshakes that have begun get this long to end, and requests on connections that are kept to
/// arrive.
const LINGER: Duration = Duration::from_millis(250);
/// The pause after the system gave no connection for want of something, such as file descriptors.
const PAUSE: Duration = Duration::from_millis(500);
/// The time between two lines in the log about connections that cannot be taken.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Connections of one address that is no trusted proxy, and at most an eighth of the files that may
/// be open.
const CONNECTIONS_EACH: usize = 1_024;

type Accepted = io::Result<(TcpStream, SocketAddr)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    LastAnswers,
    Closed,
}

/// The things that every connection needs.
#[derive(Clone)]
struct Serving {
    app: Router,
    proxies: TrustedProxies,
    connections: Arc<Room<IpAddr>>,
    /// The places of all together. Who comes when there is none left waits with the system.
    places: Arc<Semaphore>,
    stage: watch::Receiver<Stage>,
    /// A sign of life, dropped when the connection is over.
    _alive: mpsc::Sender<Infallible>,
}

/// Serves until it is to stop, and then until the last connection is over, however long that takes.
/// Dropped, it cuts them off.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    proxies: TrustedProxies,
    stop: impl Future<Output = ()>,
) {
    let (stages, stage) = watch::channel(Stage::Open);
    let (alive, mut over) = mpsc::channel(1);
    let serving = Serving {
        app,
        proxies,
        connections: Arc::new(connections()),
        places: Arc::new(Semaphore::new(open_files::for_connections())),
        stage,
        _alive: alive,
    };
    take_until(&listener, &serving, stop).await;
    stages.send_replace(Stage::LastAnswers);
    begin_no_more(&listener);
    take_until(&listener, &serving, sleep(LINGER)).await;
    take_the_rest(listener, &serving);
    stages.send_replace(Stage::Closed);
    drop(serving);
    over.recv().await;
}

fn connections() -> Room<IpAddr> {
    let each = usize::try_from(open_files::limit() / 8)
        .map_or(CONNECTIONS_EACH, |part| part.clamp(1, CONNECTIONS_EACH));
    Room::new(Semaphore::MAX_PERMITS, each)
}

async fn take_until(listener: &TcpListener, serving: &Serving, end: impl Future<Output = ()>) {
    let (mut end, mut told) = (pin!(end), None);
    loop {
        let (place, taken) = tokio::select! {
            () = &mut end => return,
            next = next(listener, serving, &mut told) => next,
        };
        match taken {
            Ok((stream, peer)) => take(stream, peer, serving, Some(place)),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                if may_tell(&mut told) {
                    tracing::error!(%error, "no connection could be taken; whoever comes waits");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// A connection, as soon as there is a place for it.
async fn next(
    listener: &TcpListener,
    serving: &Serving,
    told: &mut Option<Instant>,
) -> (OwnedSemaphorePermit, Accepted) {
    if serving.places.available_permits() == 0 && may_tell(told) {
        tracing::warn!(
            "as many connections are open as the limit of open files lets Relink have; whoever \
                comes waits"
        );
    }
    let place = serving
        .places
        .clone()
        .acquire_owned()
        .await
        .expect("never closed");
    (place, listener.accept().await)
}

/// Says whether it is time for a line: what is in want of something stays so for some time.
fn may_tell(told: &mut Option<Instant>) -> bool {
    let may = told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
    if may {
        *told = Some(Instant::now());
    }
    may
}

/// Says whether the error is of one connection: it was over before it could be taken; there may be
/// others.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// Lets the system begin no new connection from here on: closing a port resets those that nobody
/// has taken yet. A client that is not answered tries again after a second, and is then refused, or
/// answered by whoever serves after this process.
///
/// Where that cannot be had, there are only some more who are reset.
fn begin_no_more(listener: &TcpListener) {
    // A program for the kernel's packet filter, which sees the TCP header.
    const FLAGS_AT: u32 = 13;
    const SYN: u32 = 2;
    let (load_byte, if_any_bit, verdict) = (0x30, 0x45, 0x06);
    let program = [
        SockFilter::new(load_byte, 0, 0, FLAGS_AT),
        SockFilter::new(if_any_bit, 0, 1, SYN),
        SockFilter::new(verdict, 0, 0, 0),
        SockFilter::new(verdict, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&program) {
        tracing::debug!(%error, "new connections cannot be turned away before the port is closed");
    }
}

/// Takes in the connections that wait with the system. They are asked for directly: the runtime may
/// not have heard of the last ones.
fn take_the_rest(listener: TcpListener, serving: &Serving) {
    let Ok(listener) = listener.into_std() else {
        return;
    };
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream
            .set_nonblocking(true)
            .and_then(|()| TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            take(stream, peer, serving, None);
        }
    }
}

fn take(
    stream: TcpStream,
    peer: SocketAddr,
    serving: &Serving,
    place: Option<OwnedSemaphorePermit>,
) {
    // A proxy has many people behind it.
    let held = if serving.proxies.trust(peer.ip()) {
        None
    } else {
        let Some(held) = serving.connections.try_take(&counted(peer.ip()), 1) else {
            return;
        };
        Some(held)
    };
    // Pages are streamed in small writes: without this, each waits for the acknowledgement of the
    // one before. A socket that refuses is slow, not wrong.
    let _ = stream.set_nodelay(true);
    tokio::spawn(answer(stream, peer, serving.clone(), (held, place)));
}

type Holds = (Option<Held>, Option<OwnedSemaphorePermit>);

async fn answer(stream: TcpStream, peer: SocketAddr, serving: Serving, _holds: Holds) {
    let mut stage = serving.stage.clone();
    let closing = async move {
        // Where the sender is gone, the connection is cut off anyway.
        let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
    };
    let cut_off = is_dropped(serving.stage.clone());
    let respond = move |request| respond(request, peer, serving.clone());
    tokio::select! {
        () = connection::serve(stream, respond, closing) => {}
        () = cut_off => {}
    }
}

/// Waits until nobody serves any more: what is still unanswered then is cut off.
async fn is_dropped(mut stage: watch::Receiver<Stage>) {
    while stage.changed().await.is_ok() {}
}

async fn respond(mut request: Request<Body>, peer: SocketAddr, serving: Serving) -> Response<Body> {
    request.extensions_mut().insert(ConnectInfo(peer));
    let Ok(mut response) = serving.app.oneshot(request).await;
    if *serving.stage.borrow() != Stage::Open {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
