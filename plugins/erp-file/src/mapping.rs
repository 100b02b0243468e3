//! The mapping: how one ERP's files are to be read. Its shapes, as people write them in YAML.
//!
//! Every member has its words here, because `qudao schema` and `qudao plugin inspect` show them. What a schema cannot say
//! (a pattern that does not compile, a field that nothing fills) [`Mapping::problems`] finds. What the words mean when a
//! file is read is `rows/`'s business; what a container does with its part is `sheets/`'s.

mod check;
mod container;
mod field;
mod shape;
mod ticket;
pub mod words;

pub use check::Problem;
pub use container::{Container, FixedColumn, Format};
pub use field::{CheckDigit, Field, FieldType, From, Known, MoneyUnit, Negative, PadLeft, Place, SignBy};
pub use qudao_sdk::model::file::{FileKind, Guard};
pub use shape::{
    AsOf, AsOfFrom, Blank, ByGroup, ControlOn, ControlTotal, CountOf, Duplicates, Empty, Fill, Level, Policy,
    RecordTrailer, Records, RejectLimits, RowTotal, Rows, Rule, SameDay, Trailer, Unpivot,
};
pub use ticket::{TenderColumn, TenderMode, Tenders, Ticket};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Stores by code, with their names.
pub type Stores = BTreeMap<String, String>;

/// How one kind of file of one ERP is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the file is about: `stock_snapshot`, `stock_delta`, `sales`, `prices`.
    pub kind: FileKind,
    /// How the bytes are laid out.
    pub container: Container,
    /// Which rows are headers, which are passed over, and where the table ends.
    #[serde(default, skip_serializing_if = "Rows::is_default")]
    pub rows: Rows,
    /// What is read out of a row, and how.
    pub fields: Vec<Field>,
    /// A matrix: several columns of one row are rows of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpivot: Option<Unpivot>,
    /// Members made of others: `sku: "{style}-{color}-{size}"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub compose: BTreeMap<String, String>,
    /// Several types of record in one file (`V`, `H`, `D`, `P`, `T`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
    /// How lines become tickets; with `kind: sales` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// Which rows are the same, and what becomes of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Duplicates>,
    /// When a store's new figures wait for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// As of when a snapshot is, where no field says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<AsOf>,
    /// Offset of all times of the file, `+08:00` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[+-][0-9]{2}:[0-9]{2}$"))]
    pub timezone: Option<String>,
    /// First and last day that a date may be, `2000-01-01` to `2100-01-01` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_range: Option<[String; 2]>,
    /// A movement of the day of a snapshot, where both are exact to the day: in the snapshot already, or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_day: Option<SameDay>,
    /// How many rejects a file may have before it waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejects: Option<RejectLimits>,
    /// Stores that the file may name, code to name, instead of the store directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<Stores>,
}

impl Mapping {
    /// Seconds that the file's clock is ahead of UTC.
    pub fn offset_seconds(&self) -> i32 {
        self.timezone.as_deref().and_then(offset_seconds).unwrap_or(8 * 3600)
    }
}

/// `+08:00` as seconds; nothing where it is no offset.
pub(crate) fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}
