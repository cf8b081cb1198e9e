//! Fields of forms.

/// A fault of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    Organisation,
    Name,
    Email,
    /// Somebody has an account with it.
    EmailTaken,
    PasswordTooShort,
    PasswordTooLong,
    /// Guessing begins with it.
    PasswordCommon,
    /// The person's own address or organisation with little else.
    PasswordOwn,
    /// It holds what no keyboard types twice the same way, a control character for example.
    PasswordUnusable,
}

impl FieldError {
    /// Says what is wrong with a password, for the command line.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            FieldError::PasswordTooLong => "a password has at most 1024 bytes",
            FieldError::PasswordCommon => {
                "this password is one of the first that are guessed; a sentence of four words is a \
                    good one"
            }
            FieldError::PasswordOwn => {
                "a password is more than the address or the organisation it is for"
            }
            FieldError::PasswordUnusable => "a password has no control characters",
            _ => "a password has at least 12 characters",
        }
    }
}
