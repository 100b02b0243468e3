//! What is new in a file against an older one: columns, stores, sizes, ways of paying. None of it is a fault, and all of it is what
//! somebody wants to hear before it is one.

use super::{look::name, reach};
use crate::{
    cli::report::Lines,
    output::{people, style::CARE},
};
use qudao_model::FileVerdict;
use qudao_pipeline::{Tried, sentences::Lang};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// Rows of a file that are looked through.
pub(super) const ROWS: usize = 100_000;
/// New things of one sort that are named.
const NAMED: usize = 12;

/// What stands in a file beside figures.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    columns: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    stores: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    sizes: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    tenders: BTreeSet<String>,
}

impl Seen {
    /// Of a file that was read.
    pub(super) fn of(tried: &Tried) -> Seen {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let paid = |row: &Value| -> Vec<String> {
            let tenders = row.get("tenders").and_then(Value::as_array);
            tenders.into_iter().flatten().filter_map(|tender| text(tender, "kind")).collect()
        };
        // A store that only has faults is new all the same.
        let refused = tried.rejects.iter().filter(|reject| reject.kind == reach::UNKNOWN_STORE);
        let refused = refused.filter_map(|reject| reject.cell.clone());
        Seen {
            columns: tried.unmapped_columns.iter().cloned().collect(),
            stores: tried.stores.keys().cloned().chain(refused).collect(),
            sizes: tried.rows.iter().filter_map(|row| text(row, "size")).collect(),
            tenders: tried.rows.iter().flat_map(paid).collect(),
        }
    }

    /// What is in this file and was not in that one.
    pub(super) fn since(&self, first: &Seen) -> Seen {
        let new = |now: &BTreeSet<String>, then: &BTreeSet<String>| now.difference(then).cloned().collect();
        Seen {
            columns: new(&self.columns, &first.columns),
            stores: new(&self.stores, &first.stores),
            sizes: new(&self.sizes, &first.sizes),
            tenders: new(&self.tenders, &first.tenders),
        }
    }

    /// Whether nothing is new.
    pub(super) fn is_empty(&self) -> bool {
        *self == Seen::default()
    }

    /// A line a sort.
    pub(super) fn tell(&self, lang: Lang, first: &Path, lines: &mut Lines) {
        let sorts = [
            (&self.columns, "columns", "新的列"),
            (&self.stores, "stores", "新的门店"),
            (&self.sizes, "sizes", "新的尺码"),
            (&self.tenders, "ways of paying", "新的付款方式"),
        ];
        let first = people::text(&name(first));
        for (new, en, zh) in sorts.into_iter().filter(|(new, _, _)| !new.is_empty()) {
            let mut named: Vec<String> = new.iter().take(NAMED).map(|one| people::text(one)).collect();
            if new.len() > NAMED {
                named.push(format!("… {}", new.len()));
            }
            lines.line(match lang {
                Lang::En => format!("{CARE}new {en}{CARE:#} against {first}: {}", named.join(", ")),
                Lang::Zh => format!("{CARE}{zh}{CARE:#}（与 {first} 相比）：{}", named.join("、")),
            });
        }
    }
}

/// Whether others are compared with a file.
pub(super) fn is_measure(tried: &Tried) -> bool {
    tried.verdict != FileVerdict::Reject
}
