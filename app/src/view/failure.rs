//! The faults of a request for a page, as a closed set: nothing from the inside fits in.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    #[error("Sign in to see this.")]
    SignedOut,
    #[error(
        "Your role does not allow this. Nothing was changed. Ask an owner of your organisation."
    )]
    Forbidden,
    #[error("There is nothing here.")]
    NotFound,
    #[error(
        "Relink cannot reach its database right now. Nothing was changed. Try again in a minute."
    )]
    Unavailable,
    #[error(
        "This page was made for another organisation of yours. Nothing was changed. Change back to \
            it, then try again."
    )]
    OtherOrganisation,
    #[error("This request makes no sense to Relink. Nothing was changed.")]
    Malformed,
}
