//! How the bytes of a file are laid out (`container`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the bytes are laid out (`container`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Layout.
    pub format: Format,
    /// `utf-8`, `gbk`, `gb18030`, `utf-16le`, `utf-16be`, or `declared` by the file itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Whether the file begins with a byte order mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bom: Option<bool>,
    /// One character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// One character; null where quotes are data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// A quote inside quotes is written twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubled_quote: Option<bool>,
    /// The first line is `sep=…`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sep_line: bool,
    /// Every line ends with a delimiter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trailing_delimiter: bool,
    /// Most physical lines of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_record_lines: Option<u32>,
    /// What `row` counts: `line`, `sheet_row`, `record`, `table_row`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_ref: Option<String>,
    /// Fixed width: what widths count; `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<String>,
    /// Fixed width: the columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<FixedColumn>,
    /// Byte that ends the text, `0x1A`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eof_char: Option<String>,
    /// Name of the sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Whether the workbook counts days from 1904.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date1904: Option<bool>,
    /// DBF: what happens to deleted records; `skip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
    /// HTML: which table, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_index: Option<u32>,
    /// HTML: what a `<br>` in a cell stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub br: Option<String>,
    /// HTML: `repeat` gives the value of a cell that spans rows to each of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rowspan: Option<String>,
    /// XML: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// XML: the element that is a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// XML, JSON lines: path of the lines inside a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// XML, JSON lines: path of the tenders inside a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tender: Option<String>,
}

/// Layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Format {
    Delimited,
    Fixed,
    Xlsx,
    Xls,
    Dbf,
    Xml,
    Jsonl,
    HtmlTable,
    Spreadsheetml,
}

/// A column of a fixed-width file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedColumn {
    /// Name that fields refer to.
    pub name: String,
    /// First byte, from 1.
    pub start: u32,
    /// Bytes.
    pub width: u32,
}
