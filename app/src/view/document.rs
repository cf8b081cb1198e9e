//! The request as the document around a page knows it. Provided as context, because its first tags
//! are written before any page has loaded its data.

/// The address of the page as the world knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The origin without a slash at the end.
    pub origin: String,
    pub path: String,
}

/// The name of the request in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The colours of the canvas, as the stylesheet has them: a phone paints them around the page.
const LIGHT: &str = "#F5F5F0";
const DARK: &str = "#0F1210";

impl Theme {
    /// Names the colours that browsers may use before the stylesheet is there.
    #[must_use]
    pub fn schemes(self) -> &'static str {
        self.attribute().unwrap_or("light dark")
    }

    /// The canvas, and under which system setting it is that.
    #[must_use]
    pub fn canvases(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            Theme::System => &[
                (LIGHT, Some("(prefers-color-scheme: light)")),
                (DARK, Some("(prefers-color-scheme: dark)")),
            ],
            Theme::Light => &[(LIGHT, None)],
            Theme::Dark => &[(DARK, None)],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The form value and cookie value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Theme {
        match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::System,
        }
    }

    /// `data-theme` on `<html>`; absent where the system decides.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        (self != Theme::System).then(|| self.name())
    }
}

/// Provided as context on every request, for pages that could not load a [`ShellView`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated(pub bool);

/// Provided as context on every request: what browsers tell of the page that a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Referrer {
    /// The rule. Under `no-referrer` browsers send `Origin: null` with our own forms, which the
    /// CSRF check has to refuse wherever Sec-Fetch-Site is missing (plain http on a local network).
    #[default]
    SameOrigin,
    /// Sends no referrer to anybody.
    Nobody,
}

impl Referrer {
    /// Names the policy for the header and for the document's head.
    #[must_use]
    pub fn policy(self) -> &'static str {
        match self {
            Referrer::SameOrigin => "same-origin",
            Referrer::Nobody => "no-referrer",
        }
    }
}
