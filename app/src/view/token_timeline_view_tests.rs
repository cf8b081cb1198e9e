use relink_engine::clock::{HOUR, MINUTE};
use relink_engine::connection::{Reason, TokenTimes};
use relink_engine::refresh::{Cause, HistoryLine};

use super::super::history::events;
use super::super::samples::{NOW, connection};
use super::*;

fn line(generation: i64, outcome: Outcome, at: Millis) -> HistoryLine {
    let (code, status) = if outcome == Outcome::Broken {
        ("invalid_grant", Some(400))
    } else {
        ("", None)
    };
    let (cause, code) = (Cause::Schedule, code.to_owned());
    HistoryLine {
        generation,
        outcome,
        cause,
        code,
        status,
        tries: 1,
        first_at: at,
        last_at: at,
        took_ms: 212,
    }
}

/// Approved this many hours ago.
fn approved(hours_ago: i64) -> Connection {
    Connection {
        connected_at: NOW - hours_ago * HOUR,
        ..connection("c1", "Acme")
    }
}

/// `lines` as they happened.
fn drawn(connection: &Connection, lines: &[HistoryLine]) -> Option<TokenTimelineView> {
    let newest_first: Vec<_> = lines.iter().rev().cloned().collect();
    token_timeline_view(connection, &events(connection, &newest_first, NOW), NOW)
}

fn titles(connection: &Connection, lines: &[HistoryLine]) -> Vec<String> {
    drawn(connection, lines)
        .expect("a chain")
        .links
        .into_iter()
        .map(|link| link.title)
        .collect()
}

fn refreshes(count: i64, every: Millis) -> Vec<HistoryLine> {
    (0..count)
        .map(|number| {
            line(
                number + 1,
                Outcome::Refreshed,
                NOW - (count - number) * every + MINUTE,
            )
        })
        .collect()
}

#[test]
fn one_link_is_one_token_and_leads_to_the_line_that_it_began_with() {
    let view = drawn(&approved(69), &refreshes(3, 23 * HOUR)).expect("a chain");
    assert_eq!(view.summary, "4 tokens since 16 Nov 17:02 UTC, unbroken.");
    let kinds: Vec<_> = view.links.iter().map(|link| link.kind).collect();
    assert_eq!(
        kinds,
        [
            SegmentKind::Token,
            SegmentKind::Token,
            SegmentKind::Token,
            SegmentKind::Live
        ]
    );
    let lines: Vec<_> = view
        .links
        .iter()
        .filter_map(|link| link.line.as_deref())
        .collect();
    assert_eq!(
        lines,
        [
            "h-connected",
            "h-1-refreshed",
            "h-2-refreshed",
            "h-3-refreshed"
        ]
    );
    assert_eq!(
        view.links[1].title,
        "Refreshed on schedule, 16 Nov 17:03 UTC. Good for 23 h 0 min, then refreshed on schedule"
    );
    assert_eq!(
        view.links[3].title,
        "Refreshed on schedule, 18 Nov 15:03 UTC. In use now"
    );
}

#[test]
fn links_follow_each_other_from_one_end_to_the_other() {
    for (count, every) in [(1, HOUR), (14, 23 * HOUR), (40, HOUR)] {
        let view = drawn(&approved(400), &refreshes(count, every)).expect("a chain");
        let mut at = 0.0;
        for link in &view.links {
            assert!(
                (link.at - at).abs() < 0.02,
                "{count}: {link:?} begins at {at}"
            );
            assert!(
                link.width * f64::from(view.least_width) >= 2_390.0,
                "{count}: {link:?} is too narrow to be pointed at"
            );
            at = link.at + link.width;
        }
        assert!((at - 100.0).abs() < 0.1, "{count}: they end at {at}");
    }
}

#[test]
fn a_short_life_is_a_short_link_and_never_too_short() {
    let lines = [
        line(1, Outcome::Refreshed, NOW - 20 * HOUR),
        line(2, Outcome::Refreshed, NOW - 20 * HOUR + MINUTE),
    ];
    let links = drawn(&approved(100), &lines).expect("a chain").links;
    assert!(
        links[0].width > links[2].width * 2.0 - 0.1 && links[1].width >= 20.0,
        "{links:?}"
    );
}

#[test]
fn only_the_newest_tokens_are_drawn_and_only_of_these_days() {
    let hourly = drawn(&approved(400), &refreshes(48, HOUR)).expect("a chain");
    assert_eq!((hourly.links.len(), hourly.shortened), (TOKENS_MAX, true));
    assert_eq!(hourly.axis[2], "Now");
    let daily = drawn(&approved(24 * 29), &refreshes(29, 24 * HOUR)).expect("a chain");
    assert_eq!(
        (daily.links.len(), daily.shortened),
        (15, false),
        "fourteen days and the one that lasts"
    );
    assert_eq!(
        (daily.axis[0].as_str(), daily.axis[1].as_str()),
        ("5 Nov", "12 Nov")
    );
    assert_eq!(daily.days.len(), 14);
}

#[test]
fn a_refusal_is_a_gap_until_the_next_approval() {
    let lines = [
        line(1, Outcome::Refreshed, NOW - 50 * HOUR),
        line(2, Outcome::Broken, NOW - 30 * HOUR),
    ];
    let view = drawn(&approved(22), &lines).expect("a chain");
    assert_eq!(view.summary, "2 tokens since 17 Nov 12:02 UTC, with 1 gap.");
    let titles: Vec<_> = view.links.iter().map(|link| link.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Refreshed on schedule, 17 Nov 12:02 UTC. Good for 20 h 0 min, then refused",
            "Refused, 18 Nov 08:02 UTC. Connected again after 8 h 0 min",
            "Connected by Priya Raman, 18 Nov 16:02 UTC. In use now",
        ]
    );
    assert_eq!(
        (view.links[1].kind, view.links[1].line.as_deref()),
        (SegmentKind::Gap, Some("h-2-broken"))
    );
    assert_eq!(view.links[0].lap, 0.0, "nothing lies over a gap");
}

#[test]
fn an_approval_that_is_not_kept_is_not_made_up() {
    let lines = [
        line(1, Outcome::Refreshed, NOW - 100 * HOUR),
        line(2, Outcome::Broken, NOW - 90 * HOUR),
        line(4, Outcome::Refreshed, NOW - 60 * HOUR),
    ];
    let titles = titles(&approved(20), &lines);
    assert_eq!(
        titles[1],
        "Refused, 15 Nov 20:02 UTC. Connected again since"
    );
    assert_eq!(
        titles[2],
        "Approved anew after that, then refreshed on schedule"
    );
    assert_eq!(
        titles[3],
        "Refreshed on schedule, 17 Nov 02:02 UTC. Good for 40 h 0 min, then connected anew"
    );
}

#[test]
fn a_verdict_that_another_refresh_mended_is_a_gap_and_no_token() {
    let lines = [
        line(1, Outcome::Refreshed, NOW - 9 * HOUR),
        line(2, Outcome::Broken, NOW - 3 * HOUR),
        line(2, Outcome::Replayed, NOW - 2 * HOUR),
    ];
    let view = drawn(&approved(20), &lines).expect("a chain");
    assert_eq!(
        view.links[2].title,
        "Refused, 19 Nov 11:02 UTC. Good again after 1 h 0 min"
    );
    assert!(
        view.links[3].replayed && view.links[3].kind == SegmentKind::Live && view.links.len() == 4
    );
    assert_eq!(
        view.summary,
        "3 tokens since 18 Nov 18:02 UTC, with 1 gap. 1 reply was lost and replayed."
    );
}

#[test]
fn what_is_broken_ends_in_a_gap_and_what_was_ended_with_its_token() {
    let token = TokenTimes {
        issued_at: NOW - 20 * HOUR,
        expires_at: NOW,
        fingerprint: String::new(),
    };
    let state = State::ReconnectRequired {
        since: NOW - 4 * HOUR,
        reason: Reason::Revoked,
        evidence: None,
        token: Some(token),
    };
    let broken = drawn(
        &Connection {
            state,
            ..approved(20)
        },
        &[],
    )
    .expect("a chain");
    assert_eq!(
        broken.links[0].title,
        "Connected by Priya Raman, 18 Nov 18:02 UTC. Good for 16 h 0 min, then stopped"
    );
    assert_eq!(
        (broken.links[1].title.as_str(), broken.axis[2].as_str()),
        ("Stopped, 19 Nov 10:02 UTC. For 4 h 0 min by now", "Now")
    );
    let state = State::Disconnected {
        at: NOW - 4 * HOUR,
        reason: Reason::ByPerson,
        by: None,
        revoked: true,
    };
    let ended = drawn(
        &Connection {
            state,
            ..approved(20)
        },
        &[],
    )
    .expect("a chain");
    assert_eq!(
        (ended.links.len(), ended.axis[2].as_str()),
        (1, "Today 10:02")
    );
    assert_eq!(
        ended.summary,
        "1 token from 18 Nov 18:02 UTC to 19 Nov 10:02 UTC, unbroken."
    );
}

#[test]
fn what_has_just_begun_has_no_middle() {
    assert_eq!(
        drawn(&approved(0), &[]).expect("a chain").axis,
        ["Today 14:02", "", "Now"]
    );
}

#[test]
fn a_token_from_before_the_history_is_in_use_and_one_of_long_ago_is_not_drawn() {
    let long = drawn(&approved(24 * 40), &[]).expect("a chain");
    assert_eq!(long.axis, ["Today 13:02", "Today 13:32", "Now"]);
    assert_eq!(
        titles(&approved(24 * 40), &[]),
        ["Issued 19 Nov 13:02 UTC. In use now"]
    );
    let state = State::Disconnected {
        at: NOW - 20 * DAY,
        reason: Reason::ByPerson,
        by: None,
        revoked: true,
    };
    assert_eq!(
        drawn(
            &Connection {
                state,
                ..approved(24 * 25)
            },
            &[]
        ),
        None
    );
}
