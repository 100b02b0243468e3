//! What one listener allows, each number with its reason. Durations run on the runtime's clock, not on the wall clock.

use std::time::Duration;

/// Bounds of one listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Whose they are: the label `listener` of the metrics, and the name in log lines.
    pub name: &'static str,
    /// Open connections. When all are taken, the next ones wait in the kernel's backlog until one is closed.
    pub connections: usize,
    /// From accepting (or from the previous answer) to the last byte of the header; idle keep-alive ends with it.
    pub header_read: Duration,
    /// The same for connections accepted while more than half of [`Limits::connections`] are taken, so that slots come
    /// free as fast as a crowd of idle clients takes them.
    pub header_read_crowded: Duration,
    /// Request line and headers together; beyond it 431 (414 where the path alone is too long).
    pub header_bytes: usize,
    /// Number of headers; beyond it 431.
    pub headers: usize,
    /// From the header to the last byte of the body; beyond it 408, and the connection is closed.
    pub body_read: Duration,
    /// Where large bodies are taken: bytes a second that lengthen [`Limits::body_read`] as they arrive, so that a file over a
    /// slow line passes and a client that only pretends to send does not. The longest pause is then `body_read`.
    pub body_rate: Option<u32>,
    /// From the header, or from the last piece of a body that came later, to the router's answer; beyond it 503. Bodies that
    /// stream afterwards are not meant.
    pub answer: Duration,
    /// For a client to take at least one byte of an answer that waits; beyond it the connection is cut.
    pub write_stall: Duration,
    /// For reading away what a client still sends after an answer that ended the connection. Without it the kernel would
    /// answer with a reset, and the client would never see why it was refused.
    pub linger: Duration,
    /// Bytes that are read away for that.
    pub linger_bytes: usize,
    /// For requests in flight once a drain began; what is left after it is cut.
    pub drain: Duration,
}

/// Idle sockets have no buffers and cost about 2 KiB, one with a begun header 16 to 40 KiB; so many are bearable. No
/// partner platform opens more than hundreds.
const HOOKS_CONNECTIONS: usize = 16_384;
/// The private side is read by HQ's own programs and by people.
const ADMIN_CONNECTIONS: usize = 1_024;
/// Platforms send a header in one packet; ten seconds forgive a lost one several times.
const HEADER_READ: Duration = Duration::from_secs(10);
/// Still more than a round trip to anywhere.
const HEADER_READ_CROWDED: Duration = Duration::from_secs(2);
/// Real notices have 1 to 3 KiB of headers.
const HEADER_BYTES: usize = 32 * 1024;
/// Real notices have 10 to 25 headers.
const HEADERS: usize = 100;
/// A notice has 1 to 4 KiB; the largest body that a channel may allow passes in this time over a slow line.
const BODY_READ: Duration = Duration::from_secs(15);
/// Half of what the slowest line of a store, a telephone, carries up; a file of 200 MB may take three and a half hours.
const FILE_RATE: u32 = 16 * 1024;
/// Platforms hang up after 5 to 10 seconds; beyond this only a defect keeps an answer away.
const HOOKS_ANSWER: Duration = Duration::from_secs(30);
/// A long-poll may wait for 60 seconds by itself.
const ADMIN_ANSWER: Duration = Duration::from_secs(90);
/// A reader that is only slow takes something every few seconds; one that takes nothing for this long is gone.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// A client that is still sending learns of its refusal within a round trip.
const LINGER: Duration = Duration::from_secs(1);
/// What fits into the socket buffers of a client that has not looked up yet.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
/// Below the 30 seconds that service managers give between SIGTERM and SIGKILL.
const DRAIN: Duration = Duration::from_secs(20);

impl Limits {
    /// For the public listener, where anybody may knock.
    pub fn hooks() -> Limits {
        Limits {
            name: "hooks",
            connections: HOOKS_CONNECTIONS,
            header_read: HEADER_READ,
            header_read_crowded: HEADER_READ_CROWDED,
            header_bytes: HEADER_BYTES,
            headers: HEADERS,
            body_read: BODY_READ,
            body_rate: None,
            answer: HOOKS_ANSWER,
            write_stall: WRITE_STALL,
            linger: LINGER,
            linger_bytes: LINGER_BYTES,
            drain: DRAIN,
        }
    }

    /// For the private listener: fewer connections, and patience for long-polls and large files.
    pub fn admin() -> Limits {
        Limits {
            name: "admin",
            connections: ADMIN_CONNECTIONS,
            body_rate: Some(FILE_RATE),
            answer: ADMIN_ANSWER,
            ..Limits::hooks()
        }
    }
}
