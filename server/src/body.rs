//! Bodies of requests, read whole: never beyond a limit, never for longer than a moment, and within
//! a room that all share.

use std::hash::Hash;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::{BodyExt as _, Collected, Limited};
use tokio::time::timeout;

use crate::share::{Held, Room};

/// The reason why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    TooLarge,
    /// It broke off, or its encoding is wrong.
    Broken,
    /// It did not come in time.
    Late,
    /// There is no room for it right now.
    NoRoom,
}

/// Room for bodies that are being read or worked on. The beginning of each has a room of its own,
/// so that however many large ones there are, small ones find room.
#[derive(Debug)]
pub struct Space<Name> {
    beginning_kib: usize,
    small: Room<Name>,
    large: Room<Name>,
}

/// The sizes of the parts, in KiB.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The part of each body that counts as its beginning.
    pub beginning: usize,
    /// The room for all beginnings,
    pub beginnings: usize,
    /// The room for all that comes after them.
    pub rest: usize,
    /// One name has one part of either, of this many.
    pub parts: usize,
}

impl<Name: Hash + Eq + Clone> Space<Name> {
    #[must_use]
    pub fn new(sizes: Sizes) -> Space<Name> {
        let room = |kib: usize| Room::new(kib, kib / sizes.parts);
        Space {
            beginning_kib: sizes.beginning,
            small: room(sizes.beginnings),
            large: room(sizes.rest),
        }
    }

    /// The room that a name has left of its part, in KiB.
    pub fn left(&self, name: &Name) -> usize {
        self.small.left(name) + self.large.left(name)
    }
}

/// The room that one body holds, for as long as this lives.
#[derive(Debug, Default)]
pub struct Holding {
    kib: usize,
    small: Option<Held>,
    large: Option<Held>,
}

impl Holding {
    /// Grows as the bytes come: who only announces a body takes nothing from the others.
    pub fn grow<Name: Hash + Eq + Clone>(
        &mut self,
        bytes: usize,
        space: &Space<Name>,
        who: &Name,
    ) -> Result<(), Unread> {
        let kib = bytes.div_ceil(1024);
        let small = kib.min(space.beginning_kib).saturating_sub(self.kib);
        let large = kib.saturating_sub(self.kib.max(space.beginning_kib));
        take(&mut self.small, small, &space.small, who)?;
        take(&mut self.large, large, &space.large, who)?;
        self.kib = self.kib.max(kib);
        Ok(())
    }
}

fn take<Name: Hash + Eq + Clone>(
    held: &mut Option<Held>,
    kib: usize,
    room: &Room<Name>,
    who: &Name,
) -> Result<(), Unread> {
    if kib == 0 {
        return Ok(());
    }
    let more = u32::try_from(kib).map_err(|_| Unread::TooLarge)?;
    let more = room.try_take(who, more).ok_or(Unread::NoRoom)?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

/// All of a body of at most `max` bytes, which comes whole within `patience`.
pub async fn read_within<Name: Hash + Eq + Clone>(
    body: Body,
    max: usize,
    space: &Space<Name>,
    who: &Name,
    patience: Duration,
) -> Result<(Bytes, Holding), Unread> {
    if body.size_hint().lower() > max as u64 {
        return Err(Unread::TooLarge);
    }
    timeout(patience, collect(body, max, space, who))
        .await
        .map_err(|_| Unread::Late)?
}

/// All of a body that room was taken for by what it announces.
pub async fn read_announced(body: Body, max: usize, patience: Duration) -> Result<Bytes, Unread> {
    let read = timeout(patience, Limited::new(body, max).collect())
        .await
        .map_err(|_| Unread::Late)?;
    read.map(Collected::to_bytes).map_err(|_| Unread::Broken)
}

async fn collect<Name: Hash + Eq + Clone>(
    mut body: Body,
    max: usize,
    space: &Space<Name>,
    who: &Name,
) -> Result<(Bytes, Holding), Unread> {
    let (mut whole, mut single, mut holding) = (Vec::new(), None::<Bytes>, Holding::default());
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue;
        };
        let length = single.as_ref().map_or(whole.len(), Bytes::len) + piece.len();
        if length > max {
            return Err(Unread::TooLarge);
        }
        holding.grow(length, space, who)?;
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
    Ok((single.unwrap_or_else(|| whole.into()), holding))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn one(kib: usize) -> Space<&'static str> {
        Space::new(Sizes {
            beginning: kib,
            beginnings: kib,
            rest: 0,
            parts: 1,
        })
    }

    fn pieces(pieces: &'static [&'static [u8]]) -> Body {
        Body::from_stream(stream::iter(
            pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece)),
        ))
    }

    async fn read(body: Body, max: usize, space: &Space<&str>) -> Result<Vec<u8>, Unread> {
        read_within(body, max, space, &"somebody", PATIENCE)
            .await
            .map(|(body, _)| body.to_vec())
    }

    #[tokio::test]
    async fn pieces_become_whole_within_the_limit() {
        let space = one(10);
        assert_eq!(read(pieces(&[]), 5, &space).await, Ok(Vec::new()));
        assert_eq!(
            read(pieces(&[b"abc"]), 5, &space).await,
            Ok(b"abc".to_vec())
        );
        assert_eq!(
            read(pieces(&[b"a", b"", b"bcd", b"e"]), 5, &space).await,
            Ok(b"abcde".to_vec())
        );
        assert_eq!(
            read(pieces(&[b"abc", b"def"]), 5, &space).await,
            Err(Unread::TooLarge)
        );
        assert_eq!(
            read(Body::from(vec![0; 6]), 5, &space).await,
            Err(Unread::TooLarge)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_taken_by_bytes_and_not_by_promises() {
        let space = one(2);
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let waiting = read(silent, 1 << 20, &space);
        tokio::pin!(waiting);
        assert!(
            timeout(Duration::from_millis(500), &mut waiting)
                .await
                .is_err()
        );
        let (_, held) = read_within(
            Body::from(vec![0; 1025]),
            1 << 20,
            &space,
            &"another",
            PATIENCE,
        )
        .await
        .unwrap();
        assert_eq!(read(pieces(&[b"x"]), 5, &space).await, Err(Unread::NoRoom));
        assert_eq!(waiting.await, Err(Unread::Late), "it did not come");
        drop(held);
        assert_eq!(read(pieces(&[b"x"]), 5, &space).await, Ok(b"x".to_vec()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_has_no_more_time_than_one_that_does_not_come() {
        let space = one(64);
        let drops = stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        });
        let began = tokio::time::Instant::now();
        assert_eq!(
            read(Body::from_stream(drops), 1 << 20, &space).await,
            Err(Unread::Late)
        );
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test]
    async fn large_bodies_leave_room_for_small_ones_and_one_leaves_room_for_another() {
        let space = Space::new(Sizes {
            beginning: 64,
            beginnings: 256,
            rest: 256,
            parts: 2,
        });
        let large = || Body::from(vec![0; 192 * 1024]);
        let hold = async |body, who| read_within(body, 1 << 20, &space, &who, PATIENCE).await;
        let first = hold(large(), "a").await.unwrap();
        assert_eq!(
            hold(large(), "a").await.unwrap_err(),
            Unread::NoRoom,
            "a half is one's own"
        );
        let second = hold(large(), "b").await.unwrap();
        assert_eq!(
            hold(large(), "c").await.unwrap_err(),
            Unread::NoRoom,
            "none is left"
        );
        assert!(
            hold(Body::from(vec![0; 64 * 1024]), "c").await.is_ok(),
            "but for a small one"
        );
        drop((first, second));
        assert!(hold(large(), "c").await.is_ok());
    }
}
