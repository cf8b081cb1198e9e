//! Bodies of requests, read whole and never beyond a limit.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, LengthLimitError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    /// It broke off, did not come, or its encoding is wrong.
    Broken,
    /// There is no room for it right now.
    NoRoom,
}

/// All of a body of at most `max` bytes, which are counted while they come.
pub async fn read(body: Body, max: usize) -> Result<Bytes, Unread> {
    axum::body::to_bytes(body, max).await.map_err(|error| {
        let error = error.into_inner();
        if error.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken }
    })
}

/// [`read`] within a room that all requests share, one permit for each KiB, taken as the bytes come: who only announces a
/// body takes nothing from the others. `patience` is for each piece. The room is held as long as the permit lives.
pub async fn read_within(
    mut body: Body,
    max: usize,
    room: &Semaphore,
    patience: Duration,
) -> Result<(Bytes, Option<SemaphorePermit<'_>>), Unread> {
    let (mut whole, mut held): (Vec<u8>, Option<SemaphorePermit>) = (Vec::new(), None);
    let (mut single, mut taken): (Option<Bytes>, usize) = (None, 0);
    while let Some(frame) = timeout(patience, body.frame()).await.map_err(|_| Unread::Broken)? {
        let Ok(piece) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let length = single.as_ref().map_or(whole.len(), Bytes::len) + piece.len();
        if length > max {
            return Err(Unread::TooLarge);
        }
        let kib = length.div_ceil(1024);
        if kib > taken {
            let more = u32::try_from(kib - taken).map_err(|_| Unread::TooLarge)?;
            let permit = room.try_acquire_many(more).map_err(|_| Unread::NoRoom)?;
            match &mut held {
                Some(held) => held.merge(permit),
                None => held = Some(permit),
            }
            taken = kib;
        }
        // Most bodies come in one piece, which need not be copied.
        match single.take() {
            None if whole.is_empty() => single = Some(piece),
            None => whole.extend_from_slice(&piece),
            Some(first) => {
                whole.extend_from_slice(&first);
                whole.extend_from_slice(&piece);
            }
        }
    }
    Ok((single.unwrap_or_else(|| whole.into()), held))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn pieces(pieces: &'static [&'static [u8]]) -> Body {
        Body::from_stream(stream::iter(pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece))))
    }

    async fn read(body: Body, max: usize, room: &Semaphore) -> Result<Vec<u8>, Unread> {
        read_within(body, max, room, Duration::from_secs(1)).await.map(|(body, _)| body.to_vec())
    }

    #[tokio::test]
    async fn pieces_become_whole_within_the_limit() {
        let room = Semaphore::new(10);
        assert_eq!(read(pieces(&[]), 5, &room).await, Ok(Vec::new()));
        assert_eq!(read(pieces(&[b"abc"]), 5, &room).await, Ok(b"abc".to_vec()));
        assert_eq!(read(pieces(&[b"a", b"", b"bcd", b"e"]), 5, &room).await, Ok(b"abcde".to_vec()));
        assert_eq!(read(pieces(&[b"abc", b"def"]), 5, &room).await, Err(Unread::TooLarge));
        assert_eq!(room.available_permits(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_taken_by_bytes_and_not_by_promises() {
        let room = Semaphore::new(2);
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let waiting = read(silent, 1 << 20, &room);
        tokio::pin!(waiting);
        assert!(timeout(Duration::from_millis(500), &mut waiting).await.is_err());
        assert_eq!(room.available_permits(), 2);
        assert_eq!(waiting.await, Err(Unread::Broken), "it did not come");
        let (_, held) = read_within(Body::from(vec![0; 1025]), 1 << 20, &room, Duration::from_secs(1)).await.unwrap();
        assert_eq!(room.available_permits(), 0);
        assert_eq!(read(pieces(&[b"x"]), 5, &room).await, Err(Unread::NoRoom));
        drop(held);
        assert_eq!(read(pieces(&[b"x"]), 5, &room).await, Ok(b"x".to_vec()));
    }
}
