//! `qudao import confirm` and `discard`: only the running gateway decides, so it is asked.

use super::show;
use crate::{
    admin::Admin,
    cli::{lang::said, onboard::Reading},
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::Args;
use qudao_pipeline::sentences::{self, Lang};
use qudao_storage::{ImportRow, ImportState, StoreState};
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
    after_help = "Without --store nothing of the import that waits will ever count; what counts already stays. There is no way back \
                  but a new export, or the same file under a changed mapping."
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
        let lang = self.reading.lang();
        let (before, _) = read(&admin.get(&format!("/v1/imports/{}", self.id)).await?.done()?)?;
        if matches!(before.state, ImportState::Discarded | ImportState::Applied)
            || matches!(before.state, ImportState::Rejected | ImportState::Failed)
        {
            return Err(nothing_waits(lang, word, &before));
        }
        admin.post(&format!("/v1/imports/{}/{word}", self.id), Some(&body)).await?.done()?;
        let spinner = printer.spinner(lang.pick("the gateway is at it", "网关处理中"));
        let (row, stores) = settled(&admin, &self.id).await?;
        drop(spinner);
        show::tell(printer, self.reading, &row, &stores)
    }
}

/// Why there is nothing to decide about an import, and what can be done with it instead.
fn nothing_waits(lang: Lang, word: &str, row: &ImportRow) -> Error {
    let (id, state) = (&row.id, row.state.as_str());
    let verb = match (lang, word) {
        (Lang::Zh, "confirm") => "确认",
        (Lang::Zh, _) => "作废",
        (Lang::En, word) => word,
    };
    let why = match &row.reason {
        Some(reason) => format!(": {} ({reason})", sentences::reason(lang, reason)),
        None => String::new(),
    };
    let text = match lang {
        Lang::En => format!("{id} is {state}, so there is nothing to {verb}{why}"),
        Lang::Zh => format!("{id} 的状态是 {state}，没有可以{verb}的内容{why}"),
    };
    Error::refused(text).hint(match row.state {
        ImportState::Discarded => way_back(lang).to_owned(),
        ImportState::Rejected => {
            let mend = row.reason.as_deref().map(|reason| sentences::reason_mend(lang, reason));
            let again = lang.pick(
                "Once the mapping is mended: qudao quarantine retry --import",
                "映射改好以后：qudao quarantine retry --import",
            );
            format!("{} {again} {id}", mend.unwrap_or_default()).trim().to_owned()
        }
        ImportState::Failed => format!(
            "{} qudao quarantine retry --import {id}",
            lang.pick("have it read again:", "可以重新读取：")
        ),
        ImportState::Received
        | ImportState::Reading
        | ImportState::Applying
        | ImportState::Held
        | ImportState::Applied
        | ImportState::Partial => format!(
            "qudao import show {id} {}",
            lang.pick(
                "says how it stands; qudao import list --state held lists what waits",
                "查看状态；qudao import list --state held 列出等待确认的"
            )
        ),
    })
}

/// How what was discarded comes to count after all.
pub(super) fn way_back(lang: Lang) -> &'static str {
    lang.pick(
        "What is discarded stays discarded: the same bytes under the same mapping never count. \
         If it was a mistake, hand in a new export, or hand the file in again once the mapping was changed.",
        "作废后不能恢复：同样的文件按同一映射不会再生效。如果是误操作，请提交新导出的文件，或修改映射后重新提交。",
    )
}

/// How often the gateway is asked while it works.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// How often it may say that it has not begun; a paused channel never begins.
const PATIENCE: u32 = 300;

/// Waits until the gateway has nothing more to do for an import by itself, or does not begin with it for a minute.
pub(in crate::cli) async fn settled(admin: &Admin, id: &str) -> Result<(ImportRow, Vec<StoreState>), Error> {
    let mut idle = 0;
    loop {
        let (row, stores) = read(&admin.get(&format!("/v1/imports/{id}")).await?.done()?)?;
        if !row.state.is_unfinished() {
            return Ok((row, stores));
        }
        idle = if row.state == ImportState::Received { idle + 1 } else { 0 };
        if idle > PATIENCE {
            let text = said(
                "the gateway has the file and has not begun to read it",
                "网关已收到文件，但还没有开始读取",
            );
            return Err(Error::refused(format!("{text}: {id}")).hint(said(
                "is the channel paused, or a large file before it? qudao import show says how it stands",
                "渠道是否暂停，或前面有大文件？qudao import show 查看状态",
            )));
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
