//! One member of a row: where it stands in the file, and how it is read (`fields`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One member of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key that people write")]
pub struct Field {
    /// Name of the member: `store_code`, `sku`, `quantity` …; which there are depends on `kind`.
    pub to: String,
    /// Where it stands: the name of a column after normalisation (NFKC, no white space; the second of a name is `NAME#2`), a
    /// path (`@单号`, `line/货号`) in XML and JSON lines, or a place.
    pub from: From,
    /// How it is read.
    #[serde(rename = "type")]
    pub of: FieldType,
    /// A row without it is rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Texts that mean that there is nothing: `-`, `*`, `无`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// An empty cell has the value of the row above.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fill_down: bool,
    /// The part of the cell that counts is the group `v`: `^(?P<v>[0-9]{2})`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Codes: `stores`: it must be a store's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// Codes: filled up on the left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_left: Option<PadLeft>,
    /// Codes: the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// `="0012"` and a leading apostrophe are taken off; of codes and barcodes they always are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwrap_excel: Option<bool>,
    /// Barcodes: how many digits there may be, 8, 12, 13 or 14 where it is not given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<u32>,
    /// Barcodes: the check digit, `gtin` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<CheckDigit>,
    /// Numbers: separates thousands; groups must have three digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thousands: Option<String>,
    /// Numbers: may stand in front: `¥`, `RMB`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip_prefix: Vec<String>,
    /// Numbers: may stand behind: `元`, `件`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strip_suffix: Vec<String>,
    /// Numbers: `12-` is minus twelve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trailing_minus: bool,
    /// Numbers: `(12)` is minus twelve.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parentheses_negative: bool,
    /// Numbers: what a written minus means, `keep` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<Negative>,
    /// Numbers: another column says whether it is plus or minus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_by: Option<SignBy>,
    /// Numbers: smallest and largest, both allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[i64; 2]>,
    /// Money: `yuan` or `fen`, `yuan` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<MoneyUnit>,
    /// Money: least amount in fen; below it is `negative_price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Dates: forms that are tried in order, in the letters of strptime (`%Y-%m-%d %H:%M:%S`, `%y`, `%p`, `%I`), or
    /// `rfc3339`, `epoch_s`, `epoch_ms`. Empty: the container itself has dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// Dates: 上午 and 下午 stand for `%p`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ampm_zh: bool,
    /// Dates: a fraction of a second at the end is dropped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drop_fraction: bool,
    /// Dates: a number is a day of a spreadsheet, counted from 1900 or 1904.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excel_serial: Option<u16>,
    /// Dates: what such a number may be, 20000 to 80000 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excel_serial_range: Option<[i64; 2]>,
    /// Dates: where the time of the day stands, if apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_from: Option<From>,
    /// Dates: forms of that time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time_formats: Vec<String>,
    /// Dates: that time is filled up with zeros on the left to so many digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_pad: Option<u32>,
    /// Enums: what the file writes, and what it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub value_map: BTreeMap<String, String>,
    /// Enums: kind of the reject where it is none of these, `not_in_list` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<String>,
    /// Flags: what means yes, besides 1, y, yes, true, 是.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<String>,
    /// Flags: what means no, besides 0, n, no, false, 否 and nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no: Vec<String>,
}

impl Field {
    /// One with nothing but its name, place and type.
    pub fn new(to: &str, from: impl Into<From>, of: FieldType) -> Field {
        let value = serde_json::json!({"to": to, "from": from.into(), "type": of});
        serde_json::from_value(value).unwrap_or_else(|_| Field::bare(to, of))
    }

    fn bare(to: &str, of: FieldType) -> Field {
        Field {
            to: to.to_owned(),
            from: From::Name(String::new()),
            of,
            required: false,
            missing: Vec::new(),
            fill_down: false,
            regex: None,
            known: None,
            pad_left: None,
            pattern: None,
            unwrap_excel: None,
            lengths: Vec::new(),
            checksum: None,
            thousands: None,
            strip_prefix: Vec::new(),
            strip_suffix: Vec::new(),
            trailing_minus: false,
            parentheses_negative: false,
            negative: None,
            sign_by: None,
            range: None,
            unit: None,
            min: None,
            formats: None,
            ampm_zh: false,
            drop_fraction: false,
            excel_serial: None,
            excel_serial_range: None,
            time_from: None,
            time_formats: Vec::new(),
            time_pad: None,
            value_map: BTreeMap::new(),
            on_unknown: None,
            yes: Vec::new(),
            no: Vec::new(),
        }
    }
}

/// How a member is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text that is kept exactly, after NFKC: store, SKU, number of a document. `12.0` is `12`.
    Code,
    /// GTIN: digits, length and check digit must be right.
    Barcode,
    /// Whole pieces.
    Quantity,
    /// A whole number.
    Integer,
    /// An exact amount, in fen when it is out.
    Money,
    /// A moment, in UTC when it is out.
    Datetime,
    /// A calendar day.
    Date,
    /// One of a list of words.
    Enum,
    /// Text for people.
    Text,
    /// Yes or no.
    Flag,
}

/// Where a member stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum From {
    /// In the column, or at the path, of this name.
    Name(String),
    /// Somewhere else.
    Place(Place),
}

impl std::convert::From<&str> for From {
    fn from(name: &str) -> From {
        From::Name(name.to_owned())
    }
}

impl std::convert::From<Place> for From {
    fn from(place: Place) -> From {
        From::Place(place)
    }
}

/// A place that is no named column. Exactly one of these, but `record` and `index` belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// A column by its number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_index: Option<u32>,
    /// One cell above the table, by row and column, from 1: `[2, 1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<[u32; 2]>,
    /// The group `v` of the last line that matched: page headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_regex: Option<String>,
    /// The name of the sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet_name: Option<bool>,
    /// The group `v` of the file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// An attribute of the root element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_attr: Option<String>,
    /// The same for every row.
    #[serde(default, rename = "const", skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// Type of the record that it stands in, see `records`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Number of its cell, from 1 (the type's is 1 too).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

/// What a code is looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The stores.
    Stores,
}

/// What a code is filled up with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PadLeft {
    /// Characters that there are then at least.
    pub width: u32,
    /// One character.
    #[serde(rename = "char")]
    pub with: String,
}

/// Check digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckDigit {
    /// The one of GTIN-8, -12, -13 and -14.
    Gtin,
    /// None: own codes.
    None,
}

/// What a minus means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// It is a number below zero.
    Keep,
    /// The row is rejected.
    Reject,
}

/// Another column gives the sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignBy {
    /// Its name.
    pub column: String,
    /// What it says for plus.
    pub plus: Vec<String>,
    /// What it says for minus.
    pub minus: Vec<String>,
}

/// What a written amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum MoneyUnit {
    Yuan,
    Fen,
}
