//! The rules for a new password, which must not be what guessing begins with.

use std::collections::HashSet;
use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::field::FieldError;

/// The least number of characters.
const MIN_LENGTH: usize = 12;
/// The greatest number of bytes; more would only make hashing an attack.
pub const MAX_BYTES: usize = 1024;
/// The number of characters that must be left of a password without the names of whose it is.
const OWN_LEFT: usize = 8;
/// The length from which a name counts: shorter ones are in everything.
const NAME_MIN: usize = 4;

/// The number of different characters that is too few.
const FEW: usize = 4;
const LONG: [&str; 6] = [
    "administrator",
    "administrador",
    "administrateur",
    "superadministrator",
    "changemenow",
    "correcthorsebatterystaple",
];

/// The passwords that people use most; `common.origin.txt` says where from.
const COMMON: &[u8] = include_bytes!("common.txt.gz");

/// The fault of a prepared password for somebody who is known by these names: e-mail address,
/// organisation.
pub fn fault(password: &str, names: &[&str]) -> Option<FieldError> {
    if password.chars().count() < MIN_LENGTH {
        Some(FieldError::PasswordTooShort)
    } else if password.len() > MAX_BYTES {
        Some(FieldError::PasswordTooLong)
    } else if is_own(password, names) {
        Some(FieldError::PasswordOwn)
    } else if is_guessed_first(password) || is_guessed_first(&joined(password)) {
        Some(FieldError::PasswordCommon)
    } else {
        None
    }
}

fn is_guessed_first(password: &str) -> bool {
    is_repetition(password) || is_along_the_keys(password) || is_common(password)
}

/// Leaves out what stands between words: "correct horse battery staple", "p-a-s-s-w-o-r-d".
fn joined(password: &str) -> String {
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '.' | '–' | '—');
    password.chars().filter(|c| !between(*c)).collect()
}

/// The same something over and over: "abcabcabcabc", or hardly anything: "aaaaaaaaaaab".
fn is_repetition(password: &str) -> bool {
    let chars: Vec<char> = password.to_lowercase().chars().collect();
    if chars.iter().collect::<HashSet<_>>().len() <= FEW {
        return true;
    }
    (1..=chars.len() / 2).any(|period| {
        chars
            .iter()
            .zip(&chars[period..])
            .all(|(one, other)| one == other)
    })
}

/// Says whether a password follows the keys as fingers walk: "123456789012", "qwertyuiopasdf".
fn is_along_the_keys(password: &str) -> bool {
    const ROWS: [&str; 6] = [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertzuiop",
    ];
    let chars: Vec<char> = password.to_lowercase().chars().collect();
    let beside = |one: char, other: char| {
        let there = |row: &&str| {
            row.contains(&format!("{one}{other}")) || row.contains(&format!("{other}{one}"))
        };
        ROWS.iter().any(there)
    };
    let steps = chars
        .windows(2)
        .filter(|two| beside(two[0], two[1]))
        .count();
    // From one row to the next the hand is lifted.
    steps * 5 >= (chars.len() - 1) * 4
}

/// A common password, or one with digits and signs around it, which is what guessing tries next:
/// "Password2024!".
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let letters = lower.trim_matches(|c: char| !c.is_alphabetic());
    let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
    // Guessing knows these long ones, too.
    LONG.contains(&letters)
        || common()
            .lines()
            .any(|common| common == lower || common == bare || common == letters)
}

fn common() -> String {
    let mut all = String::new();
    // It is a part of this program; a test reads it.
    let _ = GzDecoder::new(COMMON).read_to_string(&mut all);
    all
}

/// A name with little else: "northwind labs 2024".
fn is_own(password: &str, names: &[&str]) -> bool {
    let mut parts: Vec<String> = names
        .iter()
        .flat_map(|name| [*name, name.split('@').next().unwrap_or(name)])
        .map(squeezed)
        .collect();
    parts.retain(|name| name.chars().count() >= NAME_MIN);
    parts.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let password = squeezed(password);
    let left = parts
        .iter()
        .fold(password.clone(), |left, name| left.replace(name, ""));
    left != password && left.chars().count() < OWN_LEFT
}

/// Letters and digits alone.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["priya.raman@northwind.dev", "Northwind Labs"];

    fn fault_of(password: &str) -> Option<FieldError> {
        fault(password, &NAMES)
    }

    #[test]
    fn the_list_is_whole() {
        assert_eq!(common().lines().count(), 30_000);
        assert!(
            common().lines().all(|line| line == line.to_lowercase()),
            "or some would never be found"
        );
    }

    #[test]
    fn what_guessing_begins_with_is_refused() {
        for common in [
            "justinbieber",
            "JustinBieber",
            "1qaz2wsx3edc4rfv",
            "Password2024!",
            "!!sunshine!!!",
            "aaaaaaaaaaaa",
            "aaaaaaaaaaab",
            "123456789012",
            "1234567890123456",
            "098765432109",
            "abcdefghijkl",
            "qwertyuiopasdf",
            "Administrator1",
            "123456789!!!",
            "123456123456",
            "abcabcabcabca",
            "correct horse battery staple",
            "Correct-Horse-Battery-Staple!",
            "password 1234",
            "p.a.s.s.w.o.r.d",
            "justin - bieber",
            "1234 5678 9012",
            "- _ . - _ . –",
        ] {
            assert_eq!(
                fault_of(common),
                Some(FieldError::PasswordCommon),
                "{common}"
            );
        }
    }

    #[test]
    fn one_s_own_names_are_refused() {
        for own in [
            "priya.raman@northwind.dev",
            "PriyaRaman2024",
            "northwindlabs",
            "Northwind-Labs-2024",
            "Priya.Raman Northwind Labs",
        ] {
            assert_eq!(fault_of(own), Some(FieldError::PasswordOwn), "{own}");
        }
        assert_eq!(
            fault("northwind labs", &["a@b.c", "Lab"]),
            None,
            "names of others, and short ones"
        );
    }

    #[test]
    fn a_sentence_and_what_a_generator_makes_are_fine() {
        for good in [
            "correct horse battery",
            "!@#$%^&*()+=a-b",
            "four lamps at northwind labs",
            "8317 5520 9641",
            "kX9#vQ2!mW7z",
            "日本語の長いパスワードです",
        ] {
            assert_eq!(fault_of(good), None, "{good}");
        }
    }

    #[test]
    fn a_length_is_in_characters_and_at_most_so_many_bytes() {
        assert_eq!(
            fault_of("日本語の長いパスワ"),
            Some(FieldError::PasswordTooShort)
        );
        assert_eq!(
            fault_of(&"Zö7".repeat(500)),
            Some(FieldError::PasswordTooLong)
        );
    }
}
