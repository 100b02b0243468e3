//! Limits that a channel may have of its own. The defaults and their reasons are the host's.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::LimitOverrides;
use crate::units::{Size, Span};

/// Limits of one call of a connector that differ from the gateway's own.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Memory that one call may use.
    #[schemars(with = "Size", extend("x-range" = ["1MiB", "256MiB"], "examples" = ["64MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Size>,
    /// Entries of a component's function tables.
    #[schemars(with = "u32", range(min = 100, max = 1_000_000), extend("examples" = [20_000]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table_elements: Option<u32>,
    /// Time that one call may take, outgoing requests included.
    #[schemars(with = "Span", extend("x-range" = ["10ms", "60s"], "examples" = ["2s"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call: Option<Span>,
    /// Processor time of one call.
    #[schemars(with = "Span", extend("x-range" = ["5ms", "60s"], "examples" = ["100ms"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu: Option<Span>,
    /// Instructions, roughly, that one call may execute.
    #[schemars(with = "u64", range(min = 100_000, max = 1_000_000_000_000_u64), extend("examples" = [100_000_000]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fuel: Option<u64>,
    /// Memory that one transfer to the gateway may take there.
    #[schemars(with = "Size", extend("x-range" = ["64KiB", "256MiB"], "examples" = ["8MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer: Option<Size>,
    /// Size of what one call may return.
    #[schemars(with = "Size", extend("x-range" = ["1KiB", "64MiB"], "examples" = ["4MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Size>,
    /// Observations that one call may return.
    #[schemars(with = "u32", range(min = 1, max = 100_000), extend("examples" = [1_000]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observations: Option<u32>,
    /// Calls that a connector may make into the gateway.
    #[schemars(with = "u32", range(min = 1, max = 1_000_000), extend("examples" = [256]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host_calls: Option<u32>,
    /// Log lines of one call that are kept.
    #[schemars(with = "u32", range(min = 1, max = 10_000), extend("examples" = [64]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_lines: Option<u32>,
    /// Length of a log line; the rest is cut.
    #[schemars(with = "Size", extend("x-range" = ["64B", "64KiB"], "examples" = ["1KiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_line: Option<Size>,
    /// Keys that may be open at once.
    #[schemars(with = "u32", range(min = 1, max = 10_000), extend("examples" = [128]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handles: Option<u32>,
    /// Size of a request's body; a bigger one is answered with 413.
    #[schemars(with = "Size", extend("x-range" = ["1KiB", "64MiB"], "examples" = ["1MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<Size>,
    /// Size of a file that is handed in; a bigger one is answered with 413, and not taken from a watched folder.
    #[schemars(with = "Size", extend("x-range" = ["1KiB", "4GiB"], "examples" = ["512MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<Size>,
    /// Size of the answer to the platform.
    #[schemars(with = "Size", extend("x-range" = ["1KiB", "1MiB"], "examples" = ["64KiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Size>,
    /// Outgoing requests of one call.
    #[schemars(with = "u32", range(min = 0, max = 10_000), extend("examples" = [20]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_requests: Option<u32>,
    /// Time that one outgoing request may take.
    #[schemars(with = "Span", extend("x-range" = ["100ms", "60s"], "examples" = ["10s"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_request: Option<Span>,
    /// Size of the response to an outgoing request.
    #[schemars(with = "Size", extend("x-range" = ["1KiB", "64MiB"], "examples" = ["8MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_response: Option<Size>,
    /// Calls of the channel at a time.
    #[schemars(with = "u32", range(min = 1, max = 256), extend("examples" = [64]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parallel: Option<u32>,
    /// Time that one poll, fetch or command may take, outgoing requests included.
    #[schemars(with = "Span", extend("x-range" = ["100ms", "10m"], "examples" = ["60s"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ask: Option<Span>,
    /// Outgoing requests of the channel in a second, on average.
    #[schemars(with = "u32", range(min = 1, max = 10_000), extend("examples" = [10]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_per_second: Option<u32>,
    /// Outgoing requests of the channel at once after a pause.
    #[schemars(with = "u32", range(min = 1, max = 10_000), extend("examples" = [20]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate_burst: Option<u32>,
}

impl Limits {
    /// The same in the units of the program.
    pub(crate) fn overrides(&self) -> LimitOverrides {
        let size = |size: Option<Size>| size.map(|size| size.0);
        let span = |span: Option<Span>| -> Option<Duration> { span.map(Span::duration) };
        LimitOverrides {
            memory_bytes: size(self.memory),
            table_elements: self.table_elements,
            call: span(self.call),
            cpu: span(self.cpu),
            fuel: self.fuel,
            hostcall_fuel: size(self.transfer),
            result_bytes: size(self.result),
            observations: self.observations,
            host_calls: self.host_calls,
            log_lines: self.log_lines,
            log_line_bytes: size(self.log_line),
            handles: self.handles,
            body_bytes: size(self.body),
            file_bytes: size(self.file),
            answer_bytes: size(self.answer),
            http_requests: self.http_requests,
            http_request: span(self.http_request),
            http_response_bytes: size(self.http_response),
            parallel: self.parallel,
            ask: span(self.ask),
            rate_per_second: self.rate_per_second,
            rate_burst: self.rate_burst,
        }
    }
}
