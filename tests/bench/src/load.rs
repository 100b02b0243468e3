//! Load: one thread a connection, each with a request outstanding or none.
//!
//! Closed loop: a connection sends its next request when the last is answered; that finds the most a server can do. Open
//! loop: request `k` is due at `start + k / rate` whatever the server does, and its latency runs from when it was *due*,
//! so a stall is charged to every request that should have been sent meanwhile (no coordinated omission).

use crate::figures::{self, Figures, nanos};
use crate::http::Connection;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As soon as the last is answered.
    Closed,
    /// So many a second, over all connections.
    Open(u64),
}

/// One run.
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    /// Each is sent once.
    pub(crate) requests: &'a [Vec<u8>],
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    pub(crate) warm_up: Duration,
    pub(crate) length: Duration,
}

/// One request and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    /// Place among the requests.
    pub(crate) at: usize,
    /// When it had to be sent; in the closed loop, when it was.
    pub(crate) due: Instant,
    /// When the answer was there.
    pub(crate) done: Instant,
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Answers of 2xx within the measured time, latest last.
    pub(crate) answers: Vec<Answered>,
    /// Nanoseconds from due to answered.
    pub(crate) latencies: Figures,
    /// Measured time; shorter when the requests ran out.
    pub(crate) length: Duration,
    /// Answers of 2xx, the warm-up included.
    pub(crate) all: u64,
    /// How long after the end the last answer came: what had piled up by then.
    pub(crate) late: Duration,
}

impl Measured {
    /// Acknowledged in a second.
    pub(crate) fn per_second(&self) -> u64 {
        let count = u64::try_from(self.answers.len()).unwrap_or(u64::MAX);
        figures::per_second(count, self.length)
    }
}

/// What all connections share.
struct Shared {
    next: AtomicUsize,
    connected: Barrier,
    times: OnceLock<Times>,
}

/// Marks of time.
struct Times {
    start: Instant,
    count_from: Instant,
    end: Instant,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    all: u64,
    refused: u64,
    answers: Vec<Answered>,
}

impl Load<'_> {
    /// Runs it. An answer that is no acknowledgement is an error: nothing here deserves one.
    pub(crate) fn run(&self) -> Result<Measured> {
        let shared = Shared {
            next: AtomicUsize::new(0),
            connected: Barrier::new(self.connections + 1),
            times: OnceLock::new(),
        };
        thread::scope(|threads| {
            let work = |_| threads.spawn(|| self.connection(&shared));
            let running: Vec<_> = (0..self.connections).map(work).collect();
            shared.connected.wait();
            let mut all = Vec::with_capacity(running.len());
            for connection in running {
                all.push(connection.join().ok().context("a connection's thread")??);
            }
            self.sum(all, &shared)
        })
    }

    fn times(&self) -> Times {
        let start = Instant::now();
        let count_from = start + self.warm_up;
        Times { start, count_from, end: count_from + self.length }
    }

    fn sum(&self, all: Vec<Seen>, shared: &Shared) -> Result<Measured> {
        let times = shared.times.get_or_init(|| self.times());
        let used_up = shared.next.load(Ordering::Relaxed) >= self.requests.len();
        let refused: u64 = all.iter().map(|seen| seen.refused).sum();
        let mut measured = Measured { length: self.length, ..Measured::default() };
        for seen in all {
            measured.all += seen.all;
            measured.answers.extend(seen.answers);
        }
        ensure!(
            refused == 0 && measured.all > 0,
            "{refused} notices were refused, {} acknowledged",
            measured.all
        );
        ensure!(!measured.answers.is_empty(), "the notices ran out before anything was measured");
        measured.answers.sort_unstable_by_key(|answer| answer.done);
        if let Some(last) = measured.answers.last() {
            measured.late = last.done.saturating_duration_since(times.end);
            if used_up && last.done < times.end {
                measured.length = last.done.saturating_duration_since(times.count_from);
            }
        }
        let latency = |answer: &Answered| nanos(answer.done - answer.due);
        measured.latencies = Figures::of(measured.answers.iter().map(latency).collect());
        Ok(measured)
    }

    fn connection(&self, shared: &Shared) -> Result<Seen> {
        let connection = Connection::open(self.address);
        shared.connected.wait();
        let mut connection = connection?;
        let times = shared.times.get_or_init(|| self.times());
        let mut seen = Seen::default();
        while let Some((at, due)) = self.due(&shared.next, times) {
            let Some(request) = self.requests.get(at) else { break };
            let status = connection.send(request)?;
            seen.count(self.pace, times, Answered { at, due, done: Instant::now() }, status);
        }
        Ok(seen)
    }

    /// The next request and when it is due, waited for; `None` at the end.
    fn due(&self, next: &AtomicUsize, times: &Times) -> Option<(usize, Instant)> {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let due = match self.pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => {
                let nanos = u64::try_from(at).ok()?.checked_mul(1_000_000_000)? / rate.max(1);
                let due = times.start + Duration::from_nanos(nanos);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                due
            }
        };
        (due < times.end).then_some((at, due))
    }
}

impl Seen {
    /// In the closed loop by when the answer came, in the open loop by when the request was due.
    fn count(&mut self, pace: Pace, times: &Times, answer: Answered, status: u16) {
        if !(200..300).contains(&status) {
            self.refused += 1;
            return;
        }
        self.all += 1;
        let counts = match pace {
            Pace::Closed => answer.done >= times.count_from && answer.done <= times.end,
            Pace::Open(_) => answer.due >= times.count_from,
        };
        if counts {
            self.answers.push(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// Answers every request of one connection after `delay`.
    fn slow_server(delay: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 64];
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                thread::sleep(delay);
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            }
        });
        address
    }

    #[test]
    fn an_open_loop_charges_a_slow_server_for_what_had_to_wait() {
        let requests = vec![b"x".to_vec(); 100];
        let load = Load {
            address: slow_server(Duration::from_millis(20)),
            requests: &requests,
            connections: 1,
            pace: Pace::Open(200),
            warm_up: Duration::ZERO,
            length: Duration::from_millis(100),
        };
        let measured = load.run().unwrap();
        // 20 are due in 100 ms and take 400 ms one after another: the last waits 300 ms before it is even sent.
        assert_eq!(measured.answers.len(), 20);
        assert!(measured.latencies.quantile(1000) >= 250_000_000, "{:?}", measured.latencies);
        assert!(measured.late >= Duration::from_millis(250), "{:?}", measured.late);
    }

    #[test]
    fn the_rate_is_over_the_time_used_when_requests_run_out() {
        let requests = vec![b"x".to_vec(); 5];
        let load = Load {
            address: slow_server(Duration::from_millis(2)),
            requests: &requests,
            connections: 1,
            pace: Pace::Closed,
            warm_up: Duration::ZERO,
            length: Duration::from_secs(30),
        };
        let measured = load.run().unwrap();
        assert_eq!((measured.answers.len(), measured.all), (5, 5));
        assert!(measured.length < Duration::from_secs(5));
    }
}
