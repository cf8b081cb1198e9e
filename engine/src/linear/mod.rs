//! Linear as Relink sees it: all HTTP to Linear starts here.

mod clock_skew;
mod graphql;
mod guard;
mod http;
mod oauth;
mod people;
mod proxy;
mod queries;
pub mod signature;
mod token_reply;

use secrecy::SecretString;
use url::Url;

pub use graphql::{AUTHENTICATION_ERROR, CallError};
pub use http::{ReplyRoom, TransientError};
pub use oauth::{ExchangeError, Revocation};
pub use people::LinearPerson;
pub use proxy::{GraphqlRequest, GraphqlResponse};
pub use queries::{Content, Identity, Project, Team, WhoAmI};
pub use token_reply::Tokens;

use self::http::Http;
use crate::clock::{Clock, Millis};

/// The origin of the pictures that Linear names, as a source of a content security policy.
pub const PICTURES: &str = "https://*.linear.app";

/// Whether the address of a picture is at [`PICTURES`].
#[must_use]
pub fn serves_picture(url: &str) -> bool {
    let url = Url::parse(url)
        .ok()
        .filter(|url| url.scheme() == "https" && url.port().is_none());
    url.is_some_and(|url| {
        url.host_str()
            .is_some_and(|host| host.ends_with(".linear.app"))
    })
}

/// An OAuth app in Linear: the operator's, or one of an organisation's own.
#[derive(Clone, Debug)]
pub struct OauthApp {
    pub client_id: String,
    /// Absent for an app that relies on PKCE alone.
    pub client_secret: Option<SecretString>,
}

/// Whether this can be the client id of a Linear app, and not something else that was copied.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    let fits = (8..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    fits && !text.starts_with("lin_")
}

/// Whether this can be the client secret of a Linear app.
#[must_use]
pub fn is_client_secret(text: &str) -> bool {
    (8..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !text.starts_with("lin_wh_")
}

/// The addresses of Linear, and the operator's app there. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Linear {
    http: Http,
    web: Url,
    api: Url,
    app: Option<OauthApp>,
    redirect_uri: Url,
}

impl Linear {
    /// `web` is `https://linear.app`, `api` is `https://api.linear.app`, `redirect_uri` must equal
    /// the one registered with the app letter for letter. `clock` is compared with Linear's.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub fn new(
        web: Url,
        api: Url,
        app: Option<OauthApp>,
        redirect_uri: Url,
        clock: Clock,
    ) -> Result<Linear, reqwest::Error> {
        Ok(Linear {
            http: Http::new(clock)?,
            web,
            api,
            app,
            redirect_uri,
        })
    }

    #[must_use]
    pub fn app(&self) -> Option<&OauthApp> {
        self.app.as_ref()
    }

    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Milliseconds that this machine's clock is at least ahead of Linear's, behind it where
    /// negative, 0 where they agree as far as one can tell; `None` before Linear's first answer to
    /// this process.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<Millis> {
        self.http.skew().ahead()
    }

    /// Has Linear's API answer anything: each answer says what time it is there.
    ///
    /// # Errors
    /// Why there is no answer: no name, no way, no TLS, no time.
    pub async fn reach(&self) -> Result<(), reqwest::Error> {
        let request = self.http.client().head(self.api.clone()).build()?;
        self.http.reach(request).await
    }

    fn web_url(&self, path: &str) -> Url {
        at(&self.web, path)
    }

    fn api_url(&self, path: &str) -> Url {
        at(&self.api, path)
    }
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

#[cfg(test)]
mod tests {
    use super::serves_picture;

    #[test]
    fn pictures_are_linears_own() {
        assert!(serves_picture("https://public.linear.app/acme/logo.png"));
        for elsewhere in [
            "https://evil.example/a.linear.app",
            "https://linear.app.evil.example/",
            "http://public.linear.app/",
            "javascript:1",
            "https://evillinear.app/",
        ] {
            assert!(!serves_picture(elsewhere), "{elsewhere}");
        }
    }
}
