//! What a page may know: display facts only. No token, secret or raw error fits into any of these types,
//! because everything here ends up readable in the page's source. The exceptions are a new API key ([`NewKeyView`]), the secret
//! of a new destination ([`NewDestinationView`]) and a new link code ([`NewCodeView`]): their page is the only place where they
//! can ever be read.

use std::fmt;

use serde::{Deserialize, Serialize};

mod app;
mod audit;
mod connection;
mod delivery;
mod destination;
mod document;
mod flash;
mod instance;
mod link;
mod proof;
mod session;
mod team;
mod token_timeline;
mod webhook;

pub use app::{AppDraft, AppProblem, AppView, CreateAppView, OwnAppsView, ThroughView};
pub use audit::{AuditLine, AuditView};
pub use connection::{
    ActsAs, Answer, ConnectionPageView, ConnectionView, EndingView, EvidenceView, Farewell, Fault, GrantedScope, HistoryTone, HistoryView,
    IntegrationsView, KeyUsedView, LinkedMemberView, PagerView, PeopleFacts, PeopleView, ProjectView, ScopeView, SearchView, Status,
    TallyView, TeamView, TokenLife, Trouble, Waiting, WorkspaceContent, WorkspaceView,
};
pub use delivery::{Again, BodyView, Choice, DeliveriesView, DeliveryOutcome, DeliveryView, FilterView, Piece, PieceKind};
pub use destination::{
    DeliveryAttemptView, DestinationForm, DestinationState, DestinationView, Draft, Fate, HandedOnView, NewDestinationView, NextTry,
    PausedBecause, RESENT_AT_ONCE,
};
pub use document::{Address, RequestId};
pub use flash::{ConnectError, ExpectedWorkspace, Flash, WhoAreYou};
pub use instance::InstanceTrouble;
pub use link::{AskerView, FirstPassword, LinkAccount, LinkEnd, LinkProblem, LinkView, LinkedPerson, PreviewView};
pub use proof::{EmailCodeView, ProofProblem};
pub use session::SessionView;
pub use team::{
    AnsweredCodeView, BulkCodes, CodeAnswer, DoubtView, GuessesView, INVITED_AT_ONCE, InviteDraft, InviteProblem, InvitingView, LinkedView,
    MailView, MayView, MemberView, NewCodeView, NotInvited, PersonLineView, Pick, PickGroup, QrView, SelfView, ShownCode, TeamPageView,
    WaitingCodeView, YouView,
};
pub use token_timeline::{SegmentKind, TimelineSegment, TokenTimelineView};
pub use webhook::{
    CheckView, Lately, RefusalCause, RefusedView, SecretView, SignedWith, Signer, Stop, StrayView, Verdict, WebhookFacts, WebhookView,
};

/// An instant, for machines (`<time datetime>`) and in words made on the server, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339.
    pub iso: String,
    /// For example "Today 05:38" or "9 Nov 22:10".
    pub text: String,
}

/// How new a page is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// "14:02:11 UTC"
    pub at: Moment,
    /// The changes that it has; the browser gives it back to hear of later ones.
    pub mark: String,
    /// Whose it is, by id.
    pub organisation: String,
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
    /// What is wrong with this Relink itself.
    pub troubles: Vec<InstanceTrouble>,
    /// Host and port people see in the address bar.
    pub host: String,
    /// Nobody is signed in: `None`.
    pub person: Option<PersonView>,
    /// Where else they are a member.
    pub elsewhere: Vec<OrganisationView>,
    /// How many connections need a person; the count in the navigation and in the tab's title.
    pub needs_you: u32,
    /// The state that the favicon shows.
    pub worst: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationView {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub name: String,
    pub email: String,
    pub initials: String,
    pub organisation: String,
    pub organisation_id: String,
    /// "owner", "admin" or "member".
    pub role: String,
    /// May connect, reconnect and disconnect.
    pub manages: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SettingsView {
    pub client_id: Option<String>,
    pub redirect_uri: String,
    pub secret_set: bool,
    pub simulated: bool,
    /// Something can be connected, be it through an app that this page does not show.
    pub app_configured: bool,
    pub create_app: CreateAppView,
    /// `None` for those who do not own.
    pub own_apps: Option<OwnAppsView>,
    pub theme: Theme,
    pub person: PersonView,
    /// Where they are signed in, this browser first.
    pub sessions: Vec<SessionView>,
    pub version: String,
    /// "SQLite" or "PostgreSQL".
    pub database: String,
    /// The id of the key that seals.
    pub sealing_key: String,
    /// When this process looks again for tokens that are due, "in 8 s"; `None` where nothing does.
    pub next_sweep: Option<Moment>,
    pub clock: ClockView,
    /// Who mails are from; `None` without a mail server.
    pub mail_from: Option<String>,
    /// The newest first; `None` for those who do not manage keys.
    pub keys: Option<Vec<KeyView>>,
    pub new_key: Option<NewKeyView>,
    /// `None` for those who may not read it.
    pub audit: Option<AuditView>,
    /// The name of a new key that was refused.
    pub refused: Option<Refused>,
    pub flash: Option<Flash>,
}

/// This machine's clock beside Linear's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockView {
    /// Linear has not answered this process yet.
    Unknown,
    Agrees,
    /// By so much, "12 s".
    Ahead(String),
    Behind(String),
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
    /// "Priya Raman"; `None` when it was made by command.
    pub made_by: Option<String>,
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
pub struct SignInView {
    /// The name of the only organisation, if there is exactly one.
    pub organisation: Option<String>,
    /// Nobody owns this instance yet: `/signup` is open.
    pub unowned: bool,
    pub signed_in: bool,
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
    pub app: AppDraft,
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
    /// Guessing begins with it.
    PasswordCommon,
    /// Their own address or organisation with little else.
    PasswordOwn,
    /// A control character is in it.
    PasswordUnusable,
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
