//! The plain fields of every type, as the published schema lists them.

pub mod comment;
pub mod issue;
pub mod organization;
pub mod parts;
pub mod project;
pub mod team;
pub mod user;
