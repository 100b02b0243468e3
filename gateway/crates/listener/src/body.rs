//! A request body that must arrive in time.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// How a body arrives; shared with whoever answers.
#[derive(Debug, Clone)]
pub(crate) struct Arrival(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    began: Instant,
    late: AtomicBool,
    /// Milliseconds from `began` to the last piece that came after the header; 0 while there was none.
    last: AtomicU64,
}

/// For how long a body may go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// To begin with, and the longest pause.
    pub(crate) within: Duration,
    /// Bytes a second that lengthen it; `None`: nothing does.
    pub(crate) rate: Option<u32>,
}

/// Ends with an error once its time is over.
pub(crate) struct Timely {
    body: Incoming,
    pace: Pace,
    bytes: u64,
    // Made only when the body keeps us waiting; most bodies arrive with their header.
    timer: Option<Pin<Box<Sleep>>>,
    arrival: Arrival,
}

/// The body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
pub(crate) struct TooSlow;

impl Arrival {
    /// Of a request whose header was read just now.
    pub(crate) fn begin() -> Arrival {
        Arrival(Arc::new(Seen {
            began: Instant::now(),
            late: AtomicBool::new(false),
            last: AtomicU64::new(0),
        }))
    }

    /// Whether it was too slow.
    pub(crate) fn is_late(&self) -> bool {
        self.0.late.load(Ordering::Acquire)
    }

    /// When the header was there.
    pub(crate) fn began(&self) -> Instant {
        self.0.began
    }

    /// When the latest piece came, header included.
    pub(crate) fn last(&self) -> Instant {
        self.0.began + Duration::from_millis(self.0.last.load(Ordering::Acquire))
    }

    /// A piece came.
    pub(crate) fn came(&self) {
        let millis = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last.store(millis, Ordering::Release);
    }
}

impl Pace {
    /// Until when the next piece must be there.
    fn deadline(self, arrival: &Arrival, bytes: u64) -> Instant {
        let longer = self.rate.map_or(0, |rate| bytes / u64::from(rate.max(1)));
        let whole = arrival.began() + self.within + Duration::from_secs(longer);
        whole.min(arrival.last() + self.within)
    }
}

impl Timely {
    pub(crate) fn new(body: Incoming, pace: Pace, arrival: Arrival) -> Timely {
        Timely { body, pace, bytes: 0, timer: None, arrival }
    }

    fn came(&mut self, frame: Option<&Frame<Bytes>>) {
        if self.pace.rate.is_none() {
            return;
        }
        self.timer = None;
        self.arrival.came();
        let bytes = frame.and_then(Frame::data_ref).map_or(0, Bytes::len);
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Body for Timely {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.came(frame.as_ref().and_then(|frame| frame.as_ref().ok()));
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = this.pace.deadline(&this.arrival, this.bytes);
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                this.arrival.0.late.store(true, Ordering::Release);
                Poll::Ready(Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from the header to the deadline, where the last piece came `last` seconds after it.
    fn check(rate: Option<u32>, bytes: u64, last: u64, expect: u64) {
        let arrival = Arrival::begin();
        arrival.0.last.store(last * 1000, Ordering::Release);
        let pace = Pace { within: Duration::from_secs(15), rate };
        let deadline = pace.deadline(&arrival, bytes).duration_since(arrival.began());
        assert_eq!(deadline, Duration::from_secs(expect), "{rate:?} {bytes} {last}");
    }

    #[test]
    fn bytes_that_came_lengthen_the_time_up_to_the_longest_pause() {
        check(None, 1_000_000, 0, 15);
        check(Some(1000), 0, 0, 15);
        check(Some(1000), 0, 10, 15);
        check(Some(1000), 5_000, 10, 20);
        check(Some(1000), 5_000, 4, 19);
        check(Some(1000), 200_000_000, 100, 115);
        check(Some(0), 100, 100, 115);
    }
}
