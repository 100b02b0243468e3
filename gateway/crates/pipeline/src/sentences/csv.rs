//! `rejects.csv`: for the franchisee, who opens it in a spreadsheet. UTF-8 with a byte-order mark, so that Chinese is read as
//! such; a cell that a spreadsheet would compute begins with an apostrophe.

use super::{Lang, reject as sentence, reject_mend};
use qudao_model::file::RowReject;

/// A reject and the file that it is of.
#[derive(Debug, Clone, Copy)]
pub struct RejectLine<'a> {
    /// The file's name.
    pub file: &'a str,
    /// What is wrong with one of its rows.
    pub reject: &'a RowReject,
}

/// Byte-order mark and header line.
pub fn rejects_csv_head() -> &'static str {
    "\u{feff}file 文件,row 行,column 列,kind 类别,cell 单元格,what is wrong,how to mend it,问题,怎样改正\r\n"
}

/// The lines of these rejects, without the head.
pub fn rejects_csv<'a>(lines: impl IntoIterator<Item = RejectLine<'a>>) -> String {
    let mut out = String::new();
    for RejectLine { file, reject } in lines {
        let cells = [
            file.to_owned(),
            reject.row.to_string(),
            reject.column.clone().unwrap_or_default(),
            reject.kind.clone(),
            reject.cell.clone().unwrap_or_default(),
            sentence(Lang::En, reject),
            reject_mend(Lang::En, reject),
            sentence(Lang::Zh, reject),
            reject_mend(Lang::Zh, reject),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| quoted(&neutral(cell))).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// Text that no spreadsheet computes: what begins like a formula gets an apostrophe in front.
pub fn neutral(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
