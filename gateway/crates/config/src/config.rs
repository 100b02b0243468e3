//! What a valid file means: nothing optional that has a default, nothing relative, nothing left to look up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::document::Document;
pub use crate::raw::{LinkBy, Status};
use crate::{Finding, Findings, Listings, Secret, Stores};

/// A configuration that can be started.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from, as it was given.
    pub file: PathBuf,
    /// Listeners, data folder, storage.
    pub gateway: Gateway,
    /// Which stores there are; empty where the file names no store directory.
    pub stores: Arc<Stores>,
    /// Which SKU of ours a SKU of a channel is; empty where the file names no listings.
    pub listings: Arc<Listings>,
    /// Rules that find the payment of an order, in the order of the file; names are unique.
    pub links: Vec<Link>,
    /// In the order of the file; names are unique.
    pub channels: Vec<Channel>,
    /// What HQ is sent.
    pub feed: Feed,
    /// What is odd but does not stop the gateway; never an error.
    pub warnings: Findings,
    pub(crate) told: BTreeSet<String>,
    pub(crate) document: Document,
}

/// The gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Public listener, for webhooks of platforms.
    pub hooks: SocketAddr,
    /// Private listener: API, metrics, console. Never equal to `hooks`.
    pub admin: SocketAddr,
    /// Folder for inbox, database and plugin cache. It may not exist yet.
    pub data: PathBuf,
    /// Where entities and events are kept.
    pub storage: StorageChoice,
    /// IANA name of the zone that business dates are in.
    pub timezone: String,
    /// Bearer token of the private listener; where it is absent the gateway makes one.
    pub admin_token: Option<Secret>,
    /// Key above the keys of personal data, as it was written down; where it is absent the gateway makes one.
    pub master_key: Option<Secret>,
    /// How long a payment may be known and not settled before the platform is asked.
    pub pending_after: Duration,
    /// Bytes of the database's log from which it is copied back; where it is absent, storage's own figure.
    pub copy_log_at: Option<u64>,
}

/// Where entities and events are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageChoice {
    /// A database in the data folder.
    Sqlite,
    /// A server, by its URL. Not in this version: [`crate::load`] refuses it.
    Postgres(String),
}

/// One configured use of a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Lower-case letters, digits, single dashes; at most 40 characters.
    pub name: String,
    /// The component that speaks the platform's protocol.
    pub connector: Connector,
    /// Whether it is live.
    pub status: Status,
    /// A JSON object for the connector, not yet checked by its schema.
    pub settings: serde_json::Value,
    /// By the name the connector gives them; all resolved, none empty.
    pub secrets: BTreeMap<String, Secret>,
    /// Origins that may be reached, normalised: lower case, no path, no default port.
    pub network: Vec<String>,
    /// Code of the store that its orders are taken from; it is in the store directory.
    pub stock_from: Option<String>,
    /// Limits that differ from the host's defaults.
    pub limits: LimitOverrides,
    /// How often the platform is asked.
    pub poll: Option<Poll>,
}

/// A component on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// As it stands in the file: a name or a path.
    pub written: String,
    /// The file that it means; it existed when the configuration was read.
    pub path: PathBuf,
}

/// Limits of one channel; `None` keeps the host's default. All are within the ranges that the schema states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// Memory that one call may use (`memory` in the file, in bytes here).
    pub memory_bytes: Option<u64>,
    /// Entries of a component's function tables (`table_elements` in the file).
    pub table_elements: Option<u32>,
    /// Time that one call may take, outgoing requests included (`call` in the file).
    pub call: Option<Duration>,
    /// Processor time of one call (`cpu` in the file).
    pub cpu: Option<Duration>,
    /// Instructions, roughly, that one call may execute (`fuel` in the file).
    pub fuel: Option<u64>,
    /// Memory that one transfer to the gateway may take there (`transfer` in the file, in bytes here).
    pub hostcall_fuel: Option<u64>,
    /// Size of what one call may return (`result` in the file, in bytes here).
    pub result_bytes: Option<u64>,
    /// Observations that one call may return (`observations` in the file).
    pub observations: Option<u32>,
    /// Calls that a connector may make into the gateway (`host_calls` in the file).
    pub host_calls: Option<u32>,
    /// Log lines of one call that are kept (`log_lines` in the file).
    pub log_lines: Option<u32>,
    /// Length of a log line; the rest is cut (`log_line` in the file, in bytes here).
    pub log_line_bytes: Option<u64>,
    /// Keys that may be open at once (`handles` in the file).
    pub handles: Option<u32>,
    /// Size of a request's body; a bigger one is answered with 413 (`body` in the file, in bytes here).
    pub body_bytes: Option<u64>,
    /// Size of a file that is handed in (`file` in the file, in bytes here).
    pub file_bytes: Option<u64>,
    /// Size of the answer to the platform (`answer` in the file, in bytes here).
    pub answer_bytes: Option<u64>,
    /// Outgoing requests of one call (`http_requests` in the file).
    pub http_requests: Option<u32>,
    /// Time that one outgoing request may take (`http_request` in the file).
    pub http_request: Option<Duration>,
    /// Size of the response to an outgoing request (`http_response` in the file, in bytes here).
    pub http_response_bytes: Option<u64>,
    /// Calls of the channel at a time (`parallel` in the file).
    pub parallel: Option<u32>,
    /// Time that one poll, fetch or command may take, outgoing requests included (`ask` in the file).
    pub ask: Option<Duration>,
    /// Outgoing requests of the channel in a second, on average (`rate_per_second` in the file).
    pub rate_per_second: Option<u32>,
    /// Outgoing requests of the channel at once after a pause (`rate_burst` in the file).
    pub rate_burst: Option<u32>,
}

/// How often the platform is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// From one start to the next.
    pub every: Duration,
    /// The same for single streams, by the connector's names; not yet compared with its manifest.
    pub streams: BTreeMap<String, Duration>,
}

impl Poll {
    /// From one start of a stream to the next.
    pub fn every(&self, stream: &str) -> Duration {
        self.streams.get(stream).copied().unwrap_or(self.every)
    }
}

/// A rule that finds the payment of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Shown on what it linked.
    pub name: String,
    /// Channel of the orders; it exists.
    pub orders: String,
    /// Channel of the payments; it exists and is another one.
    pub payments: String,
    /// What the two have in common.
    pub by: LinkBy,
    /// What the payment's number has in front of the order's. Never empty.
    pub prefix: Option<String>,
    /// Whether the payment's platform is asked about a paid order whose payment nobody told of.
    pub ask: bool,
}

/// What HQ is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// Signed webhooks out.
    pub webhooks: Vec<Webhook>,
}

/// One consumer of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// As it is written, or made of the URL; unique.
    pub name: String,
    /// `https://…`; `http://…` only where `private` is set.
    pub url: String,
    /// Key of the signature: `whsec_` and base64 of 24 to 64 bytes, perhaps with white space around.
    pub secret: Secret,
    /// The key of before, of the same shape; while it is there, posts are signed with both.
    pub previous_secret: Option<Secret>,
    /// Event types, exact or ending in `*`; empty means all.
    pub types: Vec<String>,
    /// Whether it may lead to private and loopback addresses.
    pub private: bool,
    /// How long an answer may take: 1 to 30 seconds.
    pub timeout: Duration,
    /// Posts at once: 1 to 64.
    pub parallel: u32,
}

impl Webhook {
    /// The URL for people: without user name, password, query and fragment, any of which may hold a secret.
    pub fn shown_url(&self) -> String {
        let place = self.url.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = place.split_once("://").unwrap_or(("https", place));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        format!("{scheme}://{host}/{path}")
    }
}

impl Config {
    /// A channel by its name.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == name)
    }

    /// Whether something is written at this pointer that has its finding already, so that it need not be missed again. Always
    /// false for what [`crate::load`] gives.
    pub fn has_told(&self, pointer: &str) -> bool {
        self.told.contains(pointer)
    }

    /// An error at a place of the file, for what only the loaded connector can tell. `pointer` is a JSON pointer such as
    /// `/channels/shop-main/settings/merchant_no`; where there is no such place, the nearest one above it is shown.
    pub fn finding_at(&self, pointer: &str, text: impl Into<String>, hint: Option<String>) -> Finding {
        self.document.finding_at(pointer, text.into(), hint)
    }

    /// The same, with the caret under the key instead of the value: for a name that should not be there.
    pub fn finding_at_key(&self, pointer: &str, text: impl Into<String>, hint: Option<String>) -> Finding {
        self.document.finding_at_key(pointer, text.into(), hint)
    }
}
