use super::*;
use crate::rendered;
use crate::sample_views::{as_of, moment};
use crate::view::{
    Again, BodyView, DeliveryAttemptView, DeliveryOutcome, Fate, HandedOnView, Piece, PieceKind,
    SignedWith,
};

fn delivery() -> DeliveryView {
    let piece = |kind, text: &str| Piece {
        kind,
        text: text.to_owned(),
    };
    DeliveryView {
        number: 7,
        at: moment("14:01:02"),
        event: "Comment create".to_owned(),
        subject: "ENG-398".to_owned(),
        actor: "Mara Lindqvist".to_owned(),
        workspace: "Acme Robotics".to_owned(),
        outcome: DeliveryOutcome::Accepted,
        again: None,
        signed: SignedWith::Current,
        twice: false,
        took: "3 ms".to_owned(),
        delivery_id: None,
        digest: "5be0…a91c".to_owned(),
        sent: moment("14:01:02.2"),
        received: moment("02.3"),
        handed: Vec::new(),
        body: BodyView {
            bytes: "31".to_owned(),
            raw: Some("{\"a\":\"<script>\"}".to_owned()),
            pieces: vec![
                piece(PieceKind::Key, "\"a\""),
                piece(PieceKind::Text, "\"</pre><script>\""),
            ],
        },
    }
}

fn page(
    deliveries: Vec<DeliveryView>,
    chosen: bool,
    paged: bool,
    newer: Option<&str>,
    older: Option<&str>,
) -> String {
    let choice = Choice {
        value: "c1".to_owned(),
        label: "Acme Robotics".to_owned(),
        chosen,
    };
    let view = DeliveriesView {
        deliveries,
        filter: FilterView {
            workspaces: vec![choice],
            ..FilterView::default()
        },
        paged,
        newer: newer.map(str::to_owned),
        older: older.map(str::to_owned),
        here: "/deliveries".to_owned(),
        strays: Vec::new(),
        refused: Vec::new(),
        url: "https://relink.example/webhooks/linear".to_owned(),
        by_app: false,
        handed_on: HandedOnView::default(),
        new_destination: None,
        notice: None,
        manages: false,
        as_of: as_of(),
        growing: false,
        news: 0,
    };
    rendered::html(|| super::deliveries(view, None).main).replace("<!>", "")
}

#[test]
fn a_body_is_text_wherever_it_stands() {
    let page = page(vec![delivery()], false, false, None, None);
    assert!(!page.contains("<script") && page.contains("&lt;script"));
    assert_eq!(page.matches("</pre>").count(), 1);
    assert!(
        page.contains("data-copy=\"{&quot;a&quot;:&quot;"),
        "a quote does not end the attribute"
    );
    assert!(page.contains("<span class=\"k\">"));
}

#[test]
fn a_cut_body_says_so_and_is_not_copied() {
    let whole = delivery();
    let cut = DeliveryView {
        body: BodyView {
            raw: None,
            bytes: "40 000".to_owned(),
            ..whole.body.clone()
        },
        ..whole
    };
    let page = page(vec![cut], false, false, None, None);
    assert!(
        page.contains("The first 16 384 of 40 000 bytes.")
            && !page.contains("exactly as signed")
            && !page.contains("Copied")
    );
}

#[test]
fn what_came_again_is_counted() {
    let again = DeliveryView {
        again: Some(Again {
            times: 2,
            last: moment("14:05 UTC today"),
        }),
        ..delivery()
    };
    let page = page(vec![again], false, false, None, None);
    assert!(page.contains("×3") && page.contains("3 times, last at <time"));
}

#[test]
fn an_empty_page_says_why() {
    let fresh = page(Vec::new(), false, false, None, None);
    assert!(
        fresh.contains("Nothing has arrived yet")
            && fresh.contains("https://relink.example/webhooks/linear")
    );
    let narrow = page(Vec::new(), true, false, None, None);
    assert!(narrow.contains("No delivery fits") && !narrow.contains("/webhooks/linear"));
    assert!(page(Vec::new(), false, true, Some("/deliveries"), None).contains("Nothing older"));
}

#[test]
fn pages_lead_to_the_ones_beside_them() {
    let links = |newer: Option<&str>, older: Option<&str>| {
        let page = page(vec![delivery()], false, newer.is_some(), newer, older);
        (page.contains(">Newer</a>"), page.contains(">Older</a>"))
    };
    assert_eq!(links(None, None), (false, false));
    assert_eq!(links(None, Some("/deliveries?before=21")), (false, true));
    assert_eq!(
        links(Some("/deliveries"), Some("/deliveries?before=21")),
        (true, true)
    );
    assert!(page(vec![delivery()], false, false, None, None).contains("1 delivery"));
}

#[test]
fn what_became_of_it_stands_in_its_row() {
    let handed = vec![DeliveryAttemptView {
        destination: "d1".to_owned(),
        name: "hooks.example.com".to_owned(),
        fate: Fate::NotSent,
    }];
    let page = page(
        vec![DeliveryView {
            handed,
            ..delivery()
        }],
        false,
        false,
        None,
        None,
    );
    assert!(page.contains("Not sent to <b>hooks.example.com</b>"));
    assert!(
        !page.contains("/deliveries/resend"),
        "who does not manage sends nothing again"
    );
}
