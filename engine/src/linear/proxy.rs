//! The GraphQL request of somebody else, passed on, and Linear's answer, passed back.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::graphql::is_unauthenticated;
use super::http::ReplyRoom;
use super::{CallError, Linear, TransientError};

/// Asks for file addresses that work without a token, for this many seconds.
const FILE_URLS: HeaderName = HeaderName::from_static("public-file-urls-expire-in");
/// Headers of an answer that mean something to whoever asked.
const PASSED_BACK: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    header::CONTENT_LANGUAGE,
];
/// Every header of Linear's rate limits begins so.
const LIMITS: [&str; 2] = ["x-ratelimit-", "x-complexity"];

/// A GraphQL request as it came. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct GraphqlRequest {
    pub body: bytes::Bytes,
    /// `public-file-urls-expire-in`, where it was given.
    pub file_urls: Option<String>,
    /// The room for the answer. Without it there is always room.
    pub room: Option<Arc<dyn ReplyRoom>>,
}

/// Linear's answer as it came: status, body, and the headers about content and limits.
#[derive(Clone, Debug)]
pub struct GraphqlResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether there was room for all of the body.
    pub whole: bool,
}

impl Linear {
    /// Passes a request on, once. Every answer but an authentication error is a success, whatever
    /// its status.
    ///
    /// # Errors
    /// [`CallError::Authentication`]: nothing was executed. [`CallError::Transient`]: no answer, or
    /// one larger than 8 MiB; whether it was executed is not known.
    pub async fn forward(
        &self,
        token: &SecretString,
        question: &GraphqlRequest,
    ) -> Result<GraphqlResponse, CallError> {
        let mut request = self
            .http
            .client()
            .post(self.api_url("/graphql"))
            .bearer_auth(token.expose_secret());
        request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(question.body.clone());
        if let Some(seconds) = &question.file_urls {
            request = request.header(FILE_URLS, seconds);
        }
        let reply = self
            .http
            .send_into(
                question.room.as_deref(),
                request.build().map_err(TransientError::from)?,
            )
            .await?;
        let status = reply.status.as_u16();
        if was_not_executed(status, &reply.body) {
            return Err(CallError::Authentication { status });
        }
        Ok(GraphqlResponse {
            status: reply.status,
            headers: passed_back(&reply.headers),
            body: reply.body,
            whole: reply.whole,
        })
    }
}

/// An authentication error has no data beside it, so it is short. Reading megabytes of data to find
/// out that they hold no error would be a waste.
const ERRORS_MAX: usize = 64 * 1024;

/// Linear did not accept the token, and nothing says that it did something all the same. What
/// cannot be read may be data, whatever its status: that is not asked for twice.
fn was_not_executed(status: u16, body: &[u8]) -> bool {
    if body.len() > ERRORS_MAX {
        return false;
    }
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let may_be_data = read.is_none() && body.trim_ascii_start().starts_with(b"{");
    !may_be_data && is_unauthenticated(status, read.as_ref())
}

fn passed_back(headers: &HeaderMap) -> HeaderMap {
    let is_passed = |name: &HeaderName| {
        PASSED_BACK.contains(name) || LIMITS.iter().any(|limit| name.as_str().starts_with(limit))
    };
    headers
        .iter()
        .filter(|(name, _)| is_passed(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_may_hold_data_is_never_asked_for_twice() {
        let error = r#"{"errors":[{"message":"no","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#;
        for (status, body) in [
            (401, ""),
            (401, "<html>"),
            (401, error),
            (200, error),
            (401, r#"{"error":"unauthorized"}"#),
        ] {
            assert!(was_not_executed(status, body.as_bytes()), "{status} {body}");
        }
        let long = format!(
            r#"{{"data":{{"issueCreate":{{"text":"{}"}}}}}}"#,
            "x".repeat(ERRORS_MAX)
        );
        for body in [
            long.as_str(),
            &" ".repeat(ERRORS_MAX + 1),
            r#"{"data":{"issueCreate":{"succ"#,
            r#"{"data":{"a":1}}"#,
        ] {
            assert!(!was_not_executed(401, body.as_bytes()), "{body}");
        }
        assert!(!was_not_executed(403, b"<html>"));
    }
}
