//! Deliveries: verified webhooks as they came.

use super::{
    DeliveryAttemptView, Freshness, HandedOnView, Moment, NewDestinationView, Notice, RefusedView,
    SignedWith, StrayView,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveriesView {
    /// The newest first.
    pub deliveries: Vec<DeliveryView>,
    pub filter: FilterView,
    /// Beyond the newest ones.
    pub paged: bool,
    /// Addresses of the pages beside this one.
    pub newer: Option<String>,
    pub older: Option<String>,
    /// This page's own address.
    pub here: String,
    /// What was refused in the last hour, the latest first; nothing for those who do not manage.
    pub refused: Vec<RefusedView>,
    /// What came to wrong addresses in the last day; nothing for those who do not manage.
    pub strays: Vec<StrayView>,
    /// To paste into Linear.
    pub url: String,
    /// The operator's Linear app delivers by itself: there is nothing to set up for a workspace.
    pub by_app: bool,
    pub handed_on: HandedOnView,
    pub new_destination: Option<NewDestinationView>,
    pub notice: Option<Notice>,
    /// Adds, pauses, resumes and removes destinations, and sends again.
    pub manages: bool,
    pub as_of: Freshness,
    /// The open page that asks has none of the deliveries.
    pub growing: bool,
    /// Of those shown, so many the open page that asks does not have.
    pub news: usize,
}

/// What the page is narrowed to, and what it could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterView {
    pub workspaces: Vec<Choice>,
    pub events: Vec<Choice>,
    pub outcomes: Vec<Choice>,
}

impl FilterView {
    /// Something is chosen.
    #[must_use]
    pub fn narrows(&self) -> bool {
        [&self.workspaces, &self.events, &self.outcomes]
            .into_iter()
            .flatten()
            .any(|choice| choice.chosen)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    /// Which of the organisation's deliveries it is.
    pub number: i64,
    /// "14:01:29", or "18 Nov 14:01".
    pub at: Moment,
    /// "Issue update"
    pub event: String,
    /// "ENG-412"; may be empty.
    pub subject: String,
    /// Who did it; may be empty.
    pub actor: String,
    pub workspace: String,
    pub outcome: DeliveryOutcome,
    /// That the same body came again.
    pub again: Option<Again>,
    pub signed: SignedWith,
    /// The same event came through the app's webhook and the workspace's own.
    pub twice: bool,
    /// "4 ms"
    pub took: String,
    /// "d4c1f0a2…77be"
    pub delivery_id: Option<String>,
    /// "5be0…a91c"
    pub digest: String,
    /// "14:01:02.2"
    pub sent: Moment,
    /// "02.3", as far as it differs.
    pub received: Moment,
    /// What became of it at each destination; nothing where it is not handed on.
    pub handed: Vec<DeliveryAttemptView>,
    pub body: BodyView,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Accepted,
    Late,
    Ignored,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    pub times: u32,
    /// "14:02 UTC today"
    pub last: Moment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyView {
    /// "1 204"
    pub bytes: String,
    /// As received, to be copied; `None` where only its beginning is here.
    pub raw: Option<String>,
    /// To be read: in lines, if it is whole.
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Plain,
    Key,
    Text,
}
