//! The links between members and their Linear people. An admin says which Linear person somebody
//! is, and whoever holds the code agrees or not: neither half alone links anybody. Linear's own
//! word is better than both.

mod code;
mod invites;
mod mailed;
mod members;
mod message;
mod proof;
mod proved;
mod redeem;
mod repeated_proof;

pub use code::{LinkCode, code_in_path, may_hold_code};
pub use invites::{
    Invite, InviteDraft, InviteError, Invited, Invites, Mailed, Outcome, VALID_DEFAULT, VALID_MAX,
    VALID_MIN,
};
pub use mailed::EmailCodeError;
pub use members::{Link, MemberError, Members, TeamMember};
pub use message::Handover;
pub use proved::{Proof, ProofBeginError, ProofEnd, ProofError, Told};
pub use redeem::{CodeError, ConfirmError, Confirmed, Guesser, Guesses, Preview};

use crate::identity::{self, Person, Standing};
use crate::store::AuditActor;

pub use crate::store::LinkedMember;

impl Person {
    /// Whether their word alone does for who they are in Linear: an owner's, or that of somebody
    /// whose e-mail there is the proved one here. Everybody else could be anybody.
    #[must_use]
    pub fn may_say_alone_who_they_are(&self, linear_email: &str) -> bool {
        let same = identity::email(linear_email).is_some_and(|email| email == self.email);
        self.owns() || (same && self.standing != Standing::Unproved)
    }

    /// Names them as the audit trail does.
    pub(crate) fn actor(&self) -> AuditActor {
        AuditActor {
            user_id: Some(self.user_id.clone()),
            who: self.email.clone(),
            address: self.address.clone(),
        }
    }
}
