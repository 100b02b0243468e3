//! `qudao import FILE`: hands a file to the running gateway.

use super::{decide, dry_run, show};
use crate::{
    admin::Admin,
    cli::{
        lang::{self, said},
        onboard::{self, Reading},
    },
    error::{Error, Exit},
    output::{
        Printer, people,
        style::{CARE, GOOD},
    },
    store::DataPath,
};
use clap::Args;
use qudao_config::ProcessEnvironment;
use qudao_pipeline::sentences::Lang;
use qudao_storage::{ImportRow, ImportState, StoreState};
use std::path::{Path, PathBuf};

/// Arguments of `import FILE`.
#[derive(Debug, Args)]
pub(super) struct Send {
    /// The file
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The channel it is for; not needed where only one reads files
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Show what would change, and change nothing; needs no running gateway
    #[arg(long)]
    dry_run: bool,
    /// Wait until the file is read, and show what became of it
    #[arg(long, conflicts_with = "dry_run")]
    wait: bool,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

impl Send {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let Some(file) = &self.file else {
            return Err(Error::usage(said("name the file to hand in", "请写出要提交的文件"))
                .hint(said("qudao import FILE", "qudao import 文件")));
        };
        let name = onboard::name(file);
        onboard::readable(file)?;
        let opened = tokio::fs::File::open(file).await.map_err(Error::file("open", file))?;
        let channel = match &self.channel {
            Some(channel) => channel.clone(),
            None => only_channel(&self.at.config)?,
        };
        if self.dry_run {
            return dry_run::run(printer, self.reading, (file, &channel), &self.at).await;
        }
        let admin = Admin::find(&self.at.folder()?, &self.at.config)?;
        let lang = self.reading.lang();
        let spinner = printer.spinner(lang.pick("handing the file in", "正在提交文件"));
        let (mut row, mut stores) = decide::read(&admin.hand_in(&channel, &name, opened).await?.done()?)?;
        let already = !row.state.is_unfinished();
        if self.wait && !already {
            spinner.say(lang.pick("the gateway reads the file", "网关正在读取"));
            (row, stores) = decide::settled(&admin, &row.id).await?;
        }
        drop(spinner);
        self.tell(printer, (&row, &stores), already)
    }

    fn tell(
        &self,
        printer: &mut Printer,
        (row, stores): (&ImportRow, &[StoreState]),
        already: bool,
    ) -> Result<Exit, Error> {
        let lang = self.reading.lang();
        if already && !self.reading.json() {
            let text = match lang {
                Lang::En if row.state == ImportState::Discarded => {
                    "this file was handed in before under the same mapping, and discarded; nothing changes"
                }
                Lang::Zh if row.state == ImportState::Discarded => {
                    "该文件以前按同一映射提交过，已作废，没有任何变化"
                }
                Lang::En => "this file was imported before, under the same mapping; nothing changes",
                Lang::Zh => "该文件已按同一映射导入过，没有任何变化",
            };
            printer.note(format_args!("{CARE}{}{CARE:#}: {text}", lang.pick("already imported", "重复")))?;
        }
        if self.wait || already || self.reading.json() {
            let exit = show::tell(printer, self.reading, row, stores)?;
            return Ok(if self.wait || already { exit } else { Exit::Done });
        }
        let took = lang.pick("received", "已收到");
        let (name, size) = (people::text(&row.name), people::bytes(row.size));
        printer.line(format_args!("{GOOD}{took}{GOOD:#} {name}, {size} → {}  {}", row.channel, row.id))?;
        let next = lang.pick("What becomes of it", "处理结果");
        printer.next(format_args!("\n{next}: qudao import show {}", row.id))?;
        Ok(Exit::Done)
    }
}

/// The one channel of a configuration whose connector reads files.
fn only_channel(config: &Path) -> Result<String, Error> {
    let config = qudao_config::load(config, &ProcessEnvironment).map_err(Error::Config)?;
    let reads = |channel: &&qudao_config::Channel| onboard::reads_files(&channel.connector.path);
    let channels: Vec<&str> =
        config.channels.iter().filter(reads).map(|channel| channel.name.as_str()).collect();
    match channels.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            let (file, no) = (config.file.display(), lang::spoken());
            let text = match no {
                Lang::En => format!("no channel of {file} reads files"),
                Lang::Zh => format!("{file} 里没有读文件的渠道"),
            };
            Err(Error::usage(text).hint(said(
                "qudao onboard enable NAME --mapping MAPPING.yaml makes one",
                "用 qudao onboard enable 名称 --mapping 映射.yaml 建一个",
            )))
        }
        several => {
            let ask = said("which channel is the file for?", "文件属于哪个渠道？");
            let how = said("add --channel NAME, one of", "请加 --channel 名称，可选：");
            Err(Error::usage(ask).hint(format!("{how} {}", several.join(", "))))
        }
    }
}
