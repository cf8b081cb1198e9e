//! What the document around a page knows of its request. Provided as context, because its first tags are written before any
//! page has loaded its data.

/// Where the page is, as the world calls it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at the end.
    pub origin: String,
    pub path: String,
}

/// What the log calls the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Of the canvas, in the stylesheet's words: what a phone paints around the page.
const LIGHT: &str = "#F5F5F0";
const DARK: &str = "#0F1210";

impl super::Theme {
    /// Which colours browsers may use before the stylesheet is there.
    #[must_use]
    pub fn schemes(self) -> &'static str {
        self.attribute().unwrap_or("light dark")
    }

    /// The canvas, and under which system setting it is that.
    #[must_use]
    pub fn canvases(self) -> &'static [(&'static str, Option<&'static str>)] {
        match self {
            super::Theme::System => &[(LIGHT, Some("(prefers-color-scheme: light)")), (DARK, Some("(prefers-color-scheme: dark)"))],
            super::Theme::Light => &[(LIGHT, None)],
            super::Theme::Dark => &[(DARK, None)],
        }
    }
}
