//! The text that whoever gets a link code reads with it, by e-mail or pasted by hand.

use time::OffsetDateTime;

use crate::clock::Millis;
use crate::text;

/// A code on its way to its person.
#[derive(Clone, Copy, Debug)]
pub struct Handover<'a> {
    /// The Linear person.
    pub name: &'a str,
    /// The name of whoever asks, unless the code came by command.
    pub asked_by: Option<&'a str>,
    pub organisation: &'a str,
    /// The absolute address of `/link`.
    pub page: &'a str,
    pub code: &'a str,
    pub expires_at: Millis,
}

impl Handover<'_> {
    /// The link that opens with the code in its fragment, which no server and no proxy ever sees.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}#{}", self.page, self.code)
    }

    /// One line.
    #[must_use]
    pub fn subject(&self) -> String {
        format!(
            "Who are you in Linear? {} asks",
            text::name(self.organisation)
        )
    }

    #[must_use]
    pub fn text(&self) -> String {
        let (name, organisation) = (text::name(self.name), text::name(self.organisation));
        let first = name.split_whitespace().next().unwrap_or(&name);
        let asker = self
            .asked_by
            .map_or_else(|| organisation.clone(), text::name);
        let (link, page, code) = (self.link(), self.page, self.code);
        format!(
            "Hello {first},\n{asker} asks which person you are in Linear, so that the tools of \
                {organisation} know. Open this link and say yes or \
                no:\n{link}\nIt works once, until {}. If it does not open, go to {page} and enter \
                {code}",
            until(self.expires_at)
        )
    }
}

/// "20 Nov 14:02 UTC"
fn until(at: Millis) -> String {
    let format = time::macros::format_description!(
        "[day padding:none] [month repr:short] [hour]:[minute] UTC"
    );
    let at = OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_link_the_page_and_until_when() {
        let handover = Handover {
            name: "Jun Sato",
            asked_by: Some("Priya Raman"),
            organisation: "Northwind Labs",
            page: "https://relink.example/link",
            code: "7K3D-M9QX-2VBT-H4ZC",
            expires_at: 1_795_096_931_214,
        };
        let text = handover.text();
        assert!(text.starts_with("Hello Jun,\nPriya Raman asks"), "{text}");
        assert!(
            text.contains("\nhttps://relink.example/link#7K3D-M9QX-2VBT-H4ZC\n"),
            "{text}"
        );
        assert!(text.contains("until 19 Nov 14:02 UTC"), "{text}");
        let by_command = Handover {
            asked_by: None,
            ..handover
        }
        .text();
        assert!(by_command.contains("Northwind Labs asks"), "{by_command}");
    }
}
