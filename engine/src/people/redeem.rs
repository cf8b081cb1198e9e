//! Redeeming link codes: looked at first, then confirmed or declined. The code is the credential;
//! nobody needs an account.

use serde::{Deserialize, Serialize};

use super::LinkCode;
use crate::clock::{MINUTE, Millis};
use crate::digest::sha256_hex;
use crate::identity::{Person, spelled};
use crate::linear::LinearPerson;
use crate::network::counted_text;
use crate::store::{Account, Act, AuditActor, InviteRow, Linking, StoreError};
use crate::{Acting, Engine, identity, uncancelled};

/// Wrong codes from one address until further ones are told to wait. Many people may share one.
const TRIES_PER_ADDRESS: i64 = 20;
/// Wrong codes of one browser until further ones are told to wait.
const TRIES_PER_BROWSER: i64 = 10;
/// The number of wrong codes in one window that is worth telling admins.
const BURST: i64 = 30;
const PAUSE: Millis = 10 * MINUTE;

const ALL: &str = "link code";

/// The one who shows a code: from where, and in which browser, if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Guesser<'a> {
    pub address: &'a str,
    /// Names the browser session; empty for one without.
    pub browser: &'a str,
}

/// The content of a code, before anything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub organisation: String,
    /// The workspace's name.
    pub workspace: String,
    /// The Linear person.
    pub name: String,
    pub email: String,
    pub avatar_url: Option<String>,
    /// The name of whoever made the code, unless it came by command.
    pub made_by: Option<String>,
    /// Somebody has an account with the person's e-mail: without signing in nothing can be
    /// confirmed.
    pub has_account: bool,
    pub expires_at: Millis,
}

/// The result of a confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The member, for the browser's session.
    pub person: Person,
    pub workspace: String,
    pub linear_id: String,
    /// The Linear person's name.
    pub name: String,
    /// They were linked before.
    pub again: bool,
    /// Their account was made for it, and has no password yet.
    pub new_account: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// Wrong, used, revoked or out of date: the same for all.
    #[error("the code is not valid")]
    Invalid,
    #[error("too many codes were tried")]
    Paused { until: Millis },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The code stays good for whoever signs in.
    #[error("somebody has an account with this e-mail and has to sign in")]
    EmailTaken,
    /// The code is used up, and the admins are told.
    #[error("{email} is this person")]
    PersonTaken { email: String },
    /// The code stays good.
    #[error("they are {name} in this workspace already")]
    OtherPerson { name: String },
    /// The code stays good.
    #[error(
        "nobody proved that the account's e-mail is theirs, so it gets no place in another \
            organisation"
    )]
    Unproved,
    /// It stays good for whom it is for.
    #[error(
        "they made this code themself, for a Linear person with another e-mail: only Linear can \
            say that it is them"
    )]
    OwnCode,
}

impl From<StoreError> for ConfirmError {
    fn from(error: StoreError) -> ConfirmError {
        ConfirmError::Code(error.into())
    }
}

/// Wrong codes of late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guesses {
    pub tries: u64,
    /// The time at which counting starts anew.
    pub until: Millis,
}

impl Engine {
    /// Says whom a code is for. Uses nothing up.
    pub async fn code_preview(
        &self,
        typed: &str,
        guesser: Guesser<'_>,
    ) -> Result<Preview, CodeError> {
        let (invite, _) = self.look_up(typed, guesser).await?;
        let has_account = self
            .store()
            .user_by_email(&spelled(&invite.linear_email))
            .await?
            .is_some();
        Ok(Preview {
            organisation: invite.organisation_name,
            workspace: invite.workspace_name,
            name: invite.linear_name,
            email: invite.linear_email,
            avatar_url: invite.linear_avatar_url,
            made_by: invite.made_by,
            has_account,
            expires_at: invite.expires_at,
        })
    }

    /// "Yes, that's me": links the person to the account that is signed in, or to a new one. Of any
    /// number of confirmations of one code exactly one succeeds.
    pub async fn code_confirm(
        &self,
        typed: &str,
        signed_in: Option<&Person>,
        guesser: Guesser<'_>,
    ) -> Result<Confirmed, ConfirmError> {
        let (invite, code_hash) = self.look_up(typed, guesser).await?;
        let address = guesser.address.to_owned();
        let (engine, signed_in) = (self.clone(), signed_in.cloned());
        // Also when the browser leaves in between.
        uncancelled(async move {
            engine
                .confirm(&invite, &code_hash, signed_in.as_ref(), address, None)
                .await
        })
        .await
    }

    /// `proof`: Linear itself says that the holder is this person.
    pub(super) async fn confirm(
        &self,
        invite: &InviteRow,
        code_hash: &str,
        signed_in: Option<&Person>,
        address: String,
        proof: Option<&LinearPerson>,
    ) -> Result<Confirmed, ConfirmError> {
        if let (None, Some(person)) = (proof, signed_in) {
            self.check_maker(invite, person).await?;
        }
        let account = match signed_in {
            Some(person) => Account::Known {
                user_id: person.user_id.clone(),
            },
            None => self.new_account(invite).ok_or(ConfirmError::EmailTaken)?,
        };
        let email = match (&account, signed_in) {
            (Account::New { email, .. }, _) => email,
            (Account::Known { .. }, person) => person.map_or("", |person| &person.email),
        };
        let proved = proof.is_some_and(|proof| {
            identity::email(&proof.email).is_some_and(|proved| proved == *email)
        });
        let act = |act| self.holder_act(invite, signed_in, &address, act);
        match self
            .store()
            .invite_redeem(invite, code_hash, &account, proved, &act("person.linked"))
            .await?
        {
            Linking::Linked { user_id, again } => {
                let person = self
                    .store()
                    .member(&invite.organisation_id, &user_id)
                    .await?;
                let mut person = person.ok_or(StoreError::Inconsistent {
                    table: "members",
                    id: user_id,
                })?;
                person.address = address;
                let (workspace, name) = (invite.workspace_name.clone(), invite.linear_name.clone());
                let (linear_id, new_account) = (
                    invite.linear_id.clone(),
                    matches!(account, Account::New { .. }),
                );
                Ok(Confirmed {
                    person,
                    workspace,
                    linear_id,
                    name,
                    again,
                    new_account,
                })
            }
            Linking::Gone => Err(CodeError::Invalid.into()),
            Linking::EmailTaken => Err(ConfirmError::EmailTaken),
            Linking::OtherPerson { name } => Err(ConfirmError::OtherPerson { name }),
            Linking::Unproved => Err(ConfirmError::Unproved),
            Linking::PersonTaken { email } => {
                self.store()
                    .invite_end(&invite.id, "refused", &act("invite.refused"))
                    .await?;
                Err(ConfirmError::PersonTaken { email })
            }
        }
    }

    /// Checks who redeems a code of their own: they alone say who they are, as in
    /// [`Engine::link_self`].
    async fn check_maker(&self, invite: &InviteRow, person: &Person) -> Result<(), ConfirmError> {
        if invite.made_by_id.as_ref() != Some(&person.user_id) {
            return Ok(());
        }
        let maker = self
            .store()
            .member(&invite.organisation_id, &person.user_id)
            .await?;
        let trusted =
            maker.is_some_and(|maker| maker.may_say_alone_who_they_are(&invite.linear_email));
        if trusted {
            Ok(())
        } else {
            Err(ConfirmError::OwnCode)
        }
    }

    /// An account with the invite's name and e-mail; `None` where Linear's e-mail cannot be one.
    fn new_account(&self, invite: &InviteRow) -> Option<Account> {
        let email = identity::email(&invite.linear_email)?;
        let name = identity::display_name(&invite.linear_name).unwrap_or_else(|| email.clone());
        Some(Account::New {
            user_id: self.entropy().id(),
            email,
            name,
        })
    }

    /// "That's not me": the code ends, and the admins are told. Answers who made it.
    pub async fn code_decline(
        &self,
        typed: &str,
        signed_in: Option<&Person>,
        guesser: Guesser<'_>,
    ) -> Result<Option<String>, CodeError> {
        let (invite, _) = self.look_up(typed, guesser).await?;
        let act = self.holder_act(&invite, signed_in, guesser.address, "invite.declined");
        if self
            .store()
            .invite_end(&invite.id, "declined", &act)
            .await?
        {
            Ok(invite.made_by)
        } else {
            Err(CodeError::Invalid)
        }
    }

    /// Wrong codes that were tried of late, if they are so many that somebody may be guessing.
    pub async fn code_guesses(&self) -> Result<Option<Guesses>, StoreError> {
        let tries = self.store().throttle(ALL, self.now()).await?;
        Ok(tries
            .filter(|tries| tries.tries >= BURST)
            .map(|tries| Guesses {
                tries: tries.tries.unsigned_abs(),
                until: tries.resets_at,
            }))
    }

    /// The code that can be used, and its hash. A good one is taken whatever was tried before, by
    /// whoever shows it: with 80 bits nobody finds one by guessing, and nobody who holds one waits
    /// for those who guess.
    pub(super) async fn look_up(
        &self,
        typed: &str,
        guesser: Guesser<'_>,
    ) -> Result<(InviteRow, String), CodeError> {
        // One that cannot be a code is looked for too, so that every code that is not valid takes
        // the same way.
        let hash = LinkCode::read(typed).map_or_else(|| sha256_hex(b""), |code| code.hash());
        match self.store().invite_open(&hash, self.now()).await? {
            Some(invite) => Ok((invite, hash)),
            None => Err(self.wrong_code(guesser).await?),
        }
    }

    /// Counts a wrong code, so that admins hear of many.
    async fn wrong_code(&self, guesser: Guesser<'_>) -> Result<CodeError, StoreError> {
        let now = self.now();
        let by_address = format!(
            "{ALL} address {}",
            sha256_hex(counted_text(guesser.address).as_bytes())
        );
        let by_browser = format!("{ALL} browser {}", sha256_hex(guesser.browser.as_bytes()));
        let mut limits = vec![(by_address, TRIES_PER_ADDRESS)];
        if !guesser.browser.is_empty() {
            limits.push((by_browser, TRIES_PER_BROWSER));
        }
        // Read first: who is told to wait already must not make the database write.
        for (key, tries_max) in &limits {
            let tries = self.store().throttle(key, now).await?;
            if let Some(tries) = tries.filter(|tries| tries.tries >= *tries_max) {
                return Ok(CodeError::Paused {
                    until: tries.resets_at,
                });
            }
        }
        for (key, _) in &limits {
            self.store().throttle_count(key, now, PAUSE).await?;
        }
        self.store().throttle_count(ALL, now, PAUSE).await?;
        Ok(CodeError::Invalid)
    }

    fn holder_act(
        &self,
        invite: &InviteRow,
        signed_in: Option<&Person>,
        address: &str,
        act: &'static str,
    ) -> Act {
        let actor = match signed_in {
            Some(person) => person.actor(),
            None => AuditActor {
                user_id: None,
                who: "holder of the code".to_owned(),
                address: address.to_owned(),
            },
        };
        let subject = format!("{} in {}", invite.linear_name, invite.workspace_name);
        Acting::outside(&invite.organisation_id, actor).act(self, act, subject)
    }
}
