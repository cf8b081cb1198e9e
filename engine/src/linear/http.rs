//! One HTTP client for all calls to Linear: bounded in time and size, follows no redirects, says
//! nothing of bodies.

use std::fmt::Debug;
use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;

use super::clock_skew::Skew;
use crate::clock::Clock;
use crate::retry_after;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for the whole call, body included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Far above anything that Relink asks for.
const REPLY_MAX: usize = 8 * 1024 * 1024;

/// Room for a reply, which whoever asked has or has not.
pub trait ReplyRoom: Debug + Send + Sync {
    /// Takes room for this many bytes of it, if there is any.
    fn fits(&self, bytes: usize) -> bool;
}

/// A failure that passes by itself: says nothing about the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransientError {
    #[error("no connection")]
    NoConnection,
    #[error("no answer in time")]
    Timeout,
    #[error("the reply broke off or was too large")]
    BrokenReply,
    #[error("the reply (HTTP {0}) could not be read")]
    Unreadable(u16),
    /// Linear, or a proxy before it, is out of order, perhaps for this many seconds.
    #[error("HTTP {status}")]
    Status {
        status: u16,
        retry_after_s: Option<u32>,
    },
    /// Linear wants fewer questions (HTTP 429, or its own RATELIMITED under 400), perhaps for so
    /// many seconds.
    #[error("rate limited (HTTP {status})")]
    RateLimited {
        status: u16,
        retry_after_s: Option<u32>,
    },
}

impl TransientError {
    /// A name for history, metrics and the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            TransientError::NoConnection => "no_connection",
            TransientError::Timeout => "timeout",
            TransientError::BrokenReply => "broken_reply",
            TransientError::Unreadable(_) => "unreadable_reply",
            TransientError::RateLimited { .. } => "rate_limited",
            TransientError::Status { .. } => "server_error",
        }
    }

    /// Whether Linear may have worked on the request all the same.
    #[must_use]
    pub fn may_have_reached(self) -> bool {
        !matches!(
            self,
            TransientError::NoConnection | TransientError::RateLimited { .. }
        )
    }

    /// The time for which Linear asked to be left alone.
    #[must_use]
    pub fn retry_after_s(self) -> Option<u32> {
        match self {
            TransientError::Status { retry_after_s, .. }
            | TransientError::RateLimited { retry_after_s, .. } => retry_after_s,
            _ => None,
        }
    }

    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            TransientError::Unreadable(status)
            | TransientError::Status { status, .. }
            | TransientError::RateLimited { status, .. } => Some(status),
            _ => None,
        }
    }
}

impl From<reqwest::Error> for TransientError {
    fn from(error: reqwest::Error) -> TransientError {
        if error.is_timeout() {
            TransientError::Timeout
        } else if error.is_connect() {
            TransientError::NoConnection
        } else {
            TransientError::BrokenReply
        }
    }
}

#[derive(Debug)]
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether there was room for all of the body.
    pub whole: bool,
}

impl Reply {
    /// Server errors and HTTP 429 pass by themselves, unless the body says more.
    pub fn transient(&self) -> Option<TransientError> {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            return Some(self.rate_limited());
        }
        let retry_after_s = retry_after::seconds(&self.headers);
        self.status
            .is_server_error()
            .then(|| TransientError::Status {
                status: self.status.as_u16(),
                retry_after_s,
            })
    }

    pub fn rate_limited(&self) -> TransientError {
        TransientError::RateLimited {
            status: self.status.as_u16(),
            retry_after_s: retry_after::seconds(&self.headers),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    skew: Skew,
}

impl Http {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one client that everything shares"
    )]
    pub fn new(clock: Clock) -> Result<Http, reqwest::Error> {
        // Another part of the program may have chosen the provider first; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .user_agent(concat!("relink/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(Policy::none())
            .build()?;
        Ok(Http {
            client,
            skew: Skew::new(clock),
        })
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub fn skew(&self) -> &Skew {
        &self.skew
    }

    /// Asks and reads no more than the head of the answer, whatever it is; what went wrong is told
    /// in full.
    pub async fn reach(&self, request: reqwest::Request) -> Result<(), reqwest::Error> {
        let asked = self.skew.now();
        let response = self.client.execute(request).await?;
        let status = response.status();
        self.skew.compare(asked, response.headers());
        // A gateway's word, or a proxy's.
        if status.is_server_error() || status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            response.error_for_status()?;
        }
        Ok(())
    }

    /// Sends, and reads the reply up to the cap, whatever its status.
    pub async fn send(&self, request: reqwest::Request) -> Result<Reply, TransientError> {
        self.send_into(None, request).await
    }

    /// The same, and reads no more than there is room for.
    pub async fn send_into(
        &self,
        room: Option<&dyn ReplyRoom>,
        request: reqwest::Request,
    ) -> Result<Reply, TransientError> {
        let asked = self.skew.now();
        let mut response = self.client.execute(request).await?;
        let status = response.status();
        let mut headers = response.headers().clone();
        self.skew.compare(asked, &headers);
        retry_after::date(&mut headers, self.skew.now());
        let announced = response.content_length().unwrap_or_default();
        let announced = usize::try_from(announced).map_or(REPLY_MAX, |all| all.min(REPLY_MAX));
        let (mut body, mut whole) = (Vec::with_capacity(announced), true);
        while whole && let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > REPLY_MAX {
                return Err(TransientError::BrokenReply);
            }
            body.extend_from_slice(&chunk);
            whole = room.is_none_or(|room| room.fits(body.capacity()));
        }
        Ok(Reply {
            status,
            headers,
            body,
            whole,
        })
    }
}
