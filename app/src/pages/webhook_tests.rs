use super::*;
use crate::rendered;
use crate::sample_views::moment;
use crate::view::Stop;

fn secret(id: &str, stops: bool, in_use: bool) -> SecretView {
    SecretView {
        id: id.to_owned(),
        secret: format!("lin_wh_····{id}"),
        added_by: None,
        added: moment("13:20 UTC today"),
        matched: in_use.then(|| moment("41 s ago")),
        replaced: false,
        stops: stops.then(|| Stop {
            at: moment("20 Nov 13:20 UTC"),
            within: "23 h 18 min".to_owned(),
        }),
        in_use,
    }
}

fn section(secrets: Vec<SecretView>, manages: bool) -> String {
    let webhook = WebhookView {
        url: "https://relink.example/webhooks/linear".to_owned(),
        secrets,
        ..WebhookView::default()
    };
    let connection = "c1".to_owned();
    rendered::html(|| view! { <WebhookSection connection last=None webhook manages /> })
        .replace("<!>", "")
}

#[test]
fn the_overlap_is_explained_while_there_is_one() {
    let overlap = section(
        vec![secret("curr", false, true), secret("prev", true, true)],
        true,
    );
    assert!(overlap.contains(
        "Two secrets are accepted until <time datetime=\"2026-11-19T14:02:11Z\">20 Nov 13:20 \
            UTC</time>"
    ));
    assert!(overlap.contains("Stops in 23 h 18 min"));
    assert!(!section(vec![secret("curr", false, true)], true).contains("accepted until"));
    let last = section(vec![secret("prev", true, false)], true);
    assert!(last.contains("The only secret is accepted until "));
    assert!(section(Vec::new(), true).contains("No signing secret yet."));
}

#[test]
fn what_the_page_waits_for_is_said() {
    let waiting = SecretView {
        replaced: true,
        ..secret("prev", false, true)
    };
    let page = section(vec![secret("curr", false, false), waiting.clone()], true);
    for part in [
        "Both secrets are accepted until a delivery signed with the new one arrives",
        "Previous",
        "Stops after the new one has matched",
        "compare the new secret with the one in Linear",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    assert!(
        section(vec![waiting], true).contains("name=\"confirm\""),
        "what has verified something is not stopped without a question"
    );
}

#[test]
fn where_the_apps_webhook_delivers_no_second_one_is_recommended() {
    let page = |secrets: Vec<SecretView>, twice: bool| {
        let webhook = WebhookView {
            secrets,
            by_app: true,
            twice,
            ..WebhookView::default()
        };
        rendered::html(|| {
            view! {
                <WebhookSection connection="c1".to_owned() last=None webhook manages=true />
            }
        })
        .replace("<!>", "")
    };
    let alone = page(Vec::new(), false);
    assert!(alone.contains("Nothing has to be set up for this workspace."));
    let aside = alone
        .split("<details")
        .find(|part| part.contains("URL to paste into Linear"));
    assert!(aside.is_some_and(|part| part.contains("A webhook of the workspace’s own instead")));
    let both = page(vec![secret("curr", false, true)], true);
    assert!(both.contains("Relink takes it once.") && both.contains("can be deleted in Linear"));
    assert!(
        !both.contains("of the workspace’s own instead"),
        "a secret in use is in sight"
    );
}

#[test]
fn a_secret_in_use_and_the_current_one_ask_first() {
    let asks = |secret| section(vec![secret], true).contains("name=\"confirm\"");
    assert!(asks(secret("curr", false, false)) && asks(secret("prev", true, true)));
    assert!(
        !asks(secret("prev", true, false)),
        "nobody uses it any more"
    );
}

#[test]
fn who_does_not_manage_sees_the_state_and_no_form() {
    let page = section(
        vec![secret("curr", false, true), secret("prev", true, true)],
        false,
    );
    assert!(
        page.contains("lin_wh_····prev") && page.contains("https://relink.example/webhooks/linear")
    );
    assert!(!page.contains("<form") && !page.contains("Check a delivery"));
}

#[test]
fn the_field_for_a_secret_is_not_filled_in_by_anybody() {
    let page = section(Vec::new(), true);
    let field = page
        .split("<input")
        .find(|field| field.contains("id=\"secret\""))
        .unwrap_or_default();
    for part in [
        "type=\"password\"",
        "autocomplete=\"off\"",
        "value=\"\"",
        "placeholder=\"lin_wh_…\"",
    ] {
        assert!(field.contains(part), "{part} is not in {field}");
    }
}
