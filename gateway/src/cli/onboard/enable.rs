//! `qudao onboard enable`: a mapping becomes a channel of connectors.yaml. The file is changed as a person would change it, a
//! block added and nothing else touched, and only if the result is sound.

use super::{Reading, Source};
use crate::{
    cli::lang::{said, spoken},
    error::{Error, Exit},
    output::{
        Printer,
        style::{DIM, GOOD},
    },
    ready::Ready,
};
use clap::Args;
use qudao_config::{Findings, ProcessEnvironment};
use qudao_host::NoExpectations;
use qudao_pipeline::{Channels, sentences::Lang};
use serde_json::json;
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Arguments of `onboard enable`.
#[derive(Debug, Args)]
#[command(
    after_help = "A channel that is there already is never changed. Nothing is written if the configuration would have errors."
)]
pub(super) struct Enable {
    /// Name of the channel: lower-case letters, digits, single dashes
    name: String,
    /// The mapping
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    /// Import what appears in this folder
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

impl Enable {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let config = self.source.config.clone();
        if !config.exists() {
            return Err(no_configuration(&config));
        }
        let before = fs::read_to_string(&config).map_err(Error::file("read", &config))?;
        let reader = self.source.reader(printer).await?;
        let Some(settings) = reader.mapping(&self.mapping, printer).await? else {
            return Ok(Exit::NeedsPerson);
        };
        let files = reader
            .component
            .manifest()
            .files
            .as_ref()
            .map(|files| files.document.clone())
            .unwrap_or_default();
        let connector = reader.component.manifest().name.clone();
        let channels = names(&config);
        if channels.contains(&self.name) {
            let (file, name) = (config.display(), &self.name);
            return Err(Error::refused(match self.reading.lang() {
                Lang::En => format!("{file} has a channel `{name}` already; nothing was written"),
                Lang::Zh => format!("{file} 里已有渠道“{name}”，没有写入任何内容"),
            })
            .hint(said(
                "name another one, or change its `mapping:` there by hand",
                "请换一个名字，或直接修改那里的 `mapping:`",
            )));
        }
        let block =
            block(&self.name, (&connector, &files), &self.relative(&self.mapping), self.watch.as_deref());
        let after = with_channel(&before, &block).ok_or_else(|| {
            Error::refused(format!("{} has no `channels:` of its own line", config.display()))
                .hint(format!("add this by hand below it:\n{block}"))
        })?;
        check(&config, &after, &self.name).await?;
        fs::write(&config, &after).map_err(Error::file("write", &config))?;
        if let Some(watch) = self.watch.as_ref().filter(|watch| !watch.to_string_lossy().contains('*')) {
            let folder = config.parent().unwrap_or(Path::new("")).join(watch);
            fs::create_dir_all(&folder).map_err(Error::file("make the folder", &folder))?;
        }
        self.tell(printer, (&block, &settings.digest), &config)
    }

    /// The mapping as it is named in the configuration: relative to it where it lies below.
    fn relative(&self, path: &Path) -> String {
        let folder = self.source.config.parent().filter(|folder| !folder.as_os_str().is_empty());
        let relative = folder.and_then(|folder| path.strip_prefix(folder).ok()).map(Path::to_owned);
        let path = relative.unwrap_or_else(|| match folder {
            Some(_) => fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            None => path.to_owned(),
        });
        path.display().to_string()
    }

    fn tell(
        &self,
        printer: &mut Printer,
        (block, digest): (&str, &str),
        config: &Path,
    ) -> Result<Exit, Error> {
        let lang = self.reading.lang();
        if self.reading.json() {
            printer.json(&json!({"channel": self.name, "mapping": digest, "config": config}))?;
            return Ok(Exit::Done);
        }
        let added = match lang {
            Lang::En => format!("channel `{}` is in {}", self.name, config.display()),
            Lang::Zh => format!("渠道“{}”已写入 {}", self.name, config.display()),
        };
        printer.line(format_args!("{GOOD}ok{GOOD:#}: {added}\n{DIM}{}{DIM:#}", block.trim_end()))?;
        let version: String = digest.chars().take(12).collect();
        printer.line(format_args!("{}: {version}", lang.pick("mapping", "映射版本")))?;
        let data = qudao_config::data_folder(config).ok();
        match data.and_then(|data| Ready::read(&data).ok().flatten()) {
            Some(ready) => {
                let next = lang
                    .pick("A gateway is running; have it take the file", "网关正在运行，让它重新读取配置");
                printer.next(format_args!("\n{next}: kill -HUP {}", ready.pid))?;
            }
            None => printer.next(format_args!("\n{}: qudao serve", lang.pick("Next", "下一步")))?,
        }
        let first = match lang {
            Lang::En => {
                "The first figures of each store wait for one confirmation: qudao import list --state held"
            }
            Lang::Zh => "每家门店的第一份库存需要确认一次：qudao import list --state held",
        };
        printer.next(first)?;
        Ok(Exit::Done)
    }
}

/// There is nothing to add a channel to.
fn no_configuration(config: &Path) -> Error {
    let shown = config.display();
    Error::refused(match spoken() {
        Lang::En => format!("there is no {shown} to add a channel to"),
        Lang::Zh => format!("没有 {shown}，无法添加渠道"),
    })
    .hint(said(
        "`qudao init` writes one; --config FILE names another",
        "可用 `qudao init` 生成，或用 --config 文件 指明",
    ))
}

/// Names of the channels that a file has now.
fn names(config: &Path) -> Vec<String> {
    let (_, found) = qudao_config::load_in_part(config, &ProcessEnvironment);
    found.map(|config| config.channels.into_iter().map(|channel| channel.name).collect()).unwrap_or_default()
}

/// The lines of the new channel, as they stand below `channels:`.
fn block(name: &str, (connector, document): (&str, &str), mapping: &str, watch: Option<&Path>) -> String {
    let mut lines = vec![
        format!("  {name}:"),
        format!("    connector: {connector}"),
        "    status: live".to_owned(),
        "    settings:".to_owned(),
        format!("      {document}: {}", super::yaml::flow(&json!(mapping))),
    ];
    if let Some(watch) = watch {
        lines.push(format!("      watch: {}", super::yaml::flow(&json!(watch.display().to_string()))));
    }
    format!("{}\n", lines.join("\n"))
}

/// The file with a block at the end of `channels:`; nothing where that is not written as a block of lines.
fn with_channel(text: &str, block: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&str| line.starts_with("channels:");
    let at = lines.iter().position(begins)?;
    let head = lines.get(at)?;
    let rest = head.strip_prefix("channels:")?.split('#').next().unwrap_or_default().trim();
    let empty = match rest {
        "" => false,
        "{}" => true,
        _ => return None,
    };
    let inside = |line: &&&str| line.trim().is_empty() || line.starts_with([' ', '#', '\t']);
    let body = lines.get(at + 1..)?;
    let length = body.iter().take_while(inside).count();
    // Blank lines and comments at the margin belong to what comes next.
    let tail = body
        .get(..length)?
        .iter()
        .rev()
        .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
        .count();
    let end = at + 1 + if empty { 0 } else { length - tail };
    let mut out: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if empty && let Some(line) = out.get_mut(at) {
        *line = line.replacen(" {}", "", 1);
    }
    let gap = if empty || length == tail { "" } else { "\n" };
    out.insert(end, format!("{gap}{}", block.trim_end()));
    Some(format!("{}\n", out.join("\n")))
}

/// Whether a gateway would start with the new text. Findings that the file had before are the operator's to mend, but a
/// channel that nobody can start is not added.
async fn check(config: &Path, text: &str, name: &str) -> Result<(), Error> {
    let folder = config.parent().unwrap_or(Path::new(""));
    let beside = folder.join(format!(".{name}.connectors.yaml"));
    let made = OpenOptions::new().write(true).create_new(true).open(&beside);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(Error::file("write", &beside))?;
    let loaded = sound(&beside).await;
    fs::remove_file(&beside).map_err(Error::file("remove", &beside))?;
    let findings = loaded?.into_iter().map(|finding| qudao_config::Finding {
        file: if finding.file == beside.display().to_string() {
            config.display().to_string()
        } else {
            finding.file
        },
        ..finding
    });
    let findings = Findings::new(findings.collect());
    if findings.has_errors() { Err(Error::Config(findings)) } else { Ok(()) }
}

async fn sound(file: &Path) -> Result<Findings, Error> {
    let config = match qudao_config::load(file, &ProcessEnvironment) {
        Ok(config) => config,
        Err(findings) => return Ok(findings),
    };
    let host = crate::app::host_beside(Some(&config.gateway.data))?;
    let loaded = Channels::load(&config, &host, Arc::new(NoExpectations)).await;
    Ok(loaded.err().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "  chengdu-erp:\n    connector: files\n    settings:\n      mapping: m.yaml\n";

    #[test]
    fn a_channel_comes_behind_the_others_and_nothing_else_moves() {
        let block =
            block("chengdu-erp", ("files", "mapping"), "mappings/成都 1.yaml", Some(Path::new("inbox/0012")));
        insta::assert_snapshot!(block, @r#"
        chengdu-erp:
          connector: files
          status: live
          settings:
            mapping: "mappings/成都 1.yaml"
            watch: inbox/0012
        "#);
        let text = "version: 1\nchannels:   # ours\n  a:\n    connector: x\n    # of a\n\n# what HQ gets\nfeed: {}\n";
        insta::assert_snapshot!(with_channel(text, BLOCK).unwrap(), @r#"
        version: 1
        channels:   # ours
          a:
            connector: x
            # of a

          chengdu-erp:
            connector: files
            settings:
              mapping: m.yaml

        # what HQ gets
        feed: {}
        "#);
        let text = "version: 1\nchannels: {}   # none yet\n#  example:\n";
        insta::assert_snapshot!(with_channel(text, BLOCK).unwrap(), @r#"
        version: 1
        channels:   # none yet
          chengdu-erp:
            connector: files
            settings:
              mapping: m.yaml
        #  example:
        "#);
        let text = "channels:\n  a: {connector: x}";
        insta::assert_snapshot!(with_channel(text, BLOCK).unwrap(), @r#"
        channels:
          a: {connector: x}

          chengdu-erp:
            connector: files
            settings:
              mapping: m.yaml
        "#);
    }

    #[test]
    fn a_file_that_is_written_otherwise_is_left_alone() {
        for text in ["version: 1\n", "channels: {a: {connector: x}}\n", "  channels:\n"] {
            assert_eq!(with_channel(text, BLOCK), None, "{text}");
        }
    }
}
