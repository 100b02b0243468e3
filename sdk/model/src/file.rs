//! Files: what a connector reads out of one, row by row, and what it says at the end.
//!
//! While it reads, a connector emits lines of JSON: rows ([`StockRow`], [`Ticket`] or a price, in file order), rejects,
//! notices, and amendments of rows that are out already. At the end it returns a [`FileOutcome`]. It decides nothing that
//! needs the past: what a store had before, and whether to apply, is the gateway's business.

use crate::{Timestamp, entity::Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod sniffed;
pub use sniffed::{Candidate, Finding, SniffAsked, Sniffed, Todo};

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// How much there is.
    StockSnapshot,
    /// What went in and out.
    StockDelta,
    /// Till receipts.
    Sales,
    /// Prices.
    Prices,
}

impl FileKind {
    /// The word: `stock_snapshot`, `stock_delta`, `sales`, `prices`.
    pub fn as_str(self) -> &'static str {
        match self {
            FileKind::StockSnapshot => "stock_snapshot",
            FileKind::StockDelta => "stock_delta",
            FileKind::Sales => "sales",
            FileKind::Prices => "prices",
        }
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileVerdict {
    /// Good rows count.
    Accept,
    /// Some stores wait for a person, the others count.
    Partial,
    /// The whole file waits for a person.
    Hold,
    /// Nothing of it counts.
    Reject,
}

impl FileVerdict {
    /// The word: `accept`, `partial`, `hold`, `reject`.
    pub fn as_str(self) -> &'static str {
        match self {
            FileVerdict::Accept => "accept",
            FileVerdict::Partial => "partial",
            FileVerdict::Hold => "hold",
            FileVerdict::Reject => "reject",
        }
    }
}

/// What lines of JSON that a connector emits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Emitted {
    /// [`StockRow`]s, [`Ticket`]s or prices. The n-th of a file has the ordinal n, from 0.
    Rows,
    /// [`RowReject`]s.
    Rejects,
    /// [`RowNotice`]s.
    Notices,
    /// [`Amendment`]s.
    Amendments,
}

impl Emitted {
    /// The word: `rows`, `rejects`, `notices`, `amendments`.
    pub fn as_str(self) -> &'static str {
        match self {
            Emitted::Rows => "rows",
            Emitted::Rejects => "rejects",
            Emitted::Notices => "notices",
            Emitted::Amendments => "amendments",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Emitted> {
        let all = [Emitted::Rows, Emitted::Rejects, Emitted::Notices, Emitted::Amendments];
        all.into_iter().find(|emitted| emitted.as_str() == word)
    }
}

/// How exactly a time was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Precision {
    Day,
    Minute,
    Second,
}

/// A row of a stock file: how much of a SKU a store has, or what went in or out. Members that a mapping adds and the model
/// does not know stay in the JSON and are passed over here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockRow {
    /// Row of the file, from 1.
    pub src_row: u32,
    /// Column, where one row of the file holds several of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src_column: Option<String>,
    /// Our code of the store.
    pub store_code: String,
    /// SKU; where it is missing the barcode stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// GTIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// `sellable` where it is missing; see domain words `defective`, `damaged`, `display`, `quarantine`, `in_transit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Pieces; of a movement the signed difference.
    pub quantity: i64,
    /// As of when, or when it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// How exact that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_precision: Option<Precision>,
    /// Document of a movement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_no: Option<String>,
    /// Line of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_no: Option<i64>,
    /// Order that a movement is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// The ERP's own sequence number, gap-free per store (tier E2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The ERP's word for why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether goods went out, came back, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TicketType {
    /// All quantities above zero.
    Sale,
    /// All quantities below zero.
    Return,
    /// Both.
    Exchange,
}

/// A till receipt as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// First row of the file that it stands in.
    pub src_row: u32,
    /// Our code of the store.
    pub store_code: String,
    /// The till's number.
    pub ticket_no: String,
    /// Till, where the file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Which way goods went.
    pub r#type: TicketType,
    /// When.
    pub occurred_at: Timestamp,
    /// How exact that is.
    pub occurred_precision: Precision,
    /// Ticket that a return refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_ticket_no: Option<String>,
    /// Order of a marketplace that it hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// Made while learning the till: nothing was sold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub training: bool,
    /// Undone at the till.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voided: bool,
    /// What was sold.
    pub lines: Vec<TicketLine>,
    /// How it was paid, in the order cash, card, wechat, alipay, voucher, points; equal kinds added, zeros dropped.
    pub tenders: Vec<TicketTender>,
}

/// A line of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketLine {
    /// As the file numbers it, else its place from 1.
    pub line_no: i64,
    /// SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// GTIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Pieces; below zero came back.
    pub quantity: i64,
    /// Price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price_fen: Option<i64>,
    /// What the line was sold for, signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_fen: Option<i64>,
    /// Row of the file.
    pub src_row: u32,
}

/// A way of paying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketTender {
    /// `cash`, `card`, `wechat`, `alipay`, `voucher`, `points`.
    pub kind: String,
    /// Signed.
    pub amount_fen: i64,
}

impl TicketTender {
    /// The method of payment that its kind is; nothing where it is none of ours.
    pub fn method(&self) -> Option<Method> {
        Some(match self.kind.as_str() {
            "cash" => Method::Cash,
            "card" => Method::BankCard,
            "wechat" => Method::WechatPay,
            "alipay" => Method::Alipay,
            "voucher" => Method::Voucher,
            "points" => Method::Points,
            _ => return None,
        })
    }
}

/// One fault of one row. A row with three faults has three of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowReject {
    /// Row of the file, from 1.
    pub row: u32,
    /// Column as the normalised header has it; none where the row or ticket as a whole is at fault.
    pub column: Option<String>,
    /// A word of docs/errors.md, *Rows*.
    pub kind: String,
    /// Numbers that say more: `by` (row at fault), `got`, `want`, `stated`, `computed`.
    #[serde(flatten)]
    pub detail: Map<String, Value>,
    /// The cell as the file has it, cut to [`CELL_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Cells of the row joined by ` | `, cut to [`LINE_BYTES_MAX`]; on the first fault of the row only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Store of the row, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_code: Option<String>,
}

/// Bytes of a cell that a reject shows.
pub const CELL_BYTES_MAX: usize = 200;
/// Bytes of a row that a reject shows.
pub const LINE_BYTES_MAX: usize = 2000;

/// Something to know about a row that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowNotice {
    /// Row of the file.
    pub row: u32,
    /// `duplicate_identical`, `superseded`.
    pub kind: String,
    /// The row that stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
}

/// A row that is out already turned out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amendment {
    /// Which emitted row, from 0.
    pub ordinal: u64,
    /// What it is instead; absent: it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Value>,
}

/// Where each physical row went. The five add up to `physical`, or the import fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowCounts {
    /// Rows of the file, header and titles not counted (lines, sheet rows, records).
    pub physical: u64,
    /// Gave at least one good row or ticket line.
    pub rows: u64,
    /// Gave nothing but faults.
    pub rejects: u64,
    /// Repeated something.
    pub notices: u64,
    /// Passed over by a rule: totals, page headers, what stands behind the end.
    pub skipped: u64,
    /// Empty.
    pub blank: u64,
}

impl RowCounts {
    /// Whether no row was lost.
    pub fn add_up(&self) -> bool {
        let told = [self.rows, self.rejects, self.notices, self.skipped, self.blank];
        told.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count)) == Some(self.physical)
    }
}

/// When a store's new figures wait for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Fewer SKUs than before by more than so many percent: held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_drop_pct: Option<u32>,
    /// Stores that had fewer SKUs than this are not measured by percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<u32>,
    /// What is measured: `store`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What becomes of a store that is not in the file: `leave_unchanged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_store: Option<String>,
    /// What a SKU that a store's snapshot does not list means: `unknown` (nothing, the default) or `zero`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_sku: Option<String>,
}

/// What the file states about itself, against what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the words say it")]
pub struct ControlTotal {
    pub stated: i64,
    pub computed: i64,
}

/// What a connector says when it has read a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileOutcome {
    /// What the file is about.
    pub kind: FileKind,
    /// `accept`, `hold` or `reject`; what needs the past is the gateway's.
    pub verdict: FileVerdict,
    /// Why not accepted: `empty`, `control_total_mismatch`, `record_count_mismatch`, `missing_total`, `missing_column`, `bad_encoding`,
    /// `format_mismatch`, `xml_doctype`, `too_large_unpacked`, `too_many_rejects` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// One sentence: what was found, where, and what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explain: Option<String>,
    /// Where each physical row went.
    pub counts: RowCounts,
    /// Good rows after all amendments.
    pub rows: u64,
    /// The file's own total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_total: Option<ControlTotal>,
    /// When to wait for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// Columns of the file that the mapping does not name, by normalised header: drift.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped_columns: Vec<String>,
}

/// Something wrong with the settings that their schema cannot say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingProblem {
    /// JSON pointer into the settings: `/mapping/fields/3/regex`.
    pub at: String,
    /// What is wrong and what would be right.
    pub text: String,
    /// How to mend it: "did you mean `quantity`?"
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
