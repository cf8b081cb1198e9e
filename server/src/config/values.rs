//! The values that are set, and what each kind of them looks like.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use secrecy::SecretString;
use url::{Host, Url};

use super::env_file::Text;
use super::settings::Setting;

/// A value that cannot work. It is never repeated, since it may be a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}; {hint}")]
pub struct ConfigError {
    pub name: Cow<'static, str>,
    pub problem: String,
    /// The form of a right value.
    pub hint: &'static str,
}

/// The values by name; what is set to nothing is not here.
pub(super) struct Values(pub BTreeMap<&'static str, Text>);

impl Values {
    pub fn text(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name).map(|text| text.as_str())
    }

    /// # Errors
    /// What `parse` finds wrong with it.
    pub fn parse<T, P: Into<String>>(
        &self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<Option<T>, ConfigError> {
        self.text(setting)
            .map(parse)
            .transpose()
            .map_err(|problem| setting.wrong(problem))
    }

    pub fn span(&self, setting: &Setting, default: Millis) -> Result<Millis, ConfigError> {
        let span = self.parse(setting, |text| {
            parse_span(text).ok_or("it is not a span of time")
        })?;
        Ok(span.unwrap_or(default))
    }

    pub fn number(&self, setting: &Setting, default: u32, max: u32) -> Result<u32, ConfigError> {
        let number = self.parse(setting, |text| {
            let number = text
                .parse()
                .ok()
                .filter(|number| (1..=max).contains(number));
            number.ok_or_else(|| format!("it is not a whole number from 1 to {max}"))
        })?;
        Ok(number.unwrap_or(default))
    }

    pub fn flag(&self, setting: &Setting) -> Result<bool, ConfigError> {
        let flag = self.parse(setting, |text| match text {
            "false" | "0" => Ok(false),
            "true" | "1" => Ok(true),
            _ => Err("it is neither true nor false"),
        })?;
        Ok(flag.unwrap_or_default())
    }

    /// A secret that we make ourselves.
    pub fn generated(&self, setting: &Setting) -> Result<Option<SecretString>, ConfigError> {
        const LENGTH_MIN: usize = 16;
        self.parse(setting, |text| match text.len() {
            ..LENGTH_MIN => Err("it is shorter than 16 characters, which can be guessed"),
            _ => Ok(text.into()),
        })
    }
}

impl Setting {
    pub(super) fn wrong(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError {
            name: self.name.into(),
            problem: problem.into(),
            hint: self.hint,
        }
    }
}

pub(super) fn socket_addr(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "it is not an IP address with a port")
}

/// An http or https address with nothing after the port. `http_is_for` says who may do without
/// encryption.
pub(super) fn origin_url(text: &str, http_is_for: &'static str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is not an address")?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("it does not start with http:// or https://");
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err("it has more than scheme, host and port");
    }
    // To browsers and to Linear that is another origin.
    if url.domain().is_some_and(|name| name.ends_with('.')) {
        return Err("its host's name ends with a full stop, which has to go");
    }
    if url.scheme() == "http" && !url.host().is_some_and(|host| is_loopback(&host)) {
        Err(http_is_for)
    } else {
        Ok(url)
    }
}

/// Whether a name or an address is this machine's for everybody who asks for it.
#[must_use]
pub fn is_loopback<Name: AsRef<str>>(host: &Host<Name>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

/// "90s", "90m", "24h", "7d", as milliseconds; no more than a year.
pub fn parse_span(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    let number = number
        .bytes()
        .all(|digit| digit.is_ascii_digit())
        .then(|| number.parse::<Millis>().ok())??;
    number.checked_mul(unit).filter(|span| *span <= 365 * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        for (text, span) in [
            ("0s", 0),
            ("90m", 90 * MINUTE),
            ("24h", DAY),
            ("7d", 7 * DAY),
        ] {
            assert_eq!(parse_span(text), Some(span), "{text}");
        }
        for text in [
            "",
            "m",
            "90",
            "1.5h",
            "+1h",
            "1 h",
            "90µ",
            "99999999999999999999s",
            "366d",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
