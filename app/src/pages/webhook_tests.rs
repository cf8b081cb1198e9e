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
        stops: stops.then(|| Stop { at: moment("20 Nov 13:20 UTC"), within: "23 h 18 min".to_owned() }),
        in_use,
    }
}

fn section(secrets: Vec<SecretView>, manages: bool) -> String {
    let webhook =
        WebhookView { url: "https://relink.example/webhooks/linear".to_owned(), secrets, refused: Vec::new(), shape_refused: false };
    let connection = "c1".to_owned();
    rendered::html(|| view! { <WebhookSection connection last=None webhook manages /> }).replace("<!>", "")
}

#[test]
fn the_overlap_is_explained_while_there_is_one() {
    let overlap = section(vec![secret("curr", false, true), secret("prev", true, true)], true);
    assert!(overlap.contains("Two secrets are accepted until <time datetime=\"2026-11-19T14:02:11Z\">20 Nov 13:20 UTC</time>"));
    assert!(overlap.contains("Stops in 23 h 18 min"));
    assert!(!section(vec![secret("curr", false, true)], true).contains("accepted until"));
    let last = section(vec![secret("prev", true, false)], true);
    assert!(last.contains("The only secret is accepted until "));
    assert!(section(Vec::new(), true).contains("No signing secret yet."));
}

#[test]
fn a_secret_in_use_and_the_current_one_ask_first() {
    let asks = |secret| section(vec![secret], true).contains("name=\"confirm\"");
    assert!(asks(secret("curr", false, false)) && asks(secret("prev", true, true)));
    assert!(!asks(secret("prev", true, false)), "nobody uses it any more");
}

#[test]
fn who_does_not_manage_sees_the_state_and_no_form() {
    let page = section(vec![secret("curr", false, true), secret("prev", true, true)], false);
    assert!(page.contains("lin_wh_····prev") && page.contains("https://relink.example/webhooks/linear"));
    assert!(!page.contains("<form") && !page.contains("Check a delivery"));
}

#[test]
fn the_field_for_a_secret_is_not_filled_in_by_anybody() {
    let page = section(Vec::new(), true);
    let field = page.split("<input").find(|field| field.contains("id=\"secret\"")).unwrap_or_default();
    for part in ["type=\"password\"", "autocomplete=\"off\"", "value=\"\"", "placeholder=\"lin_wh_…\""] {
        assert!(field.contains(part), "{part} is not in {field}");
    }
}
