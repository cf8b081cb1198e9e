//! Signing up, signing in and passwords.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::sleep;

use crate::clock::{MINUTE, Millis};
use crate::device::Visitor;
use crate::digest::sha256_hex;
pub use crate::field::FieldError;
use crate::identity::{self, NewMember, Person, Role};
use crate::network::counted_text;
use crate::password::{self, NewPassword};
use crate::store::{Act, AuditActor, Member, StoreError, Tries, UserRow};
use crate::{Acting, Engine};

/// Wrong passwords for one account until those who come from the same address wait, or who sit at
/// the same known browser.
const TRIES_PER_ACCOUNT: i64 = 5;
/// Wrong passwords until an address waits. Many people may share one.
const TRIES_PER_ADDRESS: i64 = 50;
const PAUSE: Millis = 15 * MINUTE;
/// Wrong passwords for an account, from anywhere, that leave a line each; of more, ever fewer do
/// and say how many there were.
const LINES_EACH: i64 = 20;
/// The pause after the database did not take a line.
const LINE_AGAIN: Duration = Duration::from_secs(1);

/// A counter that tries count against, and the number of them that do no harm.
struct Limit {
    key: String,
    tries_max: i64,
}

/// The fields that somebody typed to become the owner or a member.
#[derive(Clone, Debug)]
pub struct SignUp {
    pub organisation: String,
    pub name: String,
    pub email: String,
    pub password: SecretString,
}

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("some fields are wrong: {0:?}")]
    Fields(Vec<FieldError>),
    #[error("this instance has an owner already")]
    Owned,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The same for an account that is not there.
    #[error("e-mail and password do not match")]
    NoMatch {
        tries_left: u32,
        /// The time at which counting starts anew.
        until: Millis,
    },
    #[error("too many tries")]
    Paused { until: Millis },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error("the new password does not do: {0:?}")]
    Field(FieldError),
    /// The present password is wrong, or there were too many tries.
    #[error(transparent)]
    Present(#[from] SignInError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum FirstPasswordError {
    #[error("the password does not do: {0:?}")]
    Field(FieldError),
    #[error("the account has a password")]
    HasOne,
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum MemberAddError {
    #[error("{0}")]
    Invalid(&'static str),
    #[error("they are a member of this organisation already")]
    Already,
    /// The password that came with it would be nobody's.
    #[error(
        "{0} has an account already, and its password stays what it is; nothing was changed. Add \
            --existing to make that \
            account a member"
    )]
    AccountExists(String),
    #[error("nobody has an account with {0}; leave --existing away to make one")]
    NoAccount(String),
    #[error(
        "nobody proved that {0} is theirs: a link code made the account, which somebody else may \
            have used. Nothing was \
            changed. They prove it on /team, by e-mail or at Linear; or you answer for it with \
            `relink member vouch`"
    )]
    Unproved(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Makes the first owner, with their organisation. Of many at once, one wins.
    ///
    /// # Errors
    /// [`SignUpError::Fields`] names every wrong field at once.
    pub async fn sign_up(&self, form: SignUp) -> Result<Person, SignUpError> {
        // Asked first: hashing passwords for everybody who comes by would be an invitation.
        if self.store().owner_exists().await? {
            return Err(SignUpError::Owned);
        }
        let (email, name, organisation) = (
            identity::email(&form.email),
            identity::display_name(&form.name),
            identity::display_name(&form.organisation),
        );
        let (Some(email), Some(name), Some(organisation), Ok(password)) =
            (email, name, organisation, form.new_password())
        else {
            return Err(SignUpError::Fields(wrong_fields(&form)));
        };
        let slug = self.free_slug(&organisation).await?;
        let actor = AuditActor {
            who: email.clone(),
            ..AuditActor::default()
        };
        let new = self
            .new_member(
                &slug,
                &organisation,
                &email,
                &name,
                password,
                Role::Owner,
                actor,
            )
            .await;
        match self.store().member_add(&new, true).await? {
            Member::Added => {}
            Member::Owned => return Err(SignUpError::Owned),
            _ => return Err(SignUpError::Fields(vec![FieldError::EmailTaken])),
        }
        let person = self
            .store()
            .member(&new.organisation_id, &new.user_id)
            .await?;
        person.ok_or_else(|| {
            StoreError::Inconsistent {
                table: "members",
                id: new.user_id,
            }
            .into()
        })
    }

    /// "northwind-labs", or "northwind-labs-2" where there is one already.
    async fn free_slug(&self, organisation: &str) -> Result<String, StoreError> {
        let wanted = identity::slug_from(organisation);
        let mut slug = wanted.clone();
        for number in 2..100 {
            if self.store().organisation_by_slug(&slug).await?.is_none() {
                break;
            }
            slug = format!("{wanted}-{number}");
        }
        Ok(slug)
    }

    /// Adds a member with a new account from the command line, and the organisation too if its slug
    /// is new.
    ///
    /// # Errors
    /// Says which value is wrong, or that there is an account: its password would not become the
    /// one that was typed.
    pub async fn member_add(
        &self,
        slug: &str,
        name: &str,
        email: &str,
        password: SecretString,
        role: Role,
    ) -> Result<Person, MemberAddError> {
        let email = slug_and_email(slug, email)?;
        let name = identity::display_name(name).ok_or(MemberAddError::Invalid(
            "a name is 1 to 100 printable characters",
        ))?;
        let password = NewPassword::new(&password, &[&email, slug])
            .map_err(|fault| MemberAddError::Invalid(fault.in_words()))?;
        if self.store().user_by_email(&email).await?.is_some() {
            return Err(MemberAddError::AccountExists(email));
        }
        self.join(
            self.new_member(
                slug,
                slug,
                &email,
                &name,
                password,
                role,
                AuditActor::command(),
            )
            .await,
        )
        .await
    }

    /// Makes an account that is there a member from the command line, with the name and the
    /// password that it has. One whose e-mail nobody proved may be anybody's.
    pub async fn member_add_existing(
        &self,
        slug: &str,
        email: &str,
        role: Role,
    ) -> Result<Person, MemberAddError> {
        let email = slug_and_email(slug, email)?;
        let user = self
            .store()
            .user_by_email(&email)
            .await?
            .ok_or_else(|| MemberAddError::NoAccount(email.clone()))?;
        self.join(NewMember {
            organisation_id: self.entropy().id(),
            organisation_slug: slug.to_owned(),
            organisation_name: slug.to_owned(),
            user_id: user.id,
            name: user.name,
            password_hash: None,
            actor: AuditActor::command(),
            now: self.now(),
            email,
            role,
        })
        .await
    }

    async fn join(&self, new: NewMember) -> Result<Person, MemberAddError> {
        match self.store().member_add(&new, false).await? {
            Member::Added => {}
            Member::Already => return Err(MemberAddError::Already),
            Member::AccountExists => return Err(MemberAddError::AccountExists(new.email)),
            Member::NoAccount => return Err(MemberAddError::NoAccount(new.email)),
            Member::Unproved => return Err(MemberAddError::Unproved(new.email)),
            Member::Owned => {
                return Err(StoreError::Inconsistent {
                    table: "members",
                    id: new.email,
                }
                .into());
            }
        }
        let inconsistent = || StoreError::Inconsistent {
            table: "members",
            id: new.email.clone(),
        };
        let organisation = self
            .store()
            .organisation_by_slug(&new.organisation_slug)
            .await?
            .ok_or_else(inconsistent)?;
        let user = self
            .store()
            .user_by_email(&new.email)
            .await?
            .ok_or_else(inconsistent)?;
        Ok(self
            .store()
            .member(&organisation.id, &user.id)
            .await?
            .ok_or_else(inconsistent)?)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one value")]
    async fn new_member(
        &self,
        slug: &str,
        organisation: &str,
        email: &str,
        name: &str,
        password: NewPassword,
        role: Role,
        actor: AuditActor,
    ) -> NewMember {
        NewMember {
            organisation_id: self.entropy().id(),
            organisation_slug: slug.to_owned(),
            organisation_name: organisation.to_owned(),
            user_id: self.entropy().id(),
            email: email.to_owned(),
            name: name.to_owned(),
            password_hash: Some(password::hash(password, self.entropy()).await),
            role,
            actor,
            now: self.now(),
        }
    }

    /// Signs somebody in. That it worked, or did not, goes into the audit trail of the
    /// organisation.
    ///
    /// # Errors
    /// [`SignInError::NoMatch`] or [`SignInError::Paused`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        visitor: Visitor<'_>,
    ) -> Result<Person, SignInError> {
        let proved = self.check_password(email, password, visitor).await;
        match &proved {
            Ok(person) => {
                let line =
                    self.sign_in_act(person, visitor.address, "sign-in", person.email.clone());
                self.store().audit_note(&line).await?;
            }
            Err(SignInError::NoMatch { .. }) => {
                // An account that is there must not take longer than one that is not.
                let (engine, email, address) = (
                    self.for_programs(),
                    email.to_owned(),
                    visitor.address.to_owned(),
                );
                self.afterwards(async move { engine.note_wrong_password(&email, &address).await })
                    .await;
            }
            Err(_) => {}
        }
        proved
    }

    fn sign_in_act(
        &self,
        person: &Person,
        address: &str,
        act: &'static str,
        subject: String,
    ) -> Act {
        let actor = AuditActor {
            user_id: None,
            who: person.email.clone(),
            address: address.to_owned(),
        };
        Acting::outside(&person.organisation_id, actor).act(self, act, subject)
    }

    /// Notes a wrong password, trying until it is written, whatever the database does meanwhile.
    async fn note_wrong_password(&self, email: &str, address: &str) {
        let mut line = None;
        while let Err(error) = self.try_to_note(email, address, &mut line).await {
            tracing::warn!(%error, "a wrong password could not be written into the audit trail; \
                tried again");
            sleep(LINE_AGAIN).await;
        }
    }

    /// `line` is kept between tries, so that each wrong password counts once.
    async fn try_to_note(
        &self,
        email: &str,
        address: &str,
        line: &mut Option<Act>,
    ) -> Result<(), StoreError> {
        if line.is_none() {
            let Some(person) = self.person_by_email(email).await? else {
                return Ok(());
            };
            let key = format!("sign-in failed {}", person.user_id);
            let Some(subject) = subject(
                &person.email,
                self.store()
                    .throttle_count(&key, self.now(), PAUSE)
                    .await?
                    .tries,
            ) else {
                return Ok(());
            };
            *line = Some(self.sign_in_act(&person, address, "sign-in.failed", subject));
        }
        match line {
            Some(line) => self.store().audit_note(line).await,
            None => Ok(()),
        }
    }

    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        match self.user_of(email).await? {
            Some(user) => self.person_in_first_organisation(&user.id).await,
            None => Ok(None),
        }
    }

    /// The account that somebody means by an address. One from before addresses were compared in
    /// one spelling may have kept its own, where another account has the one that it would have
    /// now.
    async fn user_of(&self, typed: &str) -> Result<Option<UserRow>, StoreError> {
        for spelling in identity::spellings(typed) {
            if let Some(user) = self.store().user_by_email(&spelling).await? {
                return Ok(Some(user));
            }
        }
        Ok(None)
    }

    /// Gives accounts from before the one spelling that addresses have now. Where another account
    /// has it both stay as they are, and each is signed in to as before.
    pub(crate) async fn spell_emails_anew(&self) -> Result<(), StoreError> {
        for (id, email) in self.store().users_beyond_ascii().await? {
            let Some(anew) = identity::email(&email).filter(|anew| *anew != email) else {
                continue;
            };
            if !self.store().user_respell(&id, &email, &anew).await? {
                tracing::warn!(
                    user = id,
                    "two accounts have the same e-mail address in two spellings; `relink member \
                        remove` one"
                );
            }
        }
        Ok(())
    }

    /// Checks a password. Tries are counted before the password is looked at, on all replicas
    /// together, so that guesses at the same moment all count; an account that is not there counts
    /// and takes the same time. They count against where they come from, so that whoever guesses
    /// waits and nobody else does: not from another address, nor in a browser that the account's
    /// person was signed in with before.
    ///
    /// # Errors
    /// [`SignInError::NoMatch`] or [`SignInError::Paused`].
    async fn check_password(
        &self,
        email: &str,
        password: SecretString,
        visitor: Visitor<'_>,
    ) -> Result<Person, SignInError> {
        let spelling = identity::email(email).unwrap_or_default();
        let user = self.user_of(email).await?;
        let limits = limits(
            &spelling,
            user.as_ref().map(|user| user.id.as_str()),
            visitor,
        );
        let counted = self.count_tries(&limits).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let fits = password.expose_secret().len() <= password::MAX_BYTES;
        let password = if fits {
            password
        } else {
            SecretString::default()
        };
        let matches = password::verify(password, hash).await && fits;
        if let (true, Some(user)) = (matches, user)
            && let Some(person) = self.person_in_first_organisation(&user.id).await?
        {
            self.forgive(&limits).await?;
            return Ok(person);
        }
        let tries_left = u32::try_from(TRIES_PER_ACCOUNT - counted.tries).unwrap_or(0);
        Err(SignInError::NoMatch {
            tries_left,
            until: counted.resets_at,
        })
    }

    /// Counts a try against each, one after the other: an address that waits makes nothing else
    /// wait. Answers where the last one stands.
    async fn count_tries(&self, limits: &[Limit]) -> Result<Tries, SignInError> {
        let now = self.now();
        let mut last = Tries {
            tries: 0,
            resets_at: now,
        };
        for limit in limits {
            // Read first: who waits already must not make the database write.
            let before = self.store().throttle(&limit.key, now).await?;
            if let Some(before) = before.filter(|before| before.tries >= limit.tries_max) {
                return Err(SignInError::Paused {
                    until: before.resets_at,
                });
            }
            last = self.store().throttle_count(&limit.key, now, PAUSE).await?;
            if last.tries > limit.tries_max {
                return Err(SignInError::Paused {
                    until: last.resets_at,
                });
            }
        }
        Ok(last)
    }

    /// Forgives a good password its tries: the account's count starts anew, and the address has one
    /// less.
    async fn forgive(&self, limits: &[Limit]) -> Result<(), StoreError> {
        if let Some((account, others)) = limits.split_last() {
            self.store().throttle_clear(&account.key).await?;
            for other in others {
                self.store().throttle_forgive(&other.key).await?;
            }
        }
        Ok(())
    }

    async fn person_in_first_organisation(&self, user: &str) -> Result<Option<Person>, StoreError> {
        match self.store().member_first_organisation(user).await? {
            Some(organisation) => self.store().member(&organisation, user).await,
            None => Ok(None),
        }
    }

    /// Replaces a person's own password. The present one is asked for, under the limits of signing
    /// in: a browser left open must not become somebody else's account.
    pub async fn change_password(
        &self,
        person: &Person,
        present: SecretString,
        new: SecretString,
        visitor: Visitor<'_>,
    ) -> Result<(), ChangePasswordError> {
        let new = own_password(person, &new).map_err(ChangePasswordError::Field)?;
        self.check_password(&person.email, present, visitor).await?;
        let hash = password::hash(new, self.entropy()).await;
        let act = Acting::from(person).act(self, "password.changed", &person.email);
        if !self
            .store()
            .user_set_password(&person.user_id, &hash, &act)
            .await?
        {
            return Err(StoreError::Inconsistent {
                table: "users",
                id: person.user_id.clone(),
            }
            .into());
        }
        Ok(())
    }

    /// Gives an account that a link code made its first password. One that has a password keeps it:
    /// that one is only changed by who knows it.
    pub async fn set_first_password(
        &self,
        person: &Person,
        password: SecretString,
    ) -> Result<(), FirstPasswordError> {
        let password = own_password(person, &password).map_err(FirstPasswordError::Field)?;
        let hash = password::hash(password, self.entropy()).await;
        let act = Acting::from(person).act(self, "password.changed", &person.email);
        let had_none = self
            .store()
            .user_set_first_password(&person.user_id, &hash, &act)
            .await?;
        if had_none {
            Ok(())
        } else {
            Err(FirstPasswordError::HasOne)
        }
    }
}

/// Lists what a try counts against: the account's own counter comes last.
fn limits(email: &str, user: Option<&str>, visitor: Visitor<'_>) -> Vec<Limit> {
    let account = sha256_hex(email.as_bytes());
    let known = visitor
        .device
        .filter(|device| user.is_some_and(|user| device.knows(user)));
    if let Some(device) = known {
        return vec![Limit {
            key: format!("sign-in browser {} {account}", device.id),
            tries_max: TRIES_PER_ACCOUNT,
        }];
    }
    let address = sha256_hex(counted_text(visitor.address).as_bytes());
    vec![
        Limit {
            key: format!("sign-in address {address}"),
            tries_max: TRIES_PER_ADDRESS,
        },
        Limit {
            key: format!("sign-in account {account} address {address}"),
            tries_max: TRIES_PER_ACCOUNT,
        },
    ]
}

/// The subject of the line about a wrong password, if it leaves one: guessing from a thousand
/// addresses must not fill the trail.
fn subject(email: &str, tries: i64) -> Option<String> {
    if tries <= LINES_EACH {
        return Some(email.to_owned());
    }
    (tries.count_ones() == 1).then(|| format!("{email}, {tries} times in a quarter of an hour"))
}

/// The address in the spelling that is stored.
fn slug_and_email(slug: &str, email: &str) -> Result<String, MemberAddError> {
    if !identity::is_slug(slug) {
        return Err(MemberAddError::Invalid(
            "an organisation's slug is 1 to 40 of a-z, 0-9 and dashes inside",
        ));
    }
    identity::email(email).ok_or(MemberAddError::Invalid("this cannot be an e-mail address"))
}

impl SignUp {
    fn new_password(&self) -> Result<NewPassword, FieldError> {
        NewPassword::new(&self.password, &[&self.email, &self.organisation])
    }
}

fn own_password(person: &Person, password: &SecretString) -> Result<NewPassword, FieldError> {
    NewPassword::new(password, &[&person.email, &person.organisation])
}

fn wrong_fields(form: &SignUp) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if identity::display_name(&form.organisation).is_none() {
        wrong.push(FieldError::Organisation);
    }
    if identity::display_name(&form.name).is_none() {
        wrong.push(FieldError::Name);
    }
    if identity::email(&form.email).is_none() {
        wrong.push(FieldError::Email);
    }
    wrong.extend(form.new_password().err());
    wrong
}
