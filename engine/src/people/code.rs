//! Link codes: 80 bits in 16 characters that people can read to each other.

use secrecy::{ExposeSecret as _, SecretString};

use crate::digest::sha256_hex;
use crate::entropy::Entropy;

/// Crockford's base32: no I, L, O or U, which are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 16;
/// Characters between dashes.
const GROUP: usize = 4;
/// Nothing that anybody means as a code is longer, however it is spaced.
const TYPED_MAX: usize = 100;

/// A code in the one spelling that is hashed: 16 characters of the alphabet.
#[derive(Clone, Debug)]
pub struct LinkCode(SecretString);

impl LinkCode {
    #[must_use]
    pub fn new(entropy: &Entropy) -> LinkCode {
        let bits = entropy.bytes::<10>().iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let letter = |place: usize| char::from(ALPHABET[(bits >> (5 * place)) as usize % 32]);
        LinkCode((0..LENGTH).rev().map(letter).collect::<String>().into())
    }

    /// A code as somebody typed or pasted it. Case, spaces and dashes do not matter, and letters that the alphabet lacks stand
    /// for the digits that they look like.
    #[must_use]
    pub fn read(typed: &str) -> Option<LinkCode> {
        if typed.len() > TYPED_MAX {
            return None;
        }
        let meant = typed.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
        let code: String = meant.collect();
        let fits = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| LinkCode(code.into()))
    }

    /// "7K3D-M9QX-2VBT-H4ZC"
    #[must_use]
    pub fn grouped(&self) -> SecretString {
        let code = self.0.expose_secret().as_bytes();
        let groups: Vec<&str> = code.chunks(GROUP).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        groups.join("-").into()
    }

    /// What stands in the database in its place.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256_hex(self.0.expose_secret().as_bytes())
    }
}

/// Word processors and chats make other dashes of the one that was typed.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{feff}' | '\u{200b}'..='\u{200d}')
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
            assert_eq!((shown.len(), shown.matches('-').count()), (19, 3), "{shown}");
            assert_eq!(LinkCode::read(&shown).unwrap().hash(), code.hash());
        }
    }

    #[test]
    fn all_80_bits_are_used() {
        let zero = LinkCode::new(&Entropy::new(|slice| slice.fill(0)));
        let ones = LinkCode::new(&Entropy::new(|slice| slice.fill(0xff)));
        assert_eq!((grouped(&zero).as_str(), grouped(&ones).as_str()), ("0000-0000-0000-0000", "ZZZZ-ZZZZ-ZZZZ-ZZZZ"));
        let first = LinkCode::new(&Entropy::new(|slice| {
            slice.fill(0);
            slice[0] = 0b1000_0000;
        }));
        assert_eq!(grouped(&first), "G000-0000-0000-0000");
    }

    #[test]
    fn what_cannot_be_mistaken_is_forgiven() {
        let hash = |typed: &str| LinkCode::read(typed).map(|code| code.hash());
        let right = hash("7K3D-M9QX-2VBT-H401").unwrap();
        for typed in
            ["7k3dm9qx2vbth401", " 7K3D M9QX 2VBT H401\n", "7k3d–m9qx—2vbt−h4oi", "7K3D_M9QX_2VBT_H4OL", "7K3D\u{200b}M9QX2VBTH4Ol"]
        {
            assert_eq!(hash(typed).as_ref(), Some(&right), "{typed:?}");
        }
        for typed in ["", "7K3D-M9QX-2VBT-H40", "7K3D-M9QX-2VBT-H4011", "7K3D-M9QX-2VBT-H40U", "7K3D-M9QX-2VBT-H40é", &"-".repeat(101)] {
            assert_eq!(hash(typed), None, "{typed:?}");
        }
    }
}
