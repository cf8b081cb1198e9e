use relink_engine::clock::{DAY, HOUR, MINUTE, SECOND};
use relink_engine::connection::{FailedCall, Viewer, Workspace};

use super::*;

/// 2026-11-19 14:02:11 UTC.
const NOW: Millis = 1_795_096_931_000;

fn token() -> TokenTimes {
    TokenTimes {
        issued_at: NOW - 22 * HOUR,
        expires_at: NOW + 83 * MINUTE,
        fingerprint: "9f3a1c72".to_owned(),
    }
}

fn connection(state: State) -> Connection {
    Connection {
        id: "c1".to_owned(),
        app_id: None,
        organisation_id: "o1".to_owned(),
        workspace: Workspace {
            id: "w1".to_owned(),
            name: "Initech Studio".to_owned(),
            url_key: "initech".to_owned(),
            logo_url: None,
        },
        actor: ActAs::App,
        viewer: Viewer {
            id: "v1".to_owned(),
            name: "Relink".to_owned(),
        },
        scopes: vec!["read".to_owned()],
        state,
        generation: 3,
        connected_by: "Priya Raman".to_owned(),
        connected_at: NOW - 22 * HOUR,
        last_verified_at: Some(NOW - 2 * MINUTE),
        last_error: None,
        refresh_trouble: None,
        kept: false,
    }
}

fn error(code: &str, status: Option<u16>) -> FailedCall {
    FailedCall {
        code: code.to_owned(),
        status,
        at: NOW - MINUTE,
    }
}

fn put_off(code: &str, status: Option<u16>, failures: i64) -> Connection {
    let trouble = RefreshTrouble {
        error: error(code, status),
        failures,
        next_attempt_at: Some(NOW + 40 * SECOND),
    };
    Connection {
        refresh_trouble: Some(trouble),
        ..connection(State::Connected { token: token() })
    }
}

fn broken(reason: Reason, evidence: Option<Evidence>) -> Trouble {
    let state = State::ReconnectRequired {
        since: NOW,
        reason,
        evidence,
        token: Some(token()),
    };
    connection_view(&connection(state), NOW)
        .trouble
        .expect("trouble")
}

#[test]
fn initials_fit_any_name() {
    assert_eq!(initials("Acme Robotics"), "AR");
    assert_eq!(initials("globex"), "GL");
    assert_eq!(initials("Ana Maria de Souza"), "AS");
    assert_eq!(initials("  "), "?");
    assert_eq!(initials("日本 語"), "日語");
}

#[test]
fn a_refresh_that_is_put_off_says_what_comes_next() {
    let view = connection_view(&put_off("server_error", Some(503), 3), NOW);
    assert_eq!(view.status, Status::LinearUnreachable);
    assert_eq!(
        view.life.map(|life| life.note).as_deref(),
        Some("Nothing for you to do. Next try in 40 s")
    );
    let waiting = view.waiting.expect("waiting");
    assert_eq!(
        (waiting.answer, waiting.at.text.as_str()),
        (Answer::Verbatim("503".to_owned()), "14:01 UTC today")
    );
    assert_eq!(
        (waiting.failures, waiting.next_try.as_deref(), waiting.fault),
        (3, Some("in 40 s"), Fault::Linear)
    );
    assert_eq!(
        waiting.meaning,
        "The token is good until 15:25 UTC today, so calls work whenever Linear answers. Relink \
            keeps trying."
    );
    let later = connection_view(&put_off("timeout", None, 9), NOW + 2 * HOUR)
        .waiting
        .expect("waiting");
    assert_eq!(
        later.meaning,
        "The token ran out at 15:25 UTC today. Relink keeps trying."
    );
    assert_eq!(
        (later.answer, later.next_try.as_deref()),
        (Answer::Words("no answer in time".to_owned()), Some("now"))
    );
}

#[test]
fn a_call_that_failed_promises_no_next_try() {
    let failed = Connection {
        last_error: Some(error("timeout", None)),
        ..connection(State::Connected { token: token() })
    };
    let view = connection_view(&failed, NOW);
    assert_eq!(
        view.life.map(|life| life.note).as_deref(),
        Some("Nothing for you to do")
    );
    let waiting = view.waiting.expect("waiting");
    assert_eq!((waiting.failures, waiting.next_try), (0, None));
}

#[test]
fn a_refresh_that_failed_often_is_not_hidden_by_a_call_that_failed_since() {
    let call = FailedCall {
        at: NOW,
        ..error("timeout", None)
    };
    let waiting = |failures| {
        let both = Connection {
            last_error: Some(call.clone()),
            ..put_off("server_error", Some(503), failures)
        };
        connection_view(&both, NOW)
            .waiting
            .map(|waiting| waiting.answer)
    };
    assert_eq!(
        waiting(1),
        Some(Answer::Words("no answer in time".to_owned()))
    );
    assert_eq!(waiting(3), Some(Answer::Verbatim("503".to_owned())));
}

#[test]
fn a_wrong_set_up_is_nothing_to_wait_for() {
    let view = connection_view(&put_off("invalid_client", Some(401), 1), NOW);
    assert_eq!(view.status, Status::LinearUnreachable);
    assert_eq!(
        view.life.map(|life| life.note).as_deref(),
        Some("Next try in 40 s")
    );
    let waiting = view.waiting.expect("waiting");
    assert!(
        waiting.fault == Fault::App && !waiting.meaning.contains("othing for you to do"),
        "{}",
        waiting.meaning
    );
    assert_eq!(
        waiting.answer,
        Answer::Verbatim("401 invalid_client".to_owned())
    );
}

#[test]
fn a_missing_key_is_not_linears_doing() {
    let waiting = connection_view(&put_off("key_missing", None, 1), NOW)
        .waiting
        .expect("waiting");
    assert_eq!(
        (waiting.fault, waiting.answer),
        (
            Fault::Keys,
            Answer::Words("the key to the stored token is missing here".to_owned())
        )
    );
    assert_eq!(
        waiting.meaning,
        "Replicas that have the key go on; here, calls wait for it. The token is good until 15:25 \
            UTC today."
    );
}

#[test]
fn evidence_says_how_often_linear_was_asked_and_what_is_likely() {
    let (copied, removed) = (
        "Another copy of this database may have used the token: a restored backup, or a copy for \
            tests",
        "The app was removed in Linear, or an admin revoked it",
    );
    let twice = |code: &str| Evidence {
        asked: 2,
        ..Evidence::new(400, code)
    };
    let refused = broken(Reason::InvalidGrant, Some(twice("invalid_grant")));
    assert_eq!(refused.answer.as_deref(), Some("400 invalid_grant"));
    assert_eq!(
        refused.answer_note,
        "to the newest refresh token, asked twice"
    );
    let stubborn = Evidence {
        asked: 4,
        ..Evidence::new(400, "invalid_grant")
    };
    let stubborn = broken(Reason::InvalidGrant, Some(stubborn));
    assert_eq!(
        (stubborn.answer_note.as_str(), stubborn.likely.as_slice()),
        (
            "to the newest refresh token, asked 4 times",
            [removed.to_owned()].as_slice()
        )
    );
    assert_eq!(
        refused.likely,
        [copied, removed],
        "nobody here had shown it before"
    );

    let late = broken(
        Reason::InvalidGrant,
        Some(Evidence {
            late_by_s: Some(60),
            ..twice("invalid_grant")
        }),
    );
    assert_eq!(
        late.likely,
        [
            "An answer from Linear was lost and nobody asked again within its half hour, so the \
                new token is gone"
        ]
    );

    assert_eq!(
        broken(
            Reason::InvalidGrant,
            Some(Evidence::new(400, "invalid_grant"))
        )
        .answer_note,
        "to the newest refresh token"
    );
    let fresh = broken(Reason::Revoked, Some(twice("AUTHENTICATION_ERROR")));
    assert_eq!(fresh.answer_note, "to a token that it had just handed out");
    assert_eq!(
        broken(Reason::Revoked, None).answer_note,
        "Linear sent word that the app was removed"
    );
    let refused = Evidence::new(401, "AUTHENTICATION_ERROR");
    assert_eq!(
        broken(Reason::Revoked, Some(refused)).answer_note,
        "to a token that should have worked"
    );
    assert_eq!(
        broken(Reason::NoRefreshToken, None).likely,
        ["This connection is from before refresh tokens"]
    );
}

#[test]
fn of_a_key_only_the_end_is_shown() {
    let key = |last_used_at| {
        let (id, name, last_four) = ("k1".to_owned(), "ci-runner".to_owned(), "8fQ2".to_owned());
        key_view(
            ApiKey {
                id,
                name,
                last_four,
                created_at: NOW,
                last_used_at,
                made_by: None,
            },
            NOW,
        )
    };
    assert_eq!(
        (key(None).key.as_str(), key(None).last_used),
        ("rlk_····8fQ2", None)
    );
    assert_eq!(
        key(Some(NOW - 2 * MINUTE))
            .last_used
            .map(|at| at.text)
            .as_deref(),
        Some("2 min ago")
    );
}

#[test]
fn what_broke_stays_where_it_stopped() {
    let state = State::ReconnectRequired {
        since: NOW - 10 * HOUR,
        reason: Reason::Revoked,
        evidence: None,
        token: Some(token()),
    };
    let stopped = |now| {
        connection_view(&connection(state.clone()), now)
            .life
            .map(|life| life.now_percent)
    };
    assert_eq!(stopped(NOW), stopped(NOW + HOUR));
    assert!(
        stopped(NOW).is_some_and(|percent| (51.0..52.0).contains(&percent)),
        "{:?}",
        stopped(NOW)
    );
}

#[test]
fn what_is_not_granted_is_told_where_somebody_might_miss_it() {
    let missing = |actor, scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let connection = Connection {
            actor,
            scopes,
            ..connection(State::Connected { token: token() })
        };
        let lacks = |scope: &GrantedScope| (!scope.granted).then(|| scope.name.clone());
        granted_scopes(&connection)
            .iter()
            .filter_map(lacks)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        missing(ActAs::App, &["read", "write"]),
        ["app:assignable", "app:mentionable", "admin"],
        "write covers the creating"
    );
    assert_eq!(
        missing(ActAs::User, &["read", "admin"]),
        ["issues:create", "comments:create", "write"],
        "people are no agents"
    );
    let strange = Connection {
        scopes: vec!["read".to_owned(), "odd".to_owned()],
        ..connection(State::Connected { token: token() })
    };
    let explained = granted_scopes(&strange)
        .into_iter()
        .find(|scope| scope.name == "odd")
        .map(|scope| (scope.explained, scope.granted));
    assert_eq!(explained, Some(("Granted by Linear".to_owned(), true)));
}

#[test]
fn what_linear_is_asked_no_more_is_not_said_to_be_asked() {
    let ended = |at| {
        connection(State::Disconnected {
            at,
            reason: Reason::ByPerson,
            by: None,
            revoked: false,
        })
    };
    let asking = |at| farewell(&ended(at), NOW).expect("it ended").asking;
    assert!(asking(NOW - DAY + 1) && !asking(NOW - DAY));
}
