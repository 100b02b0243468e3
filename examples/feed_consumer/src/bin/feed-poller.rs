//! Reads qudao's feed by its numbers: no port to open, nothing to verify, no event twice. Copy it, and put your own work where it prints.
//!
//! `feed-poller http://127.0.0.1:8081 token.txt events.jsonl` waits for events and keeps them, a line each. Where it was is the `seq` of the
//! last event in the file: the place and the events cannot come apart, so nothing is missed and nothing is read twice.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use anyhow::{Context as _, Result, bail};
use cloudevents::{AttributesReader as _, Event};
use std::{fs, io::Write as _, thread, time::Duration};

/// Seconds that an answer may wait for an event; the gateway takes at most 60.
const WAIT: u64 = 30;
/// Before it asks again after a failure.
const PAUSE: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [gateway, token, file] = arguments.as_slice() else {
        bail!("usage: feed-poller GATEWAY TOKEN_FILE EVENTS_FILE");
    };
    let token = format!("Bearer {}", fs::read_to_string(token).context("reading the token")?.trim());
    let mut kept =
        fs::OpenOptions::new().create(true).append(true).open(file).context("opening the events")?;
    let known = fs::read_to_string(file).context("reading the events")?;
    let known = known.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok());
    let mut after = known.filter_map(|event| seq(&event)).max().unwrap_or_default();
    let patience = Some(Duration::from_secs(2 * WAIT));
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(patience).build().into();
    loop {
        let page = agent.get(format!("{gateway}/v1/events?after={after}&wait={WAIT}"));
        let page = page.header("authorization", &token).call();
        let events: Vec<Event> = match page.and_then(|mut page| page.body_mut().read_json()) {
            Ok(events) => events,
            Err(error) => {
                eprintln!("asking again: {error}");
                thread::sleep(PAUSE);
                continue;
            }
        };
        for event in &events {
            println!("{} {}", event.ty(), event.subject().unwrap_or_default());
            // A line begins with its line break, so that one that was cut off spoils no other.
            kept.write_all(format!("\n{}", serde_json::to_string(event)?).as_bytes())?;
            after = seq(event).context("an event without its number")?;
        }
        kept.sync_data()?;
    }
}

/// The place of an event in the feed.
fn seq(event: &Event) -> Option<u64> {
    event.extension("seq")?.to_string().parse().ok()
}
