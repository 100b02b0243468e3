//! Bodies: how large each may be, and all that are in memory at once.
//!
//! Bytes count as they arrive, not as they are announced, so that a stranger has to send what it wants to take. The first
//! few KiB of each do not count: somebody who fills the room with large bodies must not keep notices out.

use crate::Refusal;
use axum::body::{Body, HttpBody as _};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All bodies together. Real notices have 1 to 4 KiB and stay for milliseconds; thousands a second fit many times over.
const ALL_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Bytes of each body that do not count. A whole notice fits; the listener bounds how many bodies there can be.
const EACH_BYTES: usize = 8 * 1024;

/// What is left for bodies.
#[derive(Clone)]
pub(crate) struct Bodies {
    free: Arc<Semaphore>,
    each: usize,
}

/// Room for one body; given back when dropped.
pub(crate) struct Room {
    free: Arc<Semaphore>,
    each: usize,
    taken: Option<OwnedSemaphorePermit>,
    bytes_max: usize,
}

impl Bodies {
    pub(crate) fn new() -> Bodies {
        Bodies { free: Arc::new(Semaphore::new(ALL_BYTES_MAX)), each: EACH_BYTES }
    }

    /// Room for a body of at most `bytes_max`.
    pub(crate) fn room(&self, bytes_max: usize) -> Room {
        Room { free: Arc::clone(&self.free), each: self.each, taken: None, bytes_max }
    }
}

impl Room {
    /// Reads a body to its end, or no further than it may go.
    pub(crate) async fn read(&mut self, mut body: Body) -> Result<Vec<u8>, Refusal> {
        // A body that declares its length is refused before it is sent.
        if body.size_hint().lower() > self.bytes_max as u64 {
            return Err(Refusal::BodyTooLarge);
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::BodyBroken)?;
            // Trailers are not part of a delivery.
            let Ok(data) = frame.into_data() else { continue };
            if data.len() > self.bytes_max - bytes.len() {
                return Err(Refusal::BodyTooLarge);
            }
            let counted = |bytes: usize| bytes.saturating_sub(self.each);
            self.take(counted(bytes.len() + data.len()) - counted(bytes.len()))?;
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = u32::try_from(bytes).map_err(|_| Refusal::Crowded)?;
        let more = Arc::clone(&self.free).try_acquire_many_owned(more).map_err(|_| Refusal::Crowded)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_bodies_together_are_bounded_until_they_are_let_go() {
        let bodies = Bodies { free: Arc::new(Semaphore::new(10)), each: 0 };
        let mut first = bodies.room(100);
        assert_eq!(first.read(Body::from("123456")).await.unwrap(), b"123456");
        let mut second = bodies.room(100);
        assert!(matches!(second.read(Body::from("12345")).await, Err(Refusal::Crowded)));
        assert_eq!(second.read(Body::from("1234")).await.unwrap(), b"1234");
        assert!(matches!(bodies.room(100).read(Body::from("1")).await, Err(Refusal::Crowded)));
        drop(first);
        assert_eq!(bodies.room(100).read(Body::from("123456")).await.unwrap(), b"123456");
        drop(second);
        assert_eq!(bodies.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn large_bodies_do_not_keep_small_ones_out() {
        let bodies = Bodies { free: Arc::new(Semaphore::new(10)), each: 4 };
        let mut large = bodies.room(100);
        assert_eq!(large.read(Body::from("x".repeat(14))).await.unwrap().len(), 14);
        assert_eq!(bodies.free.available_permits(), 0);
        assert!(matches!(bodies.room(100).read(Body::from("12345")).await, Err(Refusal::Crowded)));
        assert_eq!(bodies.room(100).read(Body::from("1234")).await.unwrap(), b"1234");
    }
}
