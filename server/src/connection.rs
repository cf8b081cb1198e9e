//! One connection: what it is about, so that nothing unfinished stays for good, and an end that the
//! other side can read.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// A request's head comes within this.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// A connection that is kept waits this long for its next request: longer than the proxies that
/// keep them.
const IDLE_MAX: Duration = Duration::from_secs(150);
/// The time after which somebody has gone who takes nothing of an answer.
const STALLED_MAX: Duration = Duration::from_secs(60);
/// The pause between two looks whether one of these has passed.
const LOOK: Duration = Duration::from_secs(1);
/// The time for which what still comes after the last answer is read and dropped: a connection that
/// is closed while somebody sends is broken for them before they have read the answer.
const LINGER: Duration = Duration::from_secs(3);
/// The time within which the first request on a new connection has to begin when the server stops.
const FIRST_REQUEST: Duration = Duration::from_secs(2);
/// The time that the rest of a head has then, or of a body of which nothing comes any more.
const REST: Duration = Duration::from_millis(750);
/// The bytes of a head: more than any browser sends.
const HEAD_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The connection was not asked anything yet.
    New,
    /// The connection is between two requests.
    Idle,
    /// A request has begun.
    Head,
    /// Its head is here, and its body is not yet.
    Body,
    /// A request is worked on, or its answer is being sent.
    Busy,
}

/// The number of phases that fit beside the time.
const PHASES: u64 = 8;

/// The phase of a connection and since when, told without a lock.
#[derive(Debug)]
struct Pulse {
    born: Instant,
    /// Milliseconds after `born`, times [`PHASES`], and the phase.
    phase: AtomicU64,
    /// Milliseconds after `born` since which nothing of an answer is taken; zero while it is.
    stalled: AtomicU64,
    /// Counts the reads that brought bytes.
    arrivals: AtomicU64,
}

impl Pulse {
    fn new() -> Pulse {
        Pulse {
            born: Instant::now(),
            phase: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            arrivals: AtomicU64::new(0),
        }
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX / (2 * PHASES))
    }

    fn enter(&self, phase: Phase) {
        self.phase
            .store(self.age_ms() * PHASES + phase as u64, Ordering::Relaxed);
    }

    /// Bytes have come. What is waited for on a new connection is waited for from its beginning.
    fn heard(&self) {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        match self.phase() {
            Phase::New => self.phase.store(Phase::Head as u64, Ordering::Relaxed),
            Phase::Idle => self.enter(Phase::Head),
            Phase::Head | Phase::Body | Phase::Busy => {}
        }
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) % PHASES {
            0 => Phase::New,
            1 => Phase::Idle,
            2 => Phase::Head,
            3 => Phase::Body,
            _ => Phase::Busy,
        }
    }

    fn written(&self, taken: bool) {
        if taken {
            self.stalled.store(0, Ordering::Relaxed);
        } else if self.stalled.load(Ordering::Relaxed) == 0 {
            self.stalled.store(self.age_ms().max(1), Ordering::Relaxed);
        }
    }

    /// Whether it has been unfinished, or idle, for too long.
    fn overdue(&self) -> bool {
        let now = self.age_ms();
        let for_ms = |since: u64| Duration::from_millis(now.saturating_sub(since));
        let stalled = self.stalled.load(Ordering::Relaxed);
        if stalled != 0 && for_ms(stalled) >= STALLED_MAX {
            return true;
        }
        let since = for_ms(self.phase.load(Ordering::Relaxed) / PHASES);
        match self.phase() {
            Phase::New | Phase::Head => since >= HEAD_MAX,
            Phase::Idle => since >= IDLE_MAX,
            // Whoever reads a body has a limit for it.
            Phase::Body | Phase::Busy => false,
        }
    }
}

/// Answers on a connection until it is over. `closing` resolves when the server takes no more
/// requests.
pub async fn serve<Answer>(
    stream: TcpStream,
    answer: impl Fn(Request<Body>) -> Answer,
    closing: impl Future<Output = ()>,
) where
    Answer: Future<Output = Response<Body>>,
{
    let pulse = Arc::new(Pulse::new());
    let beating = pulse.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (request, unread) = watch_body(request, &beating);
        let (answer, pulse) = (answer(request), beating.clone());
        async move {
            let mut response = answer.await;
            pulse.enter(Phase::Busy);
            // What nobody reads is not waited for, so that nothing more can come on this
            // connection.
            if unread.is_some_and(|unread| unread.load(Ordering::Relaxed)) {
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| Answered { body, pulse }))
        }
    });
    let io = TokioIo::new(Watched {
        stream,
        pulse: pulse.clone(),
        lingering: None,
    });
    let mut connection = pin!(
        http1::Builder::new()
            .max_buf_size(HEAD_BYTES)
            .serve_connection(io, service)
    );
    let closed = async {
        closing.await;
        begun(&pulse).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = overdue(&pulse) => return,
        () = closed => {
            connection.as_mut().graceful_shutdown();
            tokio::select! { ended = connection => ended, () = nothing_more(&pulse) => return }
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection broke");
    }
}

async fn overdue(pulse: &Pulse) {
    while !pulse.overdue() {
        sleep(LOOK).await;
    }
}

/// Waits a moment for the first request on a connection that is new when the server stops.
async fn begun(pulse: &Pulse) {
    let since = Instant::now();
    while pulse.phase() == Phase::New && since.elapsed() < FIRST_REQUEST {
        sleep(LOOK / 50).await;
    }
}

/// Waits until no request is worked on, and none has begun whose body still arrives.
async fn nothing_more(pulse: &Pulse) {
    let (mut since, mut before) = (Instant::now(), pulse.arrivals.load(Ordering::Relaxed));
    while since.elapsed() < REST {
        sleep(LOOK / 10).await;
        let arrivals = pulse.arrivals.load(Ordering::Relaxed);
        let goes_on = match pulse.phase() {
            Phase::Busy => true,
            Phase::Body => arrivals != before,
            Phase::New | Phase::Idle | Phase::Head => false,
        };
        if goes_on {
            (since, before) = (Instant::now(), arrivals);
        }
    }
}

/// The request, and whether the end of its body is still to come, if it has one.
fn watch_body(
    request: Request<Incoming>,
    pulse: &Arc<Pulse>,
) -> (Request<Body>, Option<Arc<AtomicBool>>) {
    if request.body().is_end_stream() {
        pulse.enter(Phase::Busy);
        return (request.map(Body::new), None);
    }
    pulse.enter(Phase::Body);
    let unread = Arc::new(AtomicBool::new(true));
    let (coming, pulse) = (unread.clone(), pulse.clone());
    (
        request.map(|body| {
            Body::new(Asked {
                body,
                unread: coming,
                pulse,
            })
        }),
        Some(unread),
    )
}

/// The body of a request.
struct Asked {
    body: Incoming,
    unread: Arc<AtomicBool>,
    pulse: Arc<Pulse>,
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.unread.store(false, Ordering::Relaxed);
            self.pulse.enter(Phase::Busy);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: when it is gone, the connection waits for its next request.
struct Answered {
    body: Body,
    pulse: Arc<Pulse>,
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.pulse.enter(Phase::Idle);
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The bytes of a connection.
struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    /// Everything is said; what still comes is dropped until then.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.pulse.written(written.is_ready());
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.heard();
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.lingering = Some(Box::pin(sleep(LINGER)));
        }
        let mut space = [0; 8 * 1024];
        loop {
            if self
                .lingering
                .as_mut()
                .is_some_and(|end| end.as_mut().poll(cx).is_ready())
            {
                return Poll::Ready(Ok(()));
            }
            let mut dropped = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut dropped)) {
                Ok(()) if !dropped.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
