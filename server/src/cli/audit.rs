//! `relink audit`: proving the trail, and printing it.

use std::error::Error;

use relink_engine::{Audit, AuditCheck, Engine};
use serde_json::json;

use super::args::{Audit as Command, NotedLine};
use super::output::{print, stream};
use super::shared::{Outcome, by_command, organisation};
use crate::audit::next_lines;

pub async fn audit(json: bool, engine: &Engine, command: Command) -> Outcome {
    match command {
        Command::Verify { org, expect } => verify(json, &trail(engine, &org).await?, expect).await,
        Command::Export { org } => export(&trail(engine, &org).await?).await,
    }
}

async fn trail(engine: &Engine, slug: &str) -> Result<Audit, Box<dyn Error>> {
    let organisation = organisation(engine, slug).await?;
    Ok(engine.audit(by_command(&organisation))?)
}

async fn verify(json: bool, audit: &Audit, noted: Option<NotedLine>) -> Outcome {
    let check = audit.verify().await?;
    let as_noted = match &noted {
        Some(noted) => Some(audit.has(noted.number, &noted.hash).await?),
        None => None,
    };
    let last = check
        .broken_at
        .is_none()
        .then(|| json!({ "number": check.good, "hash": check.hash }));
    let value = json!({
        "good": check.good, "broken_at": check.broken_at, "unkeyed": check.unkeyed, "last": last,
        "as_expected": as_noted,
    });
    print(json, &value, &words(&check))?;
    match (check.broken_at, as_noted) {
        (Some(_), _) => Err("the audit trail was changed".into()),
        (None, Some(false)) => Err(not_as_noted(&check, noted)),
        (None, _) => Ok(()),
    }
}

fn words(check: &AuditCheck) -> String {
    let AuditCheck {
        good,
        unkeyed,
        hash,
        broken_at,
    } = check;
    match broken_at {
        Some(number) => {
            format!("Broken at line {number}: {good} lines before it are as they were written.")
        }
        None => {
            let carried = if *unkeyed == 0 {
                String::new()
            } else {
                format!("Lines 1 to {unkeyed} are from before it had a key.\n")
            };
            format!(
                "Unbroken: {good} lines are as they were written.\n{carried}Last line, for \
                    --expect: {good}:{hash}"
            )
        }
    }
}

fn not_as_noted(check: &AuditCheck, noted: Option<NotedLine>) -> Box<dyn Error> {
    let number = noted.map_or(0, |noted| noted.number);
    let what = if number > check.good {
        "is not there any more"
    } else {
        "is another one now"
    };
    format!(
        "line {number} {what}: the audit trail was put back to an older state, or written \
        anew"
    )
    .into()
}

async fn export(audit: &Audit) -> Outcome {
    let mut after = 0;
    while let Some((lines, last)) = next_lines(audit, after).await? {
        if !stream(&lines)? {
            break;
        }
        after = last;
    }
    Ok(())
}
