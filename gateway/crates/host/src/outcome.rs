//! Why a call stopped, and how that is counted.

use crate::{
    Reason,
    sandbox::{Denied, State},
};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use qudao_model::{Answer, Asked, Verdict, delivery::Refusal};
use std::{sync::Arc, time::Duration};
use wasmtime::Trap;

/// Longest explanation kept: a backtrace of a few frames.
const EXPLAIN_BYTES: usize = 4096;

/// Traps that are limits of ours.
const TRAPS: [(Trap, Reason, &str); 3] = [
    (Trap::OutOfFuel, Reason::LimitFuel, "the fuel of the call is burnt"),
    (Trap::StackOverflow, Reason::LimitStack, "the stack of the call is full"),
    (Trap::Interrupt, Reason::LimitTime, "the call was interrupted"),
];

/// A call that gave no verdict of the connector's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped {
    pub(crate) reason: Reason,
    pub(crate) explain: String,
    /// Whether it speaks against the connector.
    pub(crate) counts: bool,
}

impl Stopped {
    pub(crate) fn new(reason: Reason, explain: impl Into<String>) -> Stopped {
        let mut explain = explain.into();
        explain.truncate(explain.floor_char_boundary(EXPLAIN_BYTES));
        // Words of a guest are in it, and it is shown on terminals.
        let explain = explain.replace(|char: char| char.is_control() && char != '\n', " ");
        Stopped { counts: reason.counts(), reason, explain }
    }

    /// As a verdict. The platform learns nothing but that it should send again.
    pub(crate) fn verdict(self) -> Verdict {
        let answer = Answer { status: 500, headers: Vec::new(), body: Vec::new() };
        Verdict::Failed(Refusal { reason: self.reason.as_str().to_owned(), explain: self.explain, answer })
    }
}

/// Reads an error of the engine. What this crate denied says so itself; what was refused before or said by the panic
/// hook explains the `unreachable` that follows it.
pub(crate) fn stopped(error: &wasmtime::Error, state: &mut State) -> Stopped {
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return Stopped::new(denied.reason, denied.explain.clone());
    }
    let trap = error.downcast_ref::<Trap>();
    if let Some((_, reason, explain)) = TRAPS.iter().find(|(known, ..)| Some(known) == trap) {
        return Stopped::new(*reason, *explain);
    }
    if let Some(refused) = state.room.refused.take() {
        return Stopped::new(Reason::LimitMemory, refused);
    }
    if let Some(panic) = state.panic.take() {
        return Stopped::new(Reason::Panic, panic);
    }
    let text = format!("{error:#}");
    match limit_in(&text) {
        Some(reason) => Stopped::new(reason, text),
        None => Stopped::new(Reason::Trap, format!("{error:?}")),
    }
}

/// Limits that the engine reports in words only. The tests with hostile guests notice when the words change.
fn limit_in(text: &str) -> Option<Reason> {
    let known = [
        ("fuel allocated for hostcalls", Reason::LimitResult),
        ("handle limit exceeded", Reason::LimitHandles),
        ("memory minimum size", Reason::LimitMemory),
        ("table minimum size", Reason::LimitMemory),
    ];
    known.into_iter().find(|(words, _)| text.contains(words)).map(|(_, reason)| reason)
}

/// Says once what the metrics mean.
pub(crate) fn describe_metrics() {
    describe_counter!("qudao_connector_calls_total", "Calls of connectors by verdict and reason.");
    describe_histogram!("qudao_connector_call_seconds", "Wall clock of a connector's call.");
    describe_counter!("qudao_connector_asks_total", "Polls, fetches and commands by what became of them.");
    describe_histogram!("qudao_connector_ask_seconds", "Wall clock of a poll, fetch or command.");
    describe_counter!(
        "qudao_connector_files_total",
        "Files that connectors read by verdict, or by why there is none."
    );
    describe_counter!("qudao_connector_file_rows_total", "Rows that connectors read out of files.");
    describe_histogram!("qudao_connector_file_seconds", "Wall clock of reading a file.");
    describe_gauge!("qudao_connector_breaker_open", "1 while a channel's breaker is not closed.");
    describe_gauge!("qudao_host_pool_in_use", "Instances that live now.");
}

/// Counts one call. `reason` is empty for what was accepted or ignored.
pub(crate) fn count(channel: &Arc<str>, verdict: &Verdict, reason: &str, took: Duration) {
    let labels = [
        ("channel", metrics::SharedString::from(Arc::clone(channel))),
        ("verdict", verdict.as_str().into()),
        ("reason", reason.to_owned().into()),
    ];
    counter!("qudao_connector_calls_total", &labels).increment(1);
    histogram!("qudao_connector_call_seconds", "channel" => Arc::clone(channel)).record(took);
}

/// Counts one ask. `code` is empty where it was answered.
pub(crate) fn count_ask(channel: &Arc<str>, asked: &Asked, code: &str, took: Duration) {
    let labels = [
        ("channel", metrics::SharedString::from(Arc::clone(channel))),
        ("asked", asked.method().to_lowercase().into()),
        ("code", code.to_owned().into()),
    ];
    counter!("qudao_connector_asks_total", &labels).increment(1);
    histogram!("qudao_connector_ask_seconds", "channel" => Arc::clone(channel)).record(took);
}

/// Counts one file. `verdict` is empty where there is none, `code` where there is one.
pub(crate) fn count_file(channel: &Arc<str>, [verdict, code]: [&str; 2], rows: u64, took: Duration) {
    let labels = [
        ("channel", metrics::SharedString::from(Arc::clone(channel))),
        ("verdict", verdict.to_owned().into()),
        ("code", code.to_owned().into()),
    ];
    counter!("qudao_connector_files_total", &labels).increment(1);
    counter!("qudao_connector_file_rows_total", "channel" => Arc::clone(channel)).increment(rows);
    histogram!("qudao_connector_file_seconds", "channel" => Arc::clone(channel)).record(took);
}

/// Shows a breaker.
pub(crate) fn show_breaker(channel: &Arc<str>, open: bool) {
    gauge!("qudao_connector_breaker_open", "channel" => Arc::clone(channel)).set(f64::from(u8::from(open)));
}

/// Shows how many instances live.
pub(crate) fn show_pool(in_use: u32) {
    gauge!("qudao_host_pool_in_use").set(f64::from(in_use));
}
