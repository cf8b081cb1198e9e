//! Signing up, signing in and passwords.

use secrecy::{ExposeSecret, SecretString};

use crate::account::{self, NewMember, Person, Role};
use crate::clock::{MINUTE, Millis};
use crate::digest::sha256_hex;
use crate::store::{Actor, Member, StoreError};
use crate::{Engine, password};

/// Wrong passwords until an account pauses.
const TRIES_PER_ACCOUNT: i64 = 5;
/// Wrong passwords until an address pauses. Many people may share one.
const TRIES_PER_ADDRESS: i64 = 50;
const PAUSE: Millis = 15 * MINUTE;

/// What somebody typed to become the owner or a member.
#[derive(Clone, Debug)]
pub struct SignUp {
    pub organisation: String,
    pub name: String,
    pub email: String,
    pub password: SecretString,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldError {
    Organisation,
    Name,
    Email,
    /// Somebody has an account with it.
    EmailTaken,
    PasswordTooShort,
    PasswordTooLong,
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
    NoMatch { tries_left: u32 },
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
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A member who was not one before.
#[derive(Clone, Debug)]
pub struct AddedMember {
    pub person: Person,
    /// They had an account already: its name and password are what they were.
    pub account_existed: bool,
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
        let (email, name, organisation) =
            (account::email(&form.email), account::display_name(&form.name), account::display_name(&form.organisation));
        let (Some(email), Some(name), Some(organisation), None) = (email, name, organisation, password_error(&form.password)) else {
            return Err(SignUpError::Fields(wrong_fields(&form)));
        };
        let slug = self.free_slug(&organisation).await?;
        let actor = Actor { who: email.clone(), ..Actor::default() };
        let new = self.new_member(&slug, &organisation, &email, &name, form.password, Role::Owner, actor).await;
        match self.store().member_add(&new, true).await? {
            Member::Added => {}
            Member::Already => return Err(SignUpError::Fields(vec![FieldError::EmailTaken])),
            Member::Owned => return Err(SignUpError::Owned),
        }
        let person = self.store().member(&new.organisation_id, &new.user_id).await?;
        person.ok_or_else(|| StoreError::Inconsistent { table: "members", id: new.user_id }.into())
    }

    /// "northwind-labs", or "northwind-labs-2" where there is one already.
    async fn free_slug(&self, organisation: &str) -> Result<String, StoreError> {
        let wanted = account::slug_from(organisation);
        let mut slug = wanted.clone();
        for number in 2..100 {
            if self.store().organisation_by_slug(&slug).await?.is_none() {
                break;
            }
            slug = format!("{wanted}-{number}");
        }
        Ok(slug)
    }

    /// Adds a member from the command line, and the organisation too if its slug is new.
    ///
    /// # Errors
    /// Says which value is wrong, or that they are a member already.
    pub async fn member_add(
        &self,
        slug: &str,
        name: &str,
        email: &str,
        password: SecretString,
        role: Role,
    ) -> Result<AddedMember, MemberAddError> {
        if !account::is_slug(slug) {
            return Err(MemberAddError::Invalid("an organisation's slug is 1 to 40 of a-z, 0-9 and dashes inside"));
        }
        let email = account::email(email).ok_or(MemberAddError::Invalid("this cannot be an e-mail address"))?;
        let name = account::display_name(name).ok_or(MemberAddError::Invalid("a name is 1 to 100 printable characters"))?;
        match password_error(&password) {
            Some(FieldError::PasswordTooShort) => return Err(MemberAddError::Invalid("a password has at least 12 characters")),
            Some(_) => return Err(MemberAddError::Invalid("a password has at most 1024 bytes")),
            None => {}
        }
        let account_existed = self.store().user_by_email(&email).await?.is_some();
        let new = self.new_member(slug, slug, &email, &name, password, role, Actor::command()).await;
        if self.store().member_add(&new, false).await? == Member::Already {
            return Err(MemberAddError::Already);
        }
        let inconsistent = || StoreError::Inconsistent { table: "members", id: email.clone() };
        let organisation = self.store().organisation_by_slug(slug).await?.ok_or_else(inconsistent)?;
        let user = self.store().user_by_email(&email).await?.ok_or_else(inconsistent)?;
        let person = self.store().member(&organisation.id, &user.id).await?.ok_or_else(inconsistent)?;
        Ok(AddedMember { person, account_existed })
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one value")]
    async fn new_member(
        &self,
        slug: &str,
        organisation: &str,
        email: &str,
        name: &str,
        password: SecretString,
        role: Role,
        actor: Actor,
    ) -> NewMember {
        NewMember {
            organisation_id: self.entropy().id(),
            organisation_slug: slug.to_owned(),
            organisation_name: organisation.to_owned(),
            user_id: self.entropy().id(),
            email: email.to_owned(),
            name: name.to_owned(),
            password_hash: password::hash(password, self.entropy()).await,
            role,
            actor,
            now: self.now(),
        }
    }

    /// Signs somebody in. That it worked, or did not, goes into the audit trail of the organisation.
    ///
    /// # Errors
    /// [`SignInError::NoMatch`] or [`SignInError::Paused`].
    pub async fn sign_in(&self, email: &str, password: SecretString, address: &str) -> Result<Person, SignInError> {
        let proved = self.check_password(email, password, address).await;
        let (act, person) = match &proved {
            Ok(person) => ("sign-in", Some(person.clone())),
            Err(SignInError::NoMatch { .. }) => ("sign-in.failed", self.person_by_email(email).await?),
            Err(_) => return proved,
        };
        if let Some(person) = person {
            let actor = Actor { user_id: None, who: person.email.clone(), address: address.to_owned() };
            self.store().audit_note(&self.act(&person.organisation_id, actor, act, person.email.clone())).await?;
        }
        proved
    }

    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        let Some(email) = account::email(email) else { return Ok(None) };
        match self.store().user_by_email(&email).await? {
            Some(user) => self.person_in_first_organisation(&user.id).await,
            None => Ok(None),
        }
    }

    /// Checks a password. Tries are counted before the password is looked at, per account and per address, on all
    /// replicas together, so that guesses at the same moment all count; an account that is not there counts and takes
    /// the same time.
    ///
    /// # Errors
    /// [`SignInError::NoMatch`] or [`SignInError::Paused`].
    async fn check_password(&self, email: &str, password: SecretString, address: &str) -> Result<Person, SignInError> {
        let email = account::email(email).unwrap_or_default();
        let by_account = format!("sign-in account {}", sha256_hex(email.as_bytes()));
        let by_address = format!("sign-in address {}", sha256_hex(address.as_bytes()));
        let now = self.now();
        let of_address = self.store().throttle_count(&by_address, now, PAUSE).await?;
        // Before the account is touched: a paused address must not pause other people's accounts.
        if of_address.tries > TRIES_PER_ADDRESS {
            return Err(SignInError::Paused { until: of_address.resets_at });
        }
        let of_account = self.store().throttle_count(&by_account, now, PAUSE).await?;
        if of_account.tries > TRIES_PER_ACCOUNT {
            return Err(SignInError::Paused { until: of_account.resets_at });
        }
        let user = self.store().user_by_email(&email).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let fits = password.expose_secret().len() <= password::MAX_BYTES;
        let password = if fits { password } else { SecretString::default() };
        let matches = password::verify(password, hash).await && fits;
        if let (true, Some(user)) = (matches, user)
            && let Some(person) = self.person_in_first_organisation(&user.id).await?
        {
            self.store().throttle_clear(&by_account).await?;
            self.store().throttle_forgive(&by_address).await?;
            return Ok(person);
        }
        let tries_left = u32::try_from(TRIES_PER_ACCOUNT - of_account.tries).unwrap_or(0);
        if tries_left == 0 {
            return Err(SignInError::Paused { until: of_account.resets_at });
        }
        Err(SignInError::NoMatch { tries_left })
    }

    async fn person_in_first_organisation(&self, user: &str) -> Result<Option<Person>, StoreError> {
        match self.store().member_first_organisation(user).await? {
            Some(organisation) => self.store().member(&organisation, user).await,
            None => Ok(None),
        }
    }

    /// Replaces a person's own password. The present one is asked for, under the limits of signing in: a browser left
    /// open must not become somebody else's account.
    ///
    /// # Errors
    /// See [`ChangePasswordError`].
    pub async fn change_password(
        &self,
        person: &Person,
        present: SecretString,
        new: SecretString,
        address: &str,
    ) -> Result<(), ChangePasswordError> {
        if let Some(error) = password_error(&new) {
            return Err(ChangePasswordError::Field(error));
        }
        self.check_password(&person.email, present, address).await?;
        let hash = password::hash(new, self.entropy()).await;
        let act = self.act(&person.organisation_id, person.actor(), "password.changed", person.email.clone());
        if !self.store().user_set_password(&person.user_id, &hash, &act).await? {
            return Err(StoreError::Inconsistent { table: "users", id: person.user_id.clone() }.into());
        }
        Ok(())
    }

    /// Gives an account that a link code made its first password. One that has a password keeps it: that one is only
    /// changed by who knows it.
    ///
    /// # Errors
    /// See [`FirstPasswordError`].
    pub async fn set_first_password(&self, person: &Person, password: SecretString) -> Result<(), FirstPasswordError> {
        if let Some(error) = password_error(&password) {
            return Err(FirstPasswordError::Field(error));
        }
        let hash = password::hash(password, self.entropy()).await;
        let act = self.act(&person.organisation_id, person.actor(), "password.changed", person.email.clone());
        let had_none = self.store().user_set_first_password(&person.user_id, &hash, &act).await?;
        if had_none { Ok(()) } else { Err(FirstPasswordError::HasOne) }
    }
}

fn password_error(password: &SecretString) -> Option<FieldError> {
    let password = password.expose_secret();
    if password.chars().count() < password::MIN_LENGTH {
        Some(FieldError::PasswordTooShort)
    } else if password.len() > password::MAX_BYTES {
        Some(FieldError::PasswordTooLong)
    } else {
        None
    }
}

fn wrong_fields(form: &SignUp) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if account::display_name(&form.organisation).is_none() {
        wrong.push(FieldError::Organisation);
    }
    if account::display_name(&form.name).is_none() {
        wrong.push(FieldError::Name);
    }
    if account::email(&form.email).is_none() {
        wrong.push(FieldError::Email);
    }
    wrong.extend(password_error(&form.password));
    wrong
}
