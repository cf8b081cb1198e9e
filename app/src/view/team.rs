//! The team: who is who in Linear, and the link codes that wait for an answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Choice, Freshness, Moment, Notice};
use crate::view::Failure;

/// The hours that a link code can be good, and how the form calls them.
pub const CODE_HOURS: [(&str, &str); 3] = [("1", "1 hour"), ("24", "24 hours"), ("168", "7 days")];

/// The number of people who can be invited at a time.
pub const INVITED_AT_ONCE: usize = 20;

/// The page `/team`.
#[derive(Clone, Debug)]
pub struct TeamPageView {
    /// The members by name.
    pub members: Vec<MemberView>,
    /// `None` for those who do not manage.
    pub inviting: Option<InvitingView>,
    /// The codes that were just made, or that there is none to show any more.
    pub new_code: Option<NewCodeView>,
    pub you: YouView,
    pub notice: Option<Notice>,
    pub manages: bool,
    pub as_of: Freshness,
}

/// The things that whoever looks at the page can do so that others know who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct YouView {
    pub email: String,
    /// A doubt, where nobody proved that their e-mail is theirs.
    pub doubt: Option<DoubtView>,
    /// Whether a code that was mailed waits to be entered; `None` without a mail server.
    pub code_waits: Option<bool>,
    /// Workspaces where Linear can say who they are.
    pub workspaces: Vec<SelfView>,
}

/// A doubt: nobody proved that an account's e-mail is its holder's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubtView {
    /// The sentence that is shown to whoever answers for it.
    pub sentence: String,
    /// An owner did.
    pub vouched: bool,
}

/// The invitations that those who manage see beside the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitingView {
    /// Connections whose people can be asked for.
    pub workspaces: Vec<Choice>,
    /// The suggestions for the person's field: "Elif Demir, elif@acme.example (guest)".
    pub people: Vec<String>,
    /// The people who can be invited together with others, by workspace.
    pub pickable: Vec<PickGroup>,
    /// There are more people than are suggested.
    pub more_people: bool,
    /// Workspaces whose people Linear does not name right now.
    pub silent: Vec<String>,
    /// Workspaces that need a reconnect before anybody there can be invited.
    pub broken: Vec<String>,
    pub draft: InviteDraft,
    /// The newest first.
    pub waiting: Vec<WaitingCodeView>,
    pub answered: Vec<AnsweredCodeView>,
    /// The people, by connection, whom those may pick whose word alone does for who they are.
    pub selves: Vec<(String, Vec<Choice>)>,
    pub guesses: Option<GuessesView>,
}

/// The people of a workspace who are not linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickGroup {
    pub workspace: String,
    pub people: Vec<Pick>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The value that the form sends: connection, Linear id and name.
    pub value: String,
    pub name: String,
    pub email: String,
    pub guest: bool,
    pub picked: bool,
}

/// The forms for new codes: empty, or as one was sent and refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteDraft {
    /// A connection's id.
    pub workspace: String,
    pub person: String,
    /// Connection and Linear id of everybody who was picked.
    pub picked: Vec<String>,
    /// Hours.
    pub valid: String,
    pub problem: Option<InviteProblem>,
}

/// The reason why no code was made, for the field and for the top of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InviteProblem {
    /// The name or e-mail is that of nobody who is active there.
    #[error(
        "Nobody active in this workspace has that name or e-mail. Pick from the list, or type the \
            e-mail that Linear knows."
    )]
    Nobody,
    #[error("More than one person has this name. Type the e-mail.")]
    Several,
    /// The person is linked to the member with this e-mail.
    #[error("They are linked to {email} already. Unlink that first if it is wrong.")]
    Linked { email: String },
    /// Their word alone does not do: the person has another e-mail in Linear.
    #[error(
        "In Linear {name} has the e-mail {email}, which is not yours here. If they are you, \
            continue with Linear. Nothing was changed."
    )]
    NeedsProof { name: String, email: String },
    #[error("Linear does not answer right now. Nothing was changed. Try again in a minute.")]
    Unreachable,
    #[error(
        "Linear refused this one question, for its rate limit or a missing permission. Nothing \
            was changed."
    )]
    Refused,
    #[error("This workspace needs a reconnect first. Nothing was changed.")]
    Reconnect,
    /// Linear took too long for those before.
    #[error("Linear took too long for those before. Try again in a minute.")]
    Late,
    #[error("Pick at least one person. Nobody was invited.")]
    NobodyPicked,
    /// The people are more than can be invited at a time.
    #[error("{INVITED_AT_ONCE} people at a time. Nobody was invited.")]
    TooMany,
    /// It is Relink that failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl InviteProblem {
    /// Says whether it is about several people at once.
    #[must_use]
    pub fn of_several(&self) -> bool {
        matches!(self, InviteProblem::NobodyPicked | InviteProblem::TooMany)
    }
}

/// A code that can still be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingCodeView {
    pub id: String,
    pub who: PersonLineView,
    pub workspace: String,
    /// `None` if it came by command.
    pub made_by: Option<String>,
    /// The time at which somebody first looked at the code.
    pub opened: Option<Moment>,
    /// "in 23 h 59 min"
    pub runs_out: Moment,
}

/// A code whose holder said no, or was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredCodeView {
    pub id: String,
    pub name: String,
    pub workspace: String,
    pub at: Moment,
    pub answer: CodeAnswer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeAnswer {
    NotMe,
    /// Another member is that person already; their e-mail, while they still are.
    Taken {
        email: Option<String>,
    },
}

/// A workspace in which whoever looks at the page can say who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfView {
    /// A connection's id.
    pub connection: String,
    pub workspace: String,
    /// They are somebody there already.
    pub linked: bool,
    /// The people whom they may pick without asking Linear: ids with names; chosen is the one with
    /// their e-mail.
    pub people: Vec<Choice>,
}

/// Wrong codes, so many that somebody may be guessing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessesView {
    pub tries: u64,
    pub until: Moment,
}

/// A person in a row: initials, name, e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonLineView {
    pub initials: String,
    pub name: String,
    pub email: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    pub id: String,
    pub who: PersonLineView,
    /// "owner", "admin" or "member".
    pub role: String,
    /// It is who looks at the page.
    pub you: bool,
    pub linked: Vec<LinkedView>,
    pub doubt: Option<DoubtView>,
    /// Names of the API keys that they made, for those who manage keys.
    pub keys: Vec<String>,
    /// The actions on them that are open to whoever looks at the page.
    pub may: MayView,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MayView {
    pub unlink: bool,
    /// Give another role, and remove.
    pub govern: bool,
}

impl MemberView {
    /// Says whether whoever looks at the page may answer for them.
    #[must_use]
    pub fn vouchable(&self) -> bool {
        self.may.govern && !self.you && self.doubt.as_ref().is_some_and(|doubt| !doubt.vouched)
    }

    /// Says whether there is something to do about them.
    #[must_use]
    pub fn manageable(&self) -> bool {
        self.may.govern || (self.may.unlink && !self.linked.is_empty())
    }
}

/// The Linear person who a member is in one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedView {
    /// Linear's organization id.
    pub workspace_id: String,
    pub workspace: String,
    pub linear_id: String,
    pub name: String,
    pub email: String,
}

/// The page after codes were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewCodeView {
    Shown(Box<ShownCode>),
    Several(BulkCodes),
    /// They were shown before.
    Gone,
}

/// The result of inviting several people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkCodes {
    pub codes: Vec<ShownCode>,
    pub not_invited: Vec<NotInvited>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotInvited {
    pub name: String,
    pub workspace: String,
    pub problem: InviteProblem,
}

/// The answer to whether a code went to its person by e-mail too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailView {
    NotSetUp,
    Sent,
    Failed,
}

#[derive(Clone, PartialEq, Eq)]
pub struct ShownCode {
    pub id: String,
    pub name: String,
    pub email: String,
    pub mail: MailView,
    pub workspace: String,
    /// "7K3D-M9QX-2VBT-H4ZC"
    pub code: String,
    pub link: String,
    /// Ready to be pasted.
    pub message: String,
    pub qr: QrView,
    /// "20 Nov 14:02 UTC"
    pub until: Moment,
    /// "23 h 59 min left"
    pub left: String,
}

/// Leaves out the code, which must not get into a log.
impl fmt::Debug for ShownCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShownCode")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A QR code: squares of one unit.
#[derive(Clone, PartialEq, Eq)]
pub struct QrView {
    /// Units on each side, without the margin.
    pub size: usize,
    /// An SVG path over the dark ones.
    pub path: String,
}
