//! A crash between any two steps: a future is dropped where it waits.
//!
//! [`cut`] drops it after so many waits, [`everywhere`] at every wait in turn, until there is nothing left to cut. What is on disk
//! then, and who begins anew with it, is left to the test. Surprising: a wait is a poll that was pending, so work that never
//! waits is never cut, and how often it waits may differ between two runs.

use std::{
    fmt::Debug,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Lets `work` wait so many times, then drops it. Says whether it ended.
pub async fn cut<F: Future>(work: F, waits: usize) -> bool {
    let mut work = pin!(work);
    let mut left = waits;
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Runs the whole, then cut after 0, `step`, `2 * step` … waits, until the cut comes too late. Each time what comes out in the end
/// must be what comes out of the whole. Gives that, and the waits that were too many.
///
/// `run` takes the waits for [`cut`], and says what `cut` said and what came out.
///
/// # Panics
///
/// Where something else comes out, or the whole does not end.
pub async fn everywhere<T: PartialEq + Debug>(
    step: usize,
    run: impl AsyncFn(usize) -> (bool, T),
) -> (T, usize) {
    let (ended, whole) = run(usize::MAX).await;
    assert!(ended, "the whole does not end");
    let mut waits = 0;
    loop {
        let (ended, again) = run(waits).await;
        assert_eq!(again, whole, "cut after {waits} waits");
        if ended {
            return (whole, waits);
        }
        waits += step;
    }
}
