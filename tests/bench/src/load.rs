//! Load: one thread a connection, each with a request outstanding or none.
//!
//! Closed loop: a connection sends its next request when the last is answered; that finds the most a server can do. Open
//! loop: request `k` is due at `start + k / rate` whatever the server does, and its latency runs from when it was *due*,
//! so a stall is charged to every request that should have been sent meanwhile (no coordinated omission).

use crate::figures::Figures;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any answer may take; a server that hangs ends the run.
const ANSWER_MAX: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: usize = 16 * 1024;

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

/// What came back within the measured time.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Answers of 2xx.
    pub(crate) acknowledged: u64,
    /// Other answers.
    pub(crate) refused: u64,
    /// Nanoseconds to the answer.
    pub(crate) latencies: Figures,
    /// Measured time; shorter when the requests ran out.
    pub(crate) length: Duration,
}

impl Measured {
    /// Acknowledged in a second.
    pub(crate) fn per_second(&self) -> u64 {
        let micros = u64::try_from(self.length.as_micros()).unwrap_or(u64::MAX).max(1);
        self.acknowledged * 1_000_000 / micros
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
    acknowledged: u64,
    refused: u64,
    latencies: Vec<u64>,
    last: Option<Instant>,
}

impl Load<'_> {
    /// Runs it.
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
            Ok(self.sum(all, &shared))
        })
    }

    fn times(&self) -> Times {
        let start = Instant::now();
        let count_from = start + self.warm_up;
        Times { start, count_from, end: count_from + self.length }
    }

    fn sum(&self, all: Vec<Seen>, shared: &Shared) -> Measured {
        let times = shared.times.get_or_init(|| self.times());
        let used_up = shared.next.load(Ordering::Relaxed) >= self.requests.len();
        let mut measured = Measured { length: self.length, ..Measured::default() };
        let mut latencies = Vec::new();
        let last = all.iter().filter_map(|seen| seen.last).max();
        for seen in all {
            measured.acknowledged += seen.acknowledged;
            measured.refused += seen.refused;
            latencies.extend(seen.latencies);
        }
        if let Some(last) = last.filter(|last| used_up && *last < times.end) {
            measured.length = last.saturating_duration_since(times.count_from);
        }
        measured.latencies = Figures::of(latencies);
        measured
    }

    fn connection(&self, shared: &Shared) -> Result<Seen> {
        let stream = TcpStream::connect(self.address);
        shared.connected.wait();
        let mut stream = stream.with_context(|| format!("connecting to {}", self.address))?;
        stream.set_nodelay(true).context("setting a socket up")?;
        stream.set_read_timeout(Some(ANSWER_MAX)).context("setting a socket up")?;
        let times = shared.times.get_or_init(|| self.times());
        let mut seen = Seen::default();
        let mut buffer = Vec::with_capacity(ANSWER_BYTES_MAX);
        while let Some((at, due)) = self.due(&shared.next, times) {
            let Some(request) = self.requests.get(at) else { break };
            stream.write_all(request).context("sending")?;
            let status = answer(&mut stream, &mut buffer)?;
            seen.count(self.pace, times, due, status);
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
    fn count(&mut self, pace: Pace, times: &Times, due: Instant, status: u16) {
        let now = Instant::now();
        let counts = match pace {
            Pace::Closed => now >= times.count_from && now <= times.end,
            Pace::Open(_) => due >= times.count_from,
        };
        if !counts {
            return;
        }
        if (200..300).contains(&status) {
            self.acknowledged += 1;
        } else {
            self.refused += 1;
        }
        self.latencies.push(u64::try_from((now - due).as_nanos()).unwrap_or(u64::MAX));
        self.last = Some(now);
    }
}

/// Reads one answer and gives its status.
fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    let mut chunk = [0; 2048];
    loop {
        let read = stream.read(&mut chunk).context("reading an answer")?;
        if read == 0 {
            bail!("the server closed a connection");
        }
        buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if let Some(status) = complete(buffer)? {
            return Ok(status);
        }
        if buffer.len() > ANSWER_BYTES_MAX {
            bail!("an answer of more than {ANSWER_BYTES_MAX} bytes");
        }
    }
}

/// The status, once head and body are whole.
fn complete(bytes: &[u8]) -> Result<Option<u16>> {
    let Some(head_end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(bytes.get(..head_end).unwrap_or_default());
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    let status = status.context("an answer without a status")?;
    Ok((bytes.len() >= head_end + 4 + length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn an_answer_is_whole_with_its_body() {
        let check = |text: &str| complete(text.as_bytes()).unwrap();
        assert_eq!(check("HTTP/1.1 204 No Content\r\n\r\n"), Some(204));
        assert_eq!(check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"), None);
        assert_eq!(check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"), Some(200));
        assert_eq!(check("HTTP/1.1 200 OK\r\n"), None);
    }

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
        assert_eq!(measured.acknowledged, 20);
        assert!(measured.latencies.quantile(1000) >= 250_000_000, "{:?}", measured.latencies);
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
        assert_eq!((measured.acknowledged, measured.refused), (5, 0));
        assert!(measured.length < Duration::from_secs(5));
    }
}
