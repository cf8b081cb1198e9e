//! The way back from Linear's consent page.

/// The answer that Linear sent back with the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callback {
    pub state: Option<String>,
    pub code: Option<String>,
    pub error: Option<String>,
}

impl Callback {
    /// Reads a query string. A parameter that comes twice counts as absent (RFC 6749, section 3.1
    /// forbids it).
    #[must_use]
    pub fn parse(query: &str) -> Callback {
        let once = |name: &str| {
            let mut values = url::form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned());
            let first = values.next().filter(|value| !value.is_empty());
            if values.next().is_some() { None } else { first }
        };
        Callback {
            state: once("state"),
            code: once("code"),
            error: once("error"),
        }
    }
}
