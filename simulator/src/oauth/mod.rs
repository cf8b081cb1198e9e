//! The OAuth endpoints: authorize, token, revoke, migrate, metadata.

pub mod authorize;
pub mod client_auth;
pub mod consent_page;
pub mod decision;
pub mod error;
pub mod form;
pub mod metadata;
pub mod migrate;
pub mod pkce;
pub mod revoke;
pub mod scope;
pub mod token;
