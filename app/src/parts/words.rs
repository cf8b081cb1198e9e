//! Small words that several parts share.

use leptos::prelude::*;

use crate::view::{ActsAs, Answer, Moment};

/// How a moment continues a sentence: "at 09:42 UTC today", "yesterday 15:25", "on 12 Nov".
#[must_use]
pub fn when(moment: &Moment) -> (&'static str, String) {
    let text = &moment.text;
    if ["today", "tomorrow", "yesterday"].contains(&text.as_str()) {
        return ("", text.clone());
    }
    for (capital, small) in [("Today", "today"), ("Tomorrow", "tomorrow"), ("Yesterday", "yesterday"), ("Just now", "just now")] {
        if let Some(rest) = text.strip_prefix(capital) {
            return ("", format!("{small}{rest}"));
        }
    }
    let clock = text.as_bytes().get(2) == Some(&b':');
    (if clock { "at " } else { "on " }, text.clone())
}

/// The day of a moment, where its time of day would only distract.
#[must_use]
pub fn day(moment: &Moment) -> &str {
    let text = moment.text.as_str();
    match text.rsplit_once(' ') {
        Some((day, clock)) if clock.contains(':') => day,
        _ => text,
    }
}

/// What Linear answered, in mono where the words are its own.
pub fn said(answer: Answer) -> AnyView {
    match answer {
        Answer::Verbatim(answer) => view! { <code>{answer}</code> }.into_any(),
        Answer::Words(words) => words.into_any(),
    }
}

/// ", last answer 503", ", last try: no connection": the end of what is said of something that fails.
pub fn said_last(answer: Option<Answer>) -> Option<AnyView> {
    let lead = match answer.as_ref()? {
        Answer::Verbatim(_) => ", last answer ",
        Answer::Words(_) => ", last try: ",
    };
    answer.map(|answer| view! { {lead} {said(answer)} }.into_any())
}

/// "1 team", "3 teams".
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// "1 delivery", "3 deliveries".
#[must_use]
pub fn counted_deliveries(count: u64) -> String {
    if count == 1 { "1 delivery".to_owned() } else { format!("{count} deliveries") }
}

/// "Jun Sato’s", "Northwind Labs’".
#[must_use]
pub fn possessive(name: &str) -> String {
    if name.ends_with(['s', 'S']) { format!("{name}’") } else { format!("{name}’s") }
}

/// The first word of a name: how one speaks of somebody at the second mention.
#[must_use]
pub fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

/// Whose name Linear shows, as the fact on a card.
#[must_use]
pub fn acts_as(who: &ActsAs) -> String {
    match who {
        ActsAs::App { .. } => "Acts as the app".to_owned(),
        ActsAs::User { name } => format!("Acts as {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_views::moment;

    #[test]
    fn a_moment_continues_a_sentence() {
        let said = |text| {
            let (lead, text) = when(&moment(text));
            format!("{lead}{text}")
        };
        assert_eq!(said("09:42 UTC today"), "at 09:42 UTC today");
        assert_eq!(said("Today 05:38"), "today 05:38");
        assert_eq!(said("Yesterday 15:25"), "yesterday 15:25");
        assert_eq!(said("Tomorrow 04:08"), "tomorrow 04:08");
        assert_eq!(said("12 Nov"), "on 12 Nov");
    }

    #[test]
    fn a_day_drops_the_clock() {
        assert_eq!(day(&moment("9 Nov 22:10")), "9 Nov");
        assert_eq!(day(&moment("Today 05:38")), "Today");
        assert_eq!(day(&moment("9 Nov")), "9 Nov");
    }
}
