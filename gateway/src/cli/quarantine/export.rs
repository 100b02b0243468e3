//! `qudao quarantine export`: the rows as a CSV that a store opens in its spreadsheet.

use super::{Which, list};
use crate::{
    cli::written,
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::Args;
use qudao_pipeline::sentences::{RejectLine, rejects_csv, rejects_csv_head};
use std::path::PathBuf;

/// Arguments of `quarantine export`.
#[derive(Debug, Args)]
#[command(after_help = "\
UTF-8 with a byte-order mark, one fault a line, with what is wrong and how to mend it in English and Chinese. \
Cells that a spreadsheet would compute begin with an apostrophe.")]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    at: DataPath,
}

impl Export {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let mut rows = Vec::new();
        list::each(&storage, self.which.filter(), |row| {
            rows.push(row);
            Ok(())
        })
        .await?;
        let names = list::names(&storage, rows.iter().map(|row| row.import.clone())).await?;
        let file = |import: &str| names.get(import).map(String::as_str).unwrap_or_default();
        let lines =
            rejects_csv(rows.iter().map(|row| RejectLine { file: file(&row.import), reject: &row.reject }));
        let text = format!("{}{lines}", rejects_csv_head());
        match &self.output {
            Some(path) => written::table(path, &text)?,
            None => printer.bytes(text.as_bytes())?,
        }
        Ok(Exit::Done)
    }
}
