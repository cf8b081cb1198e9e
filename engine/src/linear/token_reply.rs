//! The answers of the token endpoint, read with the tolerance that its history asks for.

use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Far longer than any token of Linear's, and short enough for a header.
const TOKEN_MAX: usize = 4096;

/// A pair of tokens as Linear handed it over.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: SecretString,
    /// The refresh token, which is missing only from grants older than refresh tokens.
    pub refresh: Option<SecretString>,
    /// Missing when Linear did not say.
    pub expires_in: Option<Duration>,
    /// Missing when Linear did not say.
    pub scopes: Option<Vec<String>>,
}

/// RFC 6749, section 5.1, as the `oauth2` crate wants it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TokenReply {
    access_token: AccessToken,
    /// Linear knows no other type (RFC 6750), however it spells it.
    #[serde(skip, default = "bearer")]
    token_type: BasicTokenType,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default, rename = "scope", deserialize_with = "scopes")]
    scopes: Option<Vec<Scope>>,
}

impl TokenResponse for TokenReply {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

/// The reply names something that cannot be a token: what Linear did is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoToken;

impl TryFrom<TokenReply> for Tokens {
    type Error = NoToken;

    /// Refuses tokens that cannot be tokens. Kept, one such token would be the last that its
    /// connection ever had; handed out, it would break its caller's request.
    fn try_from(reply: TokenReply) -> Result<Tokens, NoToken> {
        // An empty one is as good as none.
        let refresh = reply
            .refresh_token
            .map(RefreshToken::into_secret)
            .filter(|token| !token.is_empty());
        let access = reply.access_token.into_secret();
        // One for both leads nowhere when it has run out.
        let fits = |refresh: &str| is_token(refresh) && refresh != access;
        if !is_token(&access) || refresh.as_deref().is_some_and(|token| !fits(token)) {
            return Err(NoToken);
        }
        Ok(Tokens {
            access: access.into(),
            refresh: refresh.map(SecretString::from),
            expires_in: reply.expires_in.map(Duration::from_secs),
            scopes: reply.scopes.map(|scopes| {
                scopes
                    .iter()
                    .map(|scope| scope.as_str().to_owned())
                    .collect()
            }),
        })
    }
}

/// RFC 6750, section 2.1: `b64token`.
fn is_token(text: &str) -> bool {
    let begins = text.trim_end_matches('=');
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    (1..=TOKEN_MAX).contains(&text.len()) && !begins.is_empty() && begins.bytes().all(fits)
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// A pair is worth more than its lifetime: what is no number of seconds counts as not said.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let whole = value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok());
    Ok(whole.or_else(|| {
        value
            .as_f64()
            .filter(|seconds| (0.0..1e15).contains(seconds))
            .map(|seconds| seconds as u64)
    }))
}

/// A string separated by spaces (RFC 6749) or commas, or an array: apps from before December 2023
/// get arrays. Anything else, and none, counts as not said.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let parts: Vec<String> = match Value::deserialize(deserializer)? {
        Value::String(text) => vec![text],
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => return Ok(None),
    };
    let names = parts.iter().flat_map(|part| part.split([' ', ',']));
    let scopes: Vec<Scope> = names
        .filter(|name| !name.is_empty())
        .map(|name| Scope::new(name.to_owned()))
        .collect();
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scope: &str) -> Option<Vec<String>> {
        let text = format!(r#"{{"access_token":"a","token_type":"Bearer"{scope}}}"#);
        tokens(&text).expect(&text).scopes
    }

    fn tokens(text: &str) -> Result<Tokens, NoToken> {
        Tokens::try_from(serde_json::from_str::<TokenReply>(text).expect(text))
    }

    #[test]
    fn what_cannot_be_a_token_makes_the_whole_reply_useless() {
        let long = "x".repeat(TOKEN_MAX);
        let longer = "x".repeat(TOKEN_MAX + 1);
        let reply = |access: &str, refresh: &str| {
            let body = serde_json::json!({ "access_token": access, "refresh_token": refresh });
            tokens(&body.to_string()).is_ok()
        };
        for token in ["a", "lin_oauth_0f9", "mF_9.B5f-4.1JqM~+/==", &long] {
            assert!(reply(token, "r") && reply("b", token), "{token}");
        }
        for no_token in [
            "a b",
            " a",
            "a\n",
            "a\r\nb",
            "a\0",
            "=",
            "a=b",
            "t\u{f6}ken",
            "\u{7f}",
            "<p>",
            "a\"",
            &longer,
        ] {
            assert!(
                !reply(no_token, "r") && !reply("a", no_token),
                "{no_token:?}"
            );
        }
        assert!(!reply("", "r"), "an access token is never absent");
        assert!(reply("a", ""), "but a refresh token may be");
        assert!(!reply("one", "one"), "one for both");
    }

    #[test]
    fn a_pair_is_not_thrown_away_for_a_detail() {
        let read = |rest: &str| {
            let text = format!(r#"{{"access_token":"a"{rest}}}"#);
            let tokens = tokens(&text).expect(&text);
            (
                tokens.expires_in.map(|life| life.as_secs()),
                tokens.refresh.is_some(),
            )
        };
        assert_eq!(
            read(r#","expires_in":86399,"refresh_token":"r","token_type":"Bearer""#),
            (Some(86_399), true)
        );
        assert_eq!(
            read(r#","expires_in":"86399","refresh_token":"""#),
            (Some(86_399), false)
        );
        assert_eq!(
            read(r#","expires_in":86399.0,"refresh_token":null"#),
            (Some(86_399), false)
        );
        for odd in ["-1", "null", "[]", "\"soon\"", "{}"] {
            assert_eq!(
                read(&format!(r#","expires_in":{odd}"#)),
                (None, false),
                "{odd}"
            );
        }
        for odd in [
            "\"bearer\"",
            "\"BEARER\"",
            "\"bearer \"",
            "\"\"",
            "null",
            "7",
            "[]",
        ] {
            assert_eq!(
                read(&format!(r#","refresh_token":"r","token_type":{odd}"#)),
                (None, true),
                "{odd}"
            );
        }
    }

    #[test]
    fn scopes_come_as_text_with_spaces_or_commas_as_an_array_or_not_at_all() {
        let both = Some(vec!["read".to_owned(), "write".to_owned()]);
        assert_eq!(read(r#","scope":"read write""#), both);
        assert_eq!(read(r#","scope":"read,write""#), both);
        assert_eq!(read(r#","scope":["read","write"]"#), both);
        assert_eq!(read(r#","scope":["read",7,"write"]"#), both);
        for odd in ["null", "7", "true", "{}", "\"\"", "[]"] {
            assert_eq!(read(&format!(r#","scope":{odd}"#)), None, "{odd}");
        }
        assert_eq!(read(""), None);
    }
}
