//! The people here: organisations, roles, and the person behind a request.

mod email;

use serde::{Deserialize, Serialize};
use sqlx_macros::FromRow;

pub(crate) use email::spelled;
pub use email::{email, spellings};

use crate::clock::Millis;
use crate::names::named;
use crate::store::AuditActor;
use crate::text::{NAME_MAX, unseen};

#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Organisation {
    pub id: String,
    pub slug: String,
    pub name: String,
}

named! {
    /// The part of somebody in an organisation, which says what they may do. The least comes first.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    pub enum Role {
        Member = "member",
        Admin = "admin",
        Owner = "owner",
    }
}

named! {
    /// The proof that an account's e-mail is its holder's.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum EmailProof {
        /// The first owner of this instance: nobody is above them.
        Founder = "founder",
        /// Whoever may run commands said so.
        Operator = "operator",
        /// They entered a code that was sent there and shown to nobody else.
        Mail = "mail",
        /// Linear named them with this e-mail.
        Linear = "linear",
    }
}

impl Role {
    /// Says whether they may manage members, keys and settings, and read the audit trail.
    #[must_use]
    pub fn owns(self) -> bool {
        self == Role::Owner
    }

    /// Says whether they may connect, reconnect and disconnect, invite, and manage secrets and
    /// destinations.
    #[must_use]
    pub fn manages(self) -> bool {
        self >= Role::Admin
    }
}

impl EmailProof {
    /// Names it for the audit trail.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            EmailProof::Founder => "as the first owner",
            EmailProof::Operator => "by command",
            EmailProof::Mail => "by a code sent there",
            EmailProof::Linear => "at Linear",
        }
    }
}

/// The answer to whether a member's account belongs to whom its e-mail names. A link code makes an
/// account for whoever holds the code, and whoever made the code may have kept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    Proved,
    /// An owner of this organisation answers for an account that nobody proved, which counts
    /// here and nowhere else.
    Vouched,
    Unproved,
}

impl Standing {
    pub(crate) fn of(email_proof: Option<&str>, vouched_at: Option<Millis>) -> Standing {
        match (email_proof, vouched_at) {
            (Some(_), _) => Standing::Proved,
            (None, Some(_)) => Standing::Vouched,
            (None, None) => Standing::Unproved,
        }
    }

    /// Says whether they may be given a role above member.
    #[must_use]
    pub fn may_rise(self) -> bool {
        self != Standing::Unproved
    }
}

/// The sentence that is shown first to whoever answers for an account.
#[must_use]
pub fn never_proved(email: &str) -> String {
    format!(
        "Nobody proved that {email} is theirs. A link code made the account, and somebody else may \
            have used it."
    )
}

/// A member of an organisation, loaded anew for every request: a role taken away is gone at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub user_id: String,
    pub email: String,
    pub name: String,
    pub organisation_id: String,
    pub organisation: String,
    pub role: Role,
    pub standing: Standing,
    /// The address that the request came from; empty for commands.
    pub address: String,
}

impl Person {
    /// See [`Role::owns`].
    #[must_use]
    pub fn owns(&self) -> bool {
        self.role.owns()
    }

    /// See [`Role::manages`].
    #[must_use]
    pub fn manages(&self) -> bool {
        self.role.manages()
    }
}

/// A member to be, with ids for whatever of it is new.
#[derive(Clone, Debug)]
pub struct NewMember {
    pub organisation_id: String,
    pub organisation_slug: String,
    pub organisation_name: String,
    pub user_id: String,
    /// The e-mail in the one spelling that is stored.
    pub email: String,
    pub name: String,
    /// Absent for an account that is there, whose name and password stay.
    pub password_hash: Option<String>,
    pub role: Role,
    /// The one who adds them.
    pub actor: AuditActor,
    pub now: Millis,
}

/// A slug made from an organisation's name: "Northwind Labs" becomes "northwind-labs".
#[must_use]
pub fn slug_from(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_MAX);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "organisation".to_owned()
    } else {
        slug.to_owned()
    }
}

/// Whether `text` can be an organisation's slug: 1 to 40 of a-z, 0-9 and dashes inside.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    (1..=SLUG_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

const SLUG_MAX: usize = 40;

/// A name that people typed: trimmed, 1 to 100 characters of which one can be seen, nothing
/// unprintable, and nothing that turns the direction of the text around it (Unicode's UAX #9 calls
/// these explicit formatting characters).
#[must_use]
pub fn display_name(text: &str) -> Option<String> {
    let text = text.trim();
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let fits = (1..=NAME_MAX).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_control() || turns(c))
        && !text.chars().all(unseen);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_seen_and_turns_nothing_around() {
        for good in [" Zoë ", "日本", "עברית", "👩‍👩‍👧 Labs"] {
            assert_eq!(display_name(good).as_deref(), Some(good.trim()));
        }
        for bad in [
            "",
            " \u{200B}\u{FEFF} ",
            "\u{202E}yadot",
            "a\u{2067}b",
            "a\nb",
            &"x".repeat(101),
        ] {
            assert_eq!(display_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn slugs_come_from_names() {
        assert_eq!(slug_from("Northwind Labs"), "northwind-labs");
        assert_eq!(slug_from("  Ünï & Co.  "), "n-co");
        assert_eq!(slug_from("日本"), "organisation");
        for name in ["Northwind Labs", "日本", &"x".repeat(99)] {
            assert!(is_slug(&slug_from(name)), "{name}");
        }
        assert!(!is_slug("A") && !is_slug("") && !is_slug("-a") && !is_slug("a-"));
    }
}
