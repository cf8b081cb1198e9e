//! GraphQL calls, and telling Linear's errors apart.

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::http::Reply;
use super::{Linear, TransientError};

/// The reason why a call gave no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The token is not accepted. Nothing was executed.
    #[error("Linear does not accept the token (HTTP {status})")]
    Authentication { status: u16 },
    /// Linear refused this one question: scope, rate limit, validation. The token is good.
    #[error("Linear refused: {code} (HTTP {status})")]
    Refused { status: u16, code: String },
    #[error(transparent)]
    Transient(#[from] TransientError),
}

/// Linear's code for an authentication error, under whatever HTTP status.
pub const AUTHENTICATION_ERROR: &str = "AUTHENTICATION_ERROR";

impl Linear {
    /// One GraphQL call.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        token: &SecretString,
        query: &str,
        variables: Value,
    ) -> Result<T, CallError> {
        let body = json!({ "query": query, "variables": variables });
        let request = self
            .http
            .client()
            .post(self.api_url("/graphql"))
            .bearer_auth(token.expose_secret())
            .json(&body)
            .build();
        let reply = self
            .http
            .send(request.map_err(TransientError::from)?)
            .await?;
        read(&reply)
    }
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, CallError> {
    let status = reply.status.as_u16();
    let mut body = parse(&reply.body);
    body.iter_mut().for_each(drop_nul);
    let errors = errors_in(body.as_ref());
    if is_unauthenticated(status, body.as_ref()) {
        return Err(CallError::Authentication { status });
    }
    if let Some(passing) = reply.transient() {
        return Err(passing.into());
    }
    if let Some(body) = &body
        && let Ok(data) = T::deserialize(&body["data"])
    {
        return Ok(data);
    }
    match errors.first() {
        Some(error) => Err(CallError::Refused {
            status,
            code: code_of(error),
        }),
        None => Err(TransientError::Unreadable(status).into()),
    }
}

/// Reads JSON, also where a name in it was cut in the middle of a letter: JavaScript's strings are
/// of halves, and a half by itself is no text (RFC 8259, section 8.2).
fn parse(body: &[u8]) -> Option<Value> {
    let as_it_is = serde_json::from_slice(body);
    as_it_is
        .or_else(|_| serde_json::from_slice(&without_halves(body)))
        .ok()
}

/// The same JSON with U+FFFD in place of every half of a letter that stands alone.
fn without_halves(body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        whole.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match (half(rest), rest.get(6..).and_then(half)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => 6,
            _ => 2.min(rest.len()),
        };
        whole.extend_from_slice(if length == 6 {
            b"\\ufffd"
        } else {
            &rest[..length]
        });
        rest = &rest[length..];
    }
    whole.extend_from_slice(rest);
    whole
}

/// The unit of an escape like `\ud83d` at the beginning.
fn half(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Replaces NUL, which is no letter of anybody's name. PostgreSQL takes none in a text: with it
/// nobody could connect the workspace.
fn drop_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(values) => values.iter_mut().for_each(drop_nul),
        Value::Object(fields) => fields.values_mut().for_each(drop_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn errors_in(body: Option<&Value>) -> &[Value] {
    body.and_then(|body| body["errors"].as_array())
        .map_or(&[][..], Vec::as_slice)
}

/// Linear does not accept the token, so nothing was executed.
pub(super) fn is_unauthenticated(status: u16, body: Option<&Value>) -> bool {
    let errors = errors_in(body);
    let says_so = status == 401 || errors.iter().any(is_authentication_error);
    says_so && !body.is_some_and(|body| was_executed(&body["data"], errors))
}

/// An answer with data was executed, whatever it says beside it: some field has a value, or is
/// empty although no error is about it.
fn was_executed(data: &Value, errors: &[Value]) -> bool {
    let about = |field: &str| {
        errors.iter().any(|error| {
            error["path"]
                .as_array()
                .is_none_or(|path| path.first().is_none_or(|first| first == field))
        })
    };
    data.as_object().is_some_and(|fields| {
        fields
            .iter()
            .any(|(field, value)| !value.is_null() || !about(field))
    })
}

/// Judges by code or type, never by status: captures show the same body under 200, 400 and 401.
fn is_authentication_error(error: &Value) -> bool {
    let extensions = &error["extensions"];
    extensions["code"] == AUTHENTICATION_ERROR || extensions["type"] == "authentication error"
}

/// Linear's own code, cut to what can be one.
fn code_of(error: &Value) -> String {
    let code = error["extensions"]["code"].as_str().unwrap_or("UNKNOWN");
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Result<Value, CallError> {
        #[derive(serde::Deserialize)]
        struct Data {
            viewer: Value,
        }
        let status = ::http::StatusCode::from_u16(status).expect("a status");
        read::<Data>(&Reply {
            status,
            headers: ::http::HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            whole: true,
        })
        .map(|data| data.viewer)
    }

    const AUTHENTICATION: &str = r#"{"errors":[{
        "message":"Authentication required, not authenticated",
        "extensions":{"type":"authentication error","code":"AUTHENTICATION_ERROR","statusCode":401}
    }]}"#;

    #[test]
    fn half_a_letter_in_a_name_costs_that_letter_alone() {
        for (name, read) in [
            (r"Mia \ud83d", "Mia \u{fffd}"),
            (r"\ude00 Mia", "\u{fffd} Mia"),
            (r"\ud83d\ud83d\ude00", "\u{fffd}\u{1f600}"),
            (r"\\ud83d \ud83d", "\\ud83d \u{fffd}"),
            (r"\u00e9\n\ud83d\\", "\u{e9}\n\u{fffd}\\"),
        ] {
            let body = format!(r#"{{"data":{{"viewer":"{name}"}}}}"#);
            assert_eq!(reply(200, &body), Ok(Value::from(read)), "{name}");
        }
        assert!(reply(200, r#"{"data":{"viewer":"\ud8"#).is_err());
    }

    #[test]
    fn an_authentication_error_is_one_under_any_status() {
        for status in [200, 400, 401, 403, 429, 500] {
            assert_eq!(
                reply(status, AUTHENTICATION),
                Err(CallError::Authentication { status })
            );
        }
        assert_eq!(
            reply(503, "<html>"),
            Err(TransientError::Status {
                status: 503,
                retry_after_s: None
            }
            .into())
        );
        assert_eq!(
            reply(401, "<html>"),
            Err(CallError::Authentication { status: 401 })
        );
    }

    #[test]
    fn an_answer_with_data_was_executed_whatever_else_it_says() {
        let beside = |data: &str, path: &str| {
            let error = AUTHENTICATION.replace("\"message\"", &format!("{path}\"message\""));
            let body: Value =
                serde_json::from_str(&error.replacen('{', &format!("{{\"data\":{data},"), 1))
                    .expect("JSON");
            is_unauthenticated(200, Some(&body))
        };
        for executed in [
            r#"{"a":{"success":true},"b":null}"#,
            r#"{"a":false}"#,
            r#"{"a":null,"b":null}"#,
        ] {
            assert!(!beside(executed, r#""path":["b"],"#), "{executed}");
        }
        assert!(!beside(r#"{"a":1}"#, ""));
        for nothing in ["null", "{}", r#"{"b":null}"#] {
            assert!(
                beside(nothing, r#""path":["b"],"#) && beside(nothing, ""),
                "{nothing}"
            );
        }
        assert!(
            beside(r#"{"a":null,"b":null}"#, ""),
            "an error about no field is about all of them"
        );
    }

    #[test]
    fn no_text_has_a_nul() {
        let named = reply(
            200,
            r#"{"data":{"viewer":{"name":"Pri\u0000ya","teams":["\u0000\u0000",1,null]}}}"#,
        );
        assert_eq!(
            named,
            Ok(json!({ "name": "Priya", "teams": ["", 1, null] }))
        );
    }

    #[test]
    fn forbidden_rate_limited_and_invalid_are_not() {
        for code in [
            "FORBIDDEN",
            "RATELIMITED",
            "GRAPHQL_VALIDATION_FAILED",
            "INPUT_ERROR",
        ] {
            let body = format!(
                r#"{{"errors":[{{"message":"x","extensions":{{"code":"{code}"}}}}],"data":null}}"#
            );
            assert_eq!(
                reply(400, &body),
                Err(CallError::Refused {
                    status: 400,
                    code: code.to_owned()
                })
            );
        }
    }

    #[test]
    fn data_counts_even_beside_errors_and_nonsense_is_passing() {
        assert_eq!(
            reply(
                200,
                r#"{"data":{"viewer":1},"errors":[{"message":"part"}]}"#
            ),
            Ok(json!(1))
        );
        for nonsense in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":{"viewer"#,
        ] {
            assert_eq!(
                reply(200, nonsense),
                Err(TransientError::Unreadable(200).into()),
                "{nonsense}"
            );
        }
    }
}
