//! A program of HQ that is told of payments by webhook: it takes everything and writes down in which order it came.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What it asks for; orders and stock would only be more of the same.
pub(crate) const TYPE: &str = "qudao.payment.";
/// Longer than any event.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// The program. Its threads live as long as the process: they hold nothing.
pub(crate) struct Consumer {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    seqs: BTreeSet<i64>,
    /// Last event of each entity.
    last: BTreeMap<String, i64>,
    wrong: Vec<String>,
}

impl Consumer {
    pub(crate) fn listen() -> Result<Consumer> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening for webhooks")?;
        let address = listener.local_addr().context("listening for webhooks")?;
        let taken = Arc::new(Mutex::new(Taken::default()));
        let shared = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = Arc::clone(&shared);
                // A connection that breaks was of a gateway that was killed.
                thread::spawn(move || drop(serve(stream, &taken)));
            }
        });
        Ok(Consumer { address, taken })
    }

    /// Events of payments that it was not told of, and what came in the wrong order.
    pub(crate) fn missing(&self, events: &[i64]) -> Vec<String> {
        let mut taken = lock(&self.taken);
        let mut found = std::mem::take(&mut taken.wrong);
        let missing: Vec<&i64> = events.iter().filter(|seq| !taken.seqs.contains(seq)).collect();
        if let Some(first) = missing.first() {
            found
                .push(format!("{} events did not come by webhook, the first of them {first}", missing.len()));
        }
        found
    }
}

fn serve(stream: TcpStream, taken: &Mutex<Taken>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(BODY_BYTES_MAX.min(length)).read_to_end(&mut body)?;
        if let Ok(event) = serde_json::from_slice(&body) {
            lock(taken).take(&event);
        }
        reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    }
}

impl Taken {
    fn take(&mut self, event: &Value) {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let seq = event.get("seq").and_then(Value::as_i64).unwrap_or_default();
        let last = self.last.entry(text("subject").to_owned()).or_default();
        // What comes again is old; what is new must be newer than all that came of its entity.
        if self.seqs.insert(seq) {
            if *last > seq {
                self.wrong.push(format!("the webhook of event {seq} came after that of {last}"));
            }
            *last = seq.max(*last);
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn repeats_are_fine_and_a_step_back_is_not() {
        let mut taken = Taken::default();
        for (seq, subject) in [(1, "a"), (3, "a"), (1, "a"), (4, "b"), (2, "a")] {
            taken.take(&json!({"seq": seq, "subject": subject}));
        }
        assert_eq!(taken.wrong, ["the webhook of event 2 came after that of 3"]);
        let consumer =
            Consumer { address: SocketAddr::from(([127, 0, 0, 1], 0)), taken: Arc::new(Mutex::new(taken)) };
        assert_eq!(consumer.missing(&[1, 2, 3, 4, 5]).len(), 2);
        assert!(consumer.missing(&[1, 2, 3, 4]).is_empty());
    }
}
