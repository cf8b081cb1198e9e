//! The types of the schema: plain fields in `fields`, and beside them how each is filled and
//! linked.

pub mod absent;
pub mod comment;
pub mod enums;
pub mod fields;
pub mod issue;
pub mod organization;
pub mod parts;
pub mod project;
pub mod state;
pub mod team;
pub mod user;
