//! The small pieces that pages are made of. Each takes view types and nothing else.

mod as_of;
mod avatar;
mod badge;
mod callout;
mod card;
mod connect;
mod copy_field;
mod dialog;
mod field;
mod flash;
mod frame;
mod icon;
mod life;
mod refusal;
mod scopes;
mod solo;
mod waiting;
mod words;

pub use as_of::AsOf;
pub use avatar::WorkspaceAvatar;
pub use badge::{Badge, Mark};
pub use callout::Callout;
pub use card::{Card, farewell_words};
pub use connect::{ConnectButton, ConnectForm, ReconnectForm};
pub use copy_field::CopyField;
pub use dialog::{Ask, Dialog, DisconnectSection, Question, disconnect_question};
pub use field::{Field, Problem};
pub use flash::FlashMessage;
pub use frame::{Content, Frame, Place};
pub use icon::{Glyph, Icon};
pub use life::Life;
pub use refusal::RefusalNotices;
pub use scopes::ScopePicker;
pub use waiting::{SetUpAlert, WaitingCallout};
pub use words::{acts_as, counted, day, said, when};
