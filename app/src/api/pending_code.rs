//! A link code on its way from page to page: sealed in the browser's session, never in an address
//! that a server sees.

use relink_engine::digest::sha256_hex;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::engine;
use super::session::{BROWSER, leave_behind, own_session_name, peek, put, session_name, take};
use crate::view::{Failure, LinkEnd, LinkProblem, Notice};

const CODE: &str = "link_code";
const TRIED: &str = "link_tried";
const END: &str = "link_end";
const TOLD: &str = "link_told";

/// A code that leads to somebody, and waits for a yes or a no.
#[derive(Serialize, Deserialize)]
struct Held {
    sealed: String,
    /// The code leads nowhere without signing in, as a yes has shown.
    sign_in_first: bool,
}

/// A code that was typed and leads nowhere: one wrong letter may be all that is missing.
#[derive(Serialize, Deserialize)]
struct Tried {
    sealed: String,
    problem: LinkProblem,
}

/// The code that waits, opened.
pub struct PendingCode {
    pub code: SecretString,
    pub sign_in_first: bool,
    /// Names what the page showed: the same code entered again, or carried over by signing in, is
    /// another one.
    pub preview: String,
}

pub async fn keep_code(code: &SecretString) -> Result<(), Failure> {
    put(
        CODE,
        Held {
            sealed: seal(code).await?,
            sign_in_first: false,
        },
    )
    .await
}

pub async fn pending_code() -> Result<Option<PendingCode>, Failure> {
    let Some(Held {
        sealed,
        sign_in_first,
    }) = peek(CODE).await?
    else {
        return Ok(None);
    };
    let preview = sha256_hex(sealed.as_bytes());
    Ok(open(&sealed).await?.map(|code| PendingCode {
        code,
        sign_in_first,
        preview,
    }))
}

/// The code that waits leads nowhere without signing in.
pub async fn sign_in_first() -> Result<(), Failure> {
    match peek::<Held>(CODE).await? {
        Some(held) => {
            put(
                CODE,
                Held {
                    sign_in_first: true,
                    ..held
                },
            )
            .await
        }
        None => Ok(()),
    }
}

pub async fn forget_code() -> Result<(), Failure> {
    take::<Held>(CODE).await?;
    Ok(())
}

pub async fn set_tried(typed: &str, problem: LinkProblem) -> Result<(), Failure> {
    forget_code().await?;
    put(
        TRIED,
        Tried {
            sealed: seal(&typed.to_owned().into()).await?,
            problem,
        },
    )
    .await
}

/// Takes out the code that the last post typed in vain, and why.
pub async fn take_tried() -> Result<Option<(String, LinkProblem)>, Failure> {
    let Some(Tried { sealed, problem }) = take(TRIED).await? else {
        return Ok(None);
    };
    let typed = open(&sealed).await?.unwrap_or_default();
    Ok(Some((typed.expose_secret().to_owned(), problem)))
}

/// Keeps why Linear's word did not do for the code that waits.
pub async fn set_told(notice: Notice) -> Result<(), Failure> {
    put(TOLD, notice).await
}

pub async fn take_told() -> Result<Option<Notice>, Failure> {
    take(TOLD).await
}

/// Keeps how the last code ended. It stays, for the password that may follow.
pub async fn set_end(end: LinkEnd) -> Result<(), Failure> {
    put(END, end).await
}

/// Keeps how the last code ended, for the session that signing in has ended.
pub async fn set_end_of(session: String, browser: &str, end: &LinkEnd) -> Result<(), Failure> {
    leave_behind(session, &json!({ END: end, BROWSER: browser })).await
}

pub async fn link_end() -> Result<Option<LinkEnd>, Failure> {
    peek(END).await
}

async fn seal(code: &SecretString) -> Result<String, Failure> {
    Ok(engine()?.seal_for_session(&own_session_name().await?, code))
}

async fn open(sealed: &str) -> Result<Option<SecretString>, Failure> {
    let Some(session) = session_name().await? else {
        return Ok(None);
    };
    Ok(engine()?.open_for_session(&session, sealed))
}
