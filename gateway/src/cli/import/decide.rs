//! `qudao import confirm` and `discard`: only the running gateway decides, so it is asked.

use super::show;
use crate::{
    admin::Admin,
    cli::onboard::Reading,
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::Args;
use qudao_storage::{ImportRow, StoreState};
use serde_json::{Value, json};

/// Arguments of `import confirm`.
#[derive(Debug, Args)]
#[command(after_help = "Without --store everything of the import that waits counts from now on.")]
pub(super) struct Confirm {
    #[command(flatten)]
    which: Which,
}

/// Arguments of `import discard`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --store nothing of the import that waits will ever count; what counts already stays."
)]
pub(super) struct Discard {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// Its id, imp_…
    id: String,
    /// Only this store; may be given several times
    #[arg(long, value_name = "CODE")]
    store: Vec<String>,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

impl Confirm {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        self.which.run("confirm", printer).await
    }
}

impl Discard {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        self.which.run("discard", printer).await
    }
}

impl Which {
    async fn run(self, word: &str, printer: &mut Printer) -> Result<Exit, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let body = if self.store.is_empty() { json!({}) } else { json!({"stores": self.store}) };
        admin.post(&format!("/v1/imports/{}/{word}", self.id), Some(&body)).await?.done()?;
        let lang = self.reading.lang();
        let spinner = printer.spinner(lang.pick("the gateway is at it", "网关处理中"));
        let (row, stores) = settled(&admin, &self.id).await?;
        drop(spinner);
        show::tell(printer, self.reading, &row, &stores)
    }
}

/// How often the gateway is asked while it works.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Waits until the gateway has nothing more to do for an import by itself.
pub(in crate::cli) async fn settled(admin: &Admin, id: &str) -> Result<(ImportRow, Vec<StoreState>), Error> {
    loop {
        let (row, stores) = read(&admin.get(&format!("/v1/imports/{id}")).await?.done()?)?;
        if !row.state.is_unfinished() {
            return Ok((row, stores));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// An import as the API shows it.
pub(super) fn read(value: &Value) -> Result<(ImportRow, Vec<StoreState>), Error> {
    let odd = |error| Error::refused(format!("the gateway answers with something else: {error}"));
    let row = serde_json::from_value(value.clone()).map_err(odd)?;
    let stores = value.get("stores").cloned().unwrap_or_else(|| json!([]));
    Ok((row, serde_json::from_value(stores).map_err(odd)?))
}
