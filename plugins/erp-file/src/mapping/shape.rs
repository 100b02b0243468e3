//! Which rows count, and how a row becomes several: `rows`, `unpivot`, `records`, `duplicates`, limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which rows are headers, which are passed over, and where the table ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// What happens to empty rows: `skip`, which they are where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank: Option<Blank>,
    /// Numbers of the rows that name the columns, from 1. Of several the lowest name of a column counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_rows: Vec<u32>,
    /// The first row of data, the one behind the headers where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_data_row: Option<u32>,
    /// Rows that are passed over: sub-totals, page headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<Rule>,
    /// The row that ends the table; it and all behind it are passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<Rule>,
    /// The file's own total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_total: Option<ControlTotal>,
    /// A last line that states how many records there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer: Option<Trailer>,
}

impl Rows {
    pub(crate) fn is_default(&self) -> bool {
        *self == Rows::default()
    }

    /// Number of the first row that may be data.
    pub fn first_data(&self) -> u32 {
        let behind = self.header_rows.iter().max().map_or(1, |row| row.saturating_add(1));
        self.first_data_row.unwrap_or(behind)
    }
}

/// What happens to empty rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blank {
    /// They are counted and passed over.
    Skip,
}

/// Which rows are meant: `column` or `column_index` with `regex`, or `line_regex`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Column that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The same by its number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_index: Option<u32>,
    /// Matches its text after NFKC and without white space: `^合计$` matches `合 计`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Matches the line after NFKC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_regex: Option<String>,
}

/// The file's own total: the file waits for a person where it is not the sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlTotal {
    /// Which row states it.
    pub on: ControlOn,
    /// In which column; without one it is the group `total` of `stop_at.line_regex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Which member is summed up: `quantity`.
    pub of: String,
    /// Nothing of a file without it counts: it may be cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// Which row states a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlOn {
    /// The one that ends the table.
    StopRow,
}

/// A last line that states how many records there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trailer {
    /// Matches the line; the group `count` is the number.
    pub line_regex: String,
    /// What is counted.
    pub count: CountOf,
    /// Nothing of a file without it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// What a trailer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountOf {
    /// Rows that are neither empty nor passed over.
    Records,
    /// All lines before it.
    LinesBefore,
}

/// A matrix: several columns of one row are rows of their own. The columns are `columns` or `column_range`; what they are
/// called is read from the header (`to`), from several of its rows (`levels`), or from one of them by group (`by_group`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unpivot {
    /// Names of the columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Numbers of the first and the last of them, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_range: Option<[u32; 2]>,
    /// Which member the name of the column is: `size`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Several header rows, each with a member of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Which header row counts is said by a column of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_group: Option<ByGroup>,
    /// Which member the cell is: `quantity`.
    pub value: String,
    /// How the cell is read: `quantity`, `integer` or `money`.
    pub value_type: super::FieldType,
    /// What the file calls a column, and what it is: `XXL: 2XL`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub value_map: BTreeMap<String, String>,
    /// What an empty cell is: nothing (`skip`), or `zero`.
    pub empty: Empty,
    /// Texts in a cell that mean the same as an empty one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Separates thousands in a cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<String>,
    /// What a written minus in a cell means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<super::Negative>,
    /// The row's own total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_total: Option<RowTotal>,
}

/// A header row of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its number, from 1.
    pub header_row: u32,
    /// `right`: an empty cell has the value of the one to its left (merged cells).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
    /// Which member its text is.
    pub to: String,
    /// The part of the text that counts is the group `v`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// It must be a store's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<super::Known>,
}

/// Where the value of an empty header cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// It is carried on to the right.
    Right,
}

/// Which header row counts for a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByGroup {
    /// The column that says it.
    pub column: String,
    /// Its words, and the number of the header row of each.
    pub header_rows: BTreeMap<String, u32>,
}

/// What an empty cell of a matrix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Empty {
    /// It says nothing.
    Skip,
    /// There are none.
    Zero,
}

/// A row's own total: the row is rejected where it is not the sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowTotal {
    /// The column that states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The same by its number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_index: Option<u32>,
    /// What an empty cell counts, 0 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_counts: Option<i64>,
}

/// Several types of record in one file. A type that is none of these is rejected, never passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Number of the cell that names the type, from 1.
    pub type_index: u32,
    /// Head of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_head: Option<String>,
    /// Begins a ticket.
    pub head: String,
    /// A line of the ticket.
    pub line: String,
    /// A payment of the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tender: Option<String>,
    /// Ends the file and states how much it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer: Option<RecordTrailer>,
}

/// A record that states how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordTrailer {
    /// Its type.
    #[serde(rename = "type")]
    pub of: String,
    /// Number of the cell with the count, from 1.
    pub index: u32,
    /// What is counted.
    pub count: CountOf,
    /// Nothing of a file without it counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// Which rows are the same, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// Members that make two rows the same.
    pub key: Vec<String>,
    /// What becomes of the second.
    pub policy: Policy,
    /// `sum`: members that are added up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sum: Vec<String>,
    /// `latest`: the member that says which is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What becomes of a row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The same again is passed over with a notice; where they differ, all are rejected.
    Error,
    /// They are added up: one row for each place in the store.
    Sum,
    /// The newest counts.
    Latest,
}

/// As of when a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// Where that comes from.
    pub from: AsOfFrom,
}

/// Where the time of a snapshot comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AsOfFrom {
    /// When the file came in.
    ImportTime,
}

/// How a movement stands to a snapshot of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SameDay {
    /// The snapshot has it already.
    DeltaIncluded,
    /// It comes on top.
    DeltaAfter,
}

/// How many rows may be rejected before the whole file waits for a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectLimits {
    /// So many of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pct: Option<u32>,
    /// So many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
}
