use std::time::Duration;

use leptos::prelude::*;

use super::*;
use crate::parts::NoticeBox;
use crate::rendered;

fn said(notice: &Notice) -> String {
    format!("{} {}", notice.fact, notice.rest)
}

fn html(notice: Notice) -> String {
    rendered::html(|| view! { <NoticeBox notice page="/integrations".to_owned() manages=true /> })
}

#[test]
fn what_was_put_off_is_ochre_and_nobodys_fault() {
    assert!(html(put_off_words()).contains(r#"class="flash wait""#));
}

#[test]
fn good_news_is_a_quiet_status() {
    let took = Duration::from_millis(212);
    let cases = [
        (
            disconnected("Acme", Voided::Done),
            "Acme is disconnected. Both tokens were revoked at Linear.",
        ),
        (works(Checked { took }), "Linear answered in 212 ms."),
        (
            refreshed_words(true, "14:02 UTC on 20 Nov"),
            "The token was refreshed. It is good until 14:02 UTC on 20 Nov.",
        ),
    ];
    for (notice, start) in cases {
        assert!(said(&notice).starts_with(start), "{notice:?}");
        assert!(html(notice).contains(r#"role="status""#));
    }
}

#[test]
fn an_unconfirmed_revocation_names_what_to_do() {
    assert_eq!(
        said(&disconnected("Acme", Voided::Unconfirmed)),
        "Disconnected here. Linear did not confirm the revocation; remove the app in Linear's \
            settings to be sure."
    );
}
