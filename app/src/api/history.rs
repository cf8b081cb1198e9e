//! The refresh history in words.

use relink_engine::refresh::{Cause, HistoryLine, Outcome};
use relink_engine::vault::KEY_MISSING;

use super::present::answer;
use super::words;
use crate::view::{Answer, HistoryTone, HistoryView};

pub fn history_views(lines: &[HistoryLine]) -> Vec<HistoryView> {
    lines.iter().map(history_view).collect()
}

fn history_view(line: &HistoryLine) -> HistoryView {
    use HistoryTone::{Bad, Good, Plain, Waiting};
    let said = || Some(answer(&line.code, line.status));
    let (tone, fact, answer, rest) = match line.outcome {
        Outcome::Refreshed => (if line.cause == Cause::Rejected { Plain } else { Good }, refreshed(line.cause), None, took(line)),
        Outcome::Replayed => (Waiting, "Reply lost, replayed.", None, " Linear handed over the same new token; no call failed".to_owned()),
        Outcome::RotatedByPeer => (Plain, "Another process was quicker.", None, String::new()),
        Outcome::Fresh => (Plain, "The token was good.", None, String::new()),
        Outcome::BackedOff => (Waiting, "Put off:", said(), tries(line)),
        Outcome::Misconfigured if line.code == KEY_MISSING => (Bad, "Not tried:", said(), tries(line)),
        Outcome::Misconfigured => (Bad, "Linear does not accept this Relink as a client:", said(), tries(line)),
        Outcome::Broken if line.code.is_empty() => {
            (Bad, "Given up:", Some(Answer::Words("there was no refresh token to show".to_owned())), String::new())
        }
        Outcome::Broken => (Bad, "Refused:", said(), ", asked again, token re-read in between".to_owned()),
    };
    HistoryView { tone, at: words::stamp(line.last_at), fact: fact.to_owned(), answer, rest }
}

fn refreshed(cause: Cause) -> &'static str {
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
    if line.tries > 1 { format!(", {} tries since {}", line.tries, words::earlier(line.first_at, line.last_at)) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use relink_engine::clock::{DAY, MINUTE, Millis};

    use super::*;

    /// 2026-11-19 14:02:11 UTC.
    const NOW: Millis = 1_795_096_931_000;

    fn line(outcome: Outcome, cause: Cause, code: &str, status: Option<u16>) -> HistoryLine {
        let code = code.to_owned();
        HistoryLine { generation: 3, outcome, cause, code, status, tries: 1, first_at: NOW, last_at: NOW, took_ms: 212 }
    }

    /// Linear's own words in backticks.
    fn said(line: &HistoryLine) -> String {
        let HistoryView { fact, answer, rest, .. } = history_view(line);
        let answer = match answer {
            Some(Answer::Verbatim(answer)) => format!(" `{answer}`"),
            Some(Answer::Words(answer)) => format!(" {answer}"),
            None => String::new(),
        };
        format!("{fact}{answer}{rest}")
    }

    #[test]
    fn every_outcome_has_its_sentence() {
        use HistoryTone::{Bad, Good, Plain, Waiting};
        let cases = [
            (line(Outcome::Refreshed, Cause::Schedule, "", None), Good, "Refreshed on schedule, 212 ms"),
            (line(Outcome::Refreshed, Cause::Use, "", None), Good, "Refreshed on use, 212 ms"),
            (line(Outcome::Refreshed, Cause::Manual, "", None), Good, "Refreshed by hand, 212 ms"),
            (line(Outcome::Refreshed, Cause::Rejected, "", None), Plain, "Rotated once after a 401, 212 ms"),
            (
                line(Outcome::Replayed, Cause::Schedule, "", None),
                Waiting,
                "Reply lost, replayed. Linear handed over the same new token; no call failed",
            ),
            (line(Outcome::RotatedByPeer, Cause::Use, "", None), Plain, "Another process was quicker."),
            (line(Outcome::BackedOff, Cause::Use, "server_error", Some(503)), Waiting, "Put off: `503`"),
            (line(Outcome::BackedOff, Cause::Use, "timeout", None), Waiting, "Put off: no answer in time"),
            (line(Outcome::BackedOff, Cause::Use, "no_connection", None), Waiting, "Put off: no connection"),
            (line(Outcome::BackedOff, Cause::Use, "rate_limited", Some(429)), Waiting, "Put off: Linear asked for fewer questions"),
            (line(Outcome::BackedOff, Cause::Use, "unreadable_reply", Some(200)), Waiting, "Put off: an answer that could not be read"),
            (line(Outcome::BackedOff, Cause::Use, "broken_reply", None), Waiting, "Put off: the answer broke off"),
            (line(Outcome::BackedOff, Cause::Use, "database", None), Waiting, "Put off: Relink's own database did not answer"),
            (line(Outcome::BackedOff, Cause::Use, "busy", None), Waiting, "Put off: another process was still at it"),
            (line(Outcome::BackedOff, Cause::Use, "invalid_request", Some(400)), Waiting, "Put off: `400 invalid_request`"),
            (
                line(Outcome::Misconfigured, Cause::Schedule, "invalid_client", Some(401)),
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
            (line(Outcome::Broken, Cause::Schedule, "", None), Bad, "Given up: there was no refresh token to show"),
        ];
        for (line, tone, sentence) in cases {
            assert_eq!((said(&line).as_str(), history_view(&line).tone), (sentence, tone));
        }
    }

    #[test]
    fn several_tries_are_one_line() {
        let put_off = line(Outcome::BackedOff, Cause::Schedule, "server_error", Some(503));
        let several = HistoryLine { tries: 7, first_at: NOW - 22 * MINUTE, ..put_off };
        assert_eq!(said(&several), "Put off: `503`, 7 tries since 13:40 UTC");
        assert_eq!(said(&HistoryLine { first_at: NOW - DAY, ..several.clone() }), "Put off: `503`, 7 tries since 18 Nov 14:02 UTC");
        assert_eq!(history_view(&several).at.text, "19 Nov 14:02 UTC");
    }
}
