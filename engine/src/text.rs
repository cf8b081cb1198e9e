//! Texts that other people wrote, made fit for where they are shown: a name in a line, in a
//! subject, on a terminal.

use std::borrow::Cow;

use url::Url;

/// Characters of a name that is shown. Pages, mails and lines are made for it, and what people type
/// here is no longer.
pub const NAME_MAX: usize = 100;
/// An address is no longer (RFC 5321, section 4.5.3.1.3).
pub const EMAIL_MAX: usize = 254;
/// The longest title that Linear allows.
const TITLE_MAX: usize = 255;
const URL_MAX: usize = 2_048;

/// The words for a name of which nothing can be shown.
const NAMELESS: &str = "(no name)";

/// Whether a character does something to the line that it stands in instead of being seen: moves a
/// terminal's cursor, ends the line, or turns the direction of the text around it (Unicode's UAX
/// #9).
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}') || turns(c)
}

fn turns(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing is seen where it stands: a space, a mark between letters, a letter that is drawn
/// as nothing.
#[must_use]
pub fn unseen(c: char) -> bool {
    c.is_whitespace()
        || acts(c)
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}')
        || matches!(c, '\u{E0000}'..='\u{E0FFF}')
        || matches!(
            c,
            '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FFA0}'
        )
}

/// The text in one line of which every character is seen: what acts has become a space, or nothing
/// if it only turns.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let seen = text
        .chars()
        .filter(|c| !turns(*c))
        .map(|c| if acts(c) { ' ' } else { c });
    Cow::Owned(
        seen.collect::<String>()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// A name as it is shown to people: [`line`], and no longer than [`NAME_MAX`].
#[must_use]
pub fn name(text: &str) -> String {
    let name = cut(text, NAME_MAX);
    if name.chars().all(unseen) {
        NAMELESS.to_owned()
    } else {
        name
    }
}

/// An e-mail address as it is shown.
#[must_use]
pub fn email(text: &str) -> String {
    cut(text, EMAIL_MAX)
}

/// The title of an issue, or what a line of the audit trail is about.
#[must_use]
pub fn title(text: &str) -> String {
    cut(text, TITLE_MAX)
}

/// Whether a link may lead there: anything else, like `javascript:`, does something where it is. No
/// address of Linear's is longer than [`URL_MAX`].
#[must_use]
pub fn leads_to_the_web(url: &str) -> bool {
    url.len() <= URL_MAX
        && Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// [`line`], in no more than this many characters.
fn cut(text: &str, max: usize) -> String {
    // Of a name that fills megabytes no more is looked at than could be shown.
    let beginning = text
        .char_indices()
        .nth(4 * max)
        .map_or(text, |(end, _)| &text[..end]);
    let line = line(beginning);
    if line.chars().count() <= max && beginning.len() == text.len() {
        return line.into_owned();
    }
    let kept: String = line.chars().take(max - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Writes several lines of which every character is seen.
#[must_use]
pub fn lines(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Writes as JSON does each character that acts, but for those that are to: nothing is lost, and
/// JSON stays the same JSON.
#[must_use]
pub fn escaped<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    use std::fmt::Write as _;

    let acts = |c: char| acts(c) && !kept.contains(&c);
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .fold(String::with_capacity(text.len() + 8), |mut escaped, c| {
                if acts(c) {
                    let _ = write!(escaped, "\\u{:04x}", u32::from(c));
                } else {
                    escaped.push(c);
                }
                escaped
            }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_sees_is_said_to_be_none() {
        for c in [
            '\u{34f}',
            '\u{180e}',
            '\u{200b}',
            '\u{206a}',
            '\u{3164}',
            '\u{fe00}',
            '\u{e0041}',
        ] {
            assert_eq!(name(&c.to_string().repeat(3)), NAMELESS, "{c:?}");
        }
    }

    #[test]
    fn nothing_in_a_name_acts() {
        assert_eq!(
            name("Acme\r\nBcc: eve@evil.example"),
            "Acme Bcc: eve@evil.example"
        );
        assert_eq!(
            name("\u{1b}[2K\u{9b}1A\u{7}Acme\u{202e}dekcah\u{2069}"),
            "[2K 1A Acmedekcah"
        );
        assert_eq!(name("a\u{2028}b\u{85}c\u{0}d"), "a b c d");
        for nothing in [
            "",
            " \t",
            "\u{202e}\u{200f}",
            "\r\n",
            "\u{200b}",
            "\u{3164}",
            "\u{2800} \u{feff}",
        ] {
            assert_eq!(name(nothing), NAMELESS, "{nothing:?}");
        }
    }

    #[test]
    fn a_name_that_people_have_stays_as_it_is() {
        for own in [
            "Zoë O’Brien",
            "日本 株式会社",
            "עברית",
            "👩\u{200d}👩\u{200d}👧 Labs",
            "<b>",
            &"x".repeat(NAME_MAX),
        ] {
            assert_eq!(name(own), own);
        }
    }

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        for long in [
            "x".repeat(NAME_MAX + 1),
            "日".repeat(10_000),
            " ".repeat(900) + "x",
            "\u{301}".repeat(1 << 20),
        ] {
            let shown = name(&long);
            assert!(shown.chars().count() <= NAME_MAX, "{shown}");
            assert!(shown.ends_with('…'), "{shown}");
        }
    }

    #[test]
    fn lines_that_are_ours_stay_lines() {
        assert_eq!(
            lines("Hello Jun,\n\u{202e}Acme\r asks\n\nBye"),
            "Hello Jun,\nAcme asks\n\nBye"
        );
    }

    #[test]
    fn json_means_the_same_after_it_was_made_fit_for_a_terminal() {
        let value = serde_json::json!({ "name": "a\u{9b}2J\u{202e}b\u{1b}c\n" });
        let shown = escaped(&value.to_string(), &[]).into_owned();
        assert_eq!(escaped("a\nb\u{1b}", &['\n']), "a\nb\\u001b");
        assert!(
            !shown.contains(acts) && shown.contains("\\u009b2J\\u202e"),
            "{shown}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }
}
