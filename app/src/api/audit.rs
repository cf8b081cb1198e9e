//! The audit trail in words.

use relink_engine::clock::Millis;
use relink_engine::identity::Person;
use relink_engine::{AuditEntry, Engine, text};

use crate::view::{AuditLine, AuditView, Failure, time};

/// Lines on a page.
const PAGE: i64 = 20;

/// A page of the trail; `None` for those who may not read it. `before` is the address bar's.
pub async fn audit_view(
    engine: &Engine,
    person: &Person,
    before: Option<&str>,
) -> Result<Option<AuditView>, Failure> {
    let before = before.and_then(|before| before.parse::<i64>().ok());
    let Ok(audit) = engine.audit(person) else {
        return Ok(None);
    };
    let mut rows = audit.before(before, PAGE + 1).await?;
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    let older = rows.last().map(|row| row.number).filter(|_| more);
    let now = engine.now();
    Ok(Some(AuditView {
        lines: rows.into_iter().map(|row| line(row, now)).collect(),
        older,
        is_old: before.is_some(),
    }))
}

fn line(row: AuditEntry, now: Millis) -> AuditLine {
    AuditLine {
        number: row.number,
        at: time::moment(row.at, now),
        who: text::name(&row.who),
        act: in_words(&row.act).map_or(row.act.clone(), str::to_owned),
        subject: text::title(&row.subject),
        address: row.address,
    }
}

fn in_words(act: &str) -> Option<&'static str> {
    Some(match act {
        "trail.carried-over" => "Carried over what was written before the trail had a key:",
        "member.added" => "Added a member",
        "member.role" => "Changed a role",
        "member.removed" => "Removed a member",
        "sign-in" => "Signed in",
        "sign-in.failed" => "Failed to sign in",
        "sign-out" => "Signed out",
        "sign-out.elsewhere" => "Signed out everywhere else",
        "session.ended" => "Signed out another browser",
        "password.changed" => "Changed the password",
        "connection.connected" => "Connected",
        "connection.reconnected" => "Reconnected",
        "connection.disconnected" => "Disconnected",
        "connection.forgotten" => "Forgot a workspace that was disconnected long ago",
        "connection.refresh" => "Asked for a new token of",
        "token.read" => "Read the token of",
        "secret.added" => "Added a signing secret",
        "secret.retired" => "Stopped accepting a signing secret",
        "key.made" => "Made an API key",
        "key.revoked" => "Revoked an API key",
        "app.added" => "Added a Linear app",
        "app.secrets" => "Replaced secrets of a Linear app",
        "app.removed" => "Removed a Linear app",
        "destination.added" => "Added a destination",
        "destination.paused" => "Paused a destination",
        "destination.resumed" => "Resumed a destination",
        "destination.removed" => "Removed a destination",
        "deliveries.resent" => "Sent deliveries again to",
        "invite.made" => "Made a link code",
        "invite.revoked" => "Revoked a link code",
        "invite.dismissed" => "Dismissed the answer to a link code",
        "invite.declined" => "Said “That’s not me”",
        "invite.refused" => "Was refused: somebody else is that person",
        "person.linked" => "Linked",
        "account.proved" => "Proved an e-mail",
        "member.vouched" => "Vouched for a member whose e-mail nobody proved",
        "person.unlinked" => "Unlinked",
        _ => return None,
    })
}
