//! Our own cookies: what they are called, and how they are read and kept.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use relink_engine::identity::Person;
use relink_engine::{Device, Engine};

use super::Site;
use super::request::{engine, parts, set_cookie, site};
use crate::view::{Failure, Theme};

/// A year; browsers keep no cookie for much longer.
const A_YEAR_S: u32 = 31_536_000;

const DEVICE: &str = "device";
pub const THEME: &str = "theme";

impl Site {
    /// The name of a cookie of this instance. Browsers keep cookies for a host, whatever the port:
    /// two instances on one host would overwrite each other's, so the name says which one it is.
    #[must_use]
    pub fn cookie(&self, what: &str) -> String {
        let prefix = if self.https { "__Host-" } else { "" };
        format!("{prefix}relink-{what}{}", self.instance)
    }

    /// The session cookie's name.
    #[must_use]
    pub fn session_cookie(&self) -> String {
        self.cookie("session")
    }
}

/// Makes the end of cookies' names, which tells an instance apart from others on the same host. It
/// is empty on the usual port of https; with http, which is for one's own machine, also the port
/// that it listens on: a second instance may have been given no other address.
#[must_use]
pub fn instance_name(host: &str, https: bool, listens_on: u16) -> String {
    let port = host
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse::<u16>().ok());
    let own = Some(listens_on).filter(|own| !https && port != Some(*own));
    port.into_iter()
        .chain(own)
        .map(|port| format!("-{port}"))
        .collect()
}

/// The value of a cookie that a browser sent.
#[must_use]
pub fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// Has the browser keep it for a year.
pub fn keep_cookie(what: &str, value: &str) -> Result<(), Failure> {
    let site = site()?;
    let (name, secure) = (site.cookie(what), if site.https { "; Secure" } else { "" });
    set_cookie(&format!(
        "{name}={value}; Path=/; Max-Age={A_YEAR_S}; HttpOnly; SameSite=Lax{secure}"
    ));
    Ok(())
}

/// Reads what is known of the browser from those who were signed in with it before.
pub fn device() -> Result<Option<Device>, Failure> {
    Ok(device_of(&parts()?.headers, &site()?, &engine()?))
}

/// The same, of a request that is no page yet.
#[must_use]
pub fn device_of(headers: &HeaderMap, site: &Site, engine: &Engine) -> Option<Device> {
    cookie_of(headers, &site.cookie(DEVICE)).and_then(|value| engine.device(value))
}

/// Remembers this person in this browser, so that from now on nobody who guesses makes them wait in
/// it.
pub fn remember_device(person: &Person) -> Result<(), Failure> {
    keep_cookie(
        DEVICE,
        &engine()?.device_remembering(device()?, &person.user_id),
    )
}

/// The theme that the browser chose, from its cookies.
#[must_use]
pub fn theme_of(parts: &Parts, site: &Site) -> Theme {
    cookie_of(&parts.headers, &site.cookie(THEME)).map_or(Theme::System, Theme::from_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_on_one_host_have_names_of_their_own() {
        for (host, https, listens_on, name) in [
            ("relink.example.com", true, 3000, ""),
            ("relink.example.com:8443", true, 3000, "-8443"),
            ("localhost:3000", false, 3000, "-3000"),
            ("localhost:3000", false, 3001, "-3000-3001"),
            ("localhost", false, 3000, "-3000"),
            ("[::1]", true, 3000, ""),
            ("[::1]:3000", true, 3000, "-3000"),
        ] {
            assert_eq!(
                instance_name(host, https, listens_on),
                name,
                "{host} {https} {listens_on}"
            );
        }
    }
}
