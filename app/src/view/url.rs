//! Text in addresses.

use std::fmt::Write as _;

/// Percent-encodes what is not unreserved (RFC 3986) and no slash.
pub fn url_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
