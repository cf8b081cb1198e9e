use leptos::prelude::*;

use super::*;
use crate::parts::NoticeBox;
use crate::rendered;

fn html(notice: Notice, manages: bool) -> String {
    rendered::html(|| view! { <NoticeBox notice page="/integrations".to_owned() manages /> })
}

fn every_error() -> Vec<(Notice, &'static str, &'static [&'static str])> {
    vec![
        (
            failed(FinishError::AccessDenied),
            "Linear did not give access. Someone pressed Cancel, the person is no admin there, or \
                the Linear app is private to \
                another workspace. Nothing was changed.",
            &["Try again", "Check the app in Linear"],
        ),
        (
            failed(FinishError::StateMismatch),
            "This attempt did not start in this browser, or it is older than 10 minutes. Nothing \
                was changed. Press Connect \
                Linear to start again; if Linear asked an admin to approve the app first, wait \
                until they have.",
            &["Connect Linear"],
        ),
        (
            failed(FinishError::ExchangeFailed(String::new())),
            "Linear would not hand over a token. Most often the client ID, client secret or \
                redirect URI here differs from the \
                app in Linear. Nothing was changed.",
            &["Compare in Settings", "Try again"],
        ),
        (
            failed(FinishError::AuthorizationFailed),
            "Linear stopped the approval. Check the app's settings in Linear, then try again. \
                Nothing was changed.",
            &["Check the app in Linear", "Try again"],
        ),
        (
            failed(FinishError::WrongWorkspace {
                connection: "c1".into(),
                expected: "Globex".into(),
            }),
            "You approved another workspace. This Reconnect is for Globex. Nothing was changed. \
                Choose Globex on Linear's page, \
                or connect the other one as a new workspace.",
            &["Reconnect", "Connect Linear"],
        ),
        (
            failed(FinishError::WorkspaceAlreadyLinked {
                email: Some("priya@northwind.dev".into()),
            }),
            "That workspace is already connected by priya@northwind.dev, in another organisation \
                on this Relink. Nothing was \
                changed. Ask them to disconnect it, or pick a different workspace.",
            &["Pick another workspace"],
        ),
        (
            failed(FinishError::LinearUnreachable(String::new())),
            "Linear does not answer right now. Nothing was changed and your approval was not used \
                up. Try again in a minute.",
            &["Try again"],
        ),
        (
            failed(FinishError::Stopped),
            "Relink was stopped while it asked Linear. Nothing was changed, unless the workspace \
                is listed as connected. If it is \
                not, begin again.",
            &["Try again"],
        ),
        (
            failed_by_code("made_up"),
            "Connecting did not work. Nothing was changed.",
            &["Try again"],
        ),
    ]
}

#[test]
fn every_error_says_its_sentence_and_its_next_step() {
    for (notice, sentence, steps) in every_error() {
        assert_eq!(format!("{} {}", notice.fact, notice.rest), sentence);
        let page = html(notice, true);
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
    for (notice, _, _) in every_error() {
        assert!(!html(notice, false).contains("<form"));
    }
}

#[test]
fn an_unreachable_linear_is_ochre_and_nobodys_fault() {
    let notice = failed(FinishError::LinearUnreachable(String::new()));
    assert!(html(notice, true).contains(r#"class="flash wait""#));
}

#[test]
fn a_code_in_the_address_bar_says_what_the_error_said() {
    for error in [
        FinishError::AccessDenied,
        FinishError::AuthorizationFailed,
        FinishError::StateMismatch,
        FinishError::ExchangeFailed(String::new()),
        FinishError::LinearUnreachable(String::new()),
        FinishError::WorkspaceAlreadyLinked { email: None },
    ] {
        let notice = failed(error);
        let code = notice.error.clone().expect("a code");
        assert_eq!(failed_by_code(&code), notice);
    }
    for (notice, code) in [
        (some_other_workspace(), "wrong_workspace"),
        (not_configured(), "not_configured"),
    ] {
        assert_eq!(notice.error.as_deref(), Some(code));
        assert_eq!(failed_by_code(code), notice);
    }
}

#[test]
fn an_unknown_error_value_is_never_echoed() {
    let page = html(failed_by_code("</p>Call 0900-1234"), true);
    assert!(page.contains("Connecting did not work.") && !page.contains("0900"));
}
