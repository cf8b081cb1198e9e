use relink_engine::clock::{MINUTE, SECOND};

use super::*;
use crate::view::samples::{NOW, connections, secret};

fn rows() -> Vec<SigningSecret> {
    vec![
        secret("acme", "prev", Some(NOW + 23 * HOUR + 18 * MINUTE)),
        secret("acme", "gone", Some(NOW)),
        secret("globex", "glob", None),
        secret("acme", "curr", None),
        secret("acme", "soon", Some(NOW + HOUR)),
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
            &SigningSecret {
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
