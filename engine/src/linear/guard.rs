//! Asks whether a request may still be made, when the connection stands and right before its body
//! is sent: setting up a connection takes seconds on a bad day, and a process may be stopped in
//! between.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::http::HeaderValue;
use ::http::header::CONTENT_LENGTH;
use bytes::Bytes;
use futures_util::stream;

type GraphqlRequest = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Keeps one request until its question is answered.
pub(super) struct Guard {
    may_go: Mutex<Option<GraphqlRequest>>,
    refused: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("the request is not to be made any more")]
struct Refused;

impl Guard {
    pub fn new(may_go: impl Future<Output = bool> + Send + 'static) -> Guard {
        Guard {
            may_go: Mutex::new(Some(Box::pin(may_go))),
            refused: Arc::default(),
        }
    }

    /// Puts itself before the body of a request. The first one only: the question is asked once.
    pub fn keep(&self, request: &mut reqwest::Request) {
        let question = self
            .may_go
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let bytes = request
            .body()
            .and_then(reqwest::Body::as_bytes)
            .map(Bytes::copy_from_slice);
        let (Some(question), Some(bytes)) = (question, bytes) else {
            return;
        };
        // A body that is made on the way has no length of its own.
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        let refused = self.refused.clone();
        let body = stream::once(async move {
            if question.await {
                return Ok(bytes);
            }
            refused.store(true, Ordering::SeqCst);
            Err(Refused)
        });
        *request.body_mut() = Some(reqwest::Body::wrap_stream(body));
    }

    pub fn has_refused(&self) -> bool {
        self.refused.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::http::Http;
    use super::*;
    use crate::clock::Clock;

    /// Sends a form, and answers what the server heard of it and whether it was sent.
    async fn sent(guard: &Guard) -> (String, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut heard, mut chunk) = (Vec::new(), [0; 4_096]);
            while let Ok(Ok(read @ 1..)) =
                tokio::time::timeout(Duration::from_secs(5), stream.read(&mut chunk)).await
            {
                heard.extend_from_slice(&chunk[..read]);
                if heard.ends_with(b"a=b") {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .await
                        .unwrap();
                    break;
                }
            }
            String::from_utf8(heard).unwrap()
        });
        let http = Http::new(Clock::manual(0).0).unwrap();
        let mut request = http.client().post(url).form(&[("a", "b")]).build().unwrap();
        guard.keep(&mut request);
        let outcome = http.send(request).await;
        drop(http);
        (server.await.unwrap(), outcome.is_ok())
    }

    #[tokio::test]
    async fn what_may_go_goes_whole_and_with_its_length() {
        let guard = Guard::new(async { true });
        let (heard, sent) = sent(&guard).await;
        assert!(sent && !guard.has_refused());
        assert!(
            heard.contains("content-length: 3\r\n") && !heard.contains("transfer-encoding"),
            "{heard}"
        );
    }

    #[tokio::test]
    async fn of_what_may_not_go_any_more_no_byte_of_the_body_is_heard() {
        let guard = Guard::new(async { false });
        let (heard, sent) = sent(&guard).await;
        assert!(!sent && guard.has_refused());
        assert!(!heard.contains("a=b"), "{heard}");
    }
}
