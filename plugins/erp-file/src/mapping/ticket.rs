//! How lines become tickets, and where their payments stand (`ticket`).

use super::{MoneyUnit, SignBy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How lines become tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Members that make two lines one ticket: `[store_code, ticket_no]`.
    pub key: Vec<String>,
    /// One bad line rejects the whole ticket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub atomic: bool,
    /// The amounts of the lines must be those of the payments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub check_total: bool,
    /// Where the payments stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenders: Option<Tenders>,
}

/// Where the payments of a ticket stand. Which members there are depends on `mode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenders {
    /// How they are written.
    pub mode: TenderMode,
    /// `columns_*`: name of the column of each payment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, TenderColumn>,
    /// `text_repeated`: name of the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `text_repeated`: what stands between two payments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pair_separators: Vec<String>,
    /// `text_repeated`: what stands between name and amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_separator: Option<String>,
    /// `nested`: path of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `nested`: path of the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// `records`: number of the cell with the name, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_index: Option<u32>,
    /// `records`: what rejects call that cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_column: Option<String>,
    /// `records`: number of the cell with the amount, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_index: Option<u32>,
    /// What the file calls a way of paying, and which it is: `cash`, `card`, `wechat`, `alipay`, `voucher`, `points`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub value_map: BTreeMap<String, String>,
    /// `yuan` or `fen`, `yuan` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<MoneyUnit>,
    /// Separates thousands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<String>,
    /// Another column says whether the amounts are plus or minus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_by: Option<SignBy>,
}

/// How payments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenderMode {
    /// Columns, filled on the first line of a ticket only.
    ColumnsFirstLine,
    /// Columns, the same on every line; they count once.
    ColumnsRepeated,
    /// One column with text, `现金:100.00;微信:99.00`, the same on every line.
    TextRepeated,
    /// Records of their own.
    Records,
    /// Elements or members inside the ticket.
    Nested,
}

/// A column of payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenderColumn {
    /// Which way of paying it is.
    pub kind: String,
    /// -1: it is taken off (change given back).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<i8>,
}
