//! Trying a file by a mapping: what `preview` and `check` share.

use super::{Reader, Reading, Source, connector::broken, look::name, readable};
use crate::{
    cli::{
        report::{self, Lines},
        when, written,
    },
    error::{Error, Exit, chain},
    output::{
        Printer, people,
        style::{CARE, DIM, GOOD},
    },
};
use clap::Args;
use qudao_model::{Clock as _, FileKind, FileVerdict, Timestamp, clock::SystemClock, file::RowReject};
use qudao_pipeline::{
    FileSettings, Trial, Tried,
    sentences::{self, Lang, RejectLine, rejects_csv, rejects_csv_head},
    try_file_with,
};
use std::path::{Path, PathBuf};

/// What both take beside the mapping and its files.
#[derive(Debug, Args)]
pub(super) struct Trying {
    /// Write every reject to this CSV, in English and Chinese
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// The clock: RFC 3339 or unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::at)]
    at: Option<Timestamp>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

impl Trying {
    pub(super) fn lang(&self) -> Lang {
        self.reading.lang()
    }

    pub(super) fn json(&self) -> bool {
        self.reading.json()
    }

    pub(super) fn at(&self) -> Timestamp {
        self.at.unwrap_or_else(|| SystemClock.now())
    }

    /// The connector and the mapping that it reads by; nothing where something in it is left to decide.
    pub(super) async fn reader(
        &self,
        mapping: &Path,
        printer: &mut Printer,
    ) -> Result<Option<(Reader, FileSettings)>, Error> {
        let reader = self.source.reader(printer).await?;
        let settings = reader.mapping(mapping, printer).await?;
        Ok(settings.map(|settings| (reader, settings)))
    }

    /// Writes the rejects of files for the store, where that was asked for.
    pub(super) fn write_rejects<'a>(
        &self,
        files: impl IntoIterator<Item = (&'a Path, &'a Tried)>,
    ) -> Result<(), Error> {
        let Some(path) = &self.rejects else { return Ok(()) };
        let mut text = rejects_csv_head().to_owned();
        for (file, tried) in files {
            let file = name(file);
            text.push_str(&rejects_csv(
                tried.rejects.iter().map(|reject| RejectLine { file: &file, reject }),
            ));
        }
        written::table(path, &text)
    }

    /// Says where the rejects are, where they were written.
    pub(super) fn say_rejects(&self, printer: &mut Printer) -> Result<(), Error> {
        let Some(path) = &self.rejects else { return Ok(()) };
        let wrote = self.lang().pick("wrote every reject to", "全部被拒的行已写入");
        printer.line(format_args!("\n{GOOD}ok{GOOD:#}: {wrote} {}", path.display()))
    }
}

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
