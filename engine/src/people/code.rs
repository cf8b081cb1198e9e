//! Link codes: 80 bits in 16 characters that people can read to each other.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};

use crate::digest::sha256_hex;
use crate::entropy::Entropy;

/// Crockford's base32: no I, L, O or U, which are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 16;
/// Characters between dashes.
const GROUP: usize = 4;
/// Bytes of what is typed or pasted: the whole message that a code came with, and more.
pub const TYPED_MAX: usize = 2_000;

/// A code in the one spelling that is hashed: 16 characters of the alphabet.
#[derive(Clone, Debug)]
pub struct LinkCode(SecretString);

impl LinkCode {
    #[must_use]
    pub fn new(entropy: &Entropy) -> LinkCode {
        let bits = entropy
            .bytes::<10>()
            .iter()
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let letter = |place: usize| char::from(ALPHABET[(bits >> (5 * place)) as usize % 32]);
        LinkCode((0..LENGTH).rev().map(letter).collect::<String>().into())
    }

    /// A code as somebody typed or pasted it, alone or in what it came with. Case, spaces, dashes
    /// and what stands around it do not matter, and letters that the alphabet lacks stand for the
    /// digits that they look like.
    #[must_use]
    pub fn read(typed: &str) -> Option<LinkCode> {
        if typed.len() > TYPED_MAX {
            return None;
        }
        let text: Vec<char> = typed
            .replace("%23", "#")
            .chars()
            .map(narrow)
            .filter(|c| !is_nothing(*c))
            .collect();
        let alone = || {
            LinkCode::spelled(
                text.iter()
                    .copied()
                    .filter(|c| !c.is_whitespace() && !is_dash(*c) && !is_around(*c)),
            )
        };
        alone()
            .or_else(|| LinkCode::within(&text, is_dash))
            .or_else(|| LinkCode::within(&text, |c| is_dash(c) || c.is_whitespace()))
    }

    fn spelled(letters: impl Iterator<Item = char>) -> Option<LinkCode> {
        let code: String = letters.take(LENGTH + 1).map(meant).collect();
        let fits = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| LinkCode(code.into()))
    }

    /// The first run of letters that holds a code, with nothing but these between its groups.
    fn within(text: &[char], between: impl Fn(char) -> bool) -> Option<LinkCode> {
        let is_part = |c: char| c.is_alphanumeric() || between(c);
        let runs = text
            .split(|c| !is_part(*c))
            .filter(|run| run.iter().any(char::is_ascii_digit));
        runs.filter_map(|run| LinkCode::grouped_in(run, &between))
            .next()
    }

    /// All in one word, or in four words of four letters. Other such words may stand beside them: a
    /// code holds digits, the more the likelier, and is written in capitals or in small letters.
    fn grouped_in(run: &[char], between: impl Fn(char) -> bool) -> Option<LinkCode> {
        let words: Vec<&[char]> = run
            .split(|c| between(*c))
            .filter(|word| !word.is_empty())
            .collect();
        let whole = words
            .iter()
            .find_map(|word| LinkCode::spelled(word.iter().copied()));
        let groups = || {
            let fours = words
                .windows(LENGTH / GROUP)
                .filter(|four| four.iter().all(|word| word.len() == GROUP));
            let fours = fours
                .map(<[&[char]]>::concat)
                .filter(|four| digits(four) > 0 && is_of_one_case(four));
            let codes = fours
                .filter_map(|four| Some((digits(&four), LinkCode::spelled(four.into_iter())?)));
            codes
                .reduce(|best, other| if other.0 > best.0 { other } else { best })
                .map(|(_, code)| code)
        };
        whole.or_else(groups)
    }

    /// "7K3D-M9QX-2VBT-H4ZC"
    #[must_use]
    pub fn grouped(&self) -> SecretString {
        let code = self.0.expose_secret().as_bytes();
        let groups: Vec<&str> = code
            .chunks(GROUP)
            .filter_map(|group| std::str::from_utf8(group).ok())
            .collect();
        groups.join("-").into()
    }

    /// The digest that stands in the database in its place.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(self.0.expose_secret().as_bytes())
    }
}

/// Finds the code behind `/link` in a path: mail filters write the `#` of a link as `%23`, some of
/// them twice, and people read it as a `/`.
#[must_use]
pub fn code_in_path(path: &str) -> Option<String> {
    let path = decoded(path);
    let (link, rest) = path.trim_start_matches('/').split_at_checked(4)?;
    let may_hold_one =
        link.eq_ignore_ascii_case("link") && rest.starts_with(|c: char| !c.is_alphanumeric());
    may_hold_one.then(|| rest.to_owned())
}

/// Whether a path may hold a code anywhere: people leave out the `/link` of a link, or write
/// something else there. What is longer than anybody's code and its message is not looked into.
#[must_use]
pub fn may_hold_code(path: &str) -> bool {
    let path = decoded(path);
    let begins_with_link = path
        .trim_start_matches('/')
        .split_at_checked(4)
        .is_some_and(|(link, rest)| link.eq_ignore_ascii_case("link") && !rest.is_empty());
    begins_with_link || path.len() > TYPED_MAX || LinkCode::read(&path).is_some()
}

fn decoded(path: &str) -> String {
    let once = percent_decode_str(path).decode_utf8_lossy();
    percent_decode_str(&once).decode_utf8_lossy().into_owned()
}

fn digits(letters: &[char]) -> usize {
    letters.iter().filter(|c| c.is_ascii_digit()).count()
}

fn is_of_one_case(letters: &[char]) -> bool {
    !(letters.iter().any(|c| c.is_lowercase()) && letters.iter().any(|c| c.is_uppercase()))
}

/// The letter that is meant where it is taken for another one.
fn meant(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// Keyboards for Chinese and Japanese have letters, digits and signs in another width.
fn narrow(c: char) -> char {
    let ascii = u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32);
    ascii
        .filter(|_| ('\u{FF01}'..='\u{FF5E}').contains(&c))
        .unwrap_or(c)
}

/// Says whether it is a dash: word processors and chats make others of the one that was typed.
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FF70}'
    )
}

/// A character that is not seen.
fn is_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{FEFF}' | '\u{2060}' | '\u{200B}'..='\u{200F}'
    ) || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Signs that a sentence, a chat or a mail puts around a word.
fn is_around(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(
            c,
            '\u{2018}'..='\u{201F}' | '«' | '»' | '‹' | '›' | '…' | '。' | '、' | '「' | '」'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(code: &LinkCode) -> String {
        code.grouped().expose_secret().to_owned()
    }

    #[test]
    fn a_code_is_read_as_it_is_shown() {
        for seed in 0..200 {
            let code = LinkCode::new(&Entropy::seeded(seed));
            let shown = grouped(&code);
            assert_eq!(
                (shown.len(), shown.matches('-').count()),
                (19, 3),
                "{shown}"
            );
            assert_eq!(LinkCode::read(&shown).unwrap().hash(), code.hash());
        }
    }

    #[test]
    fn all_80_bits_are_used() {
        let zero = LinkCode::new(&Entropy::new(|slice| slice.fill(0)));
        let ones = LinkCode::new(&Entropy::new(|slice| slice.fill(0xff)));
        assert_eq!(
            (grouped(&zero).as_str(), grouped(&ones).as_str()),
            ("0000-0000-0000-0000", "ZZZZ-ZZZZ-ZZZZ-ZZZZ")
        );
        let first = LinkCode::new(&Entropy::new(|slice| {
            slice.fill(0);
            slice[0] = 0b1000_0000;
        }));
        assert_eq!(grouped(&first), "G000-0000-0000-0000");
    }

    #[test]
    fn a_code_in_a_path_is_found() {
        for path in [
            "/link/CODE",
            "/link%23CODE",
            "/link%2523CODE",
            "/LINK#CODE",
            "//link%2fCODE",
            "/%6cink%20CODE",
        ] {
            assert!(
                code_in_path(path).is_some_and(|rest| rest.contains("CODE")),
                "{path}"
            );
        }
        for path in [
            "/link",
            "/linked/CODE",
            "/",
            "/team",
            "/%FF%FF%FF",
            "/lin\u{1F517}",
        ] {
            assert_eq!(code_in_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_code_anywhere_in_a_path_is_no_path_to_tell() {
        for path in [
            "/7K3D-M9QX-2VBT-H401",
            "/7k3dm9qx2vbth401/",
            "/link7K3DM9QX2VBTH401",
            "/linked",
            "/LINK%23",
            "/%237K3D-M9QX-2VBT-H401",
            "/team%25237K3DM9QX2VBTH401",
            "/integrations/7K3D-M9QX-2VBT-H401",
            &format!("/{}", "x".repeat(TYPED_MAX)),
        ] {
            assert!(may_hold_code(path), "{path}");
        }
        for path in [
            "/",
            "/link",
            "/lin\u{1F517}",
            "/integrations/9b2f6c1e-4d3a-4f7b-8c2d-1234567890ab",
            "/api/v1/connections/00000000-1111-4222-8333-444444444444/token",
            "/oauth/linear/callback",
            "/settings/keys/new",
            "/webhooks/linear",
            "/.well-known/appspecific/com.chrome.devtools.json",
        ] {
            assert!(!may_hold_code(path), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_mistaken_is_forgiven() {
        let hash = |typed: &str| LinkCode::read(typed).map(|code| code.hash());
        let right = hash("7K3D-M9QX-2VBT-H401").unwrap();
        for typed in [
            "7k3dm9qx2vbth401",
            " 7K3D M9QX 2VBT H401\n",
            "7k3d–m9qx—2vbt−h4oi",
            "7K3D_M9QX_2VBT_H4OL",
            "7K3D\u{200b}M9QX2VBTH4Ol",
        ] {
            assert_eq!(hash(typed).as_ref(), Some(&right), "{typed:?}");
        }
        for typed in [
            "7K3D-M9QX-2VBT-H401.",
            "“7K3D-M9QX-2VBT-H401”",
            "`7k3d-m9qx-2vbt-h401`,",
            "7K3D.M9QX.2VBT.H401",
            "７Ｋ３Ｄ－Ｍ９ＱＸ－２ＶＢＴ－Ｈ４０１。",
            "https://relink.example/link#7K3D-M9QX-2VBT-H401",
            "https://relink.example/link%237K3D-M9QX-2VBT-H401",
            "Open this link with your code 7K3D M9QX 2VBT H401, it says. Then wait.",
            "The code is 7k3dm9qx2vbth401 (once).",
            "Hello Jun,\nPriya asks who you are:\nhttps://r.example/link#7K3D-M9QX-2VBT-H401\nIt \
                works once, until 19 Nov 14:02 UTC. If it does \
                not open, go to https://r.example/link and enter 7K3D-M9QX-2VBT-H401",
        ] {
            assert_eq!(hash(typed).as_ref(), Some(&right), "{typed:?}");
        }
        for typed in [
            "",
            "7K3D-M9QX-2VBT-H40",
            "7K3D-M9QX-2VBT-H4011",
            "7K3D-M9QX-2VBT-H40U",
            "7K3D-M9QX-2VBT-H40é",
            "Then open this link with your own code here",
            &"-".repeat(101),
            &format!("{}7K3D-M9QX-2VBT-H401", " ".repeat(TYPED_MAX)),
        ] {
            assert_eq!(hash(typed), None, "{typed:?}");
        }
    }
}
