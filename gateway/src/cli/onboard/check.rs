//! `qudao onboard check`: old files by a mapping. What passes, what does not, what is new.

use super::{
    Reader,
    drift::{self, Seen},
    look::name,
    reach, trial,
};
use crate::{
    cli::report::{self, Lines},
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BOLD, DIM},
    },
};
use clap::Args;
use qudao_model::{FileVerdict, Timestamp, file::RowReject};
use qudao_pipeline::{FileSettings, Trial, Tried, sentences::Lang};
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
    #[command(flatten)]
    trying: trial::Trying,
}

impl Check {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let lang = self.trying.lang();
        let Some((reader, settings)) = self.trying.reader(&self.mapping, printer).await? else {
            return Ok(Exit::NeedsPerson);
        };
        let at = self.trying.at();
        let mut all: Vec<Checked<'_>> = Vec::new();
        for file in &self.files {
            let spinner = printer.spinner(format!("{} {}", lang.pick("reading", "正在读取"), file.display()));
            let checked = self.one((&reader, &settings), (file, at)).await;
            drop(spinner);
            match checked.tried {
                Err(error) if self.files.len() == 1 => return Err(error),
                Ok(_) | Err(_) => all.push(checked),
            }
        }
        let files = all.iter().filter_map(|one| Some((one.file, one.tried.as_ref().ok()?)));
        self.trying.write_rejects(files)?;
        let rejects = all.iter().filter_map(|one| one.tried.as_ref().ok()).flat_map(|tried| &tried.rejects);
        reach::no_stores(printer, lang, (&reader, &settings), rejects)?;
        let measure = all.iter().find(|one| one.tried.as_ref().is_ok_and(drift::is_measure));
        let measure = measure.map(|one| (one.file, one.seen.clone()));
        for one in &mut all {
            one.seen = match &measure {
                Some((_, first)) if one.tried.as_ref().is_ok_and(drift::is_measure) => one.seen.since(first),
                Some(_) | None => Seen::default(),
            };
        }
        let first = measure.map_or(Path::new(""), |(file, _)| file);
        self.tell(printer, (&all, first), &reader.names(&settings))?;
        Ok(worst(&all))
    }

    async fn one<'a>(
        &self,
        (reader, settings): (&Reader, &FileSettings),
        (file, at): (&'a Path, Timestamp),
    ) -> Checked<'a> {
        let rows_max = match (self.trying.json(), self.files.len()) {
            (true, _) => usize::MAX,
            (false, 1) => 0,
            (false, _) => drift::ROWS,
        };
        let trial = Trial { file, previous: self.previous.as_deref(), counts: None, at, rows_max };
        let mut tried = trial::run(reader, settings, trial).await;
        let seen = tried.as_ref().map(Seen::of).unwrap_or_default();
        if let Ok(tried) = tried.as_mut().map_err(drop)
            && !self.trying.json()
        {
            tried.rows.clear();
        }
        Checked { file, tried, seen }
    }

    fn tell(
        &self,
        printer: &mut Printer,
        (all, first): (&[Checked<'_>], &Path),
        names: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        if self.trying.json() {
            return match all {
                [Checked { tried: Ok(only), .. }] => printer.json(&exact(only)),
                several => several.iter().try_for_each(|one| printer.json_line(&one.json())),
            };
        }
        let lang = self.trying.lang();
        printer.line(page(lang, (all, first), names).text())?;
        self.trying.say_rejects(printer)
    }
}

/// A file, and what became of it; one that cannot be read does not keep the others from being told.
struct Checked<'a> {
    file: &'a Path,
    tried: Result<Tried, Error>,
    /// What stands in it; then what of that is new against the first file.
    seen: Seen,
}

impl Checked<'_> {
    fn json(&self) -> Value {
        let mut object = match &self.tried {
            Ok(tried) => exact(tried),
            Err(error) => {
                json!({"verdict": UNREADABLE, "explain": error.to_string(), "hint": error.advice()})
            }
        };
        if let Some(members) = object.as_object_mut() {
            members.insert("file".to_owned(), name(self.file).into());
            if !self.seen.is_empty() {
                members.insert("new".to_owned(), json!(self.seen));
            }
        }
        object
    }
}

/// In place of a verdict: there is no such file, or nothing can be said about it.
const UNREADABLE: &str = "unreadable";

/// The code of the worst file.
fn worst(all: &[Checked<'_>]) -> Exit {
    let code = |one: &Checked<'_>| one.tried.as_ref().map_or(Exit::FileUsage, trial::exit_of);
    all.iter().map(code).max_by_key(|exit| exit.code()).unwrap_or(Exit::Done)
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
fn page(lang: Lang, (all, first): (&[Checked<'_>], &Path), names: &BTreeMap<String, String>) -> Lines {
    let mut lines = Lines::default();
    let mut table = match lang {
        Lang::En => Table::new(["FILE", "VERDICT", "WHY", ">ROWS", ">FAULTS", ">STORES"]),
        Lang::Zh => Table::new(["文件", "结论", "原因", ">有效记录", ">错误", ">门店"]),
    };
    for Checked { file, tried, .. } in all {
        match tried {
            Ok(tried) => table.row([
                name(file),
                tried.verdict.as_str().to_owned(),
                tried.reason.clone().unwrap_or_default(),
                report::grouped(tried.counts.rows),
                report::grouped(tried.counts.rejects),
                tried.stores.len().to_string(),
            ]),
            Err(_) => table.row([
                name(file),
                lang.pick(UNREADABLE, "无法读取").to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ]),
        }
    }
    for line in table.to_string().lines() {
        lines.line(line);
    }
    for one in all {
        detail(lang, (one, first), names, &mut lines);
    }
    lines
}

fn detail(
    lang: Lang,
    (Checked { file, tried, seen }, first): (&Checked<'_>, &Path),
    names: &BTreeMap<String, String>,
    lines: &mut Lines,
) {
    let title = |more: String| format!("{BOLD}{}{BOLD:#}  {DIM}{more}{DIM:#}", people::text(&name(file)));
    let tried = match tried {
        Ok(tried) => tried,
        Err(error) => {
            lines.line("");
            lines.line(format!("{BOLD}{}{BOLD:#}", people::text(&name(file))));
            lines.line(people::text(&error.to_string()));
            if let Some(hint) = error.advice() {
                lines.line(format!("  {}", report::mend(hint)));
            }
            return;
        }
    };
    let clean = tried.verdict == FileVerdict::Accept && tried.counts.rejects == 0;
    let absent = tried.absent.as_deref().unwrap_or_default();
    if clean && tried.unmapped_columns.is_empty() && absent.is_empty() && seen.is_empty() {
        return;
    }
    lines.line("");
    lines.line(title(trial::good(lang, tried)));
    report::rejects(lang, &tried.rejects, lines);
    report::holds(lang, tried.holds.as_deref().unwrap_or_default(), names, lines);
    if !absent.is_empty() {
        lines.line("");
        lines.line(report::absent(lang, absent, names));
    }
    seen.tell(lang, first, lines);
    trial::drift(lang, tried, lines);
    trial::verdict(lang, tried, lines);
}
