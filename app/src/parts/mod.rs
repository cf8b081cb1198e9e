//! The small pieces that pages are made of. Each takes view types and nothing else.

mod as_of;
mod avatar;
mod badge;
mod bare_layout;
mod callout;
mod card;
mod connect;
mod copy_field;
mod dialog;
mod field;
mod form_organisation;
mod icon;
mod layout;
mod notice;
mod paused;
mod person_line;
mod preview;
mod raw_text;
mod refusal;
mod scopes;
mod select;
mod token_lifetime;
mod waiting;

pub use crate::view::phrases::{
    acts_as, counted, counted_deliveries, first_name, possessive, said, said_last,
};
pub use as_of::AsOf;
pub use avatar::WorkspaceAvatar;
pub use badge::{Badge, LooseLinks, Mark};
pub use bare_layout::BareLayout;
pub use callout::Callout;
pub use card::{Card, farewell_words};
pub use connect::{ConnectButton, ConnectForm, ReconnectForm};
pub use copy_field::{CopyField, CopyFirst, CopyListed, CopyText};
pub use dialog::{Ask, Dialog, DisconnectSection, Question, disconnect_question};
pub use field::{Field, Problem};
pub use form_organisation::{for_organisation, set_form_organisation};
pub use icon::{Glyph, Icon};
pub use layout::{Content, Layout, Place, Strip};
pub use notice::{NoticeBox, NoticeLine};
pub use paused::{PausedNotices, why_paused};
pub use person_line::PersonLine;
pub use raw_text::{TabTitle, picture_title, textarea, title};
pub use refusal::{RefusalNotices, StrayNotices};
pub use scopes::ScopePicker;
pub use select::{good_for, options};
pub use token_lifetime::TokenLifetime;
pub use waiting::{SetUpAlert, WaitingCallout};
