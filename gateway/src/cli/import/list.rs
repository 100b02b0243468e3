//! `qudao import list`.

use super::outcome::Outcome;
use crate::{
    cli::{listed::Listed, onboard::Reading, when, word},
    error::{Error, Exit},
    output::{Printer, Table, people},
    store::DataPath,
};
use clap::Args;
use qudao_model::Timestamp;
use qudao_pipeline::sentences::Lang;
use qudao_storage::{ImportFilter, ImportRow, ImportState, LIMIT_DEFAULT};

/// Arguments of `import list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only this channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only this state: received, reading, applying, held, applied, partial, rejected, discarded, failed
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<ImportState>,
    /// Received at or after: RFC 3339, a date, or how long ago (30m, 2h, 3d)
    #[arg(long, value_name = "TIME", value_parser = when::since)]
    since: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT)]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

fn state(word: &str) -> Result<ImportState, String> {
    word::of(word, &ImportState::ALL, ImportState::as_str)
}

impl List {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let lang = self.reading.lang();
        let json = self.reading.json();
        let List { channel, state, since, limit, .. } = self;
        let filter = ImportFilter { channel, state, since, limit, cursor: None };
        let page = storage.imports(&filter).await.map_err(Error::storage("read the imports"))?;
        let nothing = lang.pick("no imports found", "没有导入记录");
        let listed = Listed { page: &page, nothing, narrower: "" };
        listed.tell(printer, json, |rows| table(lang, rows))
    }
}

fn table(lang: Lang, rows: &[ImportRow]) -> Table {
    let mut table = match lang {
        Lang::En => {
            Table::new(["RECEIVED", "CHANNEL", "FILE", "KIND", "STATE", "REASON", ">ROWS", ">REJECTS", "ID"])
        }
        Lang::Zh => {
            Table::new(["收到时间", "渠道", "文件", "内容", "状态", "原因", ">有效行", ">被拒行", "编号"])
        }
    };
    for row in rows {
        let count = |of: fn(&qudao_model::file::RowCounts) -> u64| {
            row.counts.as_ref().map(|counts| of(counts).to_string()).unwrap_or_default()
        };
        table.row([
            people::time(row.received_at),
            row.channel.clone(),
            row.name.clone(),
            row.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
            row.state.as_str().to_owned(),
            row.reason.clone().unwrap_or_default(),
            count(|counts| counts.rows),
            row.counts
                .map(|counts| counts.rejects.saturating_add(Outcome::of(row).late()).to_string())
                .unwrap_or_default(),
            row.id.clone(),
        ]);
    }
    table
}
