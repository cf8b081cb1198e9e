//! Taking somebody else's account.
