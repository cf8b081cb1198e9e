use relink_engine::clock::{DAY, MINUTE, SECOND};
use relink_engine::connection::{Reason, State};

use super::*;
use crate::view::samples::{NOW, connection, secret};

fn rows() -> Vec<WebhookSecretRow> {
    vec![
        secret("acme", "prev", Some(NOW + 23 * HOUR + 18 * MINUTE)),
        secret("acme", "gone", Some(NOW)),
        secret("globex", "glob", None),
        secret("acme", "curr", None),
        secret("acme", "soon", Some(NOW + HOUR)),
    ]
}

fn connections() -> Vec<Connection> {
    let revoked = State::ReconnectRequired {
        since: NOW,
        reason: Reason::Revoked,
        evidence: None,
        token: None,
    };
    let ended = State::Disconnected {
        at: NOW,
        by: None,
        reason: Reason::ByPerson,
        revoked: true,
    };
    vec![
        connection("acme", "Acme Robotics"),
        connection("globex", "Globex"),
        Connection {
            state: revoked,
            ..connection("initech", "Initech Studio")
        },
        Connection {
            state: ended,
            ..connection("hooli", "Hooli")
        },
    ]
}

#[test]
fn secrets_that_are_accepted_are_shown_by_their_end_the_current_one_first() {
    let views = secret_views(&rows(), "acme", NOW);
    let ends: Vec<_> = views.iter().map(|view| view.secret.as_str()).collect();
    assert_eq!(
        ends,
        ["lin_wh_····curr", "lin_wh_····prev", "lin_wh_····soon"]
    );
    assert_eq!(views[0].stops, None);
    let stop = views[1]
        .stops
        .as_ref()
        .map(|stop| (stop.at.text.as_str(), stop.within.as_str()));
    assert_eq!(stop, Some(("20 Nov 13:20 UTC", "23 h 18 min")));
    assert_eq!(views[0].added.text, "13:02 UTC today");
}

#[test]
fn a_secret_is_in_use_for_an_hour_after_it_matched() {
    let view = |ago: Millis| {
        secret_view(
            &WebhookSecretRow {
                matched_at: Some(NOW - ago),
                ..secret("acme", "curr", None)
            },
            NOW,
        )
    };
    assert_eq!(
        view(41 * SECOND).matched.map(|at| at.text).as_deref(),
        Some("41 s ago")
    );
    assert!(view(HOUR - 1).in_use && !view(HOUR).in_use);
    let never = secret_view(&secret("acme", "curr", None), NOW);
    assert!(never.matched.is_none() && !never.in_use);
}

fn refused(workspace: &str, cause: Cause, secret_id: Option<&str>) -> Option<RefusalCause> {
    let refused = Refused {
        workspace_id: workspace.to_owned(),
        cause,
        secret_id: secret_id.map(str::to_owned),
        count: 3,
        last_at: NOW,
    };
    let views = refused_views(&[refused], &rows(), &connections(), Lately::Hour, NOW);
    assert!(views.iter().all(|view| view.count == 3));
    views.into_iter().next().map(|view| view.cause)
}

#[test]
fn a_refusal_names_the_likely_cause() {
    use Cause::{NoSignature, WrongSignature};
    assert_eq!(
        refused("w-acme", NoSignature, None),
        Some(RefusalCause::NoSignature)
    );
    assert_eq!(
        refused("w-acme", WrongSignature, None),
        Some(RefusalCause::Unknown)
    );
    let other = RefusalCause::OtherWorkspace {
        name: "Globex".to_owned(),
    };
    assert_eq!(refused("w-acme", WrongSignature, Some("glob")), Some(other));
    let retired = RefusalCause::Retired {
        secret: "lin_wh_····gone".to_owned(),
    };
    assert_eq!(
        refused("w-acme", WrongSignature, Some("gone")),
        Some(retired)
    );
    assert_eq!(
        refused("w-acme", WrongSignature, Some("curr")),
        None,
        "it is accepted by now"
    );
    assert_eq!(
        refused("w-elsewhere", NoSignature, None),
        None,
        "not one of ours"
    );
    let own = Refused {
        workspace_id: "w-initech".to_owned(),
        cause: WrongSignature,
        secret_id: Some("init".to_owned()),
        count: 1,
        last_at: NOW,
    };
    let views = refused_views(
        &[own],
        &[secret("initech", "init", None)],
        &connections(),
        Lately::Day,
        NOW,
    );
    assert_eq!(
        views.first().map(|view| &view.cause),
        Some(&RefusalCause::Revoked)
    );
}

fn checked(workspace: Option<&str>, signed_by: SignedBy, accepted: bool) -> CheckedDelivery {
    let workspace_id = workspace.map(str::to_owned);
    CheckedDelivery {
        workspace_id,
        sent_at: Some(NOW - DAY),
        signed_by,
        accepted,
        in_time: true,
    }
}

fn by(connection: &str, last_four: &str, retired: bool) -> SignedBy {
    SignedBy::Secret {
        connection_id: connection.to_owned(),
        last_four: last_four.to_owned(),
        retired,
    }
}

fn told(checked: &CheckedDelivery) -> CheckView {
    check_view(checked, &rows(), &connections(), NOW)
}

#[test]
fn a_checked_delivery_says_who_signed_it_and_for_whom() {
    let which = |signed_by| match told(&checked(Some("w-acme"), signed_by, true)).signer {
        Signer::Secret {
            workspace,
            secret,
            which,
        } => (workspace, secret, which),
        other => panic!("{other:?}"),
    };
    let acme = |secret: &str, which| ("Acme Robotics".to_owned(), secret.to_owned(), which);
    assert_eq!(
        which(by("acme", "curr", false)),
        acme("lin_wh_····curr", SignedWith::Current)
    );
    assert_eq!(
        which(by("acme", "prev", false)),
        acme("lin_wh_····prev", SignedWith::Previous)
    );
    assert_eq!(
        which(by("acme", "gone", true)),
        acme("lin_wh_····gone", SignedWith::Retired)
    );
    assert_eq!(
        told(&checked(None, SignedBy::App, false)).signer,
        Signer::App
    );
    assert_eq!(
        told(&checked(None, SignedBy::Nobody, false)).signer,
        Signer::Nobody
    );
    assert_eq!(
        told(&checked(Some("w-acme"), SignedBy::App, true))
            .names
            .as_deref(),
        Some("Acme Robotics")
    );
}

#[test]
fn a_checked_delivery_says_what_would_become_of_it() {
    let verdict =
        |workspace, signed_by, accepted| told(&checked(workspace, signed_by, accepted)).verdict;
    assert_eq!(
        verdict(Some("w-acme"), by("acme", "curr", false), true),
        Verdict::Accepted
    );
    assert_eq!(
        verdict(Some("w-acme"), by("globex", "glob", false), false),
        Verdict::OtherWorkspace
    );
    assert_eq!(
        verdict(Some("w-acme"), by("acme", "gone", true), false),
        Verdict::Retired
    );
    assert_eq!(
        verdict(Some("w-acme"), SignedBy::Nobody, false),
        Verdict::Unknown
    );
    assert_eq!(
        verdict(Some("w-elsewhere"), SignedBy::App, false),
        Verdict::NotConnected
    );
    for takes_nothing in ["w-initech", "w-hooli"] {
        assert_eq!(
            verdict(Some(takes_nothing), SignedBy::App, true),
            Verdict::NotConnected
        );
    }
    assert_eq!(verdict(None, SignedBy::App, false), Verdict::NoWebhook);
    let late = CheckedDelivery {
        in_time: false,
        ..checked(Some("w-acme"), SignedBy::App, true)
    };
    let sent = |checked: &CheckedDelivery| match told(checked).verdict {
        Verdict::OutOfTime { sent } => sent.map(|sent| sent.text),
        other => panic!("{other:?}"),
    };
    assert_eq!(sent(&late).as_deref(), Some("14:02 UTC yesterday"));
    assert_eq!(
        sent(&CheckedDelivery {
            sent_at: None,
            ..late.clone()
        }),
        None
    );
}
