//! Room for long answers, from when they come or are made until whoever asked has taken the last
//! byte: who takes nothing fills their own part.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::response::Response;
use http_body_util::BodyExt as _;
use relink_engine::clock::SECOND;
use relink_engine::linear::ReplyRoom;

use super::problem::{Code, Problem};
use crate::body::{Holding, Sizes, Space};

/// The part of each answer that is not counted: a connection has one answer at a time, and there
/// are only so many connections.
const SHORT: usize = 16 * 1024;
/// The largest answer of Linear fits four times into the part of one key, if it announces its size.
pub const LONG: Sizes = Sizes {
    beginning: 0,
    beginnings: 0,
    rest: 128 * 1024,
    parts: 4,
};

/// The room that one answer holds, for as long as this lives.
#[derive(Debug)]
pub struct AnswerRoom {
    space: Arc<Space<String>>,
    key: String,
    holding: Mutex<Holding>,
}

impl AnswerRoom {
    pub fn new(space: &Arc<Space<String>>, key: &str) -> Arc<AnswerRoom> {
        Arc::new(AnswerRoom {
            space: space.clone(),
            key: key.to_owned(),
            holding: Mutex::default(),
        })
    }
}

impl ReplyRoom for AnswerRoom {
    fn fits(&self, bytes: usize) -> bool {
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let long = bytes.saturating_sub(SHORT);
        holding.grow(long, &self.space, &self.key).is_ok()
    }
}

/// An answer with the room that its handler took, or that is taken now.
pub async fn hold(
    mut answer: Response,
    space: &Arc<Space<String>>,
    key: &str,
) -> Result<Response, Problem> {
    let taken = answer.extensions_mut().remove::<Arc<AnswerRoom>>();
    if answer.body().size_hint().lower() <= SHORT as u64 {
        return Ok(answer);
    }
    let room = taken.unwrap_or_else(|| AnswerRoom::new(space, key));
    let (parts, body) = answer.into_parts();
    // It is there already, in one piece.
    let bytes = body.collect().await.map(|whole| whole.to_bytes());
    match bytes {
        Ok(bytes) if room.fits(bytes.len()) => Ok(Response::from_parts(parts, kept(bytes, room))),
        _ => Err(no_room()),
    }
}

pub fn no_room() -> Problem {
    Problem::new(Code::Overloaded)
        .detail("Answers to this key that nobody has read yet take all of its room.")
        .retry_after(SECOND)
}

/// Keeps the room until the bytes are gone: whoever writes an answer lets go of its body long
/// before its last byte is written, and of the bytes only then.
fn kept(bytes: Bytes, room: Arc<AnswerRoom>) -> Body {
    struct Kept(
        Bytes,
        #[expect(dead_code, reason = "held until it is dropped")] Arc<AnswerRoom>,
    );
    impl AsRef<[u8]> for Kept {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Body::from(Bytes::from_owner(Kept(bytes, room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    async fn held(space: &Arc<Space<String>>, key: &str, kib: usize) -> Option<Response> {
        let answer = Response::new(Body::from(vec![b'x'; kib * KIB]));
        hold(answer, space, key).await.ok()
    }

    #[tokio::test]
    async fn a_long_answer_holds_its_room_until_its_last_byte_is_gone_and_a_short_one_holds_none() {
        let two_of_24 = Sizes {
            rest: 48,
            parts: 2,
            ..LONG
        };
        let space = Arc::new(Space::new(two_of_24));
        let first = held(&space, "a", 40).await.unwrap();
        assert_eq!(first.body().size_hint().exact(), Some(40 * KIB as u64));
        let bytes = first.into_body().collect().await.unwrap().to_bytes();
        let part = bytes.slice(KIB..);
        drop(bytes);
        assert!(held(&space, "a", 17).await.is_none(), "its part is full");
        assert!(held(&space, "a", 16).await.is_some(), "but for a short one");
        assert!(
            held(&space, "b", 40).await.is_some(),
            "and another's is not"
        );
        drop(part);
        assert!(held(&space, "a", 40).await.is_some());
        assert!(held(&space, "a", 41).await.is_none(), "more than a part");
    }

    #[tokio::test]
    async fn room_that_was_taken_while_the_answer_came_is_not_taken_twice() {
        let space = Arc::new(Space::new(Sizes {
            rest: 48,
            parts: 2,
            ..LONG
        }));
        let room = AnswerRoom::new(&space, "a");
        assert!(room.fits(30 * KIB) && room.fits(40 * KIB) && !room.fits(41 * KIB));
        let mut answer = Response::new(Body::from(vec![b'x'; 40 * KIB]));
        answer.extensions_mut().insert(room);
        assert!(hold(answer, &space, "a").await.is_ok());
    }
}
