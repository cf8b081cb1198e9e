use relink_engine::clock::{HOUR, MINUTE, SECOND};

use super::*;
use crate::view::samples::NOW;

fn destination(id: &str, url: &str) -> Destination {
    Destination {
        id: id.to_owned(),
        url: url.to_owned(),
        events: Vec::new(),
        ordered: false,
        last_four: "8fQ=".to_owned(),
        paused_at: None,
        paused_because: None,
        failing_since: None,
        next_at: 0,
        last_status: None,
        last_answer: None,
        last_at: None,
        last_ok_at: None,
        waiting: 0,
        parked: 0,
    }
}

fn hooks() -> Destination {
    destination("d1", "https://hooks.example.com/linear")
}

fn failing() -> Destination {
    Destination {
        failing_since: Some(NOW - HOUR),
        last_status: Some(500),
        last_answer: Some(format!("Out of\n  order {}", "x".repeat(1_000))),
        ..hooks()
    }
}

fn message(state: &str, attempts: i64) -> Message {
    Message {
        destination_id: "d1".to_owned(),
        seq: 7,
        state: MessageState::from_name(state).unwrap(),
        attempts,
        next_at: NOW + 4 * MINUTE,
        last_status: (attempts > 0).then_some(500),
        last_answer: (attempts > 0).then(|| "Out of order".to_owned()),
        last_at: (attempts > 0).then_some(NOW - 2 * MINUTE),
    }
}

fn delivery(outcome: &str) -> Delivery {
    Delivery {
        seq: 7,
        number: 7,
        workspace_id: "w-acme".to_owned(),
        digest: Vec::new(),
        outcome: DeliveryOutcome::from_name(outcome).unwrap(),
        event: "Comment".to_owned(),
        action: String::new(),
        subject: String::new(),
        actor: String::new(),
        delivery_id: None,
        secret_id: String::new(),
        through: String::new(),
        webhook_timestamp: NOW,
        received_at: NOW,
        took_us: 0,
        repeats: 0,
        repeated_at: None,
        body_bytes: 0,
        body: Vec::new(),
    }
}

fn handed(destination: Destination, message: Option<Message>, outcome: &str) -> Vec<Fate> {
    let all = Destinations::new(vec![destination], message.into_iter().collect(), NOW);
    all.handed(&delivery(outcome))
        .into_iter()
        .map(|handed| handed.fate)
        .collect()
}

#[test]
fn a_destination_is_called_by_its_host_as_long_as_that_tells_it_apart() {
    let (one, two, other) = (
        "https://hooks.example.com/a/?token=s3cret",
        "https://hooks.example.com/b#x",
        "http://127.0.0.1:8080/hooks",
    );
    assert_eq!(name(one, &[one, other]), "hooks.example.com");
    assert_eq!(
        [one, two].map(|url| name(url, &[one, two])),
        ["hooks.example.com/a", "hooks.example.com/b"]
    );
    assert_eq!(name(other, &[]), "127.0.0.1:8080");
    let long = format!("https://{}.example.com/", "x".repeat(90));
    assert_eq!(name(&long, &[]).chars().count(), NAME_MAX + 1);
}

#[test]
fn a_state_comes_with_its_evidence() {
    let state = |destination: &Destination| state(destination, NOW);
    assert_eq!(state(&hooks()), DestinationState::Active);
    let DestinationState::Failing {
        since,
        answer: Some(Answer::Verbatim(answer)),
    } = state(&failing())
    else {
        panic!("it fails")
    };
    assert_eq!(
        (
            since.text.as_str(),
            answer.starts_with("500 Out of order xxx"),
            answer.ends_with("x…")
        ),
        ("13:02 UTC today", true, true)
    );
    assert_eq!(answer.chars().count(), "500 ".len() + ANSWER_MAX + 1);
    let paused = |because: &str| {
        let paused = Destination {
            paused_at: Some(NOW),
            paused_because: Some(because.to_owned()),
            ..failing()
        };
        let DestinationState::Paused {
            because, answer, ..
        } = state(&paused)
        else {
            panic!("it is paused")
        };
        assert!(answer.is_some());
        because
    };
    assert_eq!(
        ["failures", "gone", "person"].map(paused),
        [
            PausedBecause::Failures,
            PausedBecause::Gone,
            PausedBecause::Person
        ]
    );
    let silent = Destination {
        last_status: None,
        last_answer: Some("no connection".to_owned()),
        ..failing()
    };
    assert!(matches!(
        state(&silent),
        DestinationState::Failing { answer: Some(Answer::Words(words)), .. }
            if words == "no connection"
    ));
}

#[test]
fn a_working_one_does_not_tell_what_it_answered_once() {
    let well = Destination {
        failing_since: None,
        paused_at: Some(NOW),
        ..failing()
    };
    assert!(matches!(
        state(&well, NOW),
        DestinationState::Paused { answer: None, .. }
    ));
}

#[test]
fn what_became_of_a_delivery() {
    let fate = |message| handed(hooks(), Some(message), "accepted").remove(0);
    let status = |status: &str| Some(Answer::Verbatim(status.to_owned()));
    let next = NextTry::At("in 4 min".to_owned());
    assert_eq!(
        fate(message("waiting", 3)),
        Fate::Waiting {
            answer: status("500"),
            tries: 3,
            next
        }
    );
    let anew = |next| Fate::Waiting {
        answer: None,
        tries: 0,
        next,
    };
    assert_eq!(fate(message("waiting", 0)), anew(NextTry::First));
    // Sent again, it does not tell how that went before.
    assert_eq!(
        fate(Message {
            attempts: 0,
            ..message("waiting", 3)
        }),
        anew(NextTry::Soon)
    );
    let Fate::GivenUp {
        tries: 17,
        at: Some(at),
        ..
    } = fate(message("parked", 17))
    else {
        panic!("it was given up")
    };
    assert_eq!(at.text, "2 min ago");
    let sent = Message {
        last_status: Some(200),
        last_answer: Some("<b>thanks".to_owned()),
        ..message("sent", 1)
    };
    assert!(
        matches!(fate(sent), Fate::Sent { answer, .. } if answer == status("200")),
        "the row has no room for more"
    );
    let refused = Message {
        last_status: None,
        last_answer: Some("no connection".to_owned()),
        ..message("waiting", 1)
    };
    assert!(matches!(
        fate(refused),
        Fate::Waiting { answer: Some(Answer::Words(words)), .. } if words == "no connection"
    ));
    let rests = Destination {
        next_at: NOW + 30 * MINUTE,
        ..failing()
    };
    let next = NextTry::At("in 30 min".to_owned());
    assert_eq!(
        handed(rests, Some(message("waiting", 3)), "late")[0].clone(),
        Fate::Waiting {
            answer: status("500"),
            tries: 3,
            next
        }
    );
    let paused = Destination {
        paused_at: Some(NOW - SECOND),
        ..hooks()
    };
    assert!(matches!(
        handed(paused, Some(message("waiting", 1)), "late")[0],
        Fate::Waiting {
            next: NextTry::Paused,
            ..
        }
    ));
}

#[test]
fn what_was_not_sent_says_why_where_that_is_known() {
    let picky = Destination {
        events: vec!["Issue".to_owned()],
        ..hooks()
    };
    assert_eq!(handed(picky, None, "accepted"), [Fate::Unwanted]);
    assert_eq!(handed(hooks(), None, "accepted"), [Fate::NotSent]);
    assert!(
        handed(hooks(), None, "ignored").is_empty(),
        "what is ignored is handed on to nobody"
    );
}

#[test]
fn a_refused_form_keeps_what_was_picked() {
    let draft = Draft {
        url: "http://x".to_owned(),
        events: vec!["Issue".to_owned()],
        ordered: true,
    };
    let view = Destinations::new(Vec::new(), Vec::new(), NOW)
        .view(Some((draft, Some(Complaint::DestinationUrl))));
    let form = view.form.unwrap();
    let chosen: Vec<_> = form
        .events
        .iter()
        .filter(|event| event.chosen)
        .map(|event| event.value.as_str())
        .collect();
    assert_eq!(
        (form.url.as_str(), chosen, form.ordered),
        ("http://x", vec!["Issue"], true)
    );
    assert!(form.events.len() == EVENTS.len() && form.complaint == Some(Complaint::DestinationUrl));
}

#[test]
fn the_query_of_an_address_is_for_those_who_manage() {
    let all = Destinations::new(
        vec![destination("d1", "https://hooks.example.com/a?key=1")],
        Vec::new(),
        NOW,
    );
    let url = |draft| all.view(draft).destinations.remove(0).url;
    assert_eq!(url(None), "https://hooks.example.com/a");
    assert_eq!(
        url(Some((Draft::default(), None))),
        "https://hooks.example.com/a?key=1"
    );
}
