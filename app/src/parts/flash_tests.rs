use super::*;
use crate::rendered;
use crate::view::{ExpectedWorkspace, WhoAreYou};

fn said(flash: Flash) -> String {
    let words = words(flash);
    format!("{} {}", words.fact, words.rest)
}

fn html(flash: Flash, manages: bool) -> String {
    rendered::html(|| view! { <FlashMessage flash page="/integrations".to_owned() manages /> })
}

fn connected(you: Option<WhoAreYou>) -> Flash {
    Flash::Connected {
        connection: "c1".into(),
        workspace: "Acme".into(),
        delivers: false,
        you,
    }
}

fn every_error() -> Vec<(ConnectError, &'static str, &'static [&'static str])> {
    let globex = ExpectedWorkspace {
        connection: "c1".into(),
        name: "Globex".into(),
    };
    vec![
        (
            ConnectError::AccessDenied,
            "Linear did not give access. Someone pressed Cancel, the person is no admin there, or \
                the Linear app is private to \
                another workspace. Nothing was changed.",
            &["Try again", "Check the app in Linear"],
        ),
        (
            ConnectError::StateMismatch,
            "This attempt did not start in this browser, or it is older than 10 minutes. Nothing \
                was changed. Press Connect \
                Linear to start again; if Linear asked an admin to approve the app first, wait \
                until they have.",
            &["Connect Linear"],
        ),
        (
            ConnectError::ExchangeFailed,
            "Linear would not hand over a token. Most often the client ID, client secret or \
                redirect URI here differs from the \
                app in Linear. Nothing was changed.",
            &["Compare in Settings", "Try again"],
        ),
        (
            ConnectError::AuthorizationFailed,
            "Linear stopped the approval. Check the app's settings in Linear, then try again. \
                Nothing was changed.",
            &["Check the app in Linear", "Try again"],
        ),
        (
            ConnectError::WrongWorkspace {
                expected: Some(globex),
            },
            "You approved another workspace. This Reconnect is for Globex. Nothing was changed. \
                Choose Globex on Linear's page, \
                or connect the other one as a new workspace.",
            &["Reconnect", "Connect Linear"],
        ),
        (
            ConnectError::WorkspaceAlreadyLinked {
                email: Some("priya@northwind.dev".into()),
            },
            "That workspace is already connected by priya@northwind.dev, in another organisation \
                on this Relink. Nothing was \
                changed. Ask them to disconnect it, or pick a different workspace.",
            &["Pick another workspace"],
        ),
        (
            ConnectError::LinearUnreachable,
            "Linear does not answer right now. Nothing was changed and your approval was not used \
                up. Try again in a minute.",
            &["Try again"],
        ),
        (
            ConnectError::Interrupted,
            "Relink was stopped while it asked Linear. Nothing was changed, unless the workspace \
                is listed as connected. If it is \
                not, begin again.",
            &["Try again"],
        ),
        (
            ConnectError::Unknown,
            "Connecting did not work. Nothing was changed.",
            &["Try again"],
        ),
    ]
}

#[test]
fn every_error_says_its_sentence_and_its_next_step() {
    for (error, sentence, steps) in every_error() {
        let flash = Flash::ConnectFailed(error);
        assert_eq!(said(flash.clone()), sentence);
        let page = html(flash, true);
        for step in steps {
            assert!(
                page.contains(step),
                "{step:?} is missing after {sentence:?}"
            );
        }
        assert!(
            page.contains(r#"role="alert""#) && page.contains("autofocus"),
            "not focused: {sentence:?}"
        );
    }
}

#[test]
fn whoever_may_not_connect_is_offered_no_button() {
    for (error, _, _) in every_error() {
        assert!(!html(Flash::ConnectFailed(error), false).contains("<form"));
    }
}

#[test]
fn an_unreachable_linear_is_ochre_and_nobodys_fault() {
    for flash in [
        Flash::ConnectFailed(ConnectError::LinearUnreachable),
        Flash::RefreshPutOff,
    ] {
        assert!(html(flash, true).contains(r#"class="flash wait""#));
    }
}

#[test]
fn good_news_is_a_quiet_status() {
    let cases = [
        (
            connected(None),
            "Acme is connected. Next: paste its webhook secret",
        ),
        (
            Flash::SecretSaved { replaced: false },
            "Saved. Waiting for the first delivery signed with it.",
        ),
        (
            Flash::SecretSaved { replaced: true },
            "Saved. Waiting for the first delivery signed with it. The one before is accepted \
                until then, and for a while longer.",
        ),
        (
            Flash::SecretUnchanged,
            "This is the current secret already. Nothing was changed.",
        ),
        (
            Flash::SecretStopped {
                secret: "lin_wh_····k2Rd".into(),
            },
            "lin_wh_····k2Rd is accepted no more.",
        ),
        (
            Flash::Reconnected {
                workspace: "Globex".into(),
                viewer: "Relink".into(),
            },
            "Globex is connected again. Linear answered as “Relink”.",
        ),
        (
            Flash::Disconnected {
                workspace: "Acme".into(),
                revoked: true,
            },
            "Acme is disconnected. Both tokens were revoked at Linear.",
        ),
        (Flash::Checked { millis: 212 }, "Linear answered in 212 ms."),
        (
            Flash::Refreshed {
                until: "14:02 UTC on 20 Nov".into(),
            },
            "The token was refreshed. It is good until 14:02 UTC on 20 Nov.",
        ),
        (
            Flash::KeyRevoked {
                name: "ci-runner".into(),
            },
            "The key ci-runner is revoked. Programs that use it are refused from now on.",
        ),
        (Flash::PasswordChanged, "Your password is changed."),
        (
            Flash::SessionEnded {
                browser: "Firefox on Linux".into(),
            },
            "Firefox on Linux is signed out.",
        ),
        (Flash::SignedOutElsewhere, "Signed out everywhere else."),
    ];
    for (flash, start) in cases {
        assert!(said(flash.clone()).starts_with(start), "{flash:?}");
        assert!(html(flash, true).contains(r#"role="status""#));
    }
}

#[test]
fn an_unconfirmed_revocation_names_what_to_do() {
    assert_eq!(
        said(Flash::Disconnected {
            workspace: "Acme".into(),
            revoked: false
        }),
        "Disconnected here. Linear did not confirm the revocation; remove the app in Linear's \
            settings to be sure."
    );
}

#[test]
fn who_is_given_no_other_role_is_told_the_way() {
    let flash = Flash::NotRaised {
        name: "Mia".into(),
        sentence: "Nobody proved it.".into(),
    };
    let words = said(flash);
    assert!(
        words.ends_with("or you vouch for them under Manage."),
        "{words}"
    );
}

#[test]
fn an_unknown_error_value_is_never_echoed() {
    let error = ConnectError::from_code("</p>Call 0900-1234");
    assert_eq!(error, ConnectError::Unknown);
    let page = html(Flash::ConnectFailed(error), true);
    assert!(page.contains("Connecting did not work.") && !page.contains("0900"));
}

#[test]
fn a_name_with_markup_stays_text() {
    let page = html(
        Flash::Connected {
            connection: "c1".into(),
            workspace: "<img src=x>".into(),
            delivers: false,
            you: None,
        },
        true,
    );
    assert!(!page.contains("<img") && page.contains("&lt;img"));
}

#[test]
fn who_connects_is_asked_whether_they_are_whom_they_approved_as() {
    let viewer = || WhoAreYou::Viewer {
        id: "l1".into(),
        name: "Priya <R>".into(),
    };
    let page = html(connected(Some(viewer())), true);
    for part in [
        "Are you Priya &lt;R&gt; in Acme?",
        r#"action="/team/me""#,
        r#"<input type="hidden" name="workspace" value="c1">"#,
        r#"<input type="hidden" name="person" value="l1">"#,
        r#"<a href="/integrations" class="btn quiet">Not now</a>"#,
        "Paste the webhook secret",
    ] {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
    assert!(
        !html(connected(Some(viewer())), false).contains("/team/me"),
        "only those who manage link themselves"
    );
    for nothing in [connected(None), connected(Some(WhoAreYou::Anybody))] {
        assert!(!html(nothing, true).contains("Are you"));
    }
}

#[test]
fn where_the_app_acts_the_next_step_leads_to_the_list() {
    let step = r##"<a href="/team#me" class="btn">Which one is you?</a>"##;
    assert!(html(connected(Some(WhoAreYou::Anybody)), true).contains(step));
    assert!(!html(connected(Some(WhoAreYou::Anybody)), false).contains(step));
    assert!(!html(connected(None), true).contains(step));
}

#[test]
fn owners_are_offered_an_app_of_their_own() {
    let denied = |owns, several_apps| {
        let flash = Flash::ConnectFailed(ConnectError::AccessDenied);
        rendered::html(
            || view! { <FlashMessage flash page="/integrations".to_owned() manages=true owns several_apps /> },
        )
    };
    assert!(
        denied(true, false).contains("Add an app of your own")
            && !denied(false, false).contains("Add an app of your own")
    );
    assert!(denied(true, false).contains(r#"action="/oauth/linear/start""#));
    let several = denied(true, true);
    assert!(
        several.contains(r##"href="#connect""##)
            && several.contains("Try again")
            && !several.contains("<form"),
        "{several}"
    );
}

#[test]
fn what_became_of_an_app_is_said() {
    let name = || "Acme internal".to_owned();
    let added = html(Flash::AppAdded { name: name() }, true);
    assert!(added.contains("Acme internal is added.") && added.contains("Connect a workspace</a>"));
    assert_eq!(
        said(Flash::AppInUse { name: name() }),
        "Acme internal was not removed. Workspaces are connected through it; disconnect them \
            first. Nothing was changed."
    );
    assert!(html(Flash::AppInUse { name: name() }, true).contains(r#"role="alert""#));
    assert!(said(Flash::AppRemoved { name: name() }).starts_with("Acme internal is removed."));
    assert!(
        said(Flash::AppSecretsReplaced { name: name() })
            .starts_with("The secrets of Acme internal are replaced.")
    );
}
