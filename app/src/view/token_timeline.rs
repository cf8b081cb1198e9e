//! The chain of tokens over the refresh history: where each link is, in percent of the picture, and
//! what it says.

#[derive(Clone, Debug, PartialEq)]
pub struct TokenTimelineView {
    /// The oldest first.
    pub links: Vec<TimelineSegment>,
    /// Pixels below which links would be too narrow to be pointed at.
    pub least_width: u32,
    /// The places where days begin.
    pub days: Vec<f64>,
    /// The names of the left end, the middle and the right end; the middle is empty where it would
    /// repeat the left.
    pub axis: [String; 3],
    /// All of it in one sentence.
    pub summary: String,
    /// There are older tokens of these days that are not drawn.
    pub shortened: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TimelineSegment {
    pub kind: SegmentKind,
    /// Its token came with a reply that was lost at first.
    pub replayed: bool,
    /// 0 to 100.
    pub at: f64,
    /// 0 to 100.
    pub width: f64,
    /// The width by which it lies over the next link.
    pub lap: f64,
    /// Outcome, how long it was good, and why it ended.
    pub title: String,
    /// The line of the history that says the same.
    pub line: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    Token,
    /// The token in use.
    Live,
    /// A time without any token.
    Gap,
}
