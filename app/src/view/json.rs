//! JSON laid out to be read. Only space outside of texts is changed: order, numbers and escapes
//! stay as they were signed.

use serde::de::IgnoredAny;

use crate::view::{Piece, PieceKind};

/// Deeper ones would be more indentation than content.
const DEPTH_MAX: usize = 40;

/// One value a line; `None` for what is no JSON, or too deep.
pub fn pretty(json: &str) -> Option<Vec<Piece>> {
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let mut layout = Layout::default();
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(token_len(first, rest));
        rest = after.trim_start();
        rest = layout.take(token, rest)?;
    }
    layout.flush();
    Some(layout.pieces)
}

/// A text with its quotes, a number or name, or one sign.
fn token_len(first: char, rest: &str) -> usize {
    match first {
        '"' => text_len(rest),
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => rest
            .find(|c: char| c.is_ascii_whitespace() || "{}[],:".contains(c))
            .unwrap_or(rest.len()),
    }
}

fn text_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[derive(Default)]
struct Layout {
    pieces: Vec<Piece>,
    plain: String,
    depth: usize,
}

impl Layout {
    /// Writes a token down; answers what is left after it.
    fn take<'a>(&mut self, token: &str, rest: &'a str) -> Option<&'a str> {
        match token {
            "{" | "[" => return self.open(token, rest),
            "}" | "]" => {
                self.depth = self.depth.checked_sub(1)?;
                self.new_line();
                self.plain.push_str(token);
            }
            "," => {
                self.plain.push(',');
                self.new_line();
            }
            ":" => self.plain.push_str(": "),
            text if text.starts_with('"') => {
                self.flush();
                let kind = if rest.starts_with(':') {
                    PieceKind::Key
                } else {
                    PieceKind::Text
                };
                self.pieces.push(Piece {
                    kind,
                    text: text.to_owned(),
                });
            }
            other => self.plain.push_str(other),
        }
        Some(rest)
    }

    /// An empty one stays on its line.
    fn open<'a>(&mut self, token: &str, rest: &'a str) -> Option<&'a str> {
        self.plain.push_str(token);
        if let Some(after) = rest.strip_prefix(['}', ']']) {
            self.plain.push_str(&rest[..1]);
            return Some(after.trim_start());
        }
        self.depth += 1;
        self.new_line();
        (self.depth <= DEPTH_MAX).then_some(rest)
    }

    fn new_line(&mut self) {
        self.plain.push('\n');
        self.plain.push_str(&"  ".repeat(self.depth));
    }

    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.pieces.push(Piece {
                kind: PieceKind::Plain,
                text: std::mem::take(&mut self.plain),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(json: &str) -> Option<String> {
        Some(pretty(json)?.into_iter().map(|piece| piece.text).collect())
    }

    #[test]
    fn one_value_a_line_and_nothing_but_space_is_changed() {
        let json = r#" {"b":1e300,"a":[ ],"a":{},"t":"x: {\"y\", \\",
            "l":[12345678901234567890,null,true,{"\u006fk":"ü"}]} "#;
        let lines = r#"{
  "b": 1e300,
  "a": [],
  "a": {},
  "t": "x: {\"y\", \\",
  "l": [
    12345678901234567890,
    null,
    true,
    {
      "\u006fk": "ü"
    }
  ]
}"#;
        assert_eq!(laid_out(json).as_deref(), Some(lines));
    }

    #[test]
    fn keys_are_told_from_texts() {
        let kinds = |kind| {
            let pieces = pretty(r#"{"k" : "s", "l": ["t"]}"#).unwrap_or_default();
            pieces
                .into_iter()
                .filter(|piece| piece.kind == kind)
                .map(|piece| piece.text)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            (
                kinds(PieceKind::Key).as_str(),
                kinds(PieceKind::Text).as_str()
            ),
            (r#""k" "l""#, r#""s" "t""#)
        );
    }

    #[test]
    fn what_is_cut_broken_or_very_deep_is_not_laid_out() {
        for broken in ["", "{", r#"{"a":"#, r#"{"a":"b"#, "{}x", "<b>"] {
            assert_eq!(laid_out(broken), None, "{broken:?}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(laid_out(&nested(40)).is_some());
        assert_eq!(laid_out(&nested(42)), None);
        assert_eq!(laid_out(&nested(100_000)), None);
    }
}
