//! Proof at Linear: whoever it is goes to Linear's consent page, and Linear says who they are. Relink looks once, hands the
//! permission back, and only then decides.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::proved::{Proof, ProofBeginError, ProofEnd, ProofError, Told};
use super::redeem::{CodeError, ConfirmError, Guesser};
use crate::again::Back;
use crate::callback::Callback;
use crate::clock::{MINUTE, Millis};
use crate::connect::BeginError;
use crate::connection::{ActAs, Connection, Reason, State};
use crate::digest::sha256_hex;
use crate::identity::{self, Person};
use crate::linear::{Tokens, WhoAmI};
use crate::store::{Linking, ProofAttempt, StoreError};
use crate::vault::Place;
use crate::{CallFailed, Engine, TokenError, uncancelled};

/// Time to say yes.
const ATTEMPT_LIFE: Millis = 10 * MINUTE;
/// Nothing that is written: the least that says who somebody is.
const SCOPE: &str = "read";
/// Seconds after which a revocation that Linear did not confirm is asked for again.
const AGAIN_AFTER_S: [u64; 6] = [1, 5, 30, 120, 600, 3_600];

const TABLE: &str = "proof_attempts";
const VERIFIER: &str = "verifier_sealed";

/// What a consent is to show.
struct Wanted<'a> {
    browser: &'a str,
    user_id: Option<&'a str>,
    linear_id: Option<&'a str>,
    code_hash: Option<String>,
}

/// What somebody lent for a look.
struct Loan {
    organisation: String,
    /// The connection that it was about.
    connection: String,
    /// It worked before.
    works: bool,
    client_id: String,
    workspace: Option<String>,
    person: Option<String>,
    tokens: Tokens,
}

impl Engine {
    /// Sends a member to Linear's consent page, to say who they are in the workspace of a connection. With `linear_id` they
    /// have to be that person.
    ///
    /// # Errors
    /// See [`BeginError`].
    pub async fn proof_begin(&self, person: &Person, browser: &str, connection: &str, linear_id: Option<&str>) -> Result<Url, BeginError> {
        let connection = self.store().connection(&person.organisation_id, connection).await?.ok_or(BeginError::NotFound)?;
        self.to_consent(&connection, Wanted { browser, user_id: Some(&person.user_id), linear_id, code_hash: None }).await
    }

    /// Sends whoever holds a link code to Linear's consent page, to say that they are the person whom it names. Nothing is
    /// used up before they come back.
    ///
    /// # Errors
    /// See [`ProofBeginError`].
    pub async fn proof_begin_for_code(
        &self,
        typed: &str,
        signed_in: Option<&Person>,
        browser: &str,
        guesser: Guesser<'_>,
    ) -> Result<Url, ProofBeginError> {
        let (invite, hash) = self.look_up(typed, guesser).await?;
        let connection = self.store().connection_by_workspace(&invite.organisation_id, &invite.workspace_id).await;
        let connection = connection.map_err(CodeError::from)?.ok_or(BeginError::NotFound)?;
        let user_id = signed_in.map(|person| &*person.user_id);
        let wanted = Wanted { browser, user_id, linear_id: Some(&invite.linear_id), code_hash: Some(hash) };
        Ok(self.to_consent(&connection, wanted).await?)
    }

    async fn to_consent(&self, connection: &Connection, wanted: Wanted<'_>) -> Result<Url, BeginError> {
        if matches!(connection.state, State::Disconnected { .. }) {
            return Err(BeginError::NotFound);
        }
        let organisation = &connection.organisation_id;
        let app = self.oauth_app(organisation, connection.app_id.as_deref()).await?;
        let state = self.entropy().token();
        let verifier = SecretString::from(self.entropy().token());
        let state_hash = sha256_hex(state.as_bytes());
        let attempt = ProofAttempt {
            verifier_sealed: self.vault().seal(Place { table: TABLE, row: &state_hash, column: VERIFIER, organisation }, &verifier),
            browser_hash: sha256_hex(wanted.browser.as_bytes()),
            organisation_id: organisation.clone(),
            user_id: wanted.user_id.map(str::to_owned),
            connection_id: connection.id.clone(),
            app_id: connection.app_id.clone(),
            linear_id: wanted.linear_id.map(str::to_owned),
            code_hash: wanted.code_hash,
            expires_at: self.now() + ATTEMPT_LIFE,
            state_hash,
        };
        self.store().proof_attempt_create(&attempt).await?;
        Ok(self.linear().authorize_url(&app, &state, &verifier, ActAs::User, &[SCOPE.to_owned()]))
    }

    /// Ends an attempt with what Linear sent the browser back with, or says again how it ended; `None` where it is none of this
    /// browser's. Whatever goes wrong, nothing is written, and the permission is handed back.
    ///
    /// # Errors
    /// When the database fails; how the attempt ended is in the answer.
    pub async fn proof_finish(
        &self,
        person: Option<&Person>,
        browser: &str,
        address: &str,
        callback: &Callback,
    ) -> Result<Option<ProofEnd>, StoreError> {
        let Some(back) = Back::of(browser, callback) else { return Ok(None) };
        let Some(attempt) = self.store().proof_attempt_take(&back.state_hash, &back.browser_hash, self.now()).await? else {
            return self.proof_again(person, &back).await;
        };
        let approved = approved(person, &attempt, callback);
        let (engine, person, address) = (self.clone(), person.cloned(), address.to_owned());
        // From here on nobody's leaving stops it: the permission has to be handed back, and the end noted.
        let end = uncancelled(async move {
            let outcome = match approved {
                Ok(code) => engine.look_and_decide(person.as_ref(), &attempt, &code, address).await,
                Err(error) => Err(error),
            };
            let end = ProofEnd { of_code: attempt.code_hash.is_some(), outcome };
            engine.note_proof_end(&back, &end).await;
            end
        });
        Ok(Some(end.await))
    }

    async fn look_and_decide(
        &self,
        person: Option<&Person>,
        attempt: &ProofAttempt,
        code: &str,
        address: String,
    ) -> Result<Proof, ProofError> {
        // Before Linear gives anything for the code: what is not asked for need not be handed back.
        let connection = self.store().connection(&attempt.organisation_id, &attempt.connection_id).await?;
        let connection = connection.filter(|connection| !matches!(connection.state, State::Disconnected { .. }));
        let connection = connection.ok_or(ProofError::Gone)?;
        let works = matches!(connection.state, State::Connected { .. });
        let who = self.ask_who(attempt, code, works).await?;
        let told = Told { name: who.person.name.clone(), email: who.person.email.clone(), workspace: who.workspace.name.clone() };
        if who.workspace.id != connection.workspace.id {
            return Err(ProofError::OtherWorkspace { told, expected: connection.workspace.name });
        }
        if !who.person.can_be_linked() {
            return Err(ProofError::NotLinkable { told });
        }
        if attempt.linear_id.as_ref().is_some_and(|expected| *expected != who.person.id) {
            return Err(ProofError::SomebodyElse { told });
        }
        match (&attempt.code_hash, person) {
            (Some(hash), _) => self.redeem_proved(hash, person, &who, told, address).await,
            (None, Some(person)) => self.link_proved(person, &connection, &who, told).await,
            (None, None) => Err(ProofError::StateMismatch),
        }
    }

    /// Asks Linear who it is, and hands the permission back before anything is made of the answer.
    async fn ask_who(&self, attempt: &ProofAttempt, code: &str, works: bool) -> Result<WhoAmI, ProofError> {
        let organisation = &attempt.organisation_id;
        let verifier = self.vault().open_row(TABLE, VERIFIER, &attempt.state_hash, organisation, &attempt.verifier_sealed)?;
        let app = self.oauth_app(organisation, attempt.app_id.as_deref()).await?;
        let tokens = self.linear().exchange(&app, code, &verifier).await?;
        let who = self.linear().who_am_i(&tokens.access).await;
        self.hand_back(Loan {
            organisation: organisation.clone(),
            connection: attempt.connection_id.clone(),
            works,
            client_id: app.client_id,
            workspace: who.as_ref().ok().map(|who| who.workspace.id.clone()),
            person: who.as_ref().ok().map(|who| who.person.id.clone()),
            tokens,
        })
        .await;
        who.map_err(|error| ProofError::LinearUnreachable(error.to_string()))
    }

    /// Hands back what was lent to look, and goes on in the background where Linear does not confirm it. Nothing is stored
    /// for that.
    async fn hand_back(&self, loan: Loan) {
        if self.is_handed_back(&loan).await {
            return;
        }
        let engine = self.clone();
        tokio::spawn(async move {
            for seconds in AGAIN_AFTER_S {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                if engine.is_handed_back(&loan).await {
                    return;
                }
            }
            tracing::error!("Linear never confirmed that a permission is revoked that was lent to say who somebody is");
        });
    }

    /// Revokes what was lent: it is one person's, who may take it back in Linear at any time, so no installation hangs on
    /// it. Only where a living connection acts as that very person may it hang on the same permission; then it waits for that
    /// one's end, sealed. Should Linear once prove us wrong, all of that app's wait for its connections from then on.
    async fn is_handed_back(&self, loan: &Loan) -> bool {
        let Loan { client_id, tokens, .. } = loan;
        match self.hangs_on(loan).await {
            Ok(Some((organisation, id))) => {
                self.set_aside(&organisation, &id, client_id, tokens).await;
                true
            }
            Ok(None) => self.revoke_loan(loan).await,
            Err(error) => {
                tracing::warn!(%error, "a permission that was lent for a look is handed back later");
                false
            }
        }
    }

    /// In a gap between consents: that of a connection which is just being made counts as any other.
    async fn revoke_loan(&self, loan: &Loan) -> bool {
        let Loan { client_id, workspace, tokens, .. } = loan;
        let Ok(Some(voiding)) = self.voiding(Some(client_id), workspace.as_deref()).await else { return false };
        // Asked again: waiting for the gap may have been waiting for the very connection that it hangs on.
        match self.hangs_on(loan).await {
            Ok(None) => {}
            found => {
                self.voiding_over(&voiding).await;
                let Ok(Some((organisation, id))) = found else { return false };
                self.set_aside(&organisation, &id, client_id, tokens).await;
                return true;
            }
        }
        let void = self.void(voiding, &tokens.access, tokens.refresh.as_ref()).await;
        if loan.works {
            self.learn_what_it_ended(loan).await;
        }
        void
    }

    /// The connection that might end with a loan: organisation and id.
    async fn hangs_on(&self, loan: &Loan) -> Result<Option<(String, String)>, StoreError> {
        let (client_id, workspace) = (loan.client_id.as_str(), loan.workspace.as_deref());
        if self.store().meta(&ends_more(client_id)).await?.is_some() {
            return self.store().connection_living(Some(client_id), workspace, Some(&loan.connection)).await;
        }
        self.store().connection_living_as(client_id, workspace, loan.person.as_deref()).await
    }

    /// Looks whether the connection that a loan was about still works without it.
    async fn learn_what_it_ended(&self, loan: &Loan) {
        let checked = self.check(&loan.organisation, &loan.connection).await;
        if let Err(CallFailed::Token(TokenError::ReconnectRequired { reason: Reason::InvalidGrant | Reason::Revoked })) = checked {
            tracing::error!(
                connection = loan.connection,
                "a connection ended with one person's permission: from now on these wait for its end"
            );
            if let Err(error) = self.store().meta_put(&ends_more(&loan.client_id), b"1").await {
                tracing::error!(%error, "what a revocation ended could not be noted");
            }
        }
    }

    async fn link_proved(&self, person: &Person, connection: &Connection, who: &WhoAmI, told: Told) -> Result<Proof, ProofError> {
        let subject = format!("{} in {}, proved at Linear", told.name, told.workspace);
        let act = self.act(&person.organisation_id, person.actor(), "person.linked", subject);
        let email_proved = identity::email(&told.email).is_some_and(|email| email == person.email);
        let row = super::invites::row(connection, &who.person);
        match self.store().person_link(&row, &person.user_id, email_proved, &act).await? {
            Linking::Linked { again, .. } => Ok(Proof::Member { told, linear_id: who.person.id.clone(), again, email_proved }),
            Linking::PersonTaken { email } => Err(ProofError::PersonTaken { told, email }),
            Linking::OtherPerson { name } => Err(ProofError::OtherPerson { told, name }),
            Linking::Gone | Linking::EmailTaken | Linking::Unproved => Err(ProofError::Gone),
        }
    }

    async fn redeem_proved(
        &self,
        code_hash: &str,
        person: Option<&Person>,
        who: &WhoAmI,
        told: Told,
        address: String,
    ) -> Result<Proof, ProofError> {
        let invite = self.store().invite_open(code_hash, self.now()).await?.ok_or(ProofError::Gone)?;
        match self.confirm(&invite, code_hash, person, address, Some(&who.person)).await {
            Ok(confirmed) => Ok(Proof::Code(confirmed)),
            Err(ConfirmError::Code(CodeError::Store(error))) => Err(error.into()),
            Err(ConfirmError::Code(_)) => Err(ProofError::Gone),
            Err(ConfirmError::EmailTaken) => Err(ProofError::EmailTaken),
            Err(ConfirmError::Unproved | ConfirmError::OwnCode) => Err(ProofError::Unproved),
            Err(ConfirmError::PersonTaken { email }) => Err(ProofError::PersonTaken { told, email }),
            Err(ConfirmError::OtherPerson { name }) => Err(ProofError::OtherPerson { told, name }),
        }
    }
}

/// Where it is noted that revoking one person's permission ended more than that.
fn ends_more(client_id: &str) -> String {
    format!("revocation ends more {client_id}")
}

/// The code that Linear gave, if it is whoever began who came back with it.
fn approved(person: Option<&Person>, attempt: &ProofAttempt, callback: &Callback) -> Result<String, ProofError> {
    let theirs = match (&attempt.user_id, person) {
        (Some(user), Some(person)) => {
            // A link code may be another organisation's.
            *user == person.user_id && (attempt.code_hash.is_some() || attempt.organisation_id == person.organisation_id)
        }
        (None, None) => true,
        _ => false,
    };
    if !theirs {
        return Err(ProofError::StateMismatch);
    }
    match callback.error.as_deref() {
        Some("access_denied") => Err(ProofError::AccessDenied),
        Some(_) => Err(ProofError::AuthorizationFailed),
        None => callback.code.clone().ok_or(ProofError::AuthorizationFailed),
    }
}
