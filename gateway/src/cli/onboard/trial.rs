//! Trying a file by a mapping: what `preview` and `check` share.

use super::{Reader, connector::broken, readable};
use crate::{
    cli::{
        report::{self, Lines},
        written,
    },
    error::{Error, Exit, chain},
    output::{
        people,
        style::{CARE, DIM},
    },
};
use qudao_model::{FileKind, FileVerdict, file::RowReject};
use qudao_pipeline::{
    FileSettings, Trial, Tried,
    sentences::{self, Lang, RejectLine, rejects_csv, rejects_csv_head},
    try_file_with,
};
use std::path::Path;

/// Reads a file and stores nothing.
pub(super) async fn run(reader: &Reader, settings: &FileSettings, trial: Trial<'_>) -> Result<Tried, Error> {
    let settings = settings.settings.as_ref().clone();
    readable(trial.file)?;
    if let Some(previous) = trial.previous {
        readable(previous)?;
    }
    let tried = try_file_with(&reader.connector, settings, trial).await;
    let mut tried = tried.map_err(|error| {
        if let qudao_pipeline::Error::Connector { code, text } = &error {
            return broken(code, text);
        }
        Error::refused(chain(&error))
    })?;
    // Some faults are known only at the end of the file; people read from its beginning.
    let place = |reject: &RowReject| (reject.row, reject.column.clone(), reject.kind.clone());
    tried.rejects.sort_by_cached_key(place);
    Ok(tried)
}

/// The exit code for what would become of a file.
pub(in crate::cli) fn exit_of(tried: &Tried) -> Exit {
    match tried.verdict {
        FileVerdict::Reject => Exit::FileRefused,
        FileVerdict::Hold | FileVerdict::Partial => Exit::NeedsPerson,
        FileVerdict::Accept if tried.counts.rejects > 0 => Exit::Bad,
        FileVerdict::Accept => Exit::Done,
    }
}

/// Writes the rejects of files for the store.
pub(super) fn write_rejects<'a>(
    path: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [RowReject])>,
) -> Result<(), Error> {
    let mut text = rejects_csv_head().to_owned();
    for (file, rejects) in files {
        text.push_str(&rejects_csv(rejects.iter().map(|reject| RejectLine { file, reject })));
    }
    written::table(path, &text)
}

/// `54 good rows`, `18 tickets`.
pub(super) fn good(lang: Lang, tried: &Tried) -> String {
    let (rows, ticket) = (report::grouped(tried.counts.rows), tried.kind == FileKind::Sales);
    match (lang, ticket) {
        (Lang::En, true) => format!("{rows} ticket{}", plural(tried.counts.rows)),
        (Lang::En, false) => format!("{rows} good row{}", plural(tried.counts.rows)),
        (Lang::Zh, true) => format!("{rows} 张小票"),
        (Lang::Zh, false) => format!("{rows} 条有效记录"),
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// What is new in the file and does no harm.
pub(super) fn drift(lang: Lang, tried: &Tried, lines: &mut Lines) {
    if tried.unmapped_columns.is_empty() {
        return;
    }
    let columns: Vec<String> =
        tried.unmapped_columns.iter().map(|column| format!("`{}`", people::text(column))).collect();
    lines.line(match lang {
        Lang::En => format!("Columns that the mapping leaves alone: {}", columns.join(", ")),
        Lang::Zh => format!("映射没有用到的列：{}", columns.join("、")),
    });
}

/// What would become of the file, why, and what to do.
pub(in crate::cli) fn verdict(lang: Lang, tried: &Tried, lines: &mut Lines) {
    let reason = tried.reason.as_deref();
    lines.line("");
    let refused = tried.physical.rejects;
    if tried.verdict == FileVerdict::Accept && refused > 0 {
        let (rows, end, good) = (report::grouped(refused), plural(refused), good(lang, tried));
        lines.line(match lang {
            Lang::En => format!("{CARE}accepted with rejects{CARE:#}: {good} would count, {rows} row{end} would wait in quarantine"),
            Lang::Zh => format!("{CARE}通过，但有被拒的行{CARE:#}：{good}生效，{rows} 行进入隔离区等待处理"),
        });
    } else {
        lines.line(report::verdict(lang, tried.verdict, reason));
    }
    if reason == Some("control_total_mismatch") && refused > 0 {
        lines.line(format!("  {}", report::not_summed(lang, refused)));
    }
    if let (Lang::Zh, Some(total)) = (lang, &tried.control_total)
        && total.stated != total.computed
    {
        let (stated, computed) = (report::grouped(total.stated), report::grouped(total.computed));
        lines.line(format!("  文件写的合计是 {stated}，各行之和是 {computed}"));
    }
    if let Some(explain) = &tried.explain {
        let explain = people::text(explain);
        lines.line(match lang {
            Lang::En => format!("  {DIM}{explain}{DIM:#}"),
            Lang::Zh => format!("  {}", report::in_english(&explain)),
        });
    }
    if let Some(mend) =
        reason.map(|reason| sentences::reason_mend(lang, reason)).filter(|mend| !mend.is_empty())
    {
        lines.line(format!("  {}", report::mend(mend)));
    }
    if let Some(against) = tried.against.as_ref().filter(|against| !against.changed.is_empty()) {
        let changed = people::text(&against.changed.join(", "));
        lines.line(match lang {
            Lang::En => format!("{CARE}changed since{CARE:#}: {changed}"),
            Lang::Zh => format!("{CARE}内容有变{CARE:#}：{changed}"),
        });
    }
}
