//! Linear's page for a new OAuth application, with every field filled in:
//! <https://linear.app/developers/oauth-app-manifests>.

use std::net::IpAddr;

use relink_engine::dispatch::is_public;

use crate::view::CreateAppView;
use crate::view::url::url_encode;

const PAGE: &str = "https://linear.app/settings/api/applications/new";
/// Linear takes no name with its own in it.
const NAME: &str = "Relink";
const DESCRIPTION: &str = "Keeps the connection to this workspace alive.";
/// Characters of a developer's name that Linear takes.
const DEVELOPER: std::ops::RangeInclusive<usize> = 2..=80;
/// The events that a new app is subscribed to: those that Relink acts on (Linear tells unasked that
/// the app was removed), and those that most destinations want. The scope `read` covers all of
/// them.
const EVENTS: [&str; 7] = [
    "OAuthAuthorization",
    "PermissionChange",
    "Issue",
    "Comment",
    "Project",
    "ProjectUpdate",
    "Cycle",
];

/// `url` is what the world calls this Relink, without a slash at the end.
pub fn create_app(
    url: &str,
    redirect_uri: &str,
    webhook_url: &str,
    organisation: &str,
) -> CreateAppView {
    let developer = if DEVELOPER.contains(&organisation.chars().count()) {
        organisation
    } else {
        NAME
    };
    let webhook = reachable(url);
    let mut fields = vec![
        ("distribution", "private"),
        ("display.description", DESCRIPTION),
        ("developer.name", developer),
        ("oauth.client_name", NAME),
        ("oauth.client_uri", url),
        ("oauth.redirect_uris", redirect_uri),
        ("oauth.grant_types", "authorization_code"),
    ];
    if webhook {
        fields.extend([("webhook.enabled", "true"), ("webhook.url", webhook_url)]);
        fields.extend(EVENTS.map(|event| ("webhook.resourceTypes", event)));
    }
    let fields: Vec<String> = fields
        .into_iter()
        .map(|(name, value)| format!("{name}={}", url_encode(value)))
        .collect();
    CreateAppView {
        url: format!("{PAGE}?{}", fields.join("&")),
        webhook,
    }
}

/// Whether Linear can deliver there, as far as the address tells.
fn reachable(url: &str) -> bool {
    let Some(authority) = url.strip_prefix("https://") else {
        return false;
    };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match host.parse::<IpAddr>() {
        Ok(ip) => is_public(ip),
        // A name without a dot means something in one's own network only.
        Err(_) => {
            host.contains('.')
                && ![".localhost", ".local", ".internal"]
                    .iter()
                    .any(|end| host.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str) -> CreateAppView {
        create_app(
            url,
            &format!("{url}/oauth/linear/callback"),
            &format!("{url}/webhooks/linear"),
            "Northwind & Söhne",
        )
    }

    #[test]
    fn every_field_is_filled_in() {
        let CreateAppView { url, webhook } = page("https://relink.example.com");
        assert!(webhook);
        for field in [
            "?distribution=private&",
            "&developer.name=Northwind%20%26%20S%C3%B6hne&",
            "&oauth.client_name=Relink&",
            "&oauth.client_uri=https%3A//relink.example.com&",
            "&oauth.redirect_uris=https%3A//relink.example.com/oauth/linear/callback&",
            "&oauth.grant_types=authorization_code&",
            "&webhook.enabled=true&webhook.url=https%3A//relink.example.com/webhooks/linear&",
            "&webhook.resourceTypes=OAuthAuthorization&",
            "&webhook.resourceTypes=Issue&",
        ] {
            assert!(url.contains(field), "{field} is not in {url}");
        }
    }

    #[test]
    fn a_developers_name_is_one_that_linear_takes() {
        for (organisation, developer) in [
            ("N", "Relink"),
            ("Northwind", "Northwind"),
            (&*"x".repeat(81), "Relink"),
        ] {
            let page = create_app("http://localhost:3000", "", "", organisation).url;
            assert!(
                page.contains(&format!("&developer.name={developer}&")),
                "{page}"
            );
        }
    }

    #[test]
    fn linear_is_offered_no_webhook_that_it_cannot_reach() {
        for inside in [
            "http://localhost:3000",
            "https://localhost",
            "https://relink.localhost",
            "https://relink",
            "https://relink.internal:8443",
            "https://127.0.0.1:3000",
            "https://10.1.2.3",
            "https://[::1]:3000",
        ] {
            let CreateAppView { url, webhook } = page(inside);
            assert!(!webhook && !url.contains("webhook"), "{url}");
        }
        for outside in [
            "https://relink.example.com:8443",
            "https://93.184.216.34",
            "https://[2606:2800:220:1::1]",
        ] {
            assert!(page(outside).webhook, "{outside}");
        }
    }
}
