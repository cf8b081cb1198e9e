//! The state that the router and its handlers share.

use std::sync::Arc;

use axum::extract::FromRef;
use axum::http::{HeaderValue, header};
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;
use relink_app::api::{Site, instance_name, theme_of};
use relink_app::view::{Address, Referrer, RequestId, Simulated};
use relink_engine::Engine;
use secrecy::SecretString;
use url::Url;

use crate::assets::Assets;
use crate::config::{Config, origin};
use crate::endpoint::Frame;
use crate::headers::{self, RequestIds};
use crate::metrics::Metrics;
use crate::open_files;
use crate::proxies::TrustedProxies;
use crate::share::Room;

/// Pages that one process keeps up to date; more go without, and say so.
const PAGES_MAX: usize = 20_000;
/// The part of these that one session may have.
const PAGES_EACH: usize = 20;

/// The state that the router and its handlers share.
#[derive(Clone, Debug)]
pub struct Web {
    pub engine: Engine,
    pub site: Site,
    pub linear_url: Url,
    pub assets: Assets,
    pub ids: RequestIds,
    pub(crate) api_requests_per_minute: u32,
    pub(crate) jobs_secret: Option<Arc<SecretString>>,
    pub(crate) metrics: Metrics,
    pub(crate) options: LeptosOptions,
    pub proxies: TrustedProxies,
    pub live_turns: Arc<Room<String>>,
}

impl Web {
    #[must_use]
    pub fn new(engine: Engine, config: &Config) -> Web {
        let assets = config
            .site_root
            .clone()
            .map_or(Assets::Embedded, Assets::Disk);
        let options = LeptosOptions::builder()
            .output_name("relink")
            .site_pkg_dir(assets.package_dir())
            .site_addr(config.addr)
            .build();
        let url = origin(&config.url);
        let host = url
            .split_once("://")
            .map_or(url.as_str(), |(_, host)| host)
            .to_owned();
        let site = Site {
            instance: instance_name(&host, config.https(), config.addr.port()),
            host,
            https: config.https(),
            simulated: config.simulated(),
            linear_web: origin(&config.linear_url),
            url,
        };
        Web {
            ids: RequestIds::new(engine.entropy()),
            metrics: Metrics::among_others(engine.clone(), config),
            engine,
            site,
            linear_url: config.linear_url.clone(),
            assets,
            api_requests_per_minute: config.api_requests_per_minute,
            jobs_secret: config.jobs_secret.clone().map(Arc::new),
            options,
            proxies: config.trusted_proxies.clone(),
            live_turns: live_turns(),
        }
    }

    /// The address of the stylesheet for browsers.
    #[must_use]
    pub fn stylesheet(&self) -> String {
        format!(
            "/{}/{}.css",
            self.options.site_pkg_dir, self.options.output_name
        )
    }

    /// Lends what endpoints for programs have in common.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame {
            ids: self.ids.clone(),
            https: self.site.https,
        }
    }

    /// Provides what every page and server function finds in its context.
    pub(crate) fn provide(&self) {
        provide_context(self.engine.for_pages());
        provide_context(self.site.clone());
        provide_context(Simulated(self.site.simulated));
        let mut referrer = Referrer::default();
        if let Some(parts) = use_context::<axum::http::request::Parts>() {
            provide_context(theme_of(&parts, &self.site));
            referrer = headers::referrer(parts.uri.path(), &self.site);
            provide_context(Address {
                origin: self.site.url.clone(),
                path: parts.uri.path().to_owned(),
            });
            if let Some(id) = parts.extensions.get::<RequestId>() {
                provide_context(id.clone());
            }
        }
        provide_context(referrer);
        let policy = use_nonce().and_then(|nonce| {
            headers::page_policy(
                nonce.as_ref(),
                &self.linear_url,
                matches!(self.assets, Assets::Disk(_)),
            )
        });
        if let (Some(response), Some(policy)) = (use_context::<ResponseOptions>(), policy) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            response.insert_header(
                header::REFERRER_POLICY,
                HeaderValue::from_static(referrer.policy()),
            );
        }
    }
}

impl FromRef<Web> for LeptosOptions {
    fn from_ref(web: &Web) -> LeptosOptions {
        web.options.clone()
    }
}

/// Turns for open pages. Each holds a file descriptor: as many as the system allows are asked for,
/// and half of them are left for everything else.
fn live_turns() -> Arc<Room<String>> {
    let all =
        usize::try_from(open_files::raise() / 2).map_or(PAGES_MAX, |half| half.min(PAGES_MAX));
    Arc::new(Room::new(all, PAGES_EACH))
}
