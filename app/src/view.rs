//! What a page may know: display facts only. No token, secret or raw error fits into any of these types,
//! because everything here ends up readable in the page's source. The exceptions are a new API key ([`NewKeyView`]), the secret
//! of a new destination ([`NewDestinationView`]) and a new link code ([`NewCodeView`]): their page is the only place where they
//! can ever be read.

use std::fmt;

use serde::{Deserialize, Serialize};

mod audit;
mod delivery;
mod destination;
mod flash;
mod link;
mod team;
mod webhook;

pub use audit::{AuditLine, AuditView};
pub use delivery::{Again, BodyView, Choice, DeliveriesView, DeliveryOutcome, DeliveryView, FilterView, Piece, PieceKind};
pub use destination::{
    DestinationForm, DestinationState, DestinationView, Draft, Fate, HandedOnView, HandedView, NewDestinationView, NextTry, PausedBecause,
    RESENT_AT_ONCE,
};
pub use flash::{ConnectError, ExpectedWorkspace, Flash};
pub use link::{AskerView, FirstPassword, LinkAccount, LinkEnd, LinkProblem, LinkView, LinkedPerson, PreviewView};
pub use team::{
    AnsweredCodeView, CodeAnswer, GuessesView, InviteDraft, InviteProblem, InvitingView, LinkedView, MayView, MemberView, NewCodeView,
    QrView, SelfView, ShownCode, TeamPageView, WaitingCodeView, WhoView,
};
pub use webhook::{CheckView, Lately, RefusalCause, RefusedView, SecretView, SignedWith, Signer, Stop, Verdict, WebhookFacts, WebhookView};

/// An instant, for machines (`<time datetime>`) and in words made on the server, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339.
    pub iso: String,
    /// For example "Today 05:38" or "9 Nov 22:10".
    pub text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The form value and cookie value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Theme {
        match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::System,
        }
    }

    /// `data-theme` on `<html>`; absent where the system decides.
    #[must_use]
    pub fn attribute(self) -> Option<&'static str> {
        (self != Theme::System).then(|| self.name())
    }
}

/// Provided as context on every request, for pages that could not load a [`ShellView`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated(pub bool);

/// Provided as context on every request: what browsers tell of the page that a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Referrer {
    /// The rule. Under `no-referrer` browsers send `Origin: null` with our own forms, which the CSRF check has to refuse
    /// wherever Sec-Fetch-Site is missing (plain http on a local network).
    #[default]
    SameOrigin,
    /// Nothing to anybody.
    Nobody,
}

impl Referrer {
    /// For the header and for the document's head.
    #[must_use]
    pub fn policy(self) -> &'static str {
        match self {
            Referrer::SameOrigin => "same-origin",
            Referrer::Nobody => "no-referrer",
        }
    }
}

/// The frame around every page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShellView {
    pub theme: Theme,
    /// The banner: everything talks to the simulated Linear.
    pub simulated: bool,
    /// Host and port people see in the address bar.
    pub host: String,
    /// Nobody is signed in: `None`.
    pub person: Option<PersonView>,
    /// How many connections need a person; the count in the navigation and in the tab's title.
    pub needs_you: u32,
    /// The state that the favicon shows.
    pub worst: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub name: String,
    pub email: String,
    pub initials: String,
    pub organisation: String,
    /// "owner", "admin" or "member".
    pub role: String,
    /// May connect, reconnect and disconnect.
    pub manages: bool,
}

/// What the badge says. The order is the order of cards on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    ReconnectRequired,
    LinearUnreachable,
    Connected,
    NotConnected,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceView {
    pub name: String,
    pub url_key: String,
    pub initials: String,
    /// An https address of the workspace's logo.
    pub logo: Option<String>,
}

/// Whose name Linear shows on what is done through the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActsAs {
    /// The app's own bot user.
    App {
        name: String,
    },
    User {
        name: String,
    },
}

/// The bar: positions in percent of the token's life, words for the reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLife {
    pub issued: Moment,
    pub refresh_due: Moment,
    pub expires: Moment,
    /// 0 to 100.
    pub now_percent: f64,
    /// 0 to 100.
    pub due_percent: f64,
    /// "15 h 36 min left", "Ran out 2 h ago" or "Stopped".
    pub left: String,
    /// "Proved working 2 min ago", "Nothing for you to do. Next try in 40 s", "Worked until 09:41 UTC".
    pub note: String,
}

/// What Linear answered, or what kept it from answering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Linear's own, shown in mono: "503", "400 invalid_grant".
    Verbatim(String),
    /// For example "no answer in time".
    Words(String),
}

/// Who can help when refreshing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Nobody: it passes.
    Linear,
    /// Whoever runs this Relink: Linear does not accept it as a client.
    App,
    /// The same: tokens are sealed with a key that this process lacks.
    Keys,
}

/// What "Linear unreachable" means for a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub answer: Answer,
    /// "14:01 UTC today"
    pub at: Moment,
    /// Refreshes that failed in a row; 0 where only a call did.
    pub failures: u32,
    /// "in 40 s", where it is known.
    pub next_try: Option<String>,
    /// What it means for whoever uses the connection.
    pub meaning: String,
    pub fault: Fault,
}

/// Why a reconnect is required, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// "09:42 UTC today"
    pub since: Moment,
    /// Linear's own answer in mono, for example "401 AUTHENTICATION_ERROR"; `None` if it gave none.
    pub answer: Option<String>,
    /// What followed it in words, for example "to a token that should have worked".
    pub answer_note: String,
    /// One plain sentence.
    pub likely: String,
}

/// How a disconnect ended, kept as history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    pub at: Moment,
    pub by: String,
    /// Linear confirmed (or knew already) that both tokens are void.
    pub revoked: bool,
}

/// One card on `/integrations`, and the head of `/integrations/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionView {
    pub id: String,
    pub status: Status,
    pub workspace: WorkspaceView,
    pub acts_as: ActsAs,
    pub scopes: Vec<String>,
    pub connected_by: String,
    pub connected_at: Moment,
    pub verified: Option<Moment>,
    /// First eight hex digits of the access token's SHA-256, "9f3a·1c72".
    pub fingerprint: Option<String>,
    /// Absent once disconnected.
    pub life: Option<TokenLife>,
    /// Present when `status` is `LinearUnreachable`.
    pub waiting: Option<Waiting>,
    /// Present when `status` is `ReconnectRequired`.
    pub trouble: Option<Trouble>,
    /// Present when `status` is `NotConnected`.
    pub farewell: Option<Farewell>,
    pub webhook: WebhookFacts,
}

/// A scope that may be asked for, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    pub name: String,
    pub explained: String,
    /// Ticked at first: the least that works.
    pub preselected: bool,
    /// Always part of the grant, cannot be unticked.
    pub always: bool,
    /// Offered only where a person's own account acts.
    pub user_only: bool,
    /// Offered only where the app itself acts.
    pub app_only: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IntegrationsView {
    /// In the order of the page: status first, then name.
    pub connections: Vec<ConnectionView>,
    pub flash: Option<Flash>,
    pub scopes: Vec<ScopeView>,
    /// An OAuth app is configured; without one nothing can be connected.
    pub app_configured: bool,
    pub simulated: bool,
    /// May connect, reconnect and disconnect.
    pub manages: bool,
    pub as_of: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    pub key: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectView {
    pub name: String,
    pub url: String,
    pub team: Option<String>,
}

/// What Linear answered when the page asked for teams and projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkspaceContent {
    Loaded {
        teams: Vec<TeamView>,
        projects: Vec<ProjectView>,
        truncated: bool,
    },
    /// The connection is broken or gone, so nothing was asked.
    NotAsked,
    /// Linear did not answer, or not usefully; the connection itself is not in doubt.
    Unreachable,
    /// Linear refused this one question: rate limit or missing permission.
    Refused,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionPageView {
    pub connection: ConnectionView,
    /// Newest first.
    pub history: Vec<HistoryView>,
    pub content: WorkspaceContent,
    /// Absent once disconnected.
    pub webhook: Option<WebhookView>,
    /// Every known scope: granted first, with words.
    pub scopes: Vec<GrantedScope>,
    pub flash: Option<Flash>,
    pub manages: bool,
    pub as_of: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryTone {
    Good,
    Waiting,
    Bad,
    Plain,
}

/// One line of the refresh history: a bold fact, and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    pub tone: HistoryTone,
    /// "19 Nov 05:38 UTC"
    pub at: Moment,
    /// "Refreshed on schedule", "Put off:"
    pub fact: String,
    pub answer: Option<Answer>,
    /// Goes on with its own comma or space: ", 212 ms".
    pub rest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedScope {
    pub name: String,
    pub explained: String,
    pub granted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingsView {
    pub client_id: Option<String>,
    pub redirect_uri: String,
    pub secret_set: bool,
    pub simulated: bool,
    /// Linear's "new application" page with every field filled in.
    pub create_app_url: String,
    pub theme: Theme,
    pub person: PersonView,
    pub version: String,
    /// "SQLite" or "PostgreSQL".
    pub database: String,
    /// The id of the key that seals.
    pub sealing_key: String,
    /// The newest first; `None` for those who do not manage keys.
    pub keys: Option<Vec<KeyView>>,
    pub new_key: Option<NewKeyView>,
    /// `None` for those who may not read it.
    pub audit: Option<AuditView>,
    /// The name of a new key that was refused.
    pub refused: Option<Refused>,
    pub flash: Option<Flash>,
}

/// An API key as its owners see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    pub id: String,
    pub name: String,
    /// "rlk_····8fQ2"
    pub key: String,
    /// "2 min ago"; `None` if never.
    pub last_used: Option<Moment>,
}

/// The page after a key was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewKeyView {
    Shown {
        name: String,
        key: String,
    },
    /// It was shown before.
    Gone,
}

/// Without the key, which must not get into a log.
impl fmt::Debug for NewKeyView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NewKeyView::Shown { name, .. } => formatter.debug_struct("Shown").field("name", name).finish_non_exhaustive(),
            NewKeyView::Gone => formatter.write_str("Gone"),
        }
    }
}

/// The page before anybody is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DoorView {
    /// The name of the only organisation, if there is exactly one.
    pub organisation: Option<String>,
    /// Nobody owns this instance yet: `/signup` is open.
    pub unowned: bool,
    pub signed_in: bool,
    /// Where the data lives, for the note on `/signup`: "./data" or "PostgreSQL".
    pub stored_in: String,
    /// What was typed and what was wrong with it, after a refused post.
    pub refused: Option<Refused>,
    /// The session ran out on the way to another page.
    pub timed_out: bool,
}

/// A refused form: the values (never a password) and the complaint of each field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub organisation: String,
    pub name: String,
    pub email: String,
    pub destination: Draft,
    pub invite: InviteDraft,
    pub complaints: Vec<Complaint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Complaint {
    OrganisationMissing,
    NameMissing,
    EmailInvalid,
    /// Somebody has an account with it.
    EmailTaken,
    PasswordTooShort,
    PasswordTooLong,
    /// Sign-in: no such pair of e-mail and password. How many tries are left before a pause.
    NoMatch {
        tries_left: u32,
    },
    /// Sign-in: too many tries. Minutes until the next one.
    Paused {
        minutes: u32,
    },
    /// Sign-up: somebody else was quicker; there is an owner now.
    AlreadyOwned,
    /// Settings: no name for a key, or too long a one.
    KeyName,
    /// A connection's page: not the shape of a signing secret.
    SigningSecret,
    /// Deliveries: not an https address, or too long a one.
    DestinationUrl,
    /// Not on the public internet.
    DestinationPrivate,
    /// There is no such type of event.
    DestinationEvent,
    DestinationsTooMany,
}
