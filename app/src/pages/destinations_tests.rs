use super::*;
use crate::parts::PausedNotices;
use crate::rendered;
use crate::sample_views::{at, moment};
use crate::view::{Answer, Choice, Complaint, DestinationForm};

fn destination(state: DestinationState) -> DestinationView {
    DestinationView {
        id: "d1".to_owned(),
        name: "hooks.example.com".to_owned(),
        url: "https://hooks.example.com/linear?<b>".to_owned(),
        events: Vec::new(),
        ordered: false,
        secret: "whsec_····8fQ=".to_owned(),
        state,
        taken: None,
        waiting: 0,
        given_up: 0,
    }
}

fn paused(because: PausedBecause) -> DestinationState {
    DestinationState::Paused {
        since: at("14:02 UTC today"),
        because,
        answer: Some(Answer::Verbatim("410 <i>gone".to_owned())),
    }
}

fn form(complaint: Option<Complaint>) -> DestinationForm {
    let choice = |event: &str| Choice {
        value: event.to_owned(),
        label: event.to_owned(),
        chosen: event == "Issue" && complaint.is_some(),
    };
    DestinationForm {
        url: String::new(),
        events: ["Comment", "Issue"].map(choice).to_vec(),
        ordered: false,
        complaint,
    }
}

fn handed_on(destinations: Vec<DestinationView>, manages: bool) -> HandedOnView {
    HandedOnView {
        destinations,
        form: manages.then(|| form(None)),
    }
}

fn section(destination: DestinationView, manages: bool) -> String {
    let handed_on = handed_on(vec![destination], manages);
    rendered::html(|| view! { <HandedOn handed_on /> }).replace("<!>", "")
}

fn notices(destination: DestinationView, manages: bool) -> String {
    let handed_on = handed_on(vec![destination], manages);
    rendered::html(|| view! { <PausedNotices handed_on /> }).replace("<!>", "")
}

/// Strips the tags.
fn text(html: &str) -> String {
    html.split('<')
        .filter_map(|part| part.split_once('>').map(|(_, text)| text))
        .collect::<String>()
        .replace("  ", " ")
}

#[test]
fn every_state_is_told_with_its_reason() {
    let failing = DestinationState::Failing {
        since: at("14:02 UTC today"),
        answer: Some(Answer::Words("no connection".to_owned())),
    };
    let cases = [
        (
            DestinationState::Active,
            "All events. Secret whsec_····8fQ=",
        ),
        (
            failing,
            "Failing since 14:02 UTC today, last try: no connection.",
        ),
        (
            paused(PausedBecause::Failures),
            "Paused since 14:02 UTC today, because it failed for a day, last answer 410 \
                &lt;i&gt;gone.",
        ),
        (
            paused(PausedBecause::Gone),
            "because it said that it is gone, last answer",
        ),
        (paused(PausedBecause::Person), "because somebody paused it"),
    ];
    for (state, words) in cases {
        let page = section(destination(state), true);
        assert!(
            text(&page).contains(words),
            "{words:?} is not in {}",
            text(&page)
        );
        assert!(
            page.contains("linear?&lt;b&gt;") && !page.contains("<b>") && !page.contains("<i>gone")
        );
    }
}

#[test]
fn what_it_gets_and_what_is_left_is_counted() {
    let busy = DestinationView {
        events: vec!["Comment".to_owned(), "Issue".to_owned()],
        ordered: true,
        taken: Some(moment("2 min ago")),
        waiting: 3,
        given_up: 1,
        ..destination(DestinationState::Active)
    };
    let page = text(&section(busy, false));
    assert!(
        page.contains("Comment, Issue events, in order for each issue. Secret"),
        "{page}"
    );
    assert!(
        page.contains("Took a delivery 2 min ago. 3 deliveries wait, 1 given up"),
        "{page}"
    );
    let idle = text(&section(destination(DestinationState::Active), false));
    assert!(idle.contains("Took no delivery yet") && !idle.contains("given up"));
}

#[test]
fn a_paused_one_is_resumed_and_any_other_is_paused() {
    let offers = |state| {
        let page = section(destination(state), true);
        (
            page.contains("action=\"/deliveries/destinations/pause\""),
            page.contains("action=\"/deliveries/destinations/resume\""),
        )
    };
    assert_eq!(offers(DestinationState::Active), (true, false));
    assert_eq!(offers(paused(PausedBecause::Person)), (false, true));
}

#[test]
fn who_does_not_manage_sees_the_state_and_no_form() {
    for page in [
        section(destination(paused(PausedBecause::Gone)), false),
        notices(destination(paused(PausedBecause::Gone)), false),
    ] {
        assert!(
            page.contains("it said that it is gone")
                && !page.contains("<form")
                && !page.contains("<button")
        );
    }
}

#[test]
fn only_what_a_person_did_not_pause_is_warned_of() {
    let gone = |waiting| {
        text(&notices(
            DestinationView {
                waiting,
                ..destination(paused(PausedBecause::Gone))
            },
            true,
        ))
    };
    let said = "Nothing is sent to hooks.example.com any more. It was paused at 14:02 UTC today \
        because it said that it is gone";
    assert!(
        gone(4).contains(said)
            && gone(4).contains("4 deliveries wait for it. Resume it when it works again"),
        "{}",
        gone(4)
    );
    assert!(
        gone(1).contains("1 delivery waits for it.")
            && gone(0).contains("Nothing waits for it yet.")
    );
    assert!(
        notices(destination(paused(PausedBecause::Failures)), true)
            .contains("action=\"/deliveries/destinations/resume\"")
    );
    for quiet in [paused(PausedBecause::Person), DestinationState::Active] {
        assert_eq!(text(&notices(destination(quiet), true)).trim(), "");
    }
}

#[test]
fn removing_says_what_is_lost() {
    let question = removal_question(&DestinationView {
        waiting: 3,
        ..destination(DestinationState::Active)
    });
    assert_eq!(question.heading, "Remove hooks.example.com?");
    assert_eq!(
        question.points,
        [
            "3 deliveries that wait for it are not sent there",
            "Its signing secret is forgotten"
        ]
    );
    assert_eq!(
        removal_question(&destination(DestinationState::Active))
            .points
            .len(),
        1
    );
}

#[test]
fn a_refused_form_keeps_what_was_picked() {
    let html = |complaint| {
        let handed_on = HandedOnView {
            destinations: Vec::new(),
            form: Some(form(complaint)),
        };
        rendered::html(|| view! { <HandedOn handed_on /> }).replace("<!>", "")
    };
    let (fresh, refused) = (html(None), html(Some(Complaint::DestinationPrivate)));
    assert!(
        fresh.contains("No destination yet")
            && !fresh.contains("open")
            && !fresh.contains("Send deliveries again")
    );
    assert!(
        refused.contains("RELINK_ALLOW_PRIVATE_DESTINATIONS=true")
            && refused.contains("<details open class=\"grant\"")
    );
    assert!(refused.contains("value=\"Issue\" checked"));
}

#[test]
fn the_page_of_a_workspace_shows_where_its_deliveries_go_and_changes_nothing() {
    let there = |manages| {
        let destinations = vec![destination(DestinationState::Active)];
        rendered::html(|| view! { <HandedOnThere destinations manages /> })
    };
    let (admin, member) = (there(true), there(false));
    assert!(
        admin.contains("https://hooks.example.com/linear") && !admin.contains("<form"),
        "{admin}"
    );
    assert!(
        admin.contains(r#"<a href="/deliveries#destinations">Add or change destinations</a>"#),
        "{admin}"
    );
    assert!(member.contains(">See destinations</a>"), "{member}");
    let none = rendered::html(|| view! { <HandedOnThere destinations=Vec::new() manages=true /> });
    assert!(none.contains("No destination yet"));
}
