//! `qudao onboard sheet`: one page for the store, made from the mapping: what its export has to look like.

use super::{Reading, Source, ask};
use crate::{
    error::{Error, Exit},
    output::{Printer, Table, style::BOLD},
};
use clap::Args;
use qudao_config::Stores;
use qudao_pipeline::sentences::Lang;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `onboard sheet`.
#[derive(Debug, Args)]
pub(super) struct Sheet {
    /// The mapping
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

impl Sheet {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let reader = self.source.reader(printer).await?;
        let Some(settings) = reader.mapping(&self.mapping, printer).await? else {
            return Ok(Exit::NeedsPerson);
        };
        let document = reader.component.manifest().files.as_ref().map(|files| files.document.clone());
        let mapping = settings.settings.get(document.unwrap_or_default()).cloned().unwrap_or_default();
        let page = Page { lang: self.reading.lang(), mapping: &mapping, stores: &reader.stores };
        if self.reading.json() {
            printer.json(&json!({
                "file": page.file(), "columns": page.columns().iter().map(|[name, need, what]| {
                    json!({"column": name, "required": !need.is_empty(), "what": what})
                }).collect::<Vec<_>>(), "rules": page.rules(),
            }))?;
        } else {
            printer.line(page.text(&self.mapping))?;
        }
        Ok(Exit::Done)
    }
}

/// The page while it is written.
struct Page<'a> {
    lang: Lang,
    mapping: &'a Value,
    stores: &'a Stores,
}

impl Page<'_> {
    fn text(&self, path: &Path) -> String {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let title = match self.lang {
            Lang::En => format!("What the export \"{name}\" has to look like"),
            Lang::Zh => format!("导出文件“{name}”的要求"),
        };
        let mut lines = vec![format!("{BOLD}{title}{BOLD:#}"), String::new()];
        lines.extend(self.file().into_iter().map(|line| format!("  {line}")));
        let columns = self.columns();
        let mut table = match self.lang {
            Lang::En => Table::new(["COLUMN", "", "WHAT STANDS IN IT"]),
            Lang::Zh => Table::new(["列", "", "填什么"]),
        };
        for column in columns {
            table.row(column);
        }
        lines.push(String::new());
        lines.extend(table.to_string().lines().map(|line| format!("  {line}")));
        lines.push(String::new());
        lines.extend(self.rules().into_iter().map(|rule| format!("  • {rule}")));
        lines.join("\n")
    }

    fn word(&self, pointer: &str) -> Option<&str> {
        self.mapping.pointer(pointer).and_then(Value::as_str)
    }

    fn pick(&self, en: String, zh: String) -> String {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// What the file is, as a whole.
    fn file(&self) -> Vec<String> {
        let mut lines = vec![match self.word("/kind") {
            Some("stock_snapshot") => self.pick(
                "Stock: how many pieces of each SKU there are.".into(),
                "库存：每个货号现有多少件。".into(),
            ),
            Some("stock_delta") => self.pick(
                "Movements: what went in and out, line by line.".into(),
                "出入库流水：每一笔进出。".into(),
            ),
            Some("sales") => self.pick(
                "Sales: every ticket of the till, line by line.".into(),
                "销售小票：每张小票的每一行。".into(),
            ),
            _ => self.pick("Prices of SKUs.".into(), "货号的价格。".into()),
        }];
        let format = self.word("/container/format").unwrap_or_default();
        let encoding = self.word("/container/encoding").map(str::to_uppercase);
        let delimiter = match self.word("/container/delimiter") {
            Some("\t") => "TAB",
            Some(other) => other,
            None => "",
        };
        let what = match format {
            "delimited" => self.pick(
                format!("A text file, columns separated by `{delimiter}`"),
                format!("文本文件，各列用“{delimiter}”分隔"),
            ),
            "fixed" => {
                self.pick("A text file with columns of fixed width".into(), "固定列宽的文本文件".into())
            }
            "html_table" => {
                self.pick("A table of HTML, often named .xls".into(), "HTML 表格（常以 .xls 命名）".into())
            }
            other => self.pick(format!("A file of the kind {other}"), format!("{other} 文件")),
        };
        let encoded = encoding
            .map(|encoding| self.pick(format!(", encoded as {encoding}"), format!("，编码为 {encoding}")));
        let header = self.mapping.pointer("/rows/header_rows").and_then(Value::as_array).map(|rows| {
            let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            self.pick(
                format!("; the header stands in row {}", rows.join(", ")),
                format!("；表头在第 {} 行", rows.join("、")),
            )
        });
        let stop = self.pick(".".into(), "。".into());
        lines.push([Some(what), encoded, header, Some(stop)].into_iter().flatten().collect());
        lines
    }

    /// Name, whether it is needed, what stands in it.
    fn columns(&self) -> Vec<[String; 3]> {
        let fields = self.mapping.get("fields").and_then(Value::as_array).into_iter().flatten();
        let row = |field: &Value| {
            let from = match field.get("from") {
                Some(Value::String(name)) => name.clone(),
                Some(place) => self.place(place),
                None => String::new(),
            };
            let required = field.get("required").and_then(Value::as_bool).unwrap_or_default();
            let need = if required { self.pick("required".into(), "必填".into()) } else { String::new() };
            [from, need, self.what(field)]
        };
        fields.map(row).collect()
    }

    fn place(&self, place: &Value) -> String {
        let cell = place.get("cell").and_then(Value::as_array);
        if let Some([row, column]) = cell.map(Vec::as_slice) {
            return self
                .pick(format!("(row {row}, cell {column})"), format!("（第 {row} 行第 {column} 格）"));
        }
        if place.get("sheet_name").is_some() {
            return self.pick("(name of the sheet)".into(), "（工作表名）".into());
        }
        if place.get("file_name").is_some() {
            return self.pick("(name of the file)".into(), "（文件名）".into());
        }
        if let Some(index) = place.get("column_index") {
            return self.pick(format!("(column {index})"), format!("（第 {index} 列）"));
        }
        ask::shown(self.lang, place)
    }

    fn what(&self, field: &Value) -> String {
        let text = |name: &str| field.get(name).and_then(Value::as_str);
        let what = match text("type").unwrap_or_default() {
            "barcode" => self.pick("barcode with all its digits".into(), "完整的条码".into()),
            "quantity" | "integer" => self.pick("a whole number".into(), "整数".into()),
            "money" if text("unit") == Some("fen") => {
                self.pick("an amount in fen".into(), "金额（分）".into())
            }
            "money" => {
                self.pick("an amount in yuan, at most two decimals".into(), "金额（元），最多两位小数".into())
            }
            "datetime" | "date" => return self.date(field),
            "enum" => return self.words(field),
            "flag" => self.pick("yes or no".into(), "是或否".into()),
            _ if text("known") == Some("stores") => return self.store(),
            _ => self.pick(
                "text, exactly as in the ERP, with leading zeros".into(),
                "与 ERP 完全一致的文字，保留前导零".into(),
            ),
        };
        match field.get("range").and_then(Value::as_array).map(Vec::as_slice) {
            Some([low, high]) => {
                self.pick(format!("{what}, {low} to {high}"), format!("{what}，{low} 到 {high}"))
            }
            Some(_) | None => what,
        }
    }

    /// An example in each form that is read.
    fn date(&self, field: &Value) -> String {
        let example = jiff::civil::date(2026, 1, 20).at(20, 5, 0, 0);
        let formats =
            field.get("formats").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let shown: Vec<String> = formats
            .map(|format| jiff::fmt::strtime::format(format, example).unwrap_or_else(|_| format.to_owned()))
            .collect();
        if shown.is_empty() {
            return self.pick("a date".into(), "日期".into());
        }
        self.pick(format!("a date like {}", shown.join(" or ")), format!("日期，形如 {}", shown.join(" 或 ")))
    }

    fn words(&self, field: &Value) -> String {
        let words = field.get("value_map").and_then(Value::as_object);
        let words: Vec<&str> = words.into_iter().flatten().map(|(word, _)| word.as_str()).collect();
        self.pick(format!("one of: {}", words.join(", ")), format!("只能填：{}", words.join("、")))
    }

    fn store(&self) -> String {
        const SHOWN: usize = 3;
        let codes: Vec<String> =
            self.stores.iter().take(SHOWN).map(|store| format!("{} {}", store.code, store.name)).collect();
        if codes.is_empty() {
            return self.pick("code of the store".into(), "门店编码".into());
        }
        let more = if self.stores.len() > SHOWN { " …" } else { "" };
        self.pick(
            format!("code of the store: {}{more}", codes.join(", ")),
            format!("门店编码：{}{more}", codes.join("，")),
        )
    }

    /// What to keep to.
    fn rules(&self) -> Vec<String> {
        let mut rules = Vec::new();
        let mut rule = |en: &str, zh: &str| rules.push(self.lang.pick(en, zh).to_owned());
        rule(
            "Send the file as the ERP exports it. Do not open and save it in a spreadsheet: long numbers lose their digits, and 0012 becomes 12.",
            "请直接发送 ERP 导出的文件，不要用表格软件打开再保存：长数字会丢位，0012 会变成 12。",
        );
        rule(
            "Columns may change places, but their names must stay. New columns do no harm.",
            "列的顺序可以变，列名不能变。增加列没有关系。",
        );
        if self.mapping.pointer("/rows/control_total").is_some() {
            rule(
                "Keep the total at the end: it shows that no row was lost on the way.",
                "请保留末尾的合计行：它能证明途中没有丢行。",
            );
        }
        match self.word("/duplicates/policy") {
            Some("sum") => rule(
                "The same SKU may stand in several rows; they are added up.",
                "同一货号可以出现多行，会相加。",
            ),
            Some("latest") => rule(
                "The same SKU may stand in several rows; the latest counts.",
                "同一货号可以出现多行，以最新的为准。",
            ),
            Some(_) => rule(
                "Each SKU of a store stands in one row. Two rows that differ are both refused.",
                "同一门店的同一货号只能有一行。两行内容不同时都会被拒。",
            ),
            None => {}
        }
        match self.word("/guard/absent_sku") {
            Some("zero") => rule(
                "A SKU that is not listed counts as sold out, so the list must be complete.",
                "没有列出的货号按零库存处理，所以清单必须完整。",
            ),
            _ if self.word("/kind") == Some("stock_snapshot") => rule(
                "A SKU that is not listed stays as it was. One that is sold out must stand there with 0.",
                "没有列出的货号保持原数；售罄的货号请写 0。",
            ),
            _ => {}
        }
        if self.mapping.get("ticket").is_some() {
            rule(
                "A ticket counts as a whole: if one of its rows is wrong, all of it waits.",
                "小票整张生效：有一行出错，整张等待。",
            );
        }
        rule(
            "Rows with faults are sent back to you with what is wrong and how to mend it; the good ones count.",
            "有错的行会退回给您，并写明问题和改正办法；正确的行照常生效。",
        );
        rules
    }
}
