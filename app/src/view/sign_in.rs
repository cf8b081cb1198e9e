//! The page before anybody is signed in.

use super::Refused;

/// The page before anybody is signed in.
#[derive(Clone, Debug)]
pub struct SignInView {
    /// The name of the only organisation, if there is exactly one.
    pub organisation: Option<String>,
    /// The instance has no owner yet: `/signup` is open.
    pub unowned: bool,
    pub signed_in: bool,
    /// The fields that were typed and their complaints, after a refused post.
    pub refused: Option<Refused>,
    /// The session ran out on the way to another page.
    pub timed_out: bool,
}
