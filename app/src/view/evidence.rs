//! The evidence behind "Reconnect required", and what a disconnect would mean: only what is known.

use relink_engine::clock::{DAY, Millis};
use relink_engine::connection::{Connection, Evidence, Reason, State, TokenTimes};
use relink_engine::{KeyUse, text};

use super::time;
use crate::view::{EndingView, EvidenceView, KeyUsedView};

/// Present when a reconnect is required. `connections` are the organisation's.
pub fn evidence_view(
    connection: &Connection,
    connections: &[Connection],
    keys: &[KeyUse],
    now: Millis,
) -> Option<EvidenceView> {
    let State::ReconnectRequired {
        since,
        reason,
        evidence,
        token,
    } = &connection.state
    else {
        return None;
    };
    let (evidence, token) = (evidence.as_ref(), token.as_ref());
    let ruled_out = match reason {
        Reason::InvalidGrant => [
            wrong_client(connection, connections, token, now),
            evidence.and_then(lost_reply),
        ]
        .into_iter()
        .flatten(),
        Reason::Revoked => [token.and_then(|token| ran_out(token, *since, now)), None]
            .into_iter()
            .flatten(),
        Reason::Unreadable => [
            Some("A missing key: the one that sealed the token is here".to_owned()),
            None,
        ]
        .into_iter()
        .flatten(),
        Reason::NoRefreshToken | Reason::ByPerson | Reason::Duplicate => {
            [None, None].into_iter().flatten()
        }
    };
    Some(EvidenceView {
        asked: evidence.and_then(|evidence| asked(*reason, evidence, *since)),
        ruled_out: ruled_out.collect(),
        keys: count(
            keys.iter()
                .filter(|key| key.last_used_at.is_some_and(|at| at >= *since))
                .count(),
        ),
    })
}

fn asked(reason: Reason, evidence: &Evidence, since: Millis) -> Option<String> {
    let last = time::seconds(since).text;
    match reason {
        _ if evidence.asked < 2 => None,
        Reason::InvalidGrant => Some(format!(
            "The last time at {last}, with the token re-read from the database in between"
        )),
        Reason::Revoked if evidence.asked == 2 => Some(format!(
            "With the token in use, and at {last} with the one that Linear gave in its place"
        )),
        Reason::Revoked => {
            let others = evidence.asked - 1;
            Some(format!(
                "With the token in use, and with {others} that Linear gave in its place, one after \
                    the other, the last at {last}"
            ))
        }
        _ => None,
    }
}

/// Somebody else got a token with the same client ID and secret since this connection did.
fn wrong_client(
    connection: &Connection,
    connections: &[Connection],
    token: Option<&TokenTimes>,
    now: Millis,
) -> Option<String> {
    let after = token?.issued_at;
    let same_app = connections
        .iter()
        .filter(|other| other.id != connection.id && other.app_id == connection.app_id);
    let issued = |other: &Connection| {
        if let State::Connected { token } = &other.state {
            Some(token.issued_at)
        } else {
            None
        }
    };
    let (name, at) = same_app
        .filter_map(|other| Some((&other.workspace.name, issued(other)?)))
        .max_by_key(|(_, at)| *at)?;
    let name = text::name(name);
    (at > after).then(|| {
        format!(
            "A wrong client ID or secret: {name} got a token with them at {}",
            time::at_clock(at, now).text
        )
    })
}

/// A refresh token that may have been shown before is asked about more often than one that was not.
fn lost_reply(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence {
            late_by_s: Some(_), ..
        }
        | Evidence { asked: ..2, .. } => None,
        Evidence { asked: 2, .. } => {
            Some("A lost reply: the token had not been shown to Linear before".to_owned())
        }
        _ => Some(
            "A lost reply: Linear refused to repeat it, within the half hour in which it does"
                .to_owned(),
        ),
    }
}

fn ran_out(token: &TokenTimes, since: Millis, now: Millis) -> Option<String> {
    (token.expires_at > since).then(|| {
        format!(
            "A token that ran out: it was good until {}",
            time::at_clock(token.expires_at, now).text
        )
    })
}

/// Keys are the organisation's: each of them reaches every workspace.
pub fn ending_view(
    connection: &Connection,
    keys: &[KeyUse],
    keep: Millis,
    now: Millis,
) -> EndingView {
    let used = keys
        .iter()
        .filter_map(|key| Some((key, key.last_used_at?)))
        .max_by_key(|(_, at)| *at);
    EndingView {
        tokens_kept: connection.kept,
        keys: count(keys.len()),
        last_used: used.map(|(key, at)| KeyUsedView {
            key: text::name(&key.name),
            ago: time::ago(now - at),
        }),
        kept: if keep == DAY {
            "1 day".to_owned()
        } else {
            kept(keep)
        },
    }
}

fn kept(keep: Millis) -> String {
    if keep % DAY == 0 {
        format!("{} days", keep / DAY)
    } else {
        time::span(keep)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use relink_engine::clock::{HOUR, MINUTE, SECOND};

    use super::super::samples::{NOW, connection};
    use super::*;

    fn broken(reason: Reason, evidence: Option<Evidence>) -> Connection {
        let token = TokenTimes {
            issued_at: NOW - 22 * HOUR,
            expires_at: NOW + 2 * HOUR,
            fingerprint: "9f3a1c72".to_owned(),
        };
        let state = State::ReconnectRequired {
            since: NOW - MINUTE,
            reason,
            evidence,
            token: Some(token),
        };
        Connection {
            state,
            ..connection("c1", "Globex")
        }
    }

    fn refused(asked: u32, late_by_s: Option<i64>) -> Option<Evidence> {
        Some(Evidence {
            asked,
            late_by_s,
            ..Evidence::new(400, "invalid_grant")
        })
    }

    fn ruled_out(connection: &Connection, others: &[Connection]) -> Vec<String> {
        evidence_view(connection, others, &[], NOW)
            .expect("evidence")
            .ruled_out
    }

    #[test]
    fn a_lost_reply_is_ruled_out_only_where_it_was_looked_into() {
        let said =
            |asked, late| ruled_out(&broken(Reason::InvalidGrant, refused(asked, late)), &[]);
        assert_eq!(
            said(2, None),
            ["A lost reply: the token had not been shown to Linear before"]
        );
        assert_eq!(
            said(4, None),
            ["A lost reply: Linear refused to repeat it, within the half hour in which it does"]
        );
        assert!(
            said(2, Some(60)).is_empty() && said(4, Some(60)).is_empty(),
            "that is the likely cause"
        );
        assert!(
            said(1, None).is_empty(),
            "nobody wrote down how often it was asked"
        );
    }

    #[test]
    fn another_connection_proves_the_client_if_it_got_a_token_since() {
        let broken = broken(Reason::InvalidGrant, None);
        let issued = |hours_ago: i64, app_id: Option<&str>| {
            let token = TokenTimes {
                issued_at: NOW - hours_ago * HOUR,
                expires_at: NOW,
                fingerprint: String::new(),
            };
            Connection {
                state: State::Connected { token },
                app_id: app_id.map(str::to_owned),
                ..connection("c2", "Acme")
            }
        };
        let proof = "A wrong client ID or secret: Acme got a token with them at 09:02 UTC today";
        assert_eq!(
            ruled_out(&broken, &[broken.clone(), issued(5, None)]),
            [proof]
        );
        assert!(
            ruled_out(&broken, &[issued(23, None)]).is_empty(),
            "that was before"
        );
        assert!(
            ruled_out(&broken, &[issued(5, Some("a1"))]).is_empty(),
            "that is another app"
        );
    }

    #[test]
    fn a_token_that_was_good_did_not_run_out() {
        let evidence = Evidence {
            asked: 2,
            ..Evidence::new(401, "AUTHENTICATION_ERROR")
        };
        let view = evidence_view(&broken(Reason::Revoked, Some(evidence)), &[], &[], NOW)
            .expect("evidence");
        assert_eq!(
            view.ruled_out,
            ["A token that ran out: it was good until 16:02 UTC today"]
        );
        assert_eq!(
            view.asked.as_deref(),
            Some(
                "With the token in use, and at 14:01:11 UTC with the one that Linear gave in its \
                    place"
            )
        );
        assert_eq!(
            evidence_view(&connection("c1", "Acme"), &[], &[], NOW),
            None
        );
    }

    #[test]
    fn keys_count_that_were_used_since() {
        let key = |name: &str, last_used_at| KeyUse {
            name: name.to_owned(),
            last_used_at,
        };
        let keys = [
            key("old", Some(NOW - HOUR)),
            key("ci-runner", Some(NOW - 2 * SECOND)),
            key("new", None),
        ];
        let broken = broken(Reason::InvalidGrant, refused(2, None));
        assert_eq!(
            evidence_view(&broken, &[], &keys, NOW).map(|view| view.keys),
            Some(1)
        );
        let used = KeyUsedView {
            key: "ci-runner".to_owned(),
            ago: "2 s ago".to_owned(),
        };
        let ending = EndingView {
            tokens_kept: false,
            keys: 3,
            last_used: Some(used),
            kept: "30 days".to_owned(),
        };
        assert_eq!(ending_view(&broken, &keys, 30 * DAY, NOW), ending);
        assert_eq!(ending_view(&broken, &[], 36 * HOUR, NOW).kept, "36 h 0 min");
    }
}
