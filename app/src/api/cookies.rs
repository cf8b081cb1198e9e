//! Our own cookies beside the session's: what they are called, and how they are read and kept.

use axum::http::header;
use axum::http::request::Parts;
use relink_engine::Device;
use relink_engine::account::Person;

use super::Failure;
use super::request::{engine, parts, set_cookie, site};

/// As long as browsers keep any.
const A_YEAR_S: u32 = 31_536_000;

/// What a cookie of ours is called.
#[must_use]
pub fn cookie_name(https: bool, what: &str) -> String {
    format!("{}relink-{what}", if https { "__Host-" } else { "" })
}

/// What the browser sent under this name.
#[must_use]
pub fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let lines = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Has the browser keep it for a year.
pub fn keep_cookie(what: &str, value: &str) -> Result<(), Failure> {
    let https = site()?.https;
    let (name, secure) = (cookie_name(https, what), if https { "; Secure" } else { "" });
    set_cookie(&format!("{name}={value}; Path=/; Max-Age={A_YEAR_S}; HttpOnly; SameSite=Lax{secure}"));
    Ok(())
}

const DEVICE: &str = "device";

/// What is known of the browser from those who were signed in with it before.
pub fn device() -> Result<Option<Device>, Failure> {
    let (engine, parts) = (engine()?, parts()?);
    Ok(cookie(&parts, &cookie_name(site()?.https, DEVICE)).and_then(|value| engine.device(value)))
}

/// From now on nobody who guesses makes this person wait in this browser.
pub fn remember_device(person: &Person) -> Result<(), Failure> {
    keep_cookie(DEVICE, &engine()?.device_remembering(device()?, &person.user_id))
}
