//! Browsers that somebody was signed in with before. Whoever guesses at an account makes those wait
//! who come from the same address, but not a browser that the account's own person has used: its
//! tries count apart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::Engine;
use crate::vault::Place;

/// People that one browser is remembered for, the latest first.
const PEOPLE_MAX: usize = 5;
/// The length beyond which a cookie is none of ours.
const COOKIE_MAX: usize = 2_048;

const PLACE: Place<'static> = Place {
    table: "cookies",
    row: "device",
    column: "device",
    organisation: "",
};

/// The traces of where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedFrom {
    /// "Firefox on Linux"
    pub browser: String,
    pub address: String,
}

/// The claims of a browser's cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub(crate) id: String,
    people: Vec<String>,
}

/// The one who tries to get in: from where, and in which browser, if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    pub address: &'a str,
    pub device: Option<&'a Device>,
}

impl Device {
    /// Names the person who was signed in with it last.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        self.people.first().map(String::as_str)
    }

    pub(crate) fn knows(&self, user: &str) -> bool {
        self.people.iter().any(|known| known == user)
    }
}

impl Engine {
    /// A cookie as [`Engine::device_remembering`] made it; `None` for anything else.
    #[must_use]
    pub fn device(&self, cookie: &str) -> Option<Device> {
        let sealed = URL_SAFE_NO_PAD
            .decode(Some(cookie).filter(|cookie| cookie.len() <= COOKIE_MAX)?)
            .ok()?;
        let device = self.vault().open(PLACE, &sealed).ok()?;
        serde_json::from_str(device.expose_secret()).ok()
    }

    /// The cookie of a browser that somebody has signed in with. It opens nothing: it only keeps
    /// others from making them wait.
    #[must_use]
    pub fn device_remembering(&self, device: Option<Device>, user: &str) -> String {
        let mut device = device.unwrap_or_else(|| Device {
            id: self.entropy().id(),
            people: Vec::new(),
        });
        device.people.retain(|known| known != user);
        device.people.insert(0, user.to_owned());
        device.people.truncate(PEOPLE_MAX);
        let text: SecretString = serde_json::json!(device).to_string().into();
        URL_SAFE_NO_PAD.encode(self.vault().seal(PLACE, &text))
    }
}
