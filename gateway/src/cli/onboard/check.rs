//! `qudao onboard check`: old files by a mapping. What passes, what does not, what is new.

use super::{Reading, Source, look::name, trial};
use crate::{
    cli::{
        report::{self, Lines},
        when,
    },
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BOLD, DIM, GOOD},
    },
};
use clap::Args;
use qudao_model::{Clock, FileVerdict, Timestamp, clock::SystemClock, file::RowReject};
use qudao_pipeline::{Trial, Tried, sentences::Lang};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Arguments of `onboard check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is stored. With --previous the guards judge as if that file counted already: stores that shrink, are all zero, are \
missing. --json prints one object a file.
Exit codes, of the worst file: 0 clean, 1 good rows beside rejects, 2 something would wait for a person, 3 the file would be \
rejected, 4 wrong usage or a mapping with errors.")]
pub(super) struct Check {
    /// The mapping
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    /// Files as the ERP exported them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The file that counts already, against which the guards judge
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// Write every reject to this CSV, in English and Chinese
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// The clock: RFC 3339 or unix seconds [default: now]
    #[arg(long, value_name = "TIME", value_parser = when::at)]
    at: Option<Timestamp>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

impl Check {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let lang = self.reading.lang();
        let reader = self.source.reader(printer).await?;
        let Some(settings) = reader.mapping(&self.mapping, printer).await? else {
            return Ok(Exit::NeedsPerson);
        };
        let at = self.at.unwrap_or_else(|| SystemClock.now());
        let rows_max = if self.reading.json() { usize::MAX } else { 0 };
        let mut all: Vec<(&Path, Tried)> = Vec::new();
        for file in &self.files {
            let spinner = printer.spinner(format!("{} {}", lang.pick("reading", "正在读取"), file.display()));
            let trial = Trial { file, previous: self.previous.as_deref(), counts: None, at, rows_max };
            let tried = trial::run(&reader, &settings, trial).await?;
            drop(spinner);
            all.push((file, tried));
        }
        let names: Vec<String> = self.files.iter().map(|file| name(file)).collect();
        if let Some(path) = &self.rejects {
            let rejects = all.iter().map(|(_, tried)| tried.rejects.as_slice());
            trial::write_rejects(path, names.iter().map(String::as_str).zip(rejects))?;
        }
        self.tell(printer, &all, &reader.names(&settings))?;
        Ok(worst(all.iter().map(|(_, tried)| tried)))
    }

    fn tell(
        &self,
        printer: &mut Printer,
        all: &[(&Path, Tried)],
        names: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        if self.reading.json() {
            return match all {
                [(_, only)] => printer.json(&exact(only)),
                several => several.iter().try_for_each(|(file, tried)| {
                    let mut object = exact(tried);
                    if let Some(members) = object.as_object_mut() {
                        members.insert("file".to_owned(), name(file).into());
                    }
                    printer.json_line(&object)
                }),
            };
        }
        let lang = self.reading.lang();
        printer.line(page(lang, all, names).text())?;
        if let Some(path) = &self.rejects {
            let wrote = lang.pick("wrote every reject to", "全部被拒的行已写入");
            printer.line(format_args!("\n{GOOD}ok{GOOD:#}: {wrote} {}", path.display()))?;
        }
        Ok(())
    }
}

/// The code of the worst file.
fn worst<'a>(all: impl Iterator<Item = &'a Tried>) -> Exit {
    let codes = all.map(trial::exit_of);
    codes.max_by_key(|exit| exit.code()).unwrap_or(Exit::Done)
}

/// One file as the contract has it: rejects without what only people want to see of them, and of a file that was refused as
/// it is, nothing that stood in it.
fn exact(tried: &Tried) -> Value {
    let mut object = json!(tried);
    let refused = tried.outcome.verdict == FileVerdict::Reject;
    let (rows, rejects) = if refused { (0, 0) } else { (tried.counts.rows, tried.counts.rejects) };
    if let Some(members) = object.as_object_mut() {
        let told = tried.rejects.iter().filter(|_| !refused);
        members.insert("rejects".to_owned(), told.map(bare).collect());
        members.insert("counts".to_owned(), json!({"rows": rows, "rejects": rejects}));
        if refused {
            members.insert("rows".to_owned(), json!([]));
            members.insert("notices".to_owned(), json!([]));
        }
    }
    object
}

/// Figures of a fault that belong to it as the contract has it.
fn figures(kind: &str) -> &'static [&'static str] {
    match kind {
        "group_rejected" => &["by"],
        "field_count" | "short_record" => &["got", "want"],
        "row_total_mismatch" => &["stated", "computed"],
        _ => &[],
    }
}

fn bare(reject: &RowReject) -> Value {
    let known = figures(&reject.kind);
    let own = reject.detail.iter().filter(|(name, _)| known.contains(&name.as_str()));
    let mut members: Map<String, Value> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    members.insert("row".to_owned(), reject.row.into());
    members.insert("column".to_owned(), reject.column.clone().into());
    members.insert("kind".to_owned(), reject.kind.clone().into());
    Value::Object(members)
}

/// A line a file, then what is to be known of those that are not clean.
fn page(lang: Lang, all: &[(&Path, Tried)], names: &BTreeMap<String, String>) -> Lines {
    let mut lines = Lines::default();
    let mut table = match lang {
        Lang::En => Table::new(["FILE", "VERDICT", "WHY", ">ROWS", ">FAULTS", ">STORES", ">MS"]),
        Lang::Zh => Table::new(["文件", "结论", "原因", ">有效记录", ">错误", ">门店", ">毫秒"]),
    };
    for (file, tried) in all {
        table.row([
            name(file),
            tried.verdict.as_str().to_owned(),
            tried.reason.clone().unwrap_or_default(),
            report::grouped(tried.counts.rows),
            report::grouped(tried.counts.rejects),
            tried.stores.len().to_string(),
            (tried.micros / 1000).to_string(),
        ]);
    }
    for line in table.to_string().lines() {
        lines.line(line);
    }
    for (file, tried) in all {
        detail(lang, file, tried, names, &mut lines);
    }
    lines
}

fn detail(lang: Lang, file: &Path, tried: &Tried, names: &BTreeMap<String, String>, lines: &mut Lines) {
    let clean = tried.verdict == FileVerdict::Accept && tried.counts.rejects == 0;
    let absent = tried.absent.as_deref().unwrap_or_default();
    if clean && tried.unmapped_columns.is_empty() && absent.is_empty() {
        return;
    }
    lines.line("");
    lines.line(format!(
        "{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
        people::text(&name(file)),
        trial::good(lang, tried)
    ));
    report::rejects(lang, &tried.rejects, lines);
    report::holds(lang, tried.holds.as_deref().unwrap_or_default(), names, lines);
    if !absent.is_empty() {
        lines.line("");
        lines.line(report::absent(lang, absent, names));
    }
    trial::drift(lang, tried, lines);
    trial::verdict(lang, tried, lines);
}
