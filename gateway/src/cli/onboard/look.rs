//! `qudao onboard FILE`: what the file is, why, and a mapping to start from.

use super::{Reading, Source, ask, connector::failed, readable, yaml};
use crate::{
    cli::{lang::said, report, word},
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BAD, BOLD, CARE, DIM, GOOD, HINT, Tone},
    },
};
use clap::Args;
use qudao_host::{AskFailure, Call, FileBytes, FileCall};
use qudao_model::{
    Clock, FileKind, FileVerdict,
    clock::SystemClock,
    file::{Finding, SniffAsked, Sniffed, Todo},
};
use qudao_pipeline::sentences::{self, Lang};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Arguments of `onboard FILE`.
#[derive(Debug, Args)]
pub(super) struct Look {
    /// A file as the ERP exports it
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// What it is about
    #[arg(
        long = "as",
        value_name = "KIND",
        help = "What it is about, if you know: stock_snapshot, stock_delta, sales, prices",
        value_parser = kind
    )]
    kind: Option<FileKind>,
    /// The one store it is of, if you know
    #[arg(long, value_name = "CODE")]
    store: Option<String>,
    /// Write the proposed mapping; an existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

fn kind(word: &str) -> Result<FileKind, String> {
    let all = [FileKind::StockSnapshot, FileKind::StockDelta, FileKind::Sales, FileKind::Prices];
    word::of(word, &all, FileKind::as_str)
}

impl Look {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let Some(file) = &self.file else {
            return Err(Error::usage(said("name the file to look at", "请写出要识别的文件"))
                .hint(said("qudao onboard FILE", "qudao onboard 文件")));
        };
        let lang = self.reading.lang();
        if let Some(path) = self.write.as_ref().filter(|path| path.exists()) {
            let path = path.display();
            return Err(Error::refused(match lang {
                Lang::En => format!("{path} is there already; nothing was written"),
                Lang::Zh => format!("{path} 已经存在，没有写入任何内容"),
            })
            .hint(said(
                "name another file, or take the old one away first",
                "请换一个文件名，或先移走旧文件",
            )));
        }
        readable(file)?;
        let bytes = Arc::new(FileBytes::open(file).map_err(Error::file("open", file))?);
        let reader = self.source.reader(printer).await?;
        let mut asked = SniffAsked {
            kind: self.kind,
            store: self.store.clone(),
            stores: reader.stores.names(),
            ..SniffAsked::default()
        };
        let asks = io::stdin().is_terminal() && printer.notes_are_read() && !self.reading.json();
        let sniffed = loop {
            let spinner = printer.spinner(lang.pick("looking at the file", "正在识别文件"));
            let call = FileCall {
                source: Arc::clone(&bytes) as Arc<dyn qudao_host::Source>,
                name: name(file),
                settings: json!({}),
                call: Call { now: SystemClock.now(), random_seed: Some(0) },
            };
            let (sniffed, _) = reader.connector.sniff_file(call, &asked).await;
            drop(spinner);
            let sniffed = match sniffed {
                Ok(sniffed) => sniffed,
                Err(failure) if sentences::reason(lang, &failure.code) != failure.code => {
                    return self.refused(printer, (file, &failure));
                }
                Err(failure) => return Err(failed(&failure)),
            };
            let open: Vec<Todo> =
                sniffed.todo.iter().filter(|todo| !asked.answers.contains_key(&todo.at)).cloned().collect();
            if !asks || open.is_empty() {
                break sniffed;
            }
            show(printer, lang, file, &sniffed)?;
            let answers = ask::ask((&mut io::stdin().lock(), &mut io::stderr()), lang, &open)?;
            if answers.is_empty() {
                break sniffed;
            }
            asked.answers.extend(answers);
        };
        self.tell(printer, file, &sniffed)
    }

    /// The file is one that is never read: what it is, and what to do.
    fn refused(&self, printer: &mut Printer, (file, failure): (&Path, &AskFailure)) -> Result<Exit, Error> {
        let (lang, code) = (self.reading.lang(), failure.code.as_str());
        if self.reading.json() {
            printer.json(&json!({"verdict": "reject", "reason": code, "explain": failure.message}))?;
        } else {
            printer.line(format_args!("{BOLD}{}{BOLD:#}", people::text(&name(file))))?;
            let message = people::text(&failure.message);
            if code == "format_mismatch" {
                // No mapping has said what it should be.
                printer.line(match lang {
                    Lang::En => format!("{BAD}this is no table that can be read{BAD:#}: {message}"),
                    Lang::Zh => {
                        format!("{BAD}这不是能读取的表格文件{BAD:#}  {}", report::in_english(&message))
                    }
                })?;
                printer.line(format_args!(
                    "  {}",
                    report::mend(lang.pick(
                        "Have the ERP export a CSV or text file or a workbook; what is printed or packed is not read.",
                        "请让 ERP 导出 CSV、文本或表格文件；打印件和压缩包不能读取。",
                    ))
                ))?;
                return Ok(Exit::FileRefused);
            }
            printer.line(report::verdict(lang, FileVerdict::Reject, Some(code)))?;
            printer.line(match lang {
                Lang::En => format!("  {DIM}{message}{DIM:#}"),
                Lang::Zh => format!("  {}", report::in_english(&message)),
            })?;
            printer.line(format_args!("  {}", report::mend(sentences::reason_mend(lang, code))))?;
        }
        Ok(Exit::FileRefused)
    }

    fn tell(&self, printer: &mut Printer, file: &Path, sniffed: &Sniffed) -> Result<Exit, Error> {
        let lang = self.reading.lang();
        if let Some(path) = &self.write {
            write(path, &text(lang, file, sniffed))?;
        }
        let nothing = sniffed.mapping.get("fields").and_then(Value::as_array).is_none_or(Vec::is_empty);
        let exit = if sniffed.todo.is_empty() && !nothing { Exit::Done } else { Exit::NeedsPerson };
        if self.reading.json() {
            printer.json(sniffed)?;
            return Ok(exit);
        }
        show(printer, lang, file, sniffed)?;
        if nothing {
            printer.line(format_args!(
                "\n{CARE}{}{CARE:#}",
                lang.pick("no column of a table was recognised in it", "没有识别出任何表格列")
            ))?;
            let how = lang.pick(
                "Is it the file that you meant, and does it have a line of column names? If so, say what it is about with --as; else export it again.",
                "请核对是不是这个文件、有没有一行列名。如果是，请用 --as 说明内容；否则请重新导出。",
            );
            printer.line(format_args!("  {}", report::mend(how)))?;
        } else if rowless(sniffed) {
            let text = lang.pick(
                "there are column names and no rows below them: look at a file with rows before the mapping counts",
                "只有列名，下面没有数据：请再用一个有数据的文件核对这份映射",
            );
            printer.line(format_args!("\n{CARE}{text}{CARE:#}"))?;
        }
        questions(printer, lang, &sniffed.todo)?;
        if self.write.is_none() {
            let (head, dim) = (lang.pick("Proposed mapping", "建议的映射"), DIM);
            printer.line(format_args!("\n{BOLD}{head}{BOLD:#}"))?;
            let reasons = yaml::Reasons { lang, findings: &[], todo: &[] };
            let mapping = yaml::with_todo(&sniffed.mapping, &sniffed.todo);
            for line in yaml::text(&mapping, &[], &reasons).lines() {
                printer.line(format_args!("  {dim}{}{dim:#}", people::text(line)))?;
            }
        }
        self.next(printer, file, !sniffed.todo.is_empty())?;
        Ok(exit)
    }

    fn next(&self, printer: &mut Printer, file: &Path, open: bool) -> Result<(), Error> {
        let (lang, file) = (self.reading.lang(), file.display());
        let Some(path) = &self.write else {
            let next = lang.pick("Write it with", "写成文件");
            return printer.next(format_args!("\n{next}: qudao onboard {file} --write mapping.yaml"));
        };
        let path = path.display();
        let wrote = lang.pick("wrote", "已写入");
        printer.line(format_args!("\n{GOOD}{wrote}{GOOD:#} {path}"))?;
        if open {
            let mend = match lang {
                Lang::En => format!("Put what is right in place of each TODO in {path}, then"),
                Lang::Zh => format!("请先把 {path} 里的每个 TODO 改成正确的内容，然后"),
            };
            printer.next(mend)?;
        }
        let next = lang.pick("Next", "下一步");
        printer.next(format_args!("{next}: qudao onboard preview --mapping {path} {file}"))
    }
}

/// Name of a file without folders.
pub(crate) fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(lang: Lang, file: &Path, sniffed: &Sniffed) -> String {
    let name = people::text(&name(file)).replace('\n', " ");
    let head = match lang {
        Lang::En => [
            format!(
                "How {name} is read, as `qudao onboard` proposes it. Each line says how sure that is, and why."
            ),
            "Check every line, then: qudao onboard preview --mapping THIS-FILE FILE".to_owned(),
        ],
        Lang::Zh => [
            format!("{name} 的读取方式，由 `qudao onboard` 提出。每行后面写着把握有多大、为什么。"),
            "请逐行核对，然后：qudao onboard preview --mapping 本文件 数据文件".to_owned(),
        ],
    };
    let reasons = yaml::Reasons { lang, findings: &sniffed.findings, todo: &sniffed.todo };
    yaml::text(&sniffed.mapping, &head, &reasons)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
    }
    let made = fs::OpenOptions::new().write(true).create_new(true).open(path);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Error::file("write", path))
}

/// What was found, and the first rows.
fn show(printer: &mut Printer, lang: Lang, file: &Path, sniffed: &Sniffed) -> Result<(), Error> {
    let size = fs::metadata(file).map(|about| people::bytes(about.len())).unwrap_or_default();
    printer.line(format_args!("{BOLD}{}{BOLD:#}  {DIM}{size}{DIM:#}\n", people::text(&name(file))))?;
    printer.table(&found(lang, &sniffed.findings))?;
    if !sniffed.sample.is_empty() {
        printer.line(format_args!("\n{BOLD}{}{BOLD:#}", lang.pick("The first rows", "前几行")))?;
        for line in sample(&sniffed.sample) {
            printer.line(line)?;
        }
    }
    Ok(())
}

/// Whether nothing stands below the header; told by the sample, which is cut only where there is more.
fn rowless(sniffed: &Sniffed) -> bool {
    let header = sniffed.mapping.pointer("/rows/header_rows").and_then(Value::as_array);
    let last = header.into_iter().flatten().filter_map(Value::as_u64).max();
    let last = last.and_then(|row| usize::try_from(row).ok());
    last.is_some_and(|last| {
        sniffed.sample.len() >= last
            && sniffed.sample.iter().skip(last).flatten().all(|cell| cell.trim().is_empty())
            && sniffed.sample.len() < SAMPLE
    })
}

/// Rows of a full sample.
const SAMPLE: usize = 12;

fn found(lang: Lang, findings: &[Finding]) -> Table {
    let mut table = match lang {
        Lang::En => Table::new(["WHAT", "FOUND", ">SURE", "WHY"]),
        Lang::Zh => Table::new(["项目", "识别结果", ">把握", "依据"]),
    };
    for finding in findings {
        let tone = match finding.confidence {
            90.. => Tone::Good,
            60..90 => Tone::Care,
            0..60 => Tone::Bad,
        };
        let why = lang.pick(&finding.why, &finding.why_zh);
        table.toned([
            (part(lang, &finding.at), None),
            (finding.found.clone(), None),
            (format!("{} %", finding.confidence), Some(tone)),
            (why.to_owned(), None),
        ]);
    }
    table.fit();
    table
}

/// What a place of the mapping is called.
fn part(lang: Lang, at: &str) -> String {
    const NAMES: [(&str, &str, &str); 26] = [
        ("/kind", "kind", "内容"),
        ("/container/format", "format", "格式"),
        ("/container/encoding", "encoding", "编码"),
        ("/container/bom", "byte-order mark", "字节序标记"),
        ("/container/delimiter", "delimiter", "分隔符"),
        ("/container/quote", "quotation mark", "引号"),
        ("/container/sheet", "sheet", "工作表"),
        ("/container/columns", "columns", "列宽"),
        ("/rows/header_rows", "header", "表头"),
        ("/rows/first_data_row", "first row", "数据起始行"),
        ("/rows/skip", "passed over", "跳过的行"),
        ("/rows/stop_at", "end of table", "表格结束"),
        ("/rows/control_total", "total", "合计核对"),
        ("/rows/trailer", "end record", "尾记录"),
        ("/unpivot", "matrix", "尺码矩阵"),
        ("/unpivot/row_total", "row total", "行合计"),
        ("/as_of", "as of", "库存时点"),
        ("/records", "record types", "记录类型"),
        ("/date_range", "dates between", "日期范围"),
        ("/compose", "put together", "拼接"),
        ("/compose/sku", "SKU made of", "货号拼接"),
        ("/ticket", "tickets", "小票"),
        ("/ticket/tenders", "ways of paying", "付款方式"),
        ("/duplicates", "duplicates", "重复行"),
        ("/guard", "guard", "保护"),
        ("/fields", "column", "列"),
    ];
    let known = NAMES.iter().find(|(pointer, _, _)| *pointer == at);
    let field = || at.starts_with("/fields/").then(|| NAMES.last()).flatten();
    match known.or_else(field) {
        Some((_, en, zh)) => lang.pick(en, zh).to_owned(),
        None => at.trim_start_matches('/').replace('/', "."),
    }
}

/// Where something is to be decided, as people count: `/fields/2/from` is the third field.
fn place(lang: Lang, at: &str) -> String {
    let field = at.strip_prefix("/fields/").and_then(|rest| rest.split('/').next());
    match (field.and_then(|field| field.parse::<u32>().ok()), lang) {
        (Some(index), Lang::En) => format!("field {} of the mapping", index.saturating_add(1)),
        (Some(index), Lang::Zh) => format!("映射的第 {} 个字段", index.saturating_add(1)),
        (None, _) => part(lang, at),
    }
}

/// Rows as they stand in the file, numbered.
fn sample(rows: &[Vec<String>]) -> Vec<String> {
    const SHOWN: usize = 108;
    let width = rows.len().to_string().len();
    let line = |(index, cells): (usize, &Vec<String>)| {
        let cells: Vec<String> = cells.iter().map(|cell| people::text(cell).replace('\n', " ")).collect();
        let text = cells.join(&format!(" {DIM}│{DIM:#} "));
        let plain = cells.join(" │ ");
        let text = if plain.chars().count() > SHOWN {
            format!("{}…", plain.chars().take(SHOWN).collect::<String>())
        } else {
            text
        };
        format!("  {DIM}{:>width$}{DIM:#}  {text}", index + 1).trim_end().to_owned()
    };
    rows.iter().enumerate().map(line).collect()
}

fn questions(printer: &mut Printer, lang: Lang, todo: &[Todo]) -> Result<(), Error> {
    if todo.is_empty() {
        return Ok(());
    }
    let head = match lang {
        Lang::En => format!("{} left to decide", people::count(todo.len(), "thing")),
        Lang::Zh => format!("还有 {} 处需要您决定", todo.len()),
    };
    printer.line(format_args!("\n{CARE}{head}{CARE:#}"))?;
    for todo in todo {
        let question = people::text(lang.pick(&todo.question, &todo.question_zh));
        printer.line(format_args!("  {BOLD}{question}{BOLD:#}  {DIM}{}{DIM:#}", place(lang, &todo.at)))?;
        for candidate in &todo.candidates {
            let value = people::text(&ask::shown(lang, &candidate.value));
            let why = people::text(&candidate.why);
            printer.line(format_args!("    {HINT}{value}{HINT:#}  {DIM}{why}{DIM:#}"))?;
        }
    }
    Ok(())
}
