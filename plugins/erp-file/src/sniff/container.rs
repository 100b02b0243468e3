//! Which layout a file has, and the way to its rows from there.

use super::build::Context;
use super::encoding::{self, Evidence};
use super::flat::{self, Frame};
use super::grid::{self, Grid};
use super::proposal::{Proposal, why};
use super::stores::Known;
use super::text::{self, Dialect};
use super::{fixed, lines, nested, record, spool, table};
use crate::mapping::{Container, Format};
use crate::sheet::{Bytes, FileFault};
use crate::sheets;
use qudao_sdk::model::file::SniffAsked;
use serde_json::json;

/// Decoded text that delimiters are looked for in.
const TEXT_MAX: u32 = 1024 * 1024;
/// Lines that a cell with a line break may have: one stray quote must not swallow the file.
const RECORD_LINES: u32 = 4;

/// Writes the proposal; gives the first rows.
pub(crate) fn look(
    file: &dyn Bytes,
    asked: &SniffAsked,
    proposal: &mut Proposal,
) -> Result<Vec<Vec<String>>, FileFault> {
    let known = Known::new(&asked.stores, asked.store.as_ref());
    let mut context = Context { asked, known, from_1904: false };
    if file.size() == 0 {
        return Err(FileFault::new("empty", "the file has no bytes"));
    }
    let found = sheets::identify(file);
    let Some(first) = found.first() else {
        let what = sheets::foreign(file).unwrap_or("nothing that tables are kept in");
        return Err(FileFault::new("format_mismatch", format!("the file is {what}")));
    };
    let reason = first.why.clone();
    let layout = why(format!("by its content: {reason}"), format!("依据内容判断：{reason}"));
    proposal.found("/container/format", &format!("{:?}", first.format).to_lowercase(), layout, 97);
    match first.format {
        Format::Delimited | Format::Fixed => plain_text(&context, file, proposal),
        Format::Dbf => dbf(&context, file, proposal),
        Format::Jsonl => {
            let text = encoding::head_text(file, "utf-8", 4 * TEXT_MAX);
            nested::jsonl(&context, &text, proposal);
            Ok(text.lines().take(12).map(|line| vec![line.chars().take(400).collect()]).collect())
        }
        Format::Xml => {
            nested::xml(&context, file, declares(file), proposal)?;
            let text = encoding::head_text(file, encoding::evidence(file).label, 4096);
            Ok(text.lines().take(12).map(|line| vec![line.chars().take(400).collect()]).collect())
        }
        format @ (Format::Xlsx | Format::Xls | Format::HtmlTable | Format::Spreadsheetml) => {
            sheet(&mut context, file, format, proposal)
        }
    }
}

fn declares(file: &dyn Bytes) -> bool {
    let head = file.read(0, 2048);
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let declaration = text.split("?>").next().unwrap_or_default();
    (declaration.contains("<?xml") && declaration.contains("encoding=")) || text.contains("charset=")
}

fn sample(grid: &Grid) -> Vec<Vec<String>> {
    grid.rows.iter().take(12).map(|row| row.cells.iter().map(|cell| cell.raw.clone()).collect()).collect()
}

fn blank(format: Format) -> Result<Container, FileFault> {
    serde_json::from_value(json!({"format": format}))
        .map_err(|error| FileFault::new("format_mismatch", error.to_string()))
}

// ---- workbooks and pages ----

fn sheet(
    context: &mut Context<'_>,
    file: &dyn Bytes,
    format: Format,
    proposal: &mut Proposal,
) -> Result<Vec<Vec<String>>, FileFault> {
    let names = sheets::sheet_names(format, file)?;
    let mut best: Option<(usize, usize, Grid)> = None;
    for (place, name) in names.iter().enumerate().take(20) {
        let mut container = blank(format)?;
        if format == Format::HtmlTable {
            container.table_index = u32::try_from(place + 1).ok();
            container.rowspan = Some("repeat".to_owned());
            container.br = Some("\n".to_owned());
        } else {
            container.sheet = Some(name.clone());
        }
        let Ok(grid) = grid::read(&container, file) else { continue };
        let known = table::header(&grid.rows).map_or(0, |header| header.known);
        let worth = known * 1000 + grid.rows.len().min(900);
        if best.as_ref().is_none_or(|(most, _, _)| worth > *most) {
            best = Some((worth, place, grid));
        }
    }
    let Some((_, place, grid)) = best else {
        return Err(FileFault::new("format_mismatch", "no sheet could be read"));
    };
    let name = names.get(place).cloned().unwrap_or_default();
    proposal.set("container/format", json!(format));
    let mut frame = Frame { sheet: None, merges: true };
    if format == Format::HtmlTable {
        proposal.set("container/table_index", json!(place + 1));
        proposal.set("container/row_ref", json!("table_row"));
        proposal.set("container/rowspan", json!("repeat"));
        proposal.set("container/br", json!("\n"));
    } else {
        proposal.set("container/sheet", json!(name));
        proposal.set("container/row_ref", json!("sheet_row"));
        frame.sheet = Some(name.clone());
    }
    if matches!(format, Format::HtmlTable | Format::Spreadsheetml) {
        let label = if declares(file) { "declared" } else { encoding::evidence(file).label };
        proposal.set("container/encoding", json!(label));
    }
    let (count, rows) = (names.len(), grid.total);
    proposal.found(
        "/container/sheet",
        &name,
        why(
            format!("of {count} sheets or tables the one with the most known headings; {rows} rows"),
            format!("{count} 个工作表/表格中表头最吻合的一个；共 {rows} 行"),
        ),
        if count > 1 { 85 } else { 98 },
    );
    if grid.from_1904 {
        proposal.set("container/date1904", json!(true));
        proposal.found(
            "/container/date1904",
            "true",
            why("the workbook says that it counts days from 1904", "工作簿注明日期从 1904 年起算"),
            99,
        );
    }
    context.from_1904 = grid.from_1904;
    flat::propose(context, &grid, &frame, proposal);
    Ok(sample(&grid))
}

fn dbf(
    context: &Context<'_>,
    file: &dyn Bytes,
    proposal: &mut Proposal,
) -> Result<Vec<Vec<String>>, FileFault> {
    let mut container = blank(Format::Dbf)?;
    container.encoding = Some("gbk".to_owned());
    container.deleted = Some("skip".to_owned());
    let grid = grid::read(&container, file)?;
    proposal.set("container/format", json!("dbf"));
    proposal.set("container/encoding", json!("gbk"));
    proposal.set("container/deleted", json!("skip"));
    proposal.set("container/row_ref", json!("record"));
    let (deleted, total) = (grid.deleted, grid.total);
    proposal.found(
        "/container/deleted",
        "skip",
        why(
            format!("{deleted} of {total} records are marked as deleted"),
            format!("{total} 条记录中 {deleted} 条标记为已删除"),
        ),
        97,
    );
    flat::named(context, &grid, proposal);
    let mut rows = sample(&grid);
    rows.insert(0, grid.columns.clone().unwrap_or_default());
    Ok(rows)
}

// ---- text ----

fn plain_text(
    context: &Context<'_>,
    file: &dyn Bytes,
    proposal: &mut Proposal,
) -> Result<Vec<Vec<String>>, FileFault> {
    let evidence = encoding::evidence(file);
    note(&evidence, proposal);
    let text = encoding::head_text(file, evidence.label, TEXT_MAX);
    let dialect = text::dialect(&text);
    let raw = lines::read(file, evidence.label);
    if dialect.delimiter.is_none() {
        let layout = fixed::layout(&raw, &context.known, evidence.label);
        if let Some(layout) = layout {
            // plain text at first sight; the columns say more
            proposal.findings.retain(|finding| finding.at != "/container/format");
            spool::propose(context, &raw, &layout, &evidence, proposal);
            return Ok(raw.iter().take(12).map(|line| vec![line.text.clone()]).collect());
        }
        proposal.ask(
            "/container/delimiter",
            why("What divides the columns? No character does it in most lines, and no columns of one width were found.", "列之间用什么分隔？未找到分隔符，也未找到固定列宽。"),
            Vec::new(),
        );
        return Ok(raw.iter().take(12).map(|line| vec![line.text.clone()]).collect());
    }
    let container = delimited(&evidence, &dialect, proposal)?;
    if !dialect.types.is_empty() {
        record::propose(context, &text, &dialect, proposal);
        return Ok(text
            .lines()
            .take(12)
            .map(|line| text::split(line, dialect.delimiter.unwrap_or(','), false).cells)
            .collect());
    }
    let grid = grid::read(&container, file)?;
    flat::propose(context, &grid, &Frame::default(), proposal);
    Ok(sample(&grid))
}

fn note(evidence: &Evidence, proposal: &mut Proposal) {
    let (bytes, label, common) = (evidence.bytes, evidence.label, evidence.common);
    let said = if evidence.bom {
        why(
            format!("the file begins with the byte order mark of {label}"),
            format!("文件以 {label} 的字节序标记开头"),
        )
    } else if evidence.ascii {
        why(
            format!(
                "all {bytes} bytes are plain ASCII: any encoding reads them; {label} is what such systems write when a name comes"
            ),
            format!("全部 {bytes} 字节都是 ASCII，任何编码都能读；出现中文时此类系统通常写 {label}"),
        )
    } else if label == "utf-8" {
        why(format!("all {bytes} bytes decode as UTF-8"), format!("全部 {bytes} 字节都能按 UTF-8 解码"))
    } else if label.starts_with("utf-16") {
        why("every second byte is zero, as in UTF-16", "每隔一个字节为零，符合 UTF-16")
    } else {
        why(
            format!(
                "the {bytes} bytes are not UTF-8; as GB18030 {} do not decode, {common} % of the Chinese characters are common ones, {} have four bytes",
                evidence.broken, evidence.four_bytes
            ),
            format!(
                "{bytes} 字节不是 UTF-8；按 GB18030 有 {} 处不能解码，常用汉字占 {common}%，四字节字符 {} 个",
                evidence.broken, evidence.four_bytes
            ),
        )
    };
    proposal.found("/container/encoding", label, said, evidence.confidence);
}

fn delimited(
    evidence: &Evidence,
    dialect: &Dialect,
    proposal: &mut Proposal,
) -> Result<Container, FileFault> {
    let delimiter = dialect.delimiter.unwrap_or(',').to_string();
    let mut container = blank(Format::Delimited)?;
    container.encoding = Some(evidence.label.to_owned());
    container.bom = Some(evidence.bom);
    container.delimiter = Some(delimiter.clone());
    container.quote = dialect.quotes.then(|| "\"".to_owned());
    container.doubled_quote = Some(true);
    container.row_ref = Some("line".to_owned());
    container.sep_line = dialect.sep_line;
    container.trailing_delimiter = dialect.trailing;
    if dialect.strays > 0 {
        container.max_record_lines = Some(1);
    } else if dialect.runs > 0 {
        container.max_record_lines = Some(RECORD_LINES);
    }
    let mut written = serde_json::to_value(&container).unwrap_or_default();
    if let Some(members) = written.as_object_mut() {
        members.entry("quote").or_insert(serde_json::Value::Null);
    }
    proposal.set("container", written);
    let shown = delimiter.escape_debug().to_string();
    let (share, cells) = (dialect.share, dialect.cells);
    let said = if dialect.types.is_empty() {
        why(
            format!("{share} % of the lines have {cells} cells with it"),
            format!("以它分隔，{share}% 的行有 {cells} 列"),
        )
    } else {
        why("each type of record has its own number of cells with it", "以它分隔，各类记录列数固定")
    };
    proposal.found("/container/delimiter", &shown, said, u8::try_from(share.clamp(60, 99)).unwrap_or(99));
    if !dialect.quotes {
        proposal.found(
            "/container/quote",
            "none",
            why("no cell stands in quotes: a quote is data", "没有单元格用引号包围：引号是数据"),
            85,
        );
    }
    if dialect.strays > 0 {
        let strays = dialect.strays;
        proposal.found(
            "/container/max_record_lines",
            "1",
            why(
                format!("{strays} quotes are never closed: a record may not run over a line end"),
                format!("有 {strays} 处引号未闭合：记录不得跨行"),
            ),
            85,
        );
    }
    Ok(container)
}
