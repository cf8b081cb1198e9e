//! A workspace's webhook: its secrets, of which only the end is ever known, and what was refused in
//! its name.

use super::Moment;

/// The facts of a connection's webhook that its card tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookFacts {
    /// The time at which it last delivered something: "41 s ago".
    pub last: Option<Moment>,
    /// The app's own webhook delivers: no other one is needed.
    pub by_app: bool,
    /// Requests that were refused since; none for those who do not manage.
    pub refused: u64,
}

/// The webhook's section of the connection's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookView {
    /// The address to paste into Linear.
    pub url: String,
    /// The secrets that are accepted, the current one first.
    pub secrets: Vec<SecretView>,
    /// The deliveries refused since the last one that was taken, the latest first; empty for those
    /// who do not manage.
    pub refused: Vec<RefusedView>,
    /// The deliveries that came to wrong addresses; empty for those who do not manage.
    pub strays: Vec<StrayView>,
    /// The app's own webhook delivers: no other one is needed.
    pub by_app: bool,
    /// The workspace's own webhook delivers the same, too.
    pub twice: bool,
    /// The last post held something that cannot be a signing secret.
    pub shape_refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretView {
    pub id: String,
    /// "lin_wh_····w7Qx"
    pub secret: String,
    /// Name of the person, unless it came by command.
    pub added_by: Option<String>,
    /// "13:20 UTC today"
    pub added: Moment,
    /// "41 s ago"; `None` if never.
    pub matched: Option<Moment>,
    /// The end of a previous secret; the current one does not stop by itself.
    pub stops: Option<Stop>,
    /// A previous one that stays until the one after it has verified something.
    pub replaced: bool,
    /// It matched within the hour: taking it away asks first.
    pub in_use: bool,
}

/// The time from which a previous secret is accepted no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// "20 Nov 13:20 UTC"
    pub at: Moment,
    /// "23 h 18 min"
    pub within: String,
}

/// Requests that named a workspace and were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedView {
    pub connection: String,
    pub workspace: String,
    pub count: u64,
    pub lately: Lately,
    pub cause: RefusalCause,
}

/// Requests with Linear's signature that came to an address where nothing takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayView {
    pub path: String,
    pub count: u64,
}

/// The span that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lately {
    Hour,
    Day,
}

/// The most likely mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalCause {
    NoSignature,
    /// Signed with no secret that is known here.
    Unknown,
    /// Signed with the secret of another workspace of the organisation.
    OtherWorkspace {
        name: String,
    },
    /// Signed with a secret of this workspace that is not accepted any more.
    Retired {
        secret: String,
    },
    /// Signed rightly, but the connection was revoked.
    Revoked,
}

/// The secret that signed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedWith {
    Current,
    Previous,
    /// The Linear app's own.
    App,
    /// One that is accepted no more.
    Retired,
    /// One that is not even kept any more.
    Removed,
}
