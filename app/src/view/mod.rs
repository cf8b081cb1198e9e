//! The facts that a page may know, for display only. No token, secret or raw error fits into any of
//! these types, because everything here ends up readable in the page's source. The exceptions are a
//! new API key ([`NewKeyView`]), the secret of a new destination ([`NewDestinationView`]) and a new
//! link code ([`NewCodeView`]): their page is the only place where they can ever be read.

pub mod app_views;
pub mod browser_name;
pub mod connection_view;
pub mod delivery_views;
pub mod destination_views;
pub mod evidence;
pub mod history;
pub mod invite_views;
pub mod json;
pub mod overview;
pub mod people_views;
pub mod phrases;
pub mod qr;
#[cfg(test)]
pub mod samples;
pub mod session_views;
pub mod team_views;
pub mod time;
pub mod token_timeline_view;
pub mod url;
pub mod webhook_facts;
pub mod webhook_views;
pub mod you_views;

mod app;
mod audit;
mod connection;
mod delivery;
mod destination;
mod document;
mod failure;
mod instance;
mod link;
mod notice;
mod refused;
mod session;
mod settings;
mod shell;
mod sign_in;
mod team;
mod token_timeline;
mod webhook;

pub use app::{AppDraft, AppProblem, AppView, CreateAppView, OwnAppsView, ThroughView};
pub use audit::{AuditLine, AuditView};
pub use connection::{
    ActsAs, Answer, ConnectionPageView, ConnectionView, EndingView, EvidenceView, Farewell, Fault,
    GrantedScope, HistoryTone, HistoryView, IntegrationsView, KeyUsedView, LinkedMemberView,
    PagerView, PeopleFacts, PeopleView, ProjectView, ScopeView, SearchView, Status, TallyView,
    TeamView, TokenLife, Trouble, Waiting, WorkspaceContent, WorkspaceView,
};
pub use delivery::{
    Again, BodyView, Choice, DeliveriesView, DeliveryOutcome, DeliveryView, FilterView, Piece,
    PieceKind,
};
pub use destination::{
    DeliveryAttemptView, DestinationForm, DestinationState, DestinationView, Draft, Fate,
    HandedOnView, NewDestinationView, NextTry, PausedBecause, RESENT_AT_ONCE,
};
pub use document::{Address, Referrer, RequestId, Simulated, Theme};
pub use failure::Failure;
pub use instance::InstanceTrouble;
pub use link::{
    AskerView, FirstPassword, LinkAccount, LinkEnd, LinkProblem, LinkView, LinkedPerson,
    PreviewView,
};
pub use notice::{Next, Notice, Tone};
pub use refused::{Complaint, Refused, SignUpDraft};
pub use session::SessionView;
pub use settings::{KeyView, NewKeyView, SettingsView};
pub use shell::{OrganisationView, PersonView, ShellView};
pub use sign_in::SignInView;
pub use team::{
    AnsweredCodeView, BulkCodes, CODE_HOURS, CodeAnswer, DoubtView, GuessesView, INVITED_AT_ONCE,
    InviteDraft, InviteProblem, InvitingView, LinkedView, MailView, MayView, MemberView,
    NewCodeView, NotInvited, PersonLineView, Pick, PickGroup, QrView, SelfView, ShownCode,
    TeamPageView, WaitingCodeView, YouView,
};
pub use time::{ClockView, Freshness, Moment};
pub use token_timeline::{SegmentKind, TimelineSegment, TokenTimelineView};
pub use webhook::{
    Lately, RefusalCause, RefusedView, SecretView, SignedWith, Stop, StrayView, WebhookFacts,
    WebhookView,
};
