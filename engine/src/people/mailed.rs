//! Proof by e-mail: a code that goes to an account's own address and is shown to nobody else. It is
//! entered where it was asked for; a link would let whoever opens the mail, a person or a machine,
//! prove somebody else's account for them.

use secrecy::ExposeSecret as _;

use super::LinkCode;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::identity::{Person, Standing};
use crate::mail::Mail;
use crate::store::{Proved, StoreError};
use crate::{Acting, Engine};

const CODE_LIFE: Millis = 30 * MINUTE;
/// Mails to one address in an hour: it may be the address of somebody who did not ask for them.
const SENT_MAX: i64 = 5;
/// Wrong codes of one account until it pauses.
const TRIES_MAX: i64 = 10;
const PAUSE: Millis = 10 * MINUTE;

#[derive(Debug, thiserror::Error)]
pub enum EmailCodeError {
    #[error("no mail server is set up")]
    NotSetUp,
    #[error("the e-mail is proved")]
    Proved,
    #[error("too many codes")]
    Paused { until: Millis },
    /// The log says why.
    #[error("the mail server did not take it")]
    NotSent,
    /// Wrong, used or out of date: the same for all.
    #[error("the code is not valid")]
    Invalid,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Sends a code to a person's own address, if nobody proved yet that it is theirs.
    pub async fn email_code_send(&self, person: &Person) -> Result<(), EmailCodeError> {
        let mail = self
            .settings()
            .mail
            .as_ref()
            .ok_or(EmailCodeError::NotSetUp)?;
        if person.standing == Standing::Proved {
            return Err(EmailCodeError::Proved);
        }
        self.count(
            &format!("e-mail code to {}", person.user_id),
            SENT_MAX,
            HOUR,
        )
        .await?;
        let code = LinkCode::new(self.entropy());
        self.store()
            .email_code_put(&person.user_id, &code.hash(), self.now() + CODE_LIFE)
            .await?;
        let text = text(person, &mail.page(""), code.grouped().expose_secret());
        let sent = Mail::send(
            mail,
            &person.name,
            &person.email,
            "Is this address yours?",
            &text,
        )
        .await;
        sent.map_err(|error| {
            tracing::error!(%error, user = person.user_id, "a code could not be sent by e-mail");
            EmailCodeError::NotSent
        })
    }

    /// Takes the code that was mailed: the account's e-mail is proved.
    pub async fn email_code_enter(
        &self,
        person: &Person,
        typed: &str,
    ) -> Result<(), EmailCodeError> {
        let key = format!("e-mail code of {}", person.user_id);
        self.count(&key, TRIES_MAX, PAUSE).await?;
        let hash = LinkCode::read(typed).ok_or(EmailCodeError::Invalid)?.hash();
        let subject = format!("{}, by a code sent there", person.email);
        let act = Acting::from(person).act(self, "account.proved", subject);
        match self
            .store()
            .email_code_redeem(&person.user_id, &hash, &act)
            .await?
        {
            Proved::Done | Proved::Already => Ok(self.store().throttle_clear(&key).await?),
            Proved::Invalid => Err(EmailCodeError::Invalid),
        }
    }

    /// Whether a code that was mailed to a person waits to be entered.
    pub async fn email_code_waits(&self, person: &Person) -> Result<bool, StoreError> {
        self.store()
            .email_code_waits(&person.user_id, self.now())
            .await
    }

    async fn count(&self, key: &str, most: i64, window: Millis) -> Result<(), EmailCodeError> {
        let tries = self.store().throttle_count(key, self.now(), window).await?;
        if tries.tries > most {
            Err(EmailCodeError::Paused {
                until: tries.resets_at,
            })
        } else {
            Ok(())
        }
    }
}

fn text(person: &Person, site: &str, code: &str) -> String {
    let first = person
        .name
        .split_whitespace()
        .next()
        .unwrap_or(&person.name);
    let Person {
        email,
        organisation,
        ..
    } = person;
    format!(
        "Hello {first},\nsomebody who is signed in at {site} with an account for {email} says that \
            this address is theirs. If that is \
            you, enter this code on the page that asked for it:\n{code}\nIt works once, for 30 \
            minutes. If it is not you, give the code to \
            nobody, and tell an owner of {organisation}: somebody has an account there in your \
            name."
    )
}
