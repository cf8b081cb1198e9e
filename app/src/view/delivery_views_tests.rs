use relink_engine::clock::{DAY, HOUR, MINUTE};

use super::*;
use crate::view::SignedWith;
use crate::view::samples::{NOW, connection, secret};

fn row(body: &str) -> Delivery {
    Delivery {
        seq: 7,
        number: 7,
        workspace_id: "w-acme".to_owned(),
        digest: vec![0x5b, 0xe0, 0, 0, 0xa9, 0x1c],
        outcome: store::DeliveryOutcome::Accepted,
        event: "Comment".to_owned(),
        action: "create".to_owned(),
        subject: "ENG-398".to_owned(),
        actor: "Mara Lindqvist".to_owned(),
        delivery_id: Some("d4c1f0a2-1111-4222-8333-4444555577be".to_owned()),
        secret_id: "curr".to_owned(),
        through: String::new(),
        webhook_timestamp: NOW - 800,
        received_at: NOW - 700,
        took_us: 3_400,
        repeats: 0,
        repeated_at: None,
        body_bytes: i64::try_from(body.len()).unwrap_or_default(),
        body: body.as_bytes().to_vec(),
    }
}

fn view(row: &Delivery) -> DeliveryView {
    let secrets = [
        secret("acme", "curr", None),
        secret("acme", "prev", Some(NOW + HOUR)),
        secret("acme", "gone", Some(NOW)),
    ];
    delivery_view(row, &secrets, &[connection("acme", "Acme Robotics")], NOW)
}

fn text(body: &BodyView) -> String {
    body.pieces
        .iter()
        .map(|piece| piece.text.as_str())
        .collect()
}

#[test]
fn a_delivery_in_words() {
    let view = view(&row("{}"));
    assert_eq!(
        (
            view.at.text.as_str(),
            view.event.as_str(),
            view.workspace.as_str()
        ),
        ("14:02:10", "Comment create", "Acme Robotics")
    );
    assert_eq!(
        (
            view.sent.text.as_str(),
            view.received.text.as_str(),
            view.took.as_str()
        ),
        ("14:02:10.2", "10.3", "3 ms")
    );
    assert_eq!(
        (view.delivery_id.as_deref(), view.digest.as_str()),
        (Some("d4c1f0a2…77be"), "5be0…a91c")
    );
    assert_eq!(
        (view.outcome, view.signed, view.again),
        (DeliveryOutcome::Accepted, SignedWith::Current, None)
    );
}

#[test]
fn the_secret_is_told_as_it_is_now() {
    let signed = |id: &str| {
        view(&Delivery {
            secret_id: id.to_owned(),
            ..row("{}")
        })
        .signed
    };
    let all = ["curr", "prev", "gone", "", "long-gone"].map(signed);
    assert_eq!(
        all,
        [
            SignedWith::Current,
            SignedWith::Previous,
            SignedWith::Retired,
            SignedWith::App,
            SignedWith::Removed
        ]
    );
}

#[test]
fn outcomes_and_what_came_again() {
    let outcome = |name: &str| {
        view(&Delivery {
            outcome: store::DeliveryOutcome::from_name(name).unwrap(),
            ..row("{}")
        })
        .outcome
    };
    assert_eq!(
        ["late", "ignored"].map(outcome),
        [DeliveryOutcome::Late, DeliveryOutcome::Ignored]
    );
    let again = view(&Delivery {
        repeats: 2,
        repeated_at: Some(NOW - MINUTE),
        ..row("{}")
    })
    .again;
    assert_eq!(
        again.map(|again| (again.times, again.last.text)),
        Some((2, "14:01 UTC today".to_owned()))
    );
    assert_eq!(
        view(&Delivery {
            event: String::new(),
            action: String::new(),
            ..row("{}")
        })
        .event,
        "No type"
    );
    assert_eq!(
        view(&Delivery {
            delivery_id: Some("short".to_owned()),
            ..row("{}")
        })
        .delivery_id
        .as_deref(),
        Some("short")
    );
}

#[test]
fn a_whole_body_is_laid_out_and_copied_as_it_came() {
    let body = view(&row(r#"{"a":"ü"}"#)).body;
    assert_eq!(
        (
            text(&body).as_str(),
            body.raw.as_deref(),
            body.bytes.as_str()
        ),
        ("{\n  \"a\": \"ü\"\n}", Some(r#"{"a":"ü"}"#), "10")
    );
}

#[test]
fn a_cut_body_is_neither_laid_out_nor_copied_nor_cut_inside_a_letter() {
    let mut cut = row(r#"{"a":"ü"}"#);
    cut.body.truncate(7);
    assert!(std::str::from_utf8(&cut.body).is_err(), "inside the letter");
    let body = view(&cut).body;
    assert_eq!(
        (text(&body).as_str(), body.raw, body.bytes.as_str()),
        (r#"{"a":""#, None, "10")
    );
    // What happens to be JSON is not the whole of it either.
    let mut cut = row("7654321");
    cut.body.truncate(3);
    assert_eq!(view(&cut).body.raw, None);
}

#[test]
fn days_before_today_are_named() {
    let old = Delivery {
        received_at: NOW - DAY,
        webhook_timestamp: NOW - DAY - HOUR,
        ..row("{}")
    };
    let view = view(&old);
    assert_eq!(
        (
            view.at.text.as_str(),
            view.sent.text.as_str(),
            view.received.text.as_str()
        ),
        ("18 Nov 14:02", "18 Nov 13:02:11.0", "14:02:11.0")
    );
}
