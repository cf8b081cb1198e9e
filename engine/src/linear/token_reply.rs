//! What the token endpoint answers, read with the tolerance that its history asks for.

use std::time::Duration;

use oauth2::basic::BasicTokenType;
use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A pair of tokens as Linear handed it over.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: SecretString,
    /// Missing only from grants older than refresh tokens.
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
    #[serde(default = "bearer")]
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

impl From<TokenReply> for Tokens {
    fn from(reply: TokenReply) -> Tokens {
        Tokens {
            access: reply.access_token.into_secret().into(),
            refresh: reply.refresh_token.map(RefreshToken::into_secret).filter(|token| !token.is_empty()).map(SecretString::from),
            expires_in: reply.expires_in.map(Duration::from_secs),
            scopes: reply.scopes.map(|scopes| scopes.iter().map(|scope| scope.as_str().to_owned()).collect()),
        }
    }
}

/// Linear knows no other type (RFC 6750).
fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// A pair is worth more than its lifetime: what is no number of seconds counts as not said.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let whole = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    Ok(whole.or_else(|| value.as_f64().filter(|seconds| (0.0..1e15).contains(seconds)).map(|seconds| seconds as u64)))
}

/// A string separated by spaces (RFC 6749) or commas, or an array: apps from before December 2023 get arrays.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        List(Vec<String>),
    }
    let parts = match Option::<Either>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Either::Text(text)) => vec![text],
        Some(Either::List(list)) => list,
    };
    let names = parts.iter().flat_map(|part| part.split([' ', ',']));
    Ok(Some(names.filter(|name| !name.is_empty()).map(|name| Scope::new(name.to_owned())).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scope: &str) -> Option<Vec<String>> {
        let text = format!(r#"{{"access_token":"a","token_type":"Bearer"{scope}}}"#);
        Tokens::from(serde_json::from_str::<TokenReply>(&text).expect(&text)).scopes
    }

    #[test]
    fn a_pair_is_not_thrown_away_for_a_detail() {
        let read = |rest: &str| {
            let text = format!(r#"{{"access_token":"a"{rest}}}"#);
            let tokens = Tokens::from(serde_json::from_str::<TokenReply>(&text).expect(&text));
            (tokens.expires_in.map(|life| life.as_secs()), tokens.refresh.is_some())
        };
        assert_eq!(read(r#","expires_in":86399,"refresh_token":"r","token_type":"Bearer""#), (Some(86_399), true));
        assert_eq!(read(r#","expires_in":"86399","refresh_token":"""#), (Some(86_399), false));
        assert_eq!(read(r#","expires_in":86399.0,"refresh_token":null"#), (Some(86_399), false));
        for odd in ["-1", "null", "[]", "\"soon\"", "{}"] {
            assert_eq!(read(&format!(r#","expires_in":{odd}"#)), (None, false), "{odd}");
        }
    }

    #[test]
    fn scopes_come_as_text_with_spaces_or_commas_as_an_array_or_not_at_all() {
        let both = Some(vec!["read".to_owned(), "write".to_owned()]);
        assert_eq!(read(r#","scope":"read write""#), both);
        assert_eq!(read(r#","scope":"read,write""#), both);
        assert_eq!(read(r#","scope":["read","write"]"#), both);
        assert_eq!(read(r#","scope":null"#), None);
        assert_eq!(read(""), None);
    }
}
