//! Proof at Linear: whoever it is goes to Linear's consent page, and Linear says who they are.
//! Relink looks once, hands the permission back, and only then decides.

use secrecy::SecretString;
use url::Url;

use super::proved::{Proof, ProofBeginError, ProofEnd, ProofError, Told};
use super::redeem::{CodeError, ConfirmError, Guesser};
use crate::clock::{MINUTE, Millis};
use crate::connection::callback::Callback;
use crate::connection::consent::BeginError;
use crate::connection::minted::Brought;
use crate::connection::repeated_callback::Back;
use crate::connection::state::{ActAs, Connection, State};
use crate::connection::voiding::Voided;
use crate::digest::sha256_hex;
use crate::identity::{self, Person};
use crate::linear::WhoAmI;
use crate::store::{Linking, ProofAttempt, StoreError, Whose};
use crate::vault::Place;
use crate::{Acting, Engine, uncancelled};

/// The time that people have to say yes.
const ATTEMPT_LIFE: Millis = 10 * MINUTE;
/// The least that says who somebody is; it allows no writing.
const SCOPE: &str = "read";

const TABLE: &str = "proof_attempts";
const VERIFIER: &str = "verifier_sealed";

/// The person and the workspace that a consent is to show.
struct Wanted<'a> {
    browser: &'a str,
    user_id: Option<&'a str>,
    linear_id: Option<&'a str>,
    code_hash: Option<String>,
}

/// Linear's answer to who it is, and what became of the permission to ask.
struct Look {
    who: WhoAmI,
    lent: Voided,
    /// A connection ended with it, which nobody could know.
    ended_more: bool,
}

impl Engine {
    /// Sends a member to Linear's consent page, to say who they are in the workspace of a
    /// connection. With `linear_id` they have to be that person.
    pub async fn proof_begin(
        &self,
        person: &Person,
        browser: &str,
        connection: &str,
        linear_id: Option<&str>,
    ) -> Result<Url, BeginError> {
        let connection = self
            .store()
            .connection(&person.organisation_id, connection)
            .await?
            .ok_or(BeginError::NotFound)?;
        self.to_consent(
            &connection,
            Wanted {
                browser,
                user_id: Some(&person.user_id),
                linear_id,
                code_hash: None,
            },
        )
        .await
    }

    /// Sends whoever holds a link code to Linear's consent page, to say that they are the person
    /// whom it names. Nothing is used up before they come back.
    pub async fn proof_begin_for_code(
        &self,
        typed: &str,
        signed_in: Option<&Person>,
        browser: &str,
        guesser: Guesser<'_>,
    ) -> Result<Url, ProofBeginError> {
        let (invite, hash) = self.look_up(typed, guesser).await?;
        let connection = self
            .store()
            .connection_by_workspace(&invite.organisation_id, &invite.workspace_id)
            .await;
        let connection = connection
            .map_err(CodeError::from)?
            .ok_or(BeginError::NotFound)?;
        let user_id = signed_in.map(|person| &*person.user_id);
        let wanted = Wanted {
            browser,
            user_id,
            linear_id: Some(&invite.linear_id),
            code_hash: Some(hash),
        };
        Ok(self.to_consent(&connection, wanted).await?)
    }

    async fn to_consent(
        &self,
        connection: &Connection,
        wanted: Wanted<'_>,
    ) -> Result<Url, BeginError> {
        if matches!(connection.state, State::Disconnected { .. }) {
            return Err(BeginError::NotFound);
        }
        let organisation = &connection.organisation_id;
        let app = self
            .oauth_app(organisation, connection.app_id.as_deref())
            .await?;
        let state = self.entropy().token();
        let verifier = SecretString::from(self.entropy().token());
        let state_hash = sha256_hex(state.as_bytes());
        let attempt = ProofAttempt {
            verifier_sealed: self.vault().seal(
                Place {
                    table: TABLE,
                    row: &state_hash,
                    column: VERIFIER,
                    organisation,
                },
                &verifier,
            ),
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
        Ok(self
            .linear()
            .authorize_url(&app, &state, &verifier, ActAs::User, &[SCOPE.to_owned()]))
    }

    /// Ends an attempt with what Linear sent the browser back with, or says again how it ended;
    /// `None` where it is none of this browser's. Whatever goes wrong, nothing is written, and the
    /// permission is handed back.
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
        let Some(back) = Back::of(browser, callback) else {
            return Ok(None);
        };
        let Some(attempt) = self
            .store()
            .proof_attempt_take(&back.state_hash, &back.browser_hash, self.now())
            .await?
        else {
            return self.repeated_proof(person, &back).await;
        };
        let approved = approved(person, &attempt, callback);
        let (engine, person, address) = (self.clone(), person.cloned(), address.to_owned());
        // From here on nobody's leaving stops it: the permission has to be handed back, and the end
        // noted.
        let end = uncancelled(async move {
            let outcome = match approved {
                Ok(code) => {
                    engine
                        .look_and_decide(person.as_ref(), &attempt, &code, address)
                        .await
                }
                Err(error) => Err(error),
            };
            let end = ProofEnd {
                of_code: attempt.code_hash.is_some(),
                repeated: false,
                outcome,
            };
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
        let connection = self
            .store()
            .connection(&attempt.organisation_id, &attempt.connection_id)
            .await?;
        let connection =
            connection.filter(|connection| !matches!(connection.state, State::Disconnected { .. }));
        let connection = connection.ok_or(ProofError::Gone)?;
        let look = self.ask_who(attempt, code).await?;
        let who = &look.who;
        let told = Told {
            name: who.person.name.clone(),
            email: who.person.email.clone(),
            workspace: who.workspace.name.clone(),
        };
        if who.workspace.id != connection.workspace.id {
            return Err(ProofError::OtherWorkspace {
                told,
                expected: connection.workspace.name,
            });
        }
        if !who.person.can_be_linked() {
            return Err(ProofError::NotLinkable { told });
        }
        if attempt
            .linear_id
            .as_ref()
            .is_some_and(|expected| *expected != who.person.id)
        {
            return Err(ProofError::SomebodyElse { told });
        }
        match (&attempt.code_hash, person) {
            (Some(hash), _) => self.redeem_proved(hash, person, who, told, address).await,
            (None, Some(person)) => self.link_proved(person, &connection, &look, told).await,
            (None, None) => Err(ProofError::StateMismatch),
        }
    }

    /// Asks Linear who it is, and hands the permission back before anything is made of the answer.
    /// It is written down, sealed, before anything else, and until Linear confirmed that it is
    /// void: whatever hangs or crashes, it is not forgotten.
    async fn ask_who(&self, attempt: &ProofAttempt, code: &str) -> Result<Look, ProofError> {
        let organisation = &attempt.organisation_id;
        let verifier = self.vault().open_row(
            TABLE,
            VERIFIER,
            &attempt.state_hash,
            organisation,
            &attempt.verifier_sealed,
        )?;
        let app = self
            .oauth_app(organisation, attempt.app_id.as_deref())
            .await?;
        let at = self.now();
        let tokens = self.linear().exchange(&app, code, &verifier).await?;
        let connection = Some(attempt.connection_id.as_str());
        let brought = Brought {
            organisation,
            client_id: &app.client_id,
            connection,
            tokens: &tokens,
            at,
            lent: true,
        };
        let id = self.minted(brought).await?;
        let who = self.linear().who_am_i(&tokens.access).await;
        let said = who.as_ref().ok();
        let whose = Whose {
            workspace: said.map(|who| &*who.workspace.id),
            lent_by: said.map(|who| &*who.person.id),
        };
        let known = self.loans_end_more(&app.client_id).await?;
        let lent = self.give_back(&id, whose).await;
        let ended_more = !known && self.loans_end_more(&app.client_id).await?;
        let who = who.map_err(|error| ProofError::LinearUnreachable(error.to_string()))?;
        Ok(Look {
            who,
            lent,
            ended_more,
        })
    }

    async fn link_proved(
        &self,
        person: &Person,
        connection: &Connection,
        look: &Look,
        told: Told,
    ) -> Result<Proof, ProofError> {
        let Look {
            who,
            lent,
            ended_more,
        } = look;
        let subject = format!("{} in {}, proved at Linear", told.name, told.workspace);
        let act = Acting::from(person).act(self, "person.linked", subject);
        let email_proved = identity::email(&told.email).is_some_and(|email| email == person.email);
        let row = super::invites::row(connection, &who.person);
        match self
            .store()
            .person_link(&row, &person.user_id, email_proved, &act)
            .await?
        {
            Linking::Linked { again, .. } => Ok(Proof::Member {
                told,
                linear_id: who.person.id.clone(),
                again,
                email_proved,
                lent: *lent,
                ended_more: *ended_more,
            }),
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
        let invite = self
            .store()
            .invite_open(code_hash, self.now())
            .await?
            .ok_or(ProofError::Gone)?;
        match self
            .confirm(&invite, code_hash, person, address, Some(&who.person))
            .await
        {
            Ok(confirmed) => Ok(Proof::Code(confirmed)),
            Err(ConfirmError::Code(CodeError::Store(error))) => Err(error.into()),
            Err(ConfirmError::Code(_)) => Err(ProofError::Gone),
            Err(ConfirmError::EmailTaken) => Err(ProofError::EmailTaken),
            Err(ConfirmError::Unproved | ConfirmError::OwnCode) => Err(ProofError::Unproved),
            Err(ConfirmError::PersonTaken { email }) => {
                Err(ProofError::PersonTaken { told, email })
            }
            Err(ConfirmError::OtherPerson { name }) => Err(ProofError::OtherPerson { told, name }),
        }
    }
}

/// The code that Linear gave, if it is whoever began who came back with it.
fn approved(
    person: Option<&Person>,
    attempt: &ProofAttempt,
    callback: &Callback,
) -> Result<String, ProofError> {
    let theirs = match (&attempt.user_id, person) {
        (Some(user), Some(person)) => {
            // A link code may be another organisation's.
            *user == person.user_id
                && (attempt.code_hash.is_some()
                    || attempt.organisation_id == person.organisation_id)
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
