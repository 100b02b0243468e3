//! What may be written in connectors.yaml, and nothing else: the one definition behind the JSON Schema, the checks and the
//! values. A doc comment here is what an editor shows and what a finding quotes.
//!
//! Members that may be left out are `Option`s that do not accept `null`: `status:` with nothing behind it is a slip, not
//! a wish. Leaves with a shape of their own are in `units`.

mod limits;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use limits::Limits;

use crate::units::{Address, EventType, Origin, SecretRef, Size, Span, WebhookName, WebhookUrl};

/// Configuration of a qudao gateway: its listeners and the channels it takes deliveries from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "connectors.yaml")]
pub(crate) struct File {
    /// Version of this format; always 1.
    #[schemars(extend("const" = 1, "examples" = [1]))]
    #[allow(dead_code, reason = "the schema holds it to 1, so there is nothing to read")]
    pub(crate) version: u32,
    /// Listeners, data folder and storage of the gateway itself.
    #[serde(default)]
    #[schemars(extend("examples" = [{"hooks": "127.0.0.1:8080", "admin": "127.0.0.1:8081"}]))]
    pub(crate) gateway: Gateway,
    /// Store directory, a CSV file: code, name, region, ownership, codes in other systems.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["examples/stores.csv"]))]
    #[allow(dead_code, reason = "`check` reads the file that it names, with what stands in the tree")]
    pub(crate) stores: Option<String>,
    /// Listings, a CSV file with the columns channel, `channel_sku` and sku. What is not listed is accepted and reported.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["examples/listings.csv"]))]
    #[allow(dead_code, reason = "`check` reads the file that it names, with what stands in the tree")]
    pub(crate) listings: Option<String>,
    /// Rules that find the payment of an order in another channel.
    #[serde(default)]
    #[schemars(extend("examples" = [[{"name": "shop", "orders": "shop-main", "payments": "pay-main", "by": "order_no"}]]))]
    pub(crate) links: Vec<Link>,
    /// Channels by name. The name is part of the webhook's address: `/hooks/NAME`.
    #[schemars(extend("propertyNames" = {
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 40,
    }, "examples" = [{"shop-main": {"connector": "example-pay"}}]))]
    pub(crate) channels: BTreeMap<String, Channel>,
    /// Where events are sent to, beside the feed that consumers read.
    #[serde(default)]
    pub(crate) feed: Feed,
}

/// Listeners, data folder and storage of the gateway itself.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gateway {
    /// Address of the public listener; platforms post their webhooks to it.
    pub(crate) hooks: Address,
    /// Address of the private listener: API, metrics, console. Keep it on a loopback address.
    pub(crate) admin: Address,
    /// Folder for inbox, database and plugin cache, relative to this file.
    #[schemars(length(min = 1), extend("examples" = ["data"]))]
    pub(crate) data: String,
    /// Where entities and events are kept: `sqlite` is a database in the data folder.
    #[schemars(
        regex(pattern = r"^(sqlite|postgres(ql)?://.+)$"),
        extend("examples" = ["sqlite"], "errorMessage" = "must be `sqlite`")
    )]
    pub(crate) storage: String,
    /// Time zone of business dates, by its IANA name. This version knows `Asia/Shanghai`.
    #[schemars(length(min = 1), extend("examples" = ["Asia/Shanghai"]))]
    pub(crate) timezone: String,
    /// Bearer token of the private listener. Where it is left out, one is made at the first start: `admin-token` in the data folder.
    #[schemars(with = "SecretRef", extend("examples" = [{"env": "QUDAO_ADMIN_TOKEN"}]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin_token: Option<SecretRef>,
    /// Key that personal data is sealed under: 32 bytes as 64 hex digits or as base64. Where it is left out, one is made at the first start: `master-key` in the data folder.
    #[schemars(with = "SecretRef", extend("examples" = [{"env": "QUDAO_MASTER_KEY"}]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) master_key: Option<SecretRef>,
    /// How long a payment may be known and not settled before the platform is asked for it.
    #[schemars(extend("x-range" = ["1s", "24h"], "examples" = ["60s"]))]
    pub(crate) pending_after: Span,
    /// Length of the database's log from which it is copied back into the database, beside what goes on. A longer one writes less to the disk and makes a start after a crash take longer. Where it is left out: 64 MiB. Read at the start only.
    #[schemars(with = "Size", extend("x-range" = ["64KiB", "4GiB"], "examples" = ["64MiB"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy_log_at: Option<Size>,
}

impl Default for Gateway {
    fn default() -> Gateway {
        Gateway {
            hooks: Address::loopback(8080),
            admin: Address::loopback(8081),
            data: "data".to_owned(),
            storage: "sqlite".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
            admin_token: None,
            master_key: None,
            pending_after: Span(60_000),
            copy_log_at: None,
        }
    }
}

/// One configured use of a connector.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    /// Name of a connector, looked for in `plugins/` beside this file, or a path to a `.wasm` file.
    #[schemars(length(min = 1), extend("examples" = ["example-pay"]))]
    pub(crate) connector: String,
    /// What the channel does at present.
    #[serde(default)]
    pub(crate) status: Status,
    /// Settings of the connector; it declares them itself (`qudao plugin inspect`).
    #[serde(default)]
    #[schemars(extend("examples" = [{"merchant_no": "1900000001"}]))]
    pub(crate) settings: Map<String, Value>,
    /// Secrets by the names that the connector declares. Never written here, only where they are.
    #[serde(default)]
    #[schemars(extend("examples" = [{"webhook_key": {"env": "SHOP_WEBHOOK_KEY"}}]))]
    pub(crate) secrets: BTreeMap<String, SecretRef>,
    /// Origins that the connector may reach. Nothing else can be reached.
    #[serde(default)]
    #[schemars(extend("examples" = [["https://api.example.com"]]))]
    pub(crate) network: Vec<Origin>,
    /// Code of the store that sends what this channel sells: its stock is kept for the channel's orders until they leave.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["0012"]))]
    pub(crate) stock_from: Option<String>,
    /// Limits of one call that differ from the gateway's own.
    #[serde(default)]
    #[schemars(extend("examples" = [{"memory": "64MiB", "call": "500ms"}]))]
    pub(crate) limits: Limits,
    /// How often the platform is asked.
    #[serde(default)]
    #[schemars(with = "Poll", extend("examples" = [{"every": "60s"}]))]
    pub(crate) poll: Option<Poll>,
}

/// What a channel does at present.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Takes webhooks, polls, commands.
    #[default]
    Live,
    /// Reads, never commands.
    Shadow,
    /// Takes webhooks; no polls, no commands.
    Paused,
    /// Webhooks are answered with 410.
    Retired,
}

impl Status {
    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Live => "live",
            Status::Shadow => "shadow",
            Status::Paused => "paused",
            Status::Retired => "retired",
        }
    }
}

/// How often the platform is asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Poll {
    /// Time from one poll to the next.
    #[schemars(extend("x-range" = ["1s", "24h"], "examples" = ["60s"]))]
    pub(crate) every: Span,
    /// The same for single streams, by the names that the connector declares (`qudao plugin inspect`).
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Every>", extend("examples" = [{"orders": "30s"}]))]
    pub(crate) streams: BTreeMap<String, Span>,
}

/// Time from one poll of a stream to the next; only its schema is used.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(crate) struct Every(
    #[allow(dead_code, reason = "only its schema is used")]
    #[schemars(extend("x-range" = ["1s", "24h"], "examples" = ["30s"]))]
    Span,
);

/// A rule that finds the payment of an order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Link {
    /// Name of the rule, shown on what it linked.
    #[schemars(length(min = 1), extend("examples" = ["shop"]))]
    pub(crate) name: String,
    /// Channel of the orders.
    #[schemars(length(min = 1), extend("examples" = ["shop-main"]))]
    pub(crate) orders: String,
    /// Channel of the payments.
    #[schemars(length(min = 1), extend("examples" = ["pay-main"]))]
    pub(crate) payments: String,
    /// What the two have in common.
    #[schemars(extend("examples" = ["order_no"]))]
    pub(crate) by: LinkBy,
    /// What the payment's number has in front of the order's.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1), extend("examples" = ["T200P"]))]
    pub(crate) prefix: Option<String>,
    /// Whether the payment's platform is asked about an order that is paid and whose payment nobody told of. Not where the
    /// application may not see such payments.
    #[serde(default = "yes")]
    pub(crate) ask: bool,
}

fn yes() -> bool {
    true
}

/// What an order and its payment have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkBy {
    /// The payment's `order_no` is the prefix and the order's `order_no`.
    OrderNo,
    /// The payment's `transaction_no` is one that the order names.
    TransactionNo,
}

/// Where events are sent to.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Feed {
    /// Signed webhooks out, one for each consumer.
    pub(crate) webhooks: Vec<Webhook>,
}

/// One consumer of events.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Name in lists and metrics. Where it is left out, it is made of the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "WebhookName")]
    pub(crate) name: Option<WebhookName>,
    /// Where events are posted.
    pub(crate) url: WebhookUrl,
    /// Key that the posts are signed with: `whsec_` and base64 of 24 to 64 bytes (`qudao webhooks secret` makes one).
    #[schemars(extend("examples" = [{"env": "HQ_WEBHOOK_SECRET"}]))]
    pub(crate) secret: SecretRef,
    /// The key of before. While it stands here, posts are signed with both, so that the consumer can change over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SecretRef", extend("examples" = [{"env": "HQ_WEBHOOK_SECRET_OLD"}]))]
    pub(crate) previous_secret: Option<SecretRef>,
    /// Types to send, exact or ending in `*`; all where it is left out.
    #[serde(default)]
    #[schemars(extend("examples" = [["qudao.order.*"]]))]
    pub(crate) types: Vec<EventType>,
    /// Whether the URL may lead into a network of your own (private and loopback addresses), and may be `http:`.
    #[serde(default)]
    #[schemars(extend("examples" = [true]))]
    pub(crate) private: bool,
    /// How long an answer may take.
    #[serde(default = "answer_time")]
    #[schemars(extend("x-range" = ["1s", "30s"], "examples" = ["15s"]))]
    pub(crate) timeout: Span,
    /// Posts at once, each about another entity.
    #[serde(default = "at_once")]
    #[schemars(range(min = 1, max = 64), extend("examples" = [8]))]
    pub(crate) parallel: u32,
}

fn answer_time() -> Span {
    Span(15_000)
}

fn at_once() -> u32 {
    8
}
