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
    /// The page lies beyond the newest ones.
    pub paged: bool,
    /// Addresses of the pages beside this one.
    pub newer: Option<String>,
    pub older: Option<String>,
    /// This page's own address.
    pub here: String,
    /// The deliveries refused in the last hour, the latest first; empty for those who do not
    /// manage.
    pub refused: Vec<RefusedView>,
    /// The deliveries that came to wrong addresses in the last day; empty for those who do not
    /// manage.
    pub strays: Vec<StrayView>,
    /// The address to paste into Linear.
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
    /// The number of those shown that the open page that asks does not have.
    pub news: usize,
}

/// The filter of the page, and the choices for it.
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
    /// The number of the delivery among the organisation's.
    pub number: i64,
    /// "14:01:29", or "18 Nov 14:01".
    pub at: Moment,
    /// "Issue update"
    pub event: String,
    /// "ENG-412"; may be empty.
    pub subject: String,
    /// The name of whoever did it; may be empty.
    pub actor: String,
    pub workspace: String,
    pub outcome: DeliveryOutcome,
    /// The times that the same body came again.
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
    /// The attempts at each destination; empty where it is not handed on.
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
    /// The body as received, to be copied; `None` where only its beginning is here.
    pub raw: Option<String>,
    /// The body to be read: in lines, if it is whole.
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
