//! Who is who in Linear. An admin says which Linear person somebody is, and whoever holds the code agrees or not: neither
//! half alone links anybody.

mod code;
mod invites;
mod members;
mod message;
mod redeem;

pub use code::{LinkCode, code_in_path};
pub use invites::{Invite, InviteDraft, InviteError, Invited, Mailed, Outcome, VALID_DEFAULT, VALID_MAX, VALID_MIN};
pub use members::{Link, MemberError, TeamMember};
pub use message::Handover;
pub use redeem::{CodeError, ConfirmError, Confirmed, Guesser, Guesses, Preview};

use crate::Engine;
use crate::account::Person;
use crate::store::{Act, Actor};

impl Person {
    /// As the audit trail names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor { user_id: Some(self.user_id.clone()), who: self.email.clone(), address: self.address.clone() }
    }
}

impl Engine {
    /// Something that is done now.
    pub(crate) fn act(&self, organisation: &str, actor: Actor, act: &'static str, subject: String) -> Act {
        Act { organisation_id: organisation.to_owned(), actor, act, subject, at: self.now() }
    }
}
