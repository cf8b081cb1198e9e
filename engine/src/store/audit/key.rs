//! The key of the audit trail: without it no line and no end of a trail can be made up.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::{AuditEntry, AuditHead};
use crate::digest::hex;

/// Kinds of what is signed: a line is never taken for an end.
const LINE: &str = "line";
const HEAD: &str = "head";
/// Takes the place of the line before where that one is not known: no line has this code, so the
/// chain stays broken here.
const CUT: &str = "cut";

#[derive(Clone)]
pub struct AuditKey(Hmac<Sha256>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

impl AuditKey {
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn new(secret: &SecretString) -> AuditKey {
        AuditKey(
            Hmac::new_from_slice(secret.expose_secret().as_bytes())
                .expect("HMAC takes keys of any length"),
        )
    }

    /// The code of a line that comes after one with the code `before`.
    pub(super) fn line(&self, row: &AuditEntry, organisation: &str, before: &str) -> String {
        let mut mac = self.0.clone();
        parts(LINE, row, organisation, before, |bytes| mac.update(bytes));
        hex(&mac.finalize().into_bytes())
    }

    /// The seal of a trail's end.
    pub(in crate::store) fn head(&self, organisation: &str, number: i64, hash: &str) -> String {
        let mut mac = self.0.clone();
        for part in [HEAD, organisation, &number.to_string(), hash] {
            sized(part, |bytes| mac.update(bytes));
        }
        hex(&mac.finalize().into_bytes())
    }

    /// The hash that the next line is written after. `head` was raised for it already. Where
    /// somebody else moved the end of the trail, the new line does not fit to it, or it would vouch
    /// for what was left.
    pub(in crate::store) fn before(&self, head: &AuditHead, organisation: &str) -> String {
        if self.seals(organisation, head.number - 1, head) {
            return head.hash.clone();
        }
        tracing::error!(
            organisation,
            number = head.number,
            "ALARM: the audit trail was changed by somebody else, before this line"
        );
        format!("{CUT} {}", head.hash)
    }

    /// Whether the trail ends with this number, as Relink wrote it.
    pub(super) fn seals(&self, organisation: &str, number: i64, head: &AuditHead) -> bool {
        head.seal == self.head(organisation, number, &head.hash)
    }
}

/// The hash of a line from before the trail had a key.
pub(super) fn plain(row: &AuditEntry, organisation: &str, before: &str) -> String {
    let mut hasher = Sha256::new();
    parts("", row, organisation, before, |bytes| hasher.update(bytes));
    hex(&hasher.finalize())
}

/// Each part comes with its length, so that no two lines have the same text.
fn parts(
    kind: &str,
    row: &AuditEntry,
    organisation: &str,
    before: &str,
    mut put: impl FnMut(&[u8]),
) {
    if !kind.is_empty() {
        sized(kind, &mut put);
    }
    let (number, at) = (row.number.to_string(), row.at.to_string());
    let user = row.user_id.as_deref().unwrap_or_default();
    for part in [
        before,
        organisation,
        &number,
        &at,
        user,
        &row.who,
        &row.act,
        &row.subject,
        &row.address,
    ] {
        sized(part, &mut put);
    }
}

fn sized(part: &str, mut put: impl FnMut(&[u8])) {
    put(&(part.len() as u64).to_be_bytes());
    put(part.as_bytes());
}
