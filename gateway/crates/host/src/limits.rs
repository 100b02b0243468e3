//! Every limit of a call, each default with its reason. An operator overrides them per channel.
//!
//! Fuel and processor time watch the same thing in two ways: fuel is exact and the same on every machine, ticks also
//! cover what costs time without costing fuel. Whichever ends first names the reason.

use std::time::Duration;

/// A notice decodes in under 2 MiB of linear memory; 64 MiB leaves room for bulk notices and a scripted guest.
pub const MEMORY_BYTES: usize = 64 << 20;

/// Most that an operator may grant: what a slot of the instance pool can hold.
pub const MEMORY_BYTES_MAX: usize = 256 << 20;

/// Function tables of compiled Rust have hundreds of elements; script engines some thousands.
pub const TABLE_ELEMENTS: usize = 20_000;

/// Wall clock of a whole call, outgoing requests included. Platforms give up after 5 to 15 s and send again.
pub const CALL: Duration = Duration::from_secs(2);

/// Length of one tick. Long enough to cost nothing, short enough that a busy guest shares its thread fairly.
pub const TICK: Duration = Duration::from_millis(5);

/// Ticks spent in guest code: 60 × 5 ms. Fuel ends first on a quiet machine; on a busy one a tick may hold little work.
pub const CPU_TICKS: u32 = 60;

/// Instructions, roughly: 15 to 20 ms of work, 700 times what a 2 KiB notice takes.
pub const FUEL: u64 = 100_000_000;

/// Fuel on top for each byte of the request's body, twice what the SDK's parsers burn on the worst bodies of 1 MiB.
/// Anybody can send such a body unsigned; if reading it were a failure, five of them would open the breaker.
pub const FUEL_PER_BODY_BYTE: u64 = 600;

/// Data that one transfer from guest to host may make the host allocate. More than [`RESULT_BYTES`], because it
/// counts the host's own shapes, not only the bytes in them.
pub const HOSTCALL_FUEL: usize = 8 << 20;

/// All texts and bytes of a verdict together.
pub const RESULT_BYTES: usize = 4 << 20;

/// Facts in one verdict. A notice holds one or two; a page of an order list some hundreds.
pub const OBSERVATIONS: usize = 1_000;

/// Calls of any import but the log lines that are kept. A notice needs under ten.
pub const HOST_CALLS: u32 = 256;

/// Log lines kept of one call; more are dropped and count as host calls.
pub const LOG_LINES: usize = 64;

/// Bytes of one log line with its fields; the rest is cut.
pub const LOG_LINE_BYTES: usize = 1024;

/// Log lines of one channel that reach the gateway's log in a second, over all its calls; anybody can cause a call.
pub const LOG_LINES_A_SECOND: u32 = 200;

/// Open keys at a time.
pub const HANDLES: usize = 128;

/// Body of an inbound request. The listener enforces it; it is here because it is a limit of the channel.
pub const BODY_BYTES: usize = 1 << 20;

/// Body of the answer. Acknowledgements are some bytes, so this bounds what is stored for repeats.
pub const ANSWER_BYTES: usize = 64 << 10;

/// Headers of an answer, and of an outgoing request. Platforms know 5 to 25; the tables of the HTTP library end at 24,576.
pub const HEADERS: usize = 100;

/// Outgoing requests of one call.
pub const HTTP_REQUESTS: u32 = 20;

/// One outgoing request, from connecting to the last byte; [`CALL`] may end it earlier.
pub const HTTP_REQUEST: Duration = Duration::from_secs(10);

/// Body of a response to an outgoing request: the largest page of an order list is under 4 MiB.
pub const HTTP_RESPONSE_BYTES: usize = 8 << 20;

/// All responses of one call together, because a record is kept of them.
pub const RECEIVED_BYTES: usize = 32 << 20;

/// Outgoing requests of one channel in a second, in the long run. Platforms allow an application between 10 and 100.
pub const RATE_PER_SECOND: u32 = 20;

/// Outgoing requests of one channel at once after a rest: one page with its details.
pub const RATE_BURST: u32 = 40;

/// Outgoing requests of one channel under way at a time: its asks are few, its webhooks may come in floods.
pub const HTTP_PARALLEL: usize = 8;

/// Longest pause that a platform may ask for; a slip of its clock must not silence a channel for a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Wall clock of a poll, fetch or command. Nobody waits at the other end, and a page needs many requests: fifty things, each
/// by a request that a busy platform takes three seconds for. A page that never ends in time would never be read at all.
pub const ASK: Duration = Duration::from_mins(3);

/// So many times a webhook's ticks for an ask: 6 s of guest code.
pub const ASK_CPU_TICKS: u32 = 20;

/// So many times a webhook's fuel: enough to read [`RECEIVED_BYTES`] at [`FUEL_PER_BODY_BYTE`], about 4 s.
pub const ASK_FUEL: u64 = 200;

/// So many times a webhook's memory, 128 MiB: a page of 8 MiB as text, as tree and as facts.
pub const ASK_MEMORY: usize = 2;

/// So many times a webhook's calls of imports, 4096.
pub const ASK_HOST_CALLS: u32 = 16;

/// So many times a webhook's outgoing requests, 260: a page of 100 orders with two details each, and some more.
pub const ASK_HTTP_REQUESTS: u32 = 13;

/// So many times a webhook's result, 16 MiB.
pub const ASK_RESULT: usize = 4;

/// So many times the data that a webhook's result may make the host allocate, 48 MiB.
pub const ASK_HOSTCALL_FUEL: usize = 6;

/// So many times a webhook's facts, 5000.
pub const ASK_OBSERVATIONS: usize = 5;

/// Wall clock of a call with a file. Most of it is spent waiting until what was read is stored; a file that takes longer
/// is better handed in by parts.
pub const FILE: Duration = Duration::from_mins(30);

/// So many times a webhook's memory, 256 MiB: bytes and rows stream, but a sheet keeps its shared texts and a snapshot the
/// keys it has seen, up to 24 bytes a row.
pub const FILE_MEMORY: usize = 4;

/// So many times a webhook's fuel whatever the size, about a minute: a workbook of some megabytes may unpack to a thousand,
/// and a byte of its XML costs 370.
pub const FILE_FUEL: u64 = 4_000;

/// So many times a webhook's fuel for each byte on top, 4800. Text costs 300 to read, check and write; a workbook whose
/// sheet is packed to a tenth, 3200.
pub const FILE_FUEL_PER_BYTE: u64 = 8;

/// So many times a webhook's ticks whatever the size, 10 min: the fuel above on a machine that does ten things at a time.
pub const FILE_CPU_TICKS: u32 = 2_000;

/// So many times a webhook's ticks for each MiB on top, 6 s.
pub const FILE_CPU_TICKS_PER_MIB: u32 = 20;

/// So many times a webhook's calls of imports whatever the size, 65,536: a packed file is read and told in small pieces.
pub const FILE_HOST_CALLS: u32 = 256;

/// Bytes of the file for which one more call of an import is allowed.
pub const FILE_BYTES_A_CALL: u64 = 1 << 10;

/// Bytes of a file that one call of `source.read` gives.
pub const FILE_READ_BYTES: u32 = 1 << 20;

/// Bytes of lines that one call of `sink.put` takes.
pub const FILE_PUT_BYTES: usize = 1 << 20;

/// A file that is handed in: seven million rows of a stock list, more than a chain's whole night.
pub const FILE_BYTES: u64 = 512 << 20;

/// Lines that may be put whatever the size of the file, all together: a full sheet of a size matrix, a row for each cell,
/// is packed into some megabytes.
pub const FILE_PUT: u64 = 512 << 20;

/// So many bytes of lines for each byte of the file on top. A row of 20 bytes becomes 150 bytes of JSON, or a reject of 400.
pub const FILE_PUT_PER_BYTE: u64 = 32;

/// A cursor. It is a time, a page number or some ids.
pub const CURSOR_BYTES: usize = 16 << 10;

/// Calls of one channel at a time. Less than the pool, so that a channel whose platform hangs leaves room for others.
pub const PARALLEL: u32 = 64;

/// Instances at a time over all channels, if the caller does not say.
pub const POOL: u32 = 256;

/// Bytes from `random` in one call of it; more is nothing a connector needs.
pub const RANDOM_BYTES: u32 = 4096;

/// A component's file. Script engines compile to 12 to 19 MiB.
pub const COMPONENT_BYTES: usize = 64 << 20;

/// The manifest's JSON.
pub const MANIFEST_BYTES: usize = 256 << 10;

/// What one call may use. [`Limits::default`] is the constants of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory over all modules of the component, at most [`MEMORY_BYTES_MAX`].
    pub memory_bytes: usize,
    /// Elements over all tables.
    pub table_elements: usize,
    /// Wall clock of a webhook.
    pub call: Duration,
    /// Wall clock of a poll, fetch or command.
    pub ask: Duration,
    /// Wall clock of a call with a file.
    pub file: Duration,
    /// Ticks of [`TICK`] in guest code.
    pub cpu_ticks: u32,
    /// Instructions, roughly.
    pub fuel: u64,
    /// Instructions on top for each byte of the request's body.
    pub fuel_per_body_byte: u64,
    /// Bytes that one transfer to the host may allocate.
    pub hostcall_fuel: usize,
    /// Texts and bytes of a verdict.
    pub result_bytes: usize,
    /// Facts in a verdict.
    pub observations: usize,
    /// Calls of imports.
    pub host_calls: u32,
    /// Log lines kept.
    pub log_lines: usize,
    /// Bytes of a log line.
    pub log_line_bytes: usize,
    /// Open keys.
    pub handles: usize,
    /// Body of an inbound request; enforced by the listener.
    pub body_bytes: usize,
    /// A file that is handed in; enforced by whoever takes it.
    pub file_bytes: u64,
    /// Body of the answer.
    pub answer_bytes: usize,
    /// Outgoing requests.
    pub http_requests: u32,
    /// One outgoing request.
    pub http_request: Duration,
    /// Body of a response.
    pub http_response_bytes: usize,
    /// Calls of the channel at a time.
    pub parallel: u32,
}

impl Limits {
    /// The limits of an ask, which has more to do than a webhook, in proportion to what the operator set.
    pub(crate) fn of_ask(&self) -> Limits {
        Limits {
            memory_bytes: self.memory_bytes.saturating_mul(ASK_MEMORY).min(MEMORY_BYTES_MAX),
            call: self.ask,
            cpu_ticks: self.cpu_ticks.saturating_mul(ASK_CPU_TICKS),
            fuel: self.fuel.saturating_mul(ASK_FUEL),
            hostcall_fuel: self.hostcall_fuel.saturating_mul(ASK_HOSTCALL_FUEL),
            result_bytes: self.result_bytes.saturating_mul(ASK_RESULT),
            observations: self.observations.saturating_mul(ASK_OBSERVATIONS),
            host_calls: self.host_calls.saturating_mul(ASK_HOST_CALLS),
            http_requests: self.http_requests.saturating_mul(ASK_HTTP_REQUESTS),
            ..self.clone()
        }
    }

    /// The limits of a call with a file of so many bytes, in proportion to what the operator set.
    pub(crate) fn of_file(&self, size: u64) -> Limits {
        let mib = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        let ticks = FILE_CPU_TICKS_PER_MIB.saturating_mul(mib).saturating_add(FILE_CPU_TICKS);
        let per_byte = self.fuel_per_body_byte.saturating_mul(FILE_FUEL_PER_BYTE);
        let calls = u32::try_from(size / FILE_BYTES_A_CALL).unwrap_or(u32::MAX);
        Limits {
            memory_bytes: self.memory_bytes.saturating_mul(FILE_MEMORY).min(MEMORY_BYTES_MAX),
            call: self.file,
            cpu_ticks: self.cpu_ticks.saturating_mul(ticks),
            fuel: self.fuel.saturating_mul(FILE_FUEL).saturating_add(per_byte.saturating_mul(size)),
            host_calls: self.host_calls.saturating_mul(FILE_HOST_CALLS).saturating_add(calls),
            ..self.clone()
        }
    }

    /// Fuel for a request with a body of so many bytes.
    pub fn fuel_for(&self, body_bytes: usize) -> u64 {
        self.fuel.saturating_add(self.fuel_per_body_byte.saturating_mul(body_bytes as u64))
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: MEMORY_BYTES,
            table_elements: TABLE_ELEMENTS,
            call: CALL,
            ask: ASK,
            file: FILE,
            cpu_ticks: CPU_TICKS,
            fuel: FUEL,
            fuel_per_body_byte: FUEL_PER_BODY_BYTE,
            hostcall_fuel: HOSTCALL_FUEL,
            result_bytes: RESULT_BYTES,
            observations: OBSERVATIONS,
            host_calls: HOST_CALLS,
            log_lines: LOG_LINES,
            log_line_bytes: LOG_LINE_BYTES,
            handles: HANDLES,
            body_bytes: BODY_BYTES,
            file_bytes: FILE_BYTES,
            answer_bytes: ANSWER_BYTES,
            http_requests: HTTP_REQUESTS,
            http_request: HTTP_REQUEST,
            http_response_bytes: HTTP_RESPONSE_BYTES,
            parallel: PARALLEL,
        }
    }
}
