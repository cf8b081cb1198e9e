//! Connections: the overview, and the page of one.

use super::{
    Choice, DestinationView, Freshness, Moment, Notice, PersonLineView, ThroughView,
    TokenTimelineView, WebhookFacts, WebhookView,
};

/// The state that the badge shows. The order is the order of cards on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    ReconnectRequired,
    LinearUnreachable,
    Connected,
    NotConnected,
}

impl Status {
    /// Says whether calls go through, at the latest as soon as Linear answers: nobody has to
    /// approve the connection anew.
    #[must_use]
    pub fn works(self) -> bool {
        matches!(self, Status::Connected | Status::LinearUnreachable)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceView {
    pub name: String,
    pub url_key: String,
    pub initials: String,
    /// An https address of the workspace's logo.
    pub logo: Option<String>,
}

/// The name that Linear shows on what is done through the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct TokenLife {
    pub issued: Moment,
    pub refresh_due: Moment,
    pub expires: Moment,
    /// 0 to 100; where it stopped, if it did.
    pub now_percent: f64,
    /// 0 to 100.
    pub due_percent: f64,
    /// "15 h 36 min left", "Ran out 2 h ago" or "Stopped".
    pub left: String,
    /// "Proved working 2 min ago", "Nothing for you to do. Next try in 40 s", "Worked until 09:41
    /// UTC".
    pub note: String,
}

/// An answer of Linear's, or what kept it from answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Linear's own, shown in mono: "503", "400 invalid_grant".
    Verbatim(String),
    /// The reason in words, for example "no answer in time".
    Words(String),
}

/// The party that can help when refreshing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes by itself.
    Linear,
    /// Whoever runs this Relink: Linear does not accept it as a client.
    App,
    /// The same: connections were made with another Linear app than the one that is set up now.
    OtherApp,
    /// Owners of the organisation: Linear does not accept an app of their own.
    OwnApp,
    /// Whoever runs this Relink: tokens are sealed with a key that this process lacks.
    Keys,
}

/// The facts of a connection while it waits for Linear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub answer: Answer,
    /// "14:01 UTC today"
    pub at: Moment,
    /// Refreshes that failed in a row; 0 where only a call did.
    pub failures: u32,
    /// "in 40 s", where it is known.
    pub next_try: Option<String>,
    /// The consequence for whoever uses the connection.
    pub meaning: String,
    pub fault: Fault,
}

/// The reason why a reconnect is required, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// "09:42 UTC today"
    pub since: Moment,
    /// Linear's own answer in mono, for example "401 AUTHENTICATION_ERROR"; `None` if it gave none.
    pub answer: Option<String>,
    /// A note that follows it in words, for example "to a token that should have worked".
    pub answer_note: String,
    /// One plain sentence.
    pub likely: Vec<String>,
}

/// The evidence behind [`Trouble`], for the connection's own page. It holds nothing that was not
/// looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceView {
    /// The time at which Linear was asked, and with what.
    pub asked: Option<String>,
    /// Causes that it was not, each with its proof.
    pub ruled_out: Vec<String>,
    /// API keys that were used since.
    pub keys: u32,
}

/// The consequences that a disconnect would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingView {
    /// Another organisation here is connected through the same Linear app: the tokens are revoked
    /// with the end of that.
    pub tokens_kept: bool,
    /// API keys that lose the workspace.
    pub keys: u32,
    pub last_used: Option<KeyUsedView>,
    /// The time that its data is kept: "30 days".
    pub kept: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUsedView {
    pub key: String,
    /// "2 min ago"
    pub ago: String,
}

/// The end of a disconnected connection, kept as history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    pub at: Moment,
    pub by: String,
    /// Linear confirmed (or knew already) that both tokens are void.
    pub revoked: bool,
    /// They are sealed until another organisation's connection through the same installation has
    /// ended.
    pub kept: bool,
    /// Linear may still be asked to revoke them.
    pub asking: bool,
    /// The organisation's app to connect it through again; the operator's if absent.
    pub app: Option<String>,
}

/// One card on `/integrations`, and the head of `/integrations/{id}`.
#[derive(Clone, Debug, PartialEq)]
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
    pub people: PeopleFacts,
}

/// The people who are linked in a workspace, as its card names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeopleFacts {
    /// Members who are linked there.
    pub linked: u32,
    /// Whoever looks at the page is one of them.
    pub me: bool,
}

/// A scope that may be asked for, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[derive(Clone, Debug)]
pub struct IntegrationsView {
    /// The connections on the page, in its order: status first, then name.
    pub connections: Vec<ConnectionView>,
    pub tally: TallyView,
    /// The mistakes in the set-up that keep all connections from being refreshed until whoever runs
    /// this Relink acts.
    pub wrong_set_up: Vec<Waiting>,
    /// Absent where there are few.
    pub search: Option<SearchView>,
    /// Absent where all fit on one page.
    pub pager: Option<PagerView>,
    /// The address of this very page.
    pub here: String,
    pub notice: Option<Notice>,
    pub scopes: Vec<ScopeView>,
    /// An OAuth app is configured; without one nothing can be connected.
    pub app_configured: bool,
    /// The operator's Linear app delivers webhooks by itself.
    pub app_has_webhook: bool,
    /// The apps to connect through; empty where there is nothing to choose.
    pub apps: Vec<Choice>,
    pub simulated: bool,
    /// May connect, reconnect and disconnect.
    pub manages: bool,
    /// May add apps.
    pub owns: bool,
    pub as_of: Freshness,
}

/// The number of the organisation's connections in each state, whichever of them the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TallyView {
    pub reconnect: u32,
    pub waiting: u32,
    pub connected: u32,
    pub ended: u32,
    /// The workspace in the worst state, where it is the only one in it.
    pub only: Option<String>,
}

impl TallyView {
    /// Adds them up.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.reconnect + self.waiting + self.connected + self.ended
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchView {
    /// The words that were typed; empty where nothing is searched for.
    pub q: String,
    pub found: u32,
}

/// The part of those that were found which is on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagerView {
    /// Counted from 1.
    pub first: u32,
    pub last: u32,
    pub of: u32,
    pub previous: Option<String>,
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamView {
    pub key: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectView {
    pub name: String,
    /// The address, unless it would lead nowhere.
    pub url: Option<String>,
    pub team: Option<String>,
}

/// The teams and projects of a workspace as Linear gave them, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
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

#[derive(Clone, Debug)]
pub struct ConnectionPageView {
    pub connection: ConnectionView,
    /// Present when a reconnect is required.
    pub evidence: Option<EvidenceView>,
    /// Absent where no token was good lately.
    pub chain: Option<TokenTimelineView>,
    /// Newest first.
    pub history: Vec<HistoryView>,
    /// The consequences, for those who may disconnect it.
    pub ending: Option<EndingView>,
    pub content: WorkspaceContent,
    /// Absent where it goes through the operator's app.
    pub through: Option<ThroughView>,
    /// Absent once disconnected.
    pub webhook: Option<WebhookView>,
    /// The destinations that its deliveries are handed on to, as those of every workspace; absent
    /// where it takes none any more.
    pub destinations: Option<Vec<DestinationView>>,
    /// Absent once disconnected, if nobody is linked.
    pub people: Option<PeopleView>,
    /// Every known scope: granted first, with words.
    pub scopes: Vec<GrantedScope>,
    pub notice: Option<Notice>,
    pub manages: bool,
    pub as_of: Freshness,
}

/// The people of one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleView {
    /// Linear's organization id.
    pub workspace_id: String,
    /// The linked members by their names in Linear.
    pub linked: Vec<LinkedMemberView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedMemberView {
    pub member: PersonLineView,
    /// The person in Linear.
    pub person: PersonLineView,
    pub linear_id: String,
    /// Whoever looks at the page may unlink them.
    pub unlink: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryTone {
    Good,
    Replayed,
    Waiting,
    Bad,
    Ended,
    Plain,
}

/// One line of the refresh history: a bold fact, and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryView {
    /// The name of the line on the page, where the chain leads to it.
    pub line: Option<String>,
    /// It tells of a refresh, not of what people did.
    pub refresh: bool,
    pub tone: HistoryTone,
    /// "19 Nov 05:38 UTC"
    pub at: Moment,
    /// "Refreshed on schedule", "Put off:"
    pub fact: String,
    pub answer: Option<Answer>,
    /// Goes on with its own comma or space: ", 212 ms".
    pub rest: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedScope {
    pub name: String,
    /// The thing that it allows, or the consequence of not having it.
    pub explained: String,
    pub granted: bool,
}
