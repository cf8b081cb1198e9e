use super::*;
use crate::rendered;
use crate::sample_views::{broken, trouble};

fn callout(evidence: Option<EvidenceView>, manages: bool) -> String {
    rendered::html(|| {
        view! { <Callout connection=broken("Globex") trouble=trouble("to the newest refresh token, \
        asked twice") manages evidence /> }
    })
    .replace("<!>", "")
}

#[test]
fn the_long_one_says_all_that_is_known_and_nothing_else() {
    let evidence = EvidenceView {
        asked: Some("The last time at 09:42:38 UTC".to_owned()),
        ruled_out: vec![
            "A wrong client ID or secret: Acme".to_owned(),
            "A lost reply".to_owned(),
        ],
        keys: 2,
    };
    let page = callout(Some(evidence), true);
    for part in [
        "<h2>",
        "<dt>Asked</dt>",
        "<dt>Ruled out</dt><dd>A wrong client ID or secret: Acme</dd><dd>A lost reply</dd>",
        "2 API keys were used since; for this workspace they get <code>409 \
            reconnect_required</code>",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(page.matches("btn primary").count(), 1);
    let bare = callout(Some(EvidenceView::default()), false);
    for absent in ["Asked", "Ruled out", "Waiting", "<form"] {
        assert!(!bare.contains(absent), "{absent} is in {bare}");
    }
    assert!(bare.contains("An admin of your organisation can reconnect it."));
}

#[test]
fn one_key_is_one_key() {
    let page = callout(
        Some(EvidenceView {
            keys: 1,
            ..EvidenceView::default()
        }),
        true,
    );
    assert!(
        page.contains("1 API key was used since; for this workspace it gets <code>"),
        "{page}"
    );
}
