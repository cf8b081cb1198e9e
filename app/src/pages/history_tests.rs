use super::*;
use crate::rendered;
use crate::sample_views::moment;
use crate::view::{SegmentKind, TimelineSegment};

fn told(line: &str, refresh: bool) -> HistoryView {
    let (at, rest) = (moment("19 Nov 05:38 UTC"), ", 212 ms".to_owned());
    let fact = format!("Fact of {line}");
    HistoryView {
        line: Some(line.to_owned()),
        refresh,
        tone: HistoryTone::Good,
        at,
        fact,
        answer: None,
        rest,
    }
}

fn drawn(kind: SegmentKind, replayed: bool, at: f64, line: Option<&str>) -> TimelineSegment {
    let title = format!("{kind:?} & <more>");
    TimelineSegment {
        kind,
        replayed,
        at,
        width: 25.0,
        lap: 1.25,
        title,
        line: line.map(str::to_owned),
    }
}

fn chain(shortened: bool) -> TokenTimelineView {
    let links = vec![
        drawn(SegmentKind::Token, false, 0.0, Some("h-1-refreshed")),
        drawn(SegmentKind::Gap, false, 25.0, Some("h-2-broken")),
        drawn(SegmentKind::Token, true, 50.0, None),
        drawn(SegmentKind::Live, false, 75.0, Some("h-4-refreshed")),
    ];
    let axis = ["5 Nov", "12 Nov", "Now"].map(str::to_owned);
    let summary = "3 tokens since 5 Nov 05:38 UTC, with 1 gap.".to_owned();
    TokenTimelineView {
        links,
        least_width: 96,
        days: vec![50.0],
        axis,
        summary,
        shortened,
    }
}

fn section(chain: Option<TokenTimelineView>, history: Vec<HistoryView>) -> String {
    let (status, life) = (Status::Connected, None::<TokenLife>);
    rendered::html(|| view! { <RefreshHistory status life chain history /> }).replace("<!>", "")
}

#[test]
fn each_link_says_what_it_is_and_leads_to_its_line() {
    let page = section(
        Some(chain(false)),
        vec![told("h-4-refreshed", true), told("h-1-refreshed", true)],
    );
    for part in [
        "<a href=\"#h-1-refreshed\" aria-label=\"Token &amp; &lt;more&gt;\"><title>Token &amp; \
            &lt;more&gt;</title>",
        "<li id=\"h-1-refreshed\" class=\"ok\">",
        "<li id=\"h-4-refreshed\" class=\"ok\">",
        "3 tokens since 5 Nov 05:38 UTC, with 1 gap.",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let picture = page.split("class=\"legend\"").next().unwrap_or_default();
    assert_eq!(picture.matches("<a ").count(), 3, "one leads nowhere");
    assert_eq!(
        ["class=\"dia\"", "class=\"cut\"", "link present"]
            .map(|shape| picture.matches(shape).count()),
        [1, 1, 1]
    );
    assert!(!page.contains("style="), "the policy forbids it");
}

#[test]
fn what_is_left_out_of_the_picture_is_said() {
    assert!(section(Some(chain(true)), Vec::new()).contains("Only the newest are drawn."));
    assert!(!section(Some(chain(false)), Vec::new()).contains("Only the newest"));
    assert!(!section(None, vec![told("h-1-broken", true)]).contains("<figure"));
}

#[test]
fn a_long_history_is_folded_and_whole() {
    let lines = |count: usize| {
        (0..count)
            .map(|number| told(&format!("h-{number}-refreshed"), true))
            .collect::<Vec<_>>()
    };
    let long = section(None, lines(SEEN + 4));
    assert!(long.contains("4 older") && long.matches("<li ").count() == SEEN + 4);
    assert!(!section(None, lines(SEEN)).contains("<details"));
}

#[test]
fn what_people_did_is_no_refresh() {
    assert!(section(None, vec![told("h-connected", false)]).contains("No refresh yet."));
    assert!(
        !section(
            None,
            vec![told("h-1-refreshed", true), told("h-connected", false)]
        )
        .contains("No refresh yet.")
    );
}
