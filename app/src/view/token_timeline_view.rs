//! The refresh history as a chain: one link is one token. As wide as a token was good for, except
//! that none is too narrow to be seen and pointed at.

use relink_engine::clock::{DAY, HOUR, Millis};
use relink_engine::connection::{Connection, State};
use relink_engine::refresh::Outcome;

use super::history::{Event, What, refreshed};
use super::time;
use crate::view::{SegmentKind, TimelineSegment, TokenTimelineView};

const SHOWN: Millis = 14 * DAY;
/// The number of links beyond which they cannot be told apart.
const TOKENS_MAX: usize = 32;
/// Pixels that a finger or a pointer needs.
const LEAST_LINK: f64 = 24.0;
/// The width by which a link lies over the next one: this part of itself, and this many percent at
/// most.
const LAP: (f64, f64) = (0.2, 1.25);

/// A stretch of time with one token, or with none.
struct Stretch<'a> {
    token: bool,
    from: Millis,
    until: Millis,
    /// The event that it began with; unknown for an approval that is not kept.
    began: Option<&'a Event<'a>>,
    /// The event that it ended with; `None` for the last one.
    ended: Option<&'a Event<'a>>,
}

/// The last fourteen days; nothing where no token was good in them.
pub fn token_timeline_view(
    connection: &Connection,
    events: &[Event<'_>],
    now: Millis,
) -> Option<TokenTimelineView> {
    let mut stretches = stretches(connection, events, now);
    stretches.retain(|stretch| stretch.until >= now - SHOWN);
    let shortened = shorten(&mut stretches);
    let tokens = stretches.iter().filter(|stretch| stretch.token).count();
    if tokens == 0 {
        return None;
    }
    let summary = summary(&stretches, tokens);
    let drawn = Drawn::of(stretches, tokens, now - SHOWN);
    let axis = [0.0, 50.0].map(|percent| label(drawn.time(percent), &drawn, now));
    let [left, middle] = axis;
    let middle = if middle == left {
        String::new()
    } else {
        middle
    };
    let alive = drawn
        .places
        .last()
        .is_some_and(|place| place.stretch.ended.is_none());
    let right = if alive {
        "Now".to_owned()
    } else {
        label(drawn.until, &drawn, now)
    };
    Some(TokenTimelineView {
        links: drawn.links(),
        least_width: drawn.least_width(),
        days: drawn.days(),
        axis: [left, middle, right],
        summary,
        shortened,
    })
}

/// Splits the events into stretches: an approval and a new token begin one with a token, a refusal
/// one without.
fn stretches<'a>(
    connection: &Connection,
    events: &'a [Event<'a>],
    now: Millis,
) -> Vec<Stretch<'a>> {
    let mut done = Vec::new();
    let mut open: Option<Stretch<'a>> = None;
    for event in events {
        let Some(next) = opens(event) else { continue };
        if let Some(before) = open.take() {
            done.extend(close(before, event));
        }
        open = next.map(|token| Stretch {
            token,
            from: event.at,
            until: now,
            began: Some(event),
            ended: None,
        });
    }
    match &connection.state {
        // A token whose beginning is not in the history.
        State::Connected { token } if open.as_ref().is_none_or(|open| !open.token) => {
            done.push(Stretch {
                token: true,
                from: token.issued_at,
                until: now,
                began: None,
                ended: None,
            });
        }
        _ => done.extend(open),
    }
    done
}

/// `None`: it changes nothing. `Some(None)`: the end.
fn opens(event: &Event<'_>) -> Option<Option<bool>> {
    match &event.what {
        What::Connected { .. } => Some(Some(true)),
        What::Stopped(_) => Some(Some(false)),
        What::Disconnected { .. } => Some(None),
        What::Tried(line) => match line.outcome {
            Outcome::Refreshed | Outcome::Replayed => Some(Some(true)),
            Outcome::Broken => Some(Some(false)),
            Outcome::Fresh
            | Outcome::RotatedByPeer
            | Outcome::BackedOff
            | Outcome::Misconfigured => None,
        },
    }
}

/// Closes a stretch. A refresh after a refusal means an approval in between that is not kept: its
/// token gets a stretch of its own.
fn close<'a>(open: Stretch<'a>, by: &'a Event<'a>) -> Vec<Stretch<'a>> {
    if open.token || !is_refreshed(by) || open.began.and_then(generation) == generation(by) {
        return vec![Stretch {
            until: by.at,
            ended: Some(by),
            ..open
        }];
    }
    let token = Stretch {
        token: true,
        from: open.from,
        until: by.at,
        began: None,
        ended: Some(by),
    };
    vec![
        Stretch {
            until: open.from,
            ended: Some(by),
            ..open
        },
        token,
    ]
}

fn is_refreshed(event: &Event<'_>) -> bool {
    matches!(
        &event.what,
        What::Tried(line) if matches!(line.outcome, Outcome::Refreshed | Outcome::Replayed)
    )
}

fn is_replayed(event: &Event<'_>) -> bool {
    matches!(&event.what, What::Tried(line) if line.outcome == Outcome::Replayed)
}

fn generation(event: &Event<'_>) -> Option<i64> {
    if let What::Tried(line) = &event.what {
        Some(line.generation)
    } else {
        None
    }
}

/// Keeps only the newest.
fn shorten(stretches: &mut Vec<Stretch<'_>>) -> bool {
    let oldest = stretches
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, stretch)| stretch.token)
        .map(|(at, _)| at)
        .nth(TOKENS_MAX - 1);
    let dropped = stretches
        .drain(..oldest.unwrap_or(0))
        .filter(|stretch| stretch.token)
        .count();
    dropped > 0
}

/// "15 tokens since 5 Nov 05:38 UTC, unbroken."
fn summary(stretches: &[Stretch<'_>], tokens: usize) -> String {
    let from = time::stamp(stretches.first().map_or(0, |stretch| stretch.from)).text;
    let when = match stretches.last() {
        Some(last) if last.ended.is_some() => {
            format!("from {from} to {}", time::stamp(last.until).text)
        }
        _ => format!("since {from}"),
    };
    let replays = stretches
        .iter()
        .filter_map(|stretch| stretch.began)
        .filter(|began| is_replayed(began))
        .count();
    let gaps = stretches.len() - tokens;
    let tokens = if tokens == 1 {
        "1 token".to_owned()
    } else {
        format!("{tokens} tokens")
    };
    let gaps = match gaps {
        0 => "unbroken".to_owned(),
        1 => "with 1 gap".to_owned(),
        _ => format!("with {gaps} gaps"),
    };
    let replays = match replays {
        0 => String::new(),
        1 => " 1 reply was lost and replayed.".to_owned(),
        _ => format!(" {replays} replies were lost and replayed."),
    };
    format!("{tokens} {when}, {gaps}.{replays}")
}

struct Place<'a> {
    stretch: Stretch<'a>,
    from: Millis,
    at: f64,
    width: f64,
}

/// The stretches, each in its place.
struct Drawn<'a> {
    places: Vec<Place<'a>>,
    from: Millis,
    until: Millis,
}

impl<'a> Drawn<'a> {
    fn of(stretches: Vec<Stretch<'a>>, tokens: usize, earliest: Millis) -> Drawn<'a> {
        let from = stretches
            .first()
            .map_or(earliest, |stretch| stretch.from.max(earliest));
        let until = stretches.last().map_or(from, |stretch| stretch.until);
        let least = ((until - from) as f64 / tokens as f64).max(1.0);
        let weight = |stretch: &Stretch<'_>| {
            let good_for = (stretch.until - stretch.from.max(from)) as f64;
            good_for.max(least)
        };
        let whole: f64 = stretches.iter().map(weight).sum();
        let mut at = 0.0;
        let places = stretches.into_iter().map(|stretch| {
            let (left, width) = (at, weight(&stretch) / whole * 100.0);
            at += width;
            Place {
                from: stretch.from.max(from),
                stretch,
                at: left,
                width,
            }
        });
        Drawn {
            places: places.collect(),
            from,
            until,
        }
    }

    fn links(&self) -> Vec<TimelineSegment> {
        let lap = |index: usize, place: &Place<'_>| {
            let joined = place.stretch.token
                && self
                    .places
                    .get(index + 1)
                    .is_some_and(|next| next.stretch.token);
            if joined {
                (place.width * LAP.0).min(LAP.1)
            } else {
                0.0
            }
        };
        self.places
            .iter()
            .enumerate()
            .map(|(index, place)| link(place, lap(index, place)))
            .collect()
    }

    fn least_width(&self) -> u32 {
        let narrowest = self
            .places
            .iter()
            .map(|place| place.width)
            .fold(100.0, f64::min);
        (LEAST_LINK * 100.0 / narrowest).ceil() as u32
    }

    fn days(&self) -> Vec<f64> {
        let first = self.from.div_euclid(DAY) + 1;
        (first..=self.until.div_euclid(DAY))
            .map(|day| rounded(self.percent(day * DAY)))
            .collect()
    }

    /// Turns a time into a place. Between stretches, where nothing is known, no time passes.
    fn percent(&self, time: Millis) -> f64 {
        let Some(place) = self.places.iter().rev().find(|place| place.from <= time) else {
            return 0.0;
        };
        let length = (place.stretch.until - place.from).max(1) as f64;
        place.at + place.width * ((time - place.from) as f64 / length).min(1.0)
    }

    fn time(&self, percent: f64) -> Millis {
        let Some(place) = self.places.iter().rev().find(|place| place.at <= percent) else {
            return self.from;
        };
        let share = ((percent - place.at) / place.width).clamp(0.0, 1.0);
        place.from + ((place.stretch.until - place.from) as f64 * share) as Millis
    }
}

fn link(place: &Place<'_>, lap: f64) -> TimelineSegment {
    let stretch = &place.stretch;
    let kind = match (stretch.token, stretch.ended) {
        (false, _) => SegmentKind::Gap,
        (true, None) => SegmentKind::Live,
        (true, Some(_)) => SegmentKind::Token,
    };
    TimelineSegment {
        kind,
        replayed: stretch.began.is_some_and(is_replayed),
        at: rounded(place.at),
        width: rounded(place.width),
        lap: rounded(lap),
        title: if stretch.token {
            token_title(stretch)
        } else {
            gap_title(stretch)
        },
        line: stretch.began.or(stretch.ended).and_then(Event::line),
    }
}

/// Rounds to less than any screen shows.
fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

fn label(at: Millis, drawn: &Drawn<'_>, now: Millis) -> String {
    if drawn.until - drawn.from < 3 * DAY {
        time::moment(at, now).text
    } else {
        time::on_day(at, now).text
    }
}

/// "Refreshed on schedule, 18 Nov 07:08 UTC. Good for 22 h 30 min, then refreshed on schedule"
fn token_title(token: &Stretch<'_>) -> String {
    let since = time::stamp(token.from).text;
    match (token.began, token.ended) {
        (Some(began), None) => format!("{}, {since}. In use now", beginning(began)),
        (None, None) => format!("Issued {since}. In use now"),
        (Some(began), Some(ended)) => {
            format!(
                "{}, {since}. Good for {}, then {}",
                beginning(began),
                lasting(token.until - token.from),
                ending(ended)
            )
        }
        (None, Some(ended)) => format!("Approved anew after that, then {}", ending(ended)),
    }
}

fn beginning(event: &Event<'_>) -> String {
    match &event.what {
        What::Tried(line) if line.outcome == Outcome::Replayed => "Reply lost, replayed".to_owned(),
        What::Tried(line) => refreshed(line.cause).to_owned(),
        What::Connected { by } => format!("Connected by {by}"),
        What::Stopped(_) | What::Disconnected { .. } => String::new(),
    }
}

fn ending(event: &Event<'_>) -> String {
    match &event.what {
        What::Tried(line) if line.outcome == Outcome::Broken => "refused".to_owned(),
        What::Tried(line) if line.outcome == Outcome::Replayed => "replaced by a reply that was \
            lost at first"
            .to_owned(),
        What::Tried(line) => small(refreshed(line.cause)),
        What::Connected { .. } => "connected anew".to_owned(),
        What::Stopped(_) => "stopped".to_owned(),
        What::Disconnected { .. } => "disconnected".to_owned(),
    }
}

/// "Refused, 9 Nov 14:10 UTC: 400 invalid_grant. Connected again after 8 h 0 min"
fn gap_title(gap: &Stretch<'_>) -> String {
    let stopped = match gap.began.map(|began| &began.what) {
        Some(What::Tried(line)) if !line.code.is_empty() => "Refused",
        Some(What::Stopped(Some(_))) => "Refused",
        _ => "Stopped",
    };
    let then = match gap.ended {
        // The approval itself is not kept.
        Some(ended) if is_refreshed(ended) && gap.until == gap.from => {
            "Connected again since".to_owned()
        }
        Some(ended) if is_refreshed(ended) => {
            format!("Good again after {}", lasting(gap.until - gap.from))
        }
        Some(ended) if matches!(ended.what, What::Connected { .. }) => {
            format!("Connected again after {}", lasting(gap.until - gap.from))
        }
        Some(_) => "Disconnected since".to_owned(),
        None => format!("For {} by now", lasting(gap.until - gap.from)),
    };
    format!("{stopped}, {}. {then}", time::stamp(gap.from).text)
}

fn lasting(span: Millis) -> String {
    if span < 48 * HOUR {
        time::span(span)
    } else {
        format!("{} days", span / DAY)
    }
}

fn small(words: &str) -> String {
    let (first, rest) = words.split_at(1);
    format!("{}{rest}", first.to_lowercase())
}

#[cfg(test)]
#[path = "token_timeline_view_tests.rs"]
mod tests;
