//! Times and spans in words, in UTC, made on the server.

use relink_engine::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use time::{Month, OffsetDateTime};

/// An instant, for machines (`<time datetime>`) and in words made on the server, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// RFC 3339.
    pub iso: String,
    /// The text where it stands alone: "Today 05:38", "9 Nov 22:10".
    pub text: String,
    lead: Lead,
}

/// The word that leads a moment into a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    None,
    At,
    On,
}

impl Moment {
    /// One that needs no word to go on in a sentence: "2 min ago".
    #[must_use]
    pub fn new(iso: String, text: String) -> Moment {
        Moment {
            iso,
            text,
            lead: Lead::None,
        }
    }

    /// One that a sentence goes on with by "at".
    #[must_use]
    pub fn at(iso: String, text: String) -> Moment {
        Moment {
            iso,
            text,
            lead: Lead::At,
        }
    }

    /// One that a sentence goes on with by "on".
    #[must_use]
    pub fn on(iso: String, text: String) -> Moment {
        Moment {
            iso,
            text,
            lead: Lead::On,
        }
    }

    /// Splits it for a sentence into the word before it and the rest: "at " and "09:42 UTC today",
    /// "" and "yesterday 15:25", "on " and "12 Nov".
    #[must_use]
    pub fn in_sentence(&self) -> (&'static str, String) {
        match self.lead {
            Lead::None => ("", uncapitalised(&self.text)),
            Lead::At => ("at ", self.text.clone()),
            Lead::On => ("on ", self.text.clone()),
        }
    }
}

/// "today 05:38".
fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// The age of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// "14:02:11 UTC"
    pub at: Moment,
    /// The changes that it has; the browser gives it back to hear of later ones.
    pub mark: String,
    /// The id of the organisation that the page is for.
    pub organisation: String,
}

/// This machine's clock beside Linear's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockView {
    /// Linear has not answered this process yet.
    Unknown,
    Agrees,
    /// The clock is ahead by this: "12 s".
    Ahead(String),
    Behind(String),
}

/// The span up to which times are told in minutes; longer ones are told in hours.
const MINUTES_UP_TO: Millis = 2 * HOUR;

/// "Today 05:38", "Tomorrow 04:08", "9 Nov 22:10", "9 Nov 2025 22:10".
pub fn moment(at: Millis, now: Millis) -> Moment {
    let (date, today) = (utc(at), utc(now));
    let clock = clock(&date);
    let days = i64::from(date.to_julian_day()) - i64::from(today.to_julian_day());
    let named = |day: &str| Moment::new(iso(at), format!("{day} {clock}"));
    match days {
        0 => named("Today"),
        1 => named("Tomorrow"),
        -1 => named("Yesterday"),
        _ => Moment::on(iso(at), format!("{} {clock}", day(&date, &today))),
    }
}

/// "09:42 UTC today", "09:42 UTC tomorrow", "09:42 UTC on 9 Nov".
pub fn at_clock(at: Millis, now: Millis) -> Moment {
    let (date, today) = (utc(at), utc(now));
    let day =
        near(&date, &today).map_or_else(|| format!("on {}", day(&date, &today)), str::to_owned);
    Moment::at(iso(at), format!("{} UTC {day}", clock(&date)))
}

/// "today", "yesterday", "9 Nov", with the year where it is another one.
pub fn on_day(at: Millis, now: Millis) -> Moment {
    let (date, today) = (utc(at), utc(now));
    match near(&date, &today) {
        Some(day) => Moment::new(iso(at), day.to_owned()),
        None => Moment::on(iso(at), day(&date, &today)),
    }
}

/// Days that have a name.
fn near(date: &OffsetDateTime, today: &OffsetDateTime) -> Option<&'static str> {
    match i64::from(date.to_julian_day()) - i64::from(today.to_julian_day()) {
        0 => Some("today"),
        1 => Some("tomorrow"),
        -1 => Some("yesterday"),
        _ => None,
    }
}

/// "19 Nov 05:38 UTC": for lists that reach back less than a year.
pub fn stamp(at: Millis) -> Moment {
    let date = utc(at);
    Moment::on(
        iso(at),
        format!(
            "{} {} {} UTC",
            date.day(),
            short(date.month()),
            clock(&date)
        ),
    )
}

/// "13:40 UTC" on the day of `than`, otherwise "18 Nov 23:10 UTC".
pub fn earlier(at: Millis, than: Millis) -> String {
    let date = utc(at);
    if date.date() == utc(than).date() {
        format!("{} UTC", clock(&date))
    } else {
        stamp(at).text
    }
}

/// "14:02:11 UTC".
pub fn seconds(at: Millis) -> Moment {
    let date = utc(at);
    Moment::new(
        iso(at),
        format!("{}:{:02} UTC", clock(&date), date.second()),
    )
}

/// "14:01:29" today, "18 Nov 14:01" before: for narrow columns.
pub fn short_stamp(at: Millis, now: Millis) -> Moment {
    let (date, today) = (utc(at), utc(now));
    let text = if date.date() == today.date() {
        format!("{}:{:02}", clock(&date), date.second())
    } else {
        format!("{} {}", day(&date, &today), clock(&date))
    };
    Moment::new(iso(at), text)
}

/// Tells a time to the tenth of a second: "14:01:02.2" today, "18 Nov 14:01:02.2" before.
pub fn tenths(at: Millis, now: Millis) -> Moment {
    let (date, today) = (utc(at), utc(now));
    let day = if date.date() == today.date() {
        String::new()
    } else {
        format!("{} ", day(&date, &today))
    };
    Moment::new(
        iso(at),
        format!("{day}{}:{}", clock(&date), second_tenths(at)),
    )
}

/// The part of [`tenths`] that differs from the one before: "02.3" within its minute, "14:02:13.4"
/// within its day.
pub fn tenths_after(at: Millis, before: Millis, now: Millis) -> Moment {
    let (date, earlier) = (utc(at), utc(before));
    if at.div_euclid(MINUTE) == before.div_euclid(MINUTE) {
        return Moment::new(iso(at), second_tenths(at));
    }
    tenths(
        at,
        if date.date() == earlier.date() {
            at
        } else {
            now
        },
    )
}

fn second_tenths(at: Millis) -> String {
    format!("{:02}.{}", utc(at).second(), at.rem_euclid(SECOND) / 100)
}

/// "4 ms", "0.3 ms".
pub fn millis(micros: i64) -> String {
    if micros < 1_000 {
        format!("0.{} ms", (micros / 100).max(1))
    } else {
        format!("{} ms", micros / 1_000)
    }
}

/// "1 204", with spaces that do not break.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// "just now", "41 s ago", "2 min ago", "3 h ago", "2 days ago".
pub fn ago(span: Millis) -> String {
    match span {
        ..SECOND => "just now".to_owned(),
        SECOND..MINUTE => format!("{} s ago", span / SECOND),
        MINUTE..HOUR => format!("{} min ago", span / MINUTE),
        HOUR..DAY => format!("{} h ago", span / HOUR),
        _ if span < 2 * DAY => "1 day ago".to_owned(),
        _ => format!("{} days ago", span / DAY),
    }
}

/// "in 40 s", "in 2 min", "in 6 h", "now": rounded up, so that nobody looks too early.
pub fn within(span: Millis) -> String {
    match span {
        ..=0 => "now".to_owned(),
        1..MINUTE => format!("in {} s", (span + SECOND - 1) / SECOND),
        MINUTE..=MINUTES_UP_TO => format!("in {} min", (span + MINUTE - 1) / MINUTE),
        _ => format!("in {} h", (span + HOUR - 1) / HOUR),
    }
}

/// [`within`], of a time that may have passed.
pub fn until(at: Millis, now: Millis) -> Moment {
    Moment::new(iso(at), within(at - now))
}

/// Says how much this machine's clock is ahead of Linear's at least.
pub fn clock_view(ahead: Option<Millis>) -> ClockView {
    let about = |span: Millis| {
        if span < 2 * MINUTE {
            format!("{} s", span / SECOND)
        } else {
            self::span(span)
        }
    };
    match ahead {
        None => ClockView::Unknown,
        Some(ahead) if ahead >= SECOND => ClockView::Ahead(about(ahead)),
        Some(ahead) if ahead <= -SECOND => ClockView::Behind(about(-ahead)),
        Some(_) => ClockView::Agrees,
    }
}

/// "15 h 36 min", "1 min", "less than a minute".
pub fn span(span: Millis) -> String {
    let (hours, minutes) = (span / HOUR, span % HOUR / MINUTE);
    match (hours, minutes) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Whole minutes to wait, at least one.
pub fn minutes_left(span: Millis) -> u32 {
    u32::try_from((span + MINUTE - 1).max(MINUTE) / MINUTE).unwrap_or(u32::MAX)
}

/// RFC 3339 with seconds.
pub fn iso(at: Millis) -> String {
    let date = utc(at);
    let month = u8::from(date.month());
    format!(
        "{:04}-{month:02}-{:02}T{}:{:02}Z",
        date.year(),
        date.day(),
        clock(&date),
        date.second()
    )
}

fn utc(at: Millis) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.div_euclid(SECOND)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn clock(date: &OffsetDateTime) -> String {
    format!("{:02}:{:02}", date.hour(), date.minute())
}

fn day(date: &OffsetDateTime, today: &OffsetDateTime) -> String {
    let month = short(date.month());
    if date.year() == today.year() {
        format!("{} {month}", date.day())
    } else {
        format!("{} {month} {}", date.day(), date.year())
    }
}

fn short(month: Month) -> &'static str {
    [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ][usize::from(u8::from(month)) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-19 14:02:11 UTC.
    const NOW: Millis = 1_795_096_931_000;

    #[test]
    fn a_clock_is_told_by_what_is_certain() {
        let cases = [
            (None, ClockView::Unknown),
            (Some(0), ClockView::Agrees),
            (Some(999), ClockView::Agrees),
            (Some(12_900), ClockView::Ahead("12 s".to_owned())),
            (Some(-1_000), ClockView::Behind("1 s".to_owned())),
            (Some(-2 * HOUR), ClockView::Behind("2 h 0 min".to_owned())),
        ];
        for (ahead, view) in cases {
            assert_eq!(clock_view(ahead), view, "{ahead:?}");
        }
    }

    #[test]
    fn days_near_by_have_names() {
        assert_eq!(moment(NOW, NOW).text, "Today 14:02");
        assert_eq!(moment(NOW, NOW).iso, "2026-11-19T14:02:11Z");
        assert_eq!(moment(NOW + DAY, NOW).text, "Tomorrow 14:02");
        assert_eq!(moment(NOW - DAY, NOW).text, "Yesterday 14:02");
        assert_eq!(moment(NOW - 10 * DAY, NOW).text, "9 Nov 14:02");
        assert_eq!(moment(NOW - 365 * DAY, NOW).text, "19 Nov 2025 14:02");
        assert_eq!(at_clock(NOW, NOW).text, "14:02 UTC today");
        assert_eq!(at_clock(NOW - DAY, NOW).text, "14:02 UTC yesterday");
        assert_eq!(at_clock(NOW + 2 * DAY, NOW).text, "14:02 UTC on 21 Nov");
        assert_eq!(
            [on_day(NOW, NOW).text, on_day(NOW - 2 * DAY, NOW).text],
            ["today", "17 Nov"]
        );
        assert_eq!(seconds(NOW).text, "14:02:11 UTC");
        assert_eq!(stamp(NOW).text, "19 Nov 14:02 UTC");
        assert_eq!(earlier(NOW - HOUR, NOW), "13:02 UTC");
        assert_eq!(earlier(NOW - DAY, NOW), "18 Nov 14:02 UTC");
    }

    #[test]
    fn a_moment_continues_a_sentence() {
        let said = |moment: Moment| {
            let (lead, text) = moment.in_sentence();
            format!("{lead}{text}")
        };
        assert_eq!(said(at_clock(NOW, NOW)), "at 14:02 UTC today");
        assert_eq!(said(moment(NOW, NOW)), "today 14:02");
        assert_eq!(said(moment(NOW - DAY, NOW)), "yesterday 14:02");
        assert_eq!(said(moment(NOW + DAY, NOW)), "tomorrow 14:02");
        assert_eq!(said(moment(NOW - 10 * DAY, NOW)), "on 9 Nov 14:02");
        assert_eq!(said(on_day(NOW, NOW)), "today");
        assert_eq!(said(on_day(NOW - 10 * DAY, NOW)), "on 9 Nov");
        assert_eq!(said(stamp(NOW)), "on 19 Nov 14:02 UTC");
    }

    #[test]
    fn a_delivery_says_only_what_differs() {
        assert_eq!(short_stamp(NOW, NOW).text, "14:02:11");
        assert_eq!(short_stamp(NOW - DAY, NOW).text, "18 Nov 14:02");
        let told = |at, before| {
            let (sent, received) = (tenths(before, NOW), tenths_after(at, before, NOW));
            format!("{}, {}", sent.text, received.text)
        };
        assert_eq!(told(NOW + 340, NOW + 299), "14:02:11.2, 11.3");
        assert_eq!(told(NOW, NOW - HOUR), "13:02:11.0, 14:02:11.0");
        assert_eq!(
            told(NOW - DAY + SECOND, NOW - DAY),
            "18 Nov 14:02:11.0, 12.0"
        );
        assert_eq!(
            told(NOW - DAY + MINUTE, NOW - DAY),
            "18 Nov 14:02:11.0, 14:03:11.0"
        );
        assert_eq!(told(NOW, NOW - DAY), "18 Nov 14:02:11.0, 14:02:11.0");
        assert_eq!(
            told(NOW - DAY, NOW - 2 * DAY),
            "17 Nov 14:02:11.0, 18 Nov 14:02:11.0"
        );
    }

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(
            [0, 204, 1_204, 48_212, 5_242_880].map(grouped),
            [
                "0",
                "204",
                "1\u{a0}204",
                "48\u{a0}212",
                "5\u{a0}242\u{a0}880"
            ]
        );
        assert_eq!(
            [0, 340, 999, 1_000, 4_900].map(millis),
            ["0.1 ms", "0.3 ms", "0.9 ms", "1 ms", "4 ms"]
        );
    }

    #[test]
    fn what_is_to_come_is_rounded_up() {
        assert_eq!(within(-1), "now");
        assert_eq!(within(1), "in 1 s");
        assert_eq!(within(40 * SECOND), "in 40 s");
        assert_eq!(within(MINUTE + 1), "in 2 min");
        assert_eq!(
            [-1, 0, 1, MINUTE, MINUTE + 1].map(minutes_left),
            [1, 1, 1, 1, 2]
        );
        assert_eq!(
            (within(2 * HOUR).as_str(), within(2 * HOUR + 1).as_str()),
            ("in 120 min", "in 3 h")
        );
    }

    #[test]
    fn spans_are_rounded_down() {
        assert_eq!(ago(-5), "just now");
        assert_eq!(ago(41 * SECOND + 999), "41 s ago");
        assert_eq!(ago(2 * MINUTE), "2 min ago");
        assert_eq!(ago(DAY), "1 day ago");
        assert_eq!(ago(50 * HOUR), "2 days ago");
        assert_eq!(span(15 * HOUR + 36 * MINUTE), "15 h 36 min");
        assert_eq!(span(MINUTE), "1 min");
        assert_eq!(span(59 * SECOND), "less than a minute");
    }
}
