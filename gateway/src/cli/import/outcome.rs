//! What the gateway wrote down about an import beside its columns, as far as people want to see it.

use crate::{
    cli::report::{Lines, grouped},
    output::style::{BAD, CARE, DIM},
};
use qudao_pipeline::sentences::{self, Lang};
use qudao_storage::ImportRow;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Rejects that only the gateway makes, of rows that the connector could read.
const LATE: [&str; 2] = ["changed_after_import", "malformed_ticket"];

/// What is known once a file was read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outcome {
    /// Faults by kind, those of the gateway among them.
    rejects: BTreeMap<String, u64>,
    totals: Totals,
}

/// What applying it did.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Totals {
    ignored: u64,
    before_snapshot: u64,
    same: u64,
}

impl Outcome {
    /// Of an import; empty where it was not read yet.
    pub(super) fn of(row: &ImportRow) -> Outcome {
        row.outcome.as_ref().and_then(|outcome| Outcome::deserialize(outcome).ok()).unwrap_or_default()
    }

    /// Rows that could be read and were put into quarantine nevertheless.
    pub(super) fn late(&self) -> u64 {
        LATE.iter().filter_map(|kind| self.rejects.get(*kind)).sum()
    }

    /// Whether anything of the import is in quarantine.
    pub(super) fn has_rejects(&self) -> bool {
        self.rejects.values().any(|count| *count > 0)
    }

    /// What the five counts of the file do not say.
    pub(super) fn tell(&self, lang: Lang, lines: &mut Lines) {
        for kind in LATE {
            if let Some(count) = self.rejects.get(kind).copied().filter(|count| *count > 0) {
                let what = sentences::reject_kind(lang, kind);
                let figure = grouped(count);
                lines.line(match (lang, count) {
                    (Lang::En, 1) => {
                        format!(
                            "{BAD}1{BAD:#} of the good rows is in quarantine: {what} {DIM}({kind}){DIM:#}"
                        )
                    }
                    (Lang::En, _) => format!(
                        "{BAD}{figure}{BAD:#} of the good rows are in quarantine: {what} {DIM}({kind}){DIM:#}"
                    ),
                    (Lang::Zh, _) => {
                        format!("有效行中有 {BAD}{figure}{BAD:#} 行进入隔离区：{what} {DIM}({kind}){DIM:#}")
                    }
                });
            }
        }
        let Totals { ignored, before_snapshot, same } = self.totals;
        if ignored > 0 {
            let figure = grouped(ignored);
            let rows = if ignored == 1 { "row" } else { "rows" };
            lines.line(match lang {
                Lang::En => {
                    format!("{CARE}{figure} {rows} changed nothing: figures of the same time count already{CARE:#}")
                }
                Lang::Zh => format!("{CARE}{figure} 行没有引起变化：同一时间的数字已经生效{CARE:#}"),
            });
        }
        if before_snapshot > 0 {
            let figure = grouped(before_snapshot);
            let rows = if before_snapshot == 1 { "movement" } else { "movements" };
            lines.line(match lang {
                Lang::En => {
                    format!("{CARE}{figure} {rows} changed nothing: older than the stock figures that count{CARE:#}")
                }
                Lang::Zh => format!("{CARE}{figure} 笔出入库没有引起变化：早于已生效的库存{CARE:#}"),
            });
        }
        if same > 0 {
            let figure = grouped(same);
            lines.line(match lang {
                Lang::En => format!("{figure} known already, with the same content"),
                Lang::Zh => format!("{figure} 条以前已导入，内容相同"),
            });
        }
    }
}
