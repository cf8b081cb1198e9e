use super::*;
use crate::rendered;

fn page(fate: Fate, manages: bool) -> String {
    let handed = vec![DeliveryAttemptView {
        destination: "d1".to_owned(),
        name: "hooks.example.com".to_owned(),
        fate,
    }];
    let back = "/deliveries?before=21".to_owned();
    rendered::html(|| view! { <DeliveryAttempts number=7 handed back manages /> })
        .replace("<!>", "")
}

/// The sentence without its tags.
fn said(fate: Fate) -> String {
    let page = page(fate, false);
    let sentence = page.split("<li").nth(1).unwrap_or_default();
    let text: String = sentence
        .split('<')
        .filter_map(|part| part.split_once('>').map(|(_, text)| text))
        .collect();
    text.trim().to_owned()
}

fn status(status: &str) -> Option<Answer> {
    Some(Answer::Verbatim(status.to_owned()))
}

fn ago(text: &str) -> Option<Moment> {
    Some(Moment::new(
        "2026-11-19T14:01:02Z".to_owned(),
        text.to_owned(),
    ))
}

#[test]
fn every_fate_has_its_sentence() {
    let next = |within: &str| NextTry::At(within.to_owned());
    let waiting = |answer, tries, next| Fate::Waiting {
        answer,
        tries,
        next,
    };
    let words = Some(Answer::Words("no connection".to_owned()));
    let cases = [
        (
            Fate::Sent {
                answer: status("200"),
                at: ago("2 min ago"),
            },
            "Sent to hooks.example.com, 200, 2 min ago",
        ),
        (
            waiting(None, 0, NextTry::First),
            "Waiting for hooks.example.com, not tried yet",
        ),
        (
            waiting(None, 0, NextTry::Soon),
            "Waiting for hooks.example.com, to be sent again",
        ),
        (
            waiting(None, 0, NextTry::Paused),
            "Waiting for hooks.example.com, until it is resumed",
        ),
        (
            waiting(status("500"), 3, next("in 4 min")),
            "Waiting for hooks.example.com: 500, tried 3 times, again in 4 min",
        ),
        (
            waiting(words, 1, next("in 5 s")),
            "Waiting for hooks.example.com: no connection, tried once, again in 5 s",
        ),
        (
            Fate::GivenUp {
                answer: status("500"),
                tries: 17,
                at: ago("3 h ago"),
            },
            "Gave up on hooks.example.com: 500, tried 17 times, last 3 h ago",
        ),
        (
            Fate::Unwanted,
            "Not sent to hooks.example.com, which takes events of other types",
        ),
        (Fate::NotSent, "Not sent to hooks.example.com"),
    ];
    for (fate, sentence) in cases {
        assert_eq!(said(fate), sentence);
    }
}

#[test]
fn whoever_manages_can_send_it_again() {
    let again = page(
        Fate::GivenUp {
            answer: None,
            tries: 17,
            at: None,
        },
        true,
    );
    for part in [
        "action=\"/deliveries/resend\"",
        "name=\"delivery\" value=\"7\"",
        "name=\"destination\" value=\"d1\"",
        ">Send again",
    ] {
        assert!(again.contains(part), "{part} is not in {again}");
    }
    assert!(again.contains("name=\"back\" value=\"/deliveries?before=21\""));
    assert!(
        page(Fate::NotSent, true).contains(">Send<"),
        "it was not sent before"
    );
    let seen = page(Fate::NotSent, false);
    assert!(!seen.contains("<form") && !seen.contains("<button"));
}

#[test]
fn what_is_handed_on_to_nobody_says_nothing() {
    let page = rendered::html(|| {
        view! {
            <DeliveryAttempts number=7 handed=Vec::new() back=String::new() manages=true />
        }
    });
    assert!(!page.contains("Handed on") && !page.contains("<form"));
}
