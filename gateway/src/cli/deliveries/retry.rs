//! `qudao deliveries retry`: only the running gateway writes, so it is asked, delivery by delivery.

use super::Which;
use crate::{
    admin::{Admin, Answered},
    cli::Format,
    error::{Error, Exit},
    output::{Printer, Table},
    store::{self, DataPath},
};
use clap::Args;
use qudao_storage::{DeliveryFilter, LIMIT_MAX, VerdictKind};
use serde_json::json;
use std::path::Path;

/// Arguments of `deliveries retry`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without ids the filters pick them; --verdict is failed unless another is named. A delivery is run as of the moment it \
was received, so that time windows mean what they meant then. Rejected ones cannot be run again: their bytes are not kept.
Exit code 0 when all of them are accepted or ignored now, 2 when one is not.")]
pub(crate) struct Retry {
    /// Their ids, dlv_…
    ids: Vec<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

impl Retry {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let filtered = self.which.channel.is_some()
            || self.which.verdict.is_some()
            || self.which.reason.is_some()
            || self.which.since.is_some()
            || self.which.until.is_some();
        if self.ids.is_empty() && !filtered {
            return Err(Error::usage("neither ids nor filters say which deliveries to run again")
                .hint("all that failed: qudao deliveries retry --verdict failed"));
        }
        let data = self.at.folder()?;
        let admin = Admin::find(&data, &self.at.config)?;
        let ids = if self.ids.is_empty() { self.pick(&data).await? } else { self.ids.clone() };
        if ids.is_empty() {
            printer.note("no deliveries found")?;
            return Ok(Exit::Done);
        }
        self.ask(&admin, &ids, printer).await
    }

    /// Ids that the filters find, oldest first, as they came in.
    async fn pick(&self, data: &Path) -> Result<Vec<String>, Error> {
        let storage = store::open(data, Some(&self.at.config)).await?;
        let filter = self.which.filter();
        let mut filter = DeliveryFilter {
            verdict: filter.verdict.or(Some(VerdictKind::Failed)),
            limit: LIMIT_MAX,
            ..filter
        };
        let mut ids = Vec::new();
        loop {
            let page = storage.deliveries(&filter).await.map_err(Error::storage("read the inbox"))?;
            ids.extend(page.items.into_iter().map(|row| row.id));
            match page.next {
                Some(next) => filter.cursor = Some(next),
                None => break,
            }
        }
        ids.reverse();
        Ok(ids)
    }

    async fn ask(&self, admin: &Admin, ids: &[String], printer: &mut Printer) -> Result<Exit, Error> {
        let spinner = printer.spinner("retrying");
        let mut table = Table::new(["ID", "VERDICT", "WHY"]);
        let mut exit = Exit::Done;
        for (at, id) in ids.iter().enumerate() {
            spinner.say(format!("retrying {} of {}", at + 1, ids.len()));
            let (verdict, why) = match admin.post(&format!("/v1/deliveries/{id}/retry"), None).await? {
                Answered::Done(retried) => {
                    let row = retried.get("delivery").unwrap_or(&retried);
                    let text = |name: &str| {
                        row.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
                    };
                    (text("verdict"), text("reason"))
                }
                Answered::Refused(refusal) => ("not run".to_owned(), refusal.title),
            };
            if !matches!(verdict.as_str(), "accepted" | "ignored") {
                exit = Exit::NeedsPerson;
            }
            if self.format.json {
                printer.json_line(&json!({"id": id, "verdict": verdict, "why": why}))?;
            } else {
                table.row([id.clone(), verdict, why]);
            }
        }
        drop(spinner);
        if !self.format.json {
            printer.table(&table)?;
        }
        Ok(exit)
    }
}
