//! Authorize, exchange and revoke (RFC 6749, RFC 7636, RFC 7009) with Linear's particulars.

use std::pin::Pin;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret,
    CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardRevocableToken,
    TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::guard::Guard;
use super::http::{Http, Reply};
use super::token_reply::{NoToken, TokenReply, Tokens};
use super::{Linear, OauthApp, TransientError};
use crate::connection::state::ActAs;

type OauthClient = Client<
    BasicErrorResponse,
    TokenReply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The reason why no tokens came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Linear's verdict: `code` is RFC 6749's `error`, or whatever Linear said in its place.
    #[error("Linear refused: {code} (HTTP {status})")]
    Refused { code: String, status: u16 },
    /// It was not to be shown any more when it came to it: nothing reached Linear.
    #[error("nothing was sent")]
    NotShown,
    #[error(transparent)]
    Transient(#[from] TransientError),
}

/// Linear's answer to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The token is void now, or was before (Linear answers 400 or 401 then, where RFC 7009 would
    /// have 200).
    Done,
    /// It was not to be sent any more when it came to it: nothing reached Linear.
    NotShown,
    /// The revocation is not confirmed.
    Unconfirmed(TransientError),
}

impl Linear {
    /// Linear's consent page for a new attempt. The consent is always shown: without
    /// `prompt=consent` an app that is installed already never gets a code, and nobody could choose
    /// another workspace.
    #[must_use]
    pub fn authorize_url(
        &self,
        app: &OauthApp,
        state: &str,
        verifier: &SecretString,
        actor: ActAs,
        scopes: &[String],
    ) -> Url {
        let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
        let (url, _state) = self
            .oauth_client(app)
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            // Linear documents commas, where RFC 6749 has spaces.
            .add_extra_param("scope", scopes.join(","))
            .add_extra_param("actor", actor.name())
            .add_extra_param("prompt", "consent")
            .url();
        url
    }

    /// Trades a one-shot authorization code, given to this app, for the first pair of tokens.
    ///
    /// # Errors
    /// [`ExchangeError::Refused`] is a verdict, [`ExchangeError::Transient`] is not.
    pub async fn exchange(
        &self,
        app: &OauthApp,
        code: &str,
        verifier: &SecretString,
    ) -> Result<Tokens, ExchangeError> {
        let reply = self
            .oauth_client(app)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .request_async(&TokenEndpoint {
                http: &self.http,
                guard: None,
            })
            .await;
        tokens_in(reply)
    }

    /// Shows a refresh token (RFC 6749, section 6) of this app and gets the next pair. Linear
    /// rotates it with every use; for half an hour it gives the same pair again to the same token.
    ///
    /// `may_be_shown` is asked at the last moment, when the connection to Linear stands.
    ///
    /// # Errors
    /// As [`Linear::exchange`], and [`ExchangeError::NotShown`].
    pub async fn refresh(
        &self,
        app: &OauthApp,
        refresh_token: &SecretString,
        may_be_shown: impl Future<Output = bool> + Send + 'static,
    ) -> Result<Tokens, ExchangeError> {
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let endpoint = TokenEndpoint {
            http: &self.http,
            guard: Some(Guard::new(may_be_shown)),
        };
        let reply = self
            .oauth_client(app)
            .exchange_refresh_token(&token)
            .request_async(&endpoint)
            .await;
        let mut tokens = tokens_in(reply)?;
        if tokens.access.expose_secret() == refresh_token.expose_secret() {
            return Err(TransientError::Unreadable(200).into());
        }
        // The one that was shown is no successor: Linear did not say which is.
        tokens.refresh = tokens
            .refresh
            .filter(|next| next.expose_secret() != refresh_token.expose_secret());
        Ok(tokens)
    }

    /// Makes a token void. `hint` is RFC 7009's `token_type_hint`; `may_be_shown` is asked as with
    /// [`Linear::refresh`].
    pub async fn revoke(
        &self,
        token: &SecretString,
        hint: &'static str,
        may_be_shown: impl Future<Output = bool> + Send + 'static,
    ) -> Revocation {
        let guard = Guard::new(may_be_shown);
        let form = [("token", token.expose_secret()), ("token_type_hint", hint)];
        let request = self
            .http
            .client()
            .post(self.api_url("/oauth/revoke"))
            .form(&form)
            .build();
        let sent = match request {
            Ok(mut request) => {
                guard.keep(&mut request);
                self.http.send(request).await
            }
            Err(error) => Err(TransientError::from(error)),
        };
        match sent {
            Err(_) if guard.has_refused() => Revocation::NotShown,
            Ok(reply) if is_rate_limit(&body_of(&reply)) => {
                Revocation::Unconfirmed(reply.rate_limited())
            }
            Ok(reply) if matches!(reply.status.as_u16(), 200 | 400 | 401) => Revocation::Done,
            Ok(reply) => Revocation::Unconfirmed(
                reply
                    .transient()
                    .unwrap_or(TransientError::Unreadable(reply.status.as_u16())),
            ),
            Err(passing) => Revocation::Unconfirmed(passing),
        }
    }

    fn oauth_client(&self, app: &OauthApp) -> OauthClient {
        let client = Client::new(ClientId::new(app.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.web_url("/oauth/authorize")))
            .set_token_uri(TokenUrl::from_url(self.api_url("/oauth/token")))
            .set_redirect_uri(RedirectUrl::from_url(self.redirect_uri.clone()))
            .set_auth_type(AuthType::RequestBody);
        match &app.client_secret {
            Some(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            None => client,
        }
    }
}

/// The `oauth2` crate's requests over the client that everything shares.
struct TokenEndpoint<'a> {
    http: &'a Http,
    guard: Option<Guard>,
}

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = ExchangeError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ExchangeError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut request = reqwest::Request::try_from(request).map_err(TransientError::from)?;
            if let Some(guard) = &self.guard {
                guard.keep(&mut request);
            }
            let reply = match self.http.send(request).await {
                Err(_) if self.guard.as_ref().is_some_and(Guard::has_refused) => {
                    return Err(ExchangeError::NotShown);
                }
                sent => sent?,
            };
            if let Some(refusal) = refusal(&reply) {
                return Err(refusal);
            }
            // A success of whatever number and label: what the body says counts, and a pair is
            // worth more than its wrapping.
            Ok(HttpResponse::new(without_mark(&reply.body).to_vec()))
        })
    }
}

/// Reads why the token endpoint gives no tokens; `None` for a success.
fn refusal(reply: &Reply) -> Option<ExchangeError> {
    if let Some(passing) = reply.transient() {
        return Some(passing.into());
    }
    if reply.status.is_success() {
        return None;
    }
    let status = reply.status.as_u16();
    let body = body_of(reply);
    if is_rate_limit(&body) {
        return Some(reply.rate_limited().into());
    }
    // RFC 6749, section 5.2, and nothing else beside it: under any other status, or with errors of
    // another kind, somebody else may be speaking.
    let is_clean = matches!(status, 400 | 401) && body["errors"].is_null();
    if let Some(code) = body["error"].as_str().filter(|_| is_clean) {
        return Some(ExchangeError::Refused {
            code: code_in(code),
            status,
        });
    }
    // A page of a proxy, say: no verdict.
    Some(TransientError::Unreadable(status).into())
}

/// Reads a body as JSON; null for any other.
fn body_of(reply: &Reply) -> Value {
    serde_json::from_slice(without_mark(&reply.body)).unwrap_or_default()
}

/// Cuts off the mark of the encoding with which some servers begin a text (RFC 8259, section 8.1
/// lets readers ignore it).
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The GraphQL shape of a rate limit, under HTTP 400.
fn is_rate_limit(body: &Value) -> bool {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors
        .iter()
        .any(|error| error["extensions"]["code"] == "RATELIMITED")
}

/// Linear's own code, cut to what can be one: it is logged and shown.
fn code_in(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .take(64)
        .collect()
}

/// Every reply becomes tokens here, or nothing does.
fn tokens_in(
    reply: Result<TokenReply, RequestTokenError<ExchangeError, BasicErrorResponse>>,
) -> Result<Tokens, ExchangeError> {
    Tokens::try_from(reply.map_err(verdict)?)
        .map_err(|NoToken| TransientError::Unreadable(200).into())
}

fn verdict(error: RequestTokenError<ExchangeError, BasicErrorResponse>) -> ExchangeError {
    match error {
        RequestTokenError::Request(error) => error,
        // Only what claims to be a success is read by the library.
        RequestTokenError::ServerResponse(_)
        | RequestTokenError::Parse(..)
        | RequestTokenError::Other(_) => TransientError::Unreadable(200).into(),
    }
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, StatusCode};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::Clock;

    fn said(status: u16, body: &str) -> Option<ExchangeError> {
        let status = StatusCode::from_u16(status).unwrap();
        refusal(&Reply {
            status,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            whole: true,
        })
    }

    #[test]
    fn a_verdict_is_an_error_code_under_400_or_401_and_nothing_else() {
        let refused = |code: &str, status| {
            Some(ExchangeError::Refused {
                code: code.to_owned(),
                status,
            })
        };
        assert_eq!(
            said(400, r#"{"error":"invalid_grant","error_description":"x"}"#),
            refused("invalid_grant", 400)
        );
        assert_eq!(
            said(401, r#"{"error":"invalid_client"}"#),
            refused("invalid_client", 401)
        );
        assert_eq!(
            said(400, r#"{"error":"Error <b>","error_description":"x"}"#),
            refused("Errorb", 400)
        );
        assert_eq!(
            said(500, r#"{"error":"invalid_grant"}"#),
            Some(
                TransientError::Status {
                    status: 500,
                    retry_after_s: None
                }
                .into()
            ),
            "a broken server is no witness"
        );
        assert_eq!(
            said(400, "<html>invalid_grant"),
            Some(TransientError::Unreadable(400).into())
        );
        assert_eq!(said(307, ""), Some(TransientError::Unreadable(307).into()));
        assert_eq!(said(200, "<html>"), None);
        for status in [402, 403, 404, 405, 407, 408, 410, 418, 422, 451] {
            let body = r#"{"error":"invalid_grant"}"#;
            assert_eq!(
                said(status, body),
                Some(TransientError::Unreadable(status).into()),
                "{status} is no answer of a token endpoint"
            );
        }
        let mixed = r#"{"error":"invalid_grant","errors":[{"message":"internal"}]}"#;
        assert_eq!(
            said(400, mixed),
            Some(TransientError::Unreadable(400).into())
        );
    }

    #[test]
    fn a_rate_limit_is_one_under_429_and_under_400() {
        let limited = |status| {
            Some(
                TransientError::RateLimited {
                    status,
                    retry_after_s: None,
                }
                .into(),
            )
        };
        assert_eq!(said(429, "slow down"), limited(429));
        assert_eq!(
            said(400, r#"{"errors":[{"extensions":{"code":"RATELIMITED"}}]}"#),
            limited(400)
        );
        let beside = r#"{"error":"invalid_grant",
            "errors":[{"message":"x"},{"extensions":{"code":"RATELIMITED"}}]}"#;
        assert_eq!(said(400, beside), limited(400), "whatever stands beside it");
    }

    /// Refreshes against a server that gives this answer.
    async fn refreshed(answer: &'static str) -> Result<Tokens, ExchangeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut heard, mut chunk) = (Vec::new(), [0; 4_096]);
            while !heard.ends_with(b"client_id=an_app_of_ours") {
                let read = stream.read(&mut chunk).await.unwrap();
                heard.extend_from_slice(&chunk[..read]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let linear = Linear::new(url.clone(), url.clone(), None, url, Clock::manual(0).0).unwrap();
        let app = OauthApp {
            client_id: "an_app_of_ours".to_owned(),
            client_secret: None,
        };
        linear.refresh(&app, &"shown".into(), async { true }).await
    }

    #[tokio::test]
    async fn a_pair_is_worth_more_than_what_it_is_wrapped_in() {
        let wrapped = [
            "HTTP/1.1 201 Created\r\ncontent-type: text/plain\r\nconnection: \
                close\r\n\r\n{\"access_token\":\"a\",\"refresh_token\":\"r\"}",
            "HTTP/1.1 200 OK\r\nconnection: \
                close\r\n\r\n\u{feff}{\"access_token\":\"a\",\"refresh_token\":\"r\",\"scope\":7}",
        ];
        for answer in wrapped {
            let tokens = refreshed(answer).await.unwrap();
            assert_eq!(
                (
                    tokens.access.expose_secret(),
                    tokens.refresh.unwrap().expose_secret()
                ),
                ("a", "r")
            );
        }
        let confused = "HTTP/1.1 200 OK\r\nconnection: \
            close\r\n\r\n{\"access_token\":\"shown\",\"refresh_token\":\"r\"}";
        assert_eq!(
            refreshed(confused).await.unwrap_err(),
            TransientError::Unreadable(200).into(),
            "that was the refresh token"
        );
    }
}
