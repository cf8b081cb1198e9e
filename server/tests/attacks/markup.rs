//! What other people wrote.
