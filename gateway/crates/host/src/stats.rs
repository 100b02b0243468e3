//! What one call cost and said.

use serde::Serialize;

/// Cost of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Wall clock from the first instruction of the host to the checked verdict; waiting for a free instance not counted.
    pub micros: u64,
    /// Fuel burnt.
    pub fuel: u64,
    /// Largest linear memory.
    pub memory_bytes: u64,
    /// Calls of imports.
    pub host_calls: u32,
    /// Lines kept, in order.
    pub log: Vec<LogLine>,
    /// Lines beyond the limit.
    pub log_dropped: u32,
}

/// One line of a connector's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// `error`, `warn`, `info` or `debug`.
    pub level: &'static str,
    /// Cut to the limit.
    pub text: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}
