//! Authorize, exchange and revoke (RFC 6749, RFC 7636, RFC 7009) with Linear's particulars.

use std::pin::Pin;

use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, StandardRevocableToken, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::http::Http;
use super::token_reply::{TokenReply, Tokens};
use super::{Linear, OauthApp, Passing};
use crate::connection::Actor;

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

/// Why no tokens came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Linear's verdict: `code` is RFC 6749's `error`, or whatever Linear said in its place.
    #[error("Linear refused: {code}")]
    Refused { code: String },
    #[error(transparent)]
    Passing(#[from] Passing),
    #[error("no Linear OAuth app is configured")]
    NotConfigured,
}

/// What Linear said to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Void now, or was before (Linear answers 400 or 401 then, where RFC 7009 would have 200).
    Done,
    /// Nobody confirmed it.
    Unconfirmed(Passing),
}

impl Linear {
    /// Linear's consent page for a new attempt. The consent is always shown: without `prompt=consent` an app that is
    /// installed already never gets a code, and nobody could choose another workspace.
    #[must_use]
    pub fn authorize_url(&self, app: &OauthApp, state: &str, verifier: &SecretString, actor: Actor, scopes: &[String]) -> Url {
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

    /// Trades a one-shot authorization code for the first pair of tokens.
    ///
    /// # Errors
    /// [`ExchangeError::Refused`] is a verdict, [`ExchangeError::Passing`] is not.
    pub async fn exchange(&self, code: &str, verifier: &SecretString) -> Result<Tokens, ExchangeError> {
        let app = self.app.as_ref().ok_or(ExchangeError::NotConfigured)?;
        let reply = self
            .oauth_client(app)
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .request_async(&TokenEndpoint(&self.http))
            .await;
        reply.map(Tokens::from).map_err(verdict)
    }

    /// Makes a token void. `hint` is RFC 7009's `token_type_hint`.
    pub async fn revoke(&self, token: &SecretString, hint: &'static str) -> Revocation {
        let form = [("token", token.expose_secret()), ("token_type_hint", hint)];
        let request = self.http.client().post(self.api_url("/oauth/revoke")).form(&form).build();
        let sent = match request {
            Ok(request) => self.http.send(request).await,
            Err(error) => Err(Passing::from(error)),
        };
        match sent {
            Ok(reply) if matches!(reply.status.as_u16(), 200 | 400 | 401) => Revocation::Done,
            Ok(reply) => Revocation::Unconfirmed(reply.passing().unwrap_or(Passing::Unreadable(reply.status.as_u16()))),
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
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        }
    }
}

/// The `oauth2` crate's requests over the client that everything shares.
struct TokenEndpoint<'a>(&'a Http);

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = Passing;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Passing>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let reply = self.0.send(reqwest::Request::try_from(request)?).await?;
            if let Some(passing) = reply.passing() {
                return Err(passing);
            }
            let mut response = HttpResponse::new(reply.body);
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            Ok(response)
        })
    }
}

fn verdict(error: RequestTokenError<Passing, BasicErrorResponse>) -> ExchangeError {
    match error {
        RequestTokenError::ServerResponse(response) => ExchangeError::Refused { code: response.error().to_string() },
        RequestTokenError::Request(passing) => ExchangeError::Passing(passing),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ExchangeError::Passing(Passing::Unreadable(200)),
    }
}
