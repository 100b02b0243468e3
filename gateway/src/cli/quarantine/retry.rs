//! `qudao quarantine retry`: the running gateway reads a stored file again; rows that were mended count from then on.

use super::Reading;
use crate::{
    admin::Admin,
    cli::import,
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::Args;
use serde_json::json;

/// Arguments of `quarantine retry`.
#[derive(Debug, Args)]
#[command(after_help = "\
After a store was added to the store directory, or the mapping was mended: the gateway reads the stored bytes again. What \
counts already stays as it is; what can be read now is added. Exit codes as of `qudao import`.")]
pub(crate) struct Retry {
    /// Whose rows, imp_…
    #[arg(long, value_name = "ID")]
    import: String,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

impl Retry {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let answer =
            admin.post(&format!("/v1/imports/{}/retry", self.import), Some(&json!({}))).await?.done()?;
        // Under another mapping it is another import.
        let id = answer.get("id").and_then(serde_json::Value::as_str).unwrap_or(&self.import).to_owned();
        let lang = self.reading.lang();
        let spinner = printer.spinner(lang.pick("the gateway reads the file again", "网关正在重新读取"));
        let (row, stores) = import::settled(&admin, &id).await?;
        drop(spinner);
        import::tell(printer, self.reading, &row, &stores)
    }
}
