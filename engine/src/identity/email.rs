//! E-mail addresses: of all the ways to type one, the one that is stored and compared.

use unicode_normalization::UnicodeNormalization as _;

use crate::text::{EMAIL_MAX, acts, unseen};

/// An e-mail address in the one spelling that is stored, if it can be one at all: the rest only a
/// mail can prove. Browsers send the domain in ASCII (`xn--…`), people type it in letters, and an é
/// may be one character or two.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    let text: String = text.trim().nfc().collect();
    let (local, domain) = text.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    let email = format!("{}@{domain}", local.to_lowercase());
    let fits = !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && email.len() <= EMAIL_MAX
        // One that nobody sees apart from another is nobody's.
        && !email.chars().any(|c| unseen(c) || acts(c));
    // Lower case may come apart again.
    fits.then(|| email.nfc().collect())
}

/// The spellings under which the account that somebody means may be found, the likelier last: older
/// versions stored what was typed in lower case.
pub fn spellings(text: &str) -> impl Iterator<Item = String> {
    let (as_typed, email) = (text.trim().to_lowercase(), email(text));
    let older = Some(as_typed).filter(|typed| Some(typed) != email.as_ref());
    older.into_iter().chain(email)
}

/// [`email`], or what is nearest to it: for addresses that Linear knows.
#[must_use]
pub(crate) fn spelled(text: &str) -> String {
    email(text).unwrap_or_else(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_compared_in_one_spelling() {
        assert_eq!(
            email(" Priya@Northwind.DEV "),
            Some("priya@northwind.dev".to_owned())
        );
        for bad in [
            "",
            "priya",
            "@x",
            "x@",
            "a b@c.d",
            "a@b.",
            "a@.b",
            "a\0@b.c",
            "a\u{200b}@b.c",
            "a\u{202e}@b.c",
            "a\u{ad}@b.c",
            "a\u{3164}@b.c",
            "a\u{e0041}@b.c",
            "a@xn--a.example",
        ] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn however_letters_are_typed_it_is_one_address() {
        for (typed, one) in [
            ("asa@exämple.example", "asa@xn--exmple-cua.example"),
            ("asa@exa\u{308}mple.example", "asa@xn--exmple-cua.example"),
            ("asa@EXÄMPLE.example", "asa@xn--exmple-cua.example"),
            ("asa@xn--exmple-cua.EXAMPLE", "asa@xn--exmple-cua.example"),
            ("asa@exämple。example", "asa@xn--exmple-cua.example"),
            ("zoe\u{308}@example.com", "zo\u{eb}@example.com"),
            ("ZO\u{cb}@example.com", "zo\u{eb}@example.com"),
        ] {
            assert_eq!(email(typed).as_deref(), Some(one), "{typed}");
            assert_eq!(
                email(one).as_deref(),
                Some(one),
                "spelled anew it stays what it is"
            );
        }
    }

    #[test]
    fn an_older_spelling_is_looked_for_where_there_may_be_one() {
        let of = |text| spellings(text).collect::<Vec<_>>();
        assert_eq!(
            of(" Asa@Example.com "),
            ["asa@example.com"],
            "most have one"
        );
        assert_eq!(
            of("asa@exämple.example"),
            ["asa@exämple.example", "asa@xn--exmple-cua.example"]
        );
        assert_eq!(of("nobody"), ["nobody"]);
    }
}
