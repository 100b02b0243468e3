//! `qudao deliveries list`.

use super::Which;
use crate::{
    cli::{Format, listed::Listed},
    error::{Error, Exit},
    output::{Printer, Table, people},
    store::DataPath,
};
use clap::Args;
use qudao_storage::{DeliveryFilter, DeliveryRow, LIMIT_DEFAULT};

/// Arguments of `deliveries list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT)]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

impl List {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let filter = DeliveryFilter { limit: self.limit, ..self.which.filter() };
        let page = storage.deliveries(&filter).await.map_err(Error::storage("read the inbox"))?;
        let narrower = ", --until T goes back in time";
        let listed = Listed { page: &page, nothing: "no deliveries found", narrower };
        listed.tell(printer, self.format.json, table)
    }
}

fn table(rows: &[DeliveryRow]) -> Table {
    let mut table =
        Table::new(["RECEIVED", "CHANNEL", "REQUEST", "VERDICT", "REASON", ">BYTES", ">SEEN", ">µS", "ID"]);
    for row in rows {
        table.row(cells(row));
    }
    table
}

fn cells(row: &DeliveryRow) -> [String; 9] {
    [
        people::time(row.received_at),
        row.channel.clone(),
        request(row),
        row.verdict.as_str().to_owned(),
        row.reason.clone().unwrap_or_default(),
        row.size_bytes.to_string(),
        format!("{}x", row.duplicates + 1),
        row.micros.to_string(),
        row.id.clone(),
    ]
}

/// Of what the gateway asked itself the kind of thing; of a platform's request the method, as the path is the channel's.
fn request(row: &DeliveryRow) -> String {
    match row.method.as_str() {
        "POLL" | "FETCH" | "COMMAND" => format!("{} {}", row.method, row.path.trim_start_matches('/')),
        method => method.to_owned(),
    }
}
