//! The history of a connection's tokens in words: every refresh, and how people began and ended it.

use relink_engine::clock::{DAY, Millis};
use relink_engine::connection::{Connection, Evidence, State};
use relink_engine::refresh::{Cause, HistoryLine, Outcome};
use relink_engine::vault::KEY_MISSING;

use super::connection_view::answer;
use super::time;
use crate::view::{Answer, HistoryTone, HistoryView};

/// The time that refreshes are kept.
const REACHES_BACK: Millis = 30 * DAY;

/// Something that the history tells.
pub struct Event<'a> {
    pub at: Millis,
    pub what: What<'a>,
}

pub enum What<'a> {
    Tried(&'a HistoryLine),
    /// Somebody approved it at Linear.
    Connected {
        by: &'a str,
    },
    /// A token stopped without a refresh that says so.
    Stopped(Option<&'a Evidence>),
    Disconnected {
        by: Option<&'a str>,
    },
}

/// Lists the events in the order in which they happened. Nothing is kept of earlier approvals.
pub fn events<'a>(
    connection: &'a Connection,
    lines: &'a [HistoryLine],
    now: Millis,
) -> Vec<Event<'a>> {
    let tried = lines.iter().rev().map(|line| Event {
        at: line.last_at,
        what: What::Tried(line),
    });
    let (since, by) = (connection.connected_at, connection.connected_by.as_str());
    let connected = (now - since < REACHES_BACK).then_some(Event {
        at: since,
        what: What::Connected { by },
    });
    let mut events: Vec<Event<'a>> = connected
        .into_iter()
        .chain(tried)
        .chain(end(connection, lines))
        .collect();
    events.sort_by_key(|event| event.at);
    events
}

fn end<'a>(connection: &'a Connection, lines: &[HistoryLine]) -> Option<Event<'a>> {
    let told = || {
        lines
            .iter()
            .any(|line| line.outcome == Outcome::Broken && line.last_at >= connection.connected_at)
    };
    match &connection.state {
        State::ReconnectRequired {
            since, evidence, ..
        } if !told() => Some(Event {
            at: *since,
            what: What::Stopped(evidence.as_ref()),
        }),
        State::Disconnected { at, by, .. } => Some(Event {
            at: *at,
            what: What::Disconnected { by: by.as_deref() },
        }),
        State::Connected { .. } | State::ReconnectRequired { .. } => None,
    }
}

impl Event<'_> {
    /// Names its line on the page, where the chain leads to it.
    pub fn line(&self) -> Option<String> {
        match &self.what {
            What::Tried(line) => match line.outcome {
                Outcome::Refreshed | Outcome::Replayed | Outcome::Broken => {
                    Some(format!("h-{}-{}", line.generation, line.outcome.name()))
                }
                Outcome::Fresh
                | Outcome::RotatedByPeer
                | Outcome::BackedOff
                | Outcome::Misconfigured => None,
            },
            What::Connected { .. } => Some("h-connected".to_owned()),
            What::Stopped(_) => Some("h-stopped".to_owned()),
            What::Disconnected { .. } => Some("h-disconnected".to_owned()),
        }
    }
}

/// The newest first.
pub fn history_views(events: &[Event<'_>]) -> Vec<HistoryView> {
    events.iter().rev().map(history_view).collect()
}

fn history_view(event: &Event<'_>) -> HistoryView {
    use HistoryTone::{Bad, Ended, Good};
    let (tone, fact, answer, rest) = match &event.what {
        What::Connected { by } => (Good, format!("Connected by {by}"), None, String::new()),
        What::Disconnected { by } => (
            Ended,
            format!("Disconnected by {}", by.unwrap_or("Relink")),
            None,
            String::new(),
        ),
        What::Stopped(Some(evidence)) => (
            Bad,
            "Refused:".to_owned(),
            Some(answer(&evidence.code, Some(evidence.status))),
            ", to a token just handed out".to_owned(),
        ),
        What::Stopped(None) => (
            Bad,
            "Stopped.".to_owned(),
            None,
            " The token is of no use any more".to_owned(),
        ),
        What::Tried(line) => tried(line),
    };
    let refresh = matches!(event.what, What::Tried(_));
    HistoryView {
        line: event.line(),
        refresh,
        tone,
        at: time::stamp(event.at),
        fact,
        answer,
        rest,
    }
}

fn tried(line: &HistoryLine) -> (HistoryTone, String, Option<Answer>, String) {
    use HistoryTone::{Bad, Good, Plain, Replayed, Waiting};
    let said = || Some(answer(&line.code, line.status));
    let (tone, fact, answer, rest) = match line.outcome {
        Outcome::Refreshed => (
            if line.cause == Cause::Rejected {
                Plain
            } else {
                Good
            },
            refreshed(line.cause),
            None,
            took(line),
        ),
        Outcome::Replayed => (
            Replayed,
            "Reply lost, replayed.",
            None,
            " Linear handed over the same new token; no call failed".to_owned(),
        ),
        Outcome::RotatedByPeer => (Plain, "Another process was quicker.", None, String::new()),
        Outcome::Fresh => (Plain, "The token was good.", None, String::new()),
        Outcome::BackedOff => (Waiting, "Put off:", said(), tries(line)),
        Outcome::Misconfigured if line.code == KEY_MISSING => {
            (Bad, "Not tried:", said(), tries(line))
        }
        Outcome::Misconfigured => (
            Bad,
            "Linear does not accept this Relink as a client:",
            said(),
            tries(line),
        ),
        Outcome::Broken if line.code.is_empty() => (
            Bad,
            "Given up:",
            Some(Answer::Words(
                "there was no refresh token to show".to_owned(),
            )),
            String::new(),
        ),
        Outcome::Broken => (
            Bad,
            "Refused:",
            said(),
            ", asked again, token re-read in between".to_owned(),
        ),
    };
    (tone, fact.to_owned(), answer, rest)
}

/// Says why a new token came.
pub fn refreshed(cause: Cause) -> &'static str {
    match cause {
        Cause::Schedule => "Refreshed on schedule",
        Cause::Use => "Refreshed on use",
        Cause::Manual => "Refreshed by hand",
        Cause::Rejected => "Rotated once after a 401",
    }
}

fn took(line: &HistoryLine) -> String {
    format!(", {} ms", line.took_ms)
}

fn tries(line: &HistoryLine) -> String {
    if line.tries > 1 {
        format!(
            ", {} tries since {}",
            line.tries,
            time::earlier(line.first_at, line.last_at)
        )
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use relink_engine::clock::{HOUR, MINUTE};
    use relink_engine::connection::Reason;

    use super::super::samples::{NOW, connection};
    use super::*;

    fn line(outcome: Outcome, cause: Cause, code: &str, status: Option<u16>) -> HistoryLine {
        let code = code.to_owned();
        HistoryLine {
            generation: 3,
            outcome,
            cause,
            code,
            status,
            tries: 1,
            first_at: NOW,
            last_at: NOW,
            took_ms: 212,
        }
    }

    /// Linear's own words in backticks.
    fn said(line: &HistoryLine) -> String {
        sentence(&Event {
            at: line.last_at,
            what: What::Tried(line),
        })
    }

    fn sentence(event: &Event<'_>) -> String {
        let HistoryView {
            fact, answer, rest, ..
        } = history_view(event);
        let answer = match answer {
            Some(Answer::Verbatim(answer)) => format!(" `{answer}`"),
            Some(Answer::Words(answer)) => format!(" {answer}"),
            None => String::new(),
        };
        format!("{fact}{answer}{rest}")
    }

    #[test]
    fn every_outcome_has_its_sentence() {
        use HistoryTone::{Bad, Good, Plain, Replayed, Waiting};
        let cases = [
            (
                line(Outcome::Refreshed, Cause::Schedule, "", None),
                Good,
                "Refreshed on schedule, 212 ms",
            ),
            (
                line(Outcome::Refreshed, Cause::Use, "", None),
                Good,
                "Refreshed on use, 212 ms",
            ),
            (
                line(Outcome::Refreshed, Cause::Manual, "", None),
                Good,
                "Refreshed by hand, 212 ms",
            ),
            (
                line(Outcome::Refreshed, Cause::Rejected, "", None),
                Plain,
                "Rotated once after a 401, 212 ms",
            ),
            (
                line(Outcome::Replayed, Cause::Schedule, "", None),
                Replayed,
                "Reply lost, replayed. Linear handed over the same new token; no call failed",
            ),
            (
                line(Outcome::RotatedByPeer, Cause::Use, "", None),
                Plain,
                "Another process was quicker.",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "server_error", Some(503)),
                Waiting,
                "Put off: `503`",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "timeout", None),
                Waiting,
                "Put off: no answer in time",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "no_connection", None),
                Waiting,
                "Put off: no connection",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "rate_limited", Some(429)),
                Waiting,
                "Put off: Linear asked for fewer questions",
            ),
            (
                line(
                    Outcome::BackedOff,
                    Cause::Use,
                    "unreadable_reply",
                    Some(200),
                ),
                Waiting,
                "Put off: an answer that could not be read",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "broken_reply", None),
                Waiting,
                "Put off: the answer broke off",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "database", None),
                Waiting,
                "Put off: Relink's own database did not answer",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "busy", None),
                Waiting,
                "Put off: another process was still at it",
            ),
            (
                line(Outcome::BackedOff, Cause::Use, "invalid_request", Some(400)),
                Waiting,
                "Put off: `400 invalid_request`",
            ),
            (
                line(
                    Outcome::Misconfigured,
                    Cause::Schedule,
                    "invalid_client",
                    Some(401),
                ),
                Bad,
                "Linear does not accept this Relink as a client: `401 invalid_client`",
            ),
            (
                line(Outcome::Misconfigured, Cause::Schedule, KEY_MISSING, None),
                Bad,
                "Not tried: the key to the stored token is missing here",
            ),
            (
                line(Outcome::Broken, Cause::Schedule, "invalid_grant", Some(400)),
                Bad,
                "Refused: `400 invalid_grant`, asked again, token re-read in between",
            ),
            (
                line(Outcome::Broken, Cause::Schedule, "", None),
                Bad,
                "Given up: there was no refresh token to show",
            ),
        ];
        for (line, tone, sentence) in cases {
            assert_eq!((said(&line).as_str(), tried(&line).0), (sentence, tone));
        }
    }

    #[test]
    fn several_tries_are_one_line() {
        let put_off = line(
            Outcome::BackedOff,
            Cause::Schedule,
            "server_error",
            Some(503),
        );
        let several = HistoryLine {
            tries: 7,
            first_at: NOW - 22 * MINUTE,
            ..put_off
        };
        assert_eq!(said(&several), "Put off: `503`, 7 tries since 13:40 UTC");
        assert_eq!(
            said(&HistoryLine {
                first_at: NOW - DAY,
                ..several.clone()
            }),
            "Put off: `503`, 7 tries since 18 Nov 14:02 UTC"
        );
    }

    fn told(connection: &Connection, lines: &[HistoryLine]) -> Vec<String> {
        events(connection, lines, NOW)
            .iter()
            .map(sentence)
            .collect()
    }

    #[test]
    fn people_begin_and_end_it() {
        let refreshed = [line(Outcome::Refreshed, Cause::Use, "", None)];
        let connected = connection("c1", "Acme");
        assert_eq!(
            told(&connected, &refreshed),
            ["Connected by Priya Raman", "Refreshed on use, 212 ms"]
        );
        let old = Connection {
            connected_at: NOW - 31 * DAY,
            ..connected.clone()
        };
        assert_eq!(
            told(&old, &refreshed),
            ["Refreshed on use, 212 ms"],
            "no refresh of that time is kept either"
        );
        let state = State::Disconnected {
            at: NOW,
            reason: Reason::ByPerson,
            by: Some("Jun Sato".to_owned()),
            revoked: true,
        };
        assert_eq!(
            told(&Connection { state, ..connected }, &[]),
            ["Connected by Priya Raman", "Disconnected by Jun Sato"]
        );
    }

    #[test]
    fn what_broke_it_is_told_once() {
        let evidence = Some(Evidence::new(401, "AUTHENTICATION_ERROR"));
        let state = State::ReconnectRequired {
            since: NOW,
            reason: Reason::Revoked,
            evidence,
            token: None,
        };
        let broken = Connection {
            state,
            ..connection("c1", "Acme")
        };
        let by_call = told(&broken, &[]);
        assert_eq!(
            by_call.last().map(String::as_str),
            Some("Refused: `401 AUTHENTICATION_ERROR`, to a token just handed out")
        );
        let line = line(Outcome::Broken, Cause::Schedule, "invalid_grant", Some(400));
        assert_eq!(told(&broken, std::slice::from_ref(&line)).len(), 2);
        let before = HistoryLine {
            last_at: NOW - 2 * HOUR,
            ..line
        };
        assert_eq!(
            told(&broken, &[before]).len(),
            3,
            "that one was mended by the approval since"
        );
    }
}
