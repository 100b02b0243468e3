//! The connector that reads files, and what it reads with: found without any channel, the store directory taken along where
//! there is a configuration.

use super::yaml;
use crate::{
    app,
    cli::lang::{self, said},
    error::{Error, chain},
    output::Printer,
};
use clap::Args;
use qudao_config::{Config, Environment, Findings, ProcessEnvironment, SettingDocument, Stores};
use qudao_host::{AskFailure, Component, Connector};
use qudao_pipeline::{
    FileSettings, document_problems,
    sentences::{self, Lang},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where components lie; `*` stands for any name, the first of these folders that has one counts.
const FOLDERS: [&str; 2] = ["plugins", "target/plugins"];
/// The same beside the program.
const PROGRAM_FOLDERS: [&str; 2] = ["plugins", "../plugins"];
/// What a component that reads files exports; its name stands in the bytes as it is.
const EXPORT: &[u8] = b"qudao:connector/file@";

/// Which connector, and whose stores.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The configuration, for its store directory
    #[arg(long, value_name = "FILE", default_value = "connectors.yaml")]
    pub(crate) config: PathBuf,
    /// The connector that reads files, a .wasm [default: the one in plugins/ that does]
    #[arg(long, value_name = "FILE")]
    connector: Option<PathBuf>,
}

/// A connector that reads files, without a channel.
pub(crate) struct Reader {
    pub(crate) component: Component,
    pub(crate) connector: Connector,
    pub(crate) stores: Arc<Stores>,
    /// Where the store directory was looked for.
    pub(crate) config: PathBuf,
}

impl Source {
    /// Loads the connector and reads the store directory.
    pub(crate) async fn reader(&self, printer: &mut Printer) -> Result<Reader, Error> {
        let config = self.configuration(printer)?;
        let data = config.as_ref().map(|config| config.gateway.data.clone());
        let stores = config.map(|config| config.stores).unwrap_or_default();
        let spinner = printer.spinner(said("loading the connector", "正在加载连接器"));
        let component = self.component(data.as_deref()).await?;
        drop(spinner);
        let connector = component.loose("onboard");
        Ok(Reader { component, connector, stores, config: self.config.clone() })
    }

    /// The configuration where there is one. Its mistakes elsewhere are no reason not to look at a file; those of the store
    /// directory are told, because codes of stores are looked up in it.
    fn configuration(&self, printer: &mut Printer) -> Result<Option<Config>, Error> {
        if !self.config.exists() {
            return Ok(None);
        }
        let (findings, config) = qudao_config::load_in_part(&self.config, &ProcessEnvironment);
        let about_stores = findings.into_iter().filter(|finding| finding.code == "stores");
        let about_stores = Findings::new(about_stores.collect());
        if about_stores.has_errors() {
            return Err(Error::Config(about_stores));
        }
        if !about_stores.is_empty() {
            printer.findings(&about_stores)?;
        }
        Ok(config)
    }

    async fn component(&self, data: Option<&Path>) -> Result<Component, Error> {
        let host = app::host_beside(data)?;
        let (path, wasm) = match &self.connector {
            Some(path) => (path.clone(), fs::read(path).map_err(Error::file("read", path))?),
            None => self.found()?,
        };
        let component = host.load(wasm).await.map_err(|error| {
            Error::refused(format!("{} does not load: {}", path.display(), chain(&error)))
        })?;
        if component.manifest().files.is_none() {
            return Err(Error::usage(format!("{} reads no files", path.display()))
                .hint("qudao plugin inspect says what a connector can do"));
        }
        Ok(component)
    }

    /// The first component that exports the reading of files.
    fn found(&self) -> Result<(PathBuf, Vec<u8>), Error> {
        let beside = self.config.parent().unwrap_or(Path::new(""));
        let program = ProcessEnvironment.program_folder();
        let folders = FOLDERS.iter().map(|folder| beside.join(folder));
        let folders = folders.chain(
            program.iter().flat_map(|program| PROGRAM_FOLDERS.iter().map(|folder| program.join(folder))),
        );
        let looked: Vec<PathBuf> = folders.collect();
        for path in looked.iter().flat_map(|folder| components(folder)) {
            if let Ok(wasm) = fs::read(&path)
                && exports(&wasm)
            {
                return Ok((path, wasm));
            }
        }
        let shown: Vec<String> = looked.iter().map(|folder| folder.display().to_string()).collect();
        let shown = shown.join(", ");
        Err(Error::refused(said("no connector that reads files was found", "没有找到能读文件的连接器")).hint(
            match lang::spoken() {
                Lang::En => format!(
                    "looked in {shown}; `cargo xtask plugins` builds those of a checkout, --connector FILE names one"
                ),
                Lang::Zh => format!("找过 {shown}；请用 --connector 文件 指明"),
            },
        ))
    }
}

/// Whether a component exports the reading of files; told from its bytes, without loading it.
pub(crate) fn reads_files(component: &Path) -> bool {
    fs::read(component).is_ok_and(|wasm| exports(&wasm))
}

fn exports(wasm: &[u8]) -> bool {
    wasm.windows(EXPORT.len()).any(|part| part == EXPORT)
}

/// Components of a folder and of the folders in it, by name.
fn components(folder: &Path) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let is_component = |path: &PathBuf| path.extension().is_some_and(|end| end == "wasm");
    let entries = inside(folder);
    let nested = entries.iter().filter(|path| path.is_dir()).filter_map(|path| {
        let name = path.file_name().map(|name| path.join(name).with_extension("wasm"));
        name.filter(|path| path.is_file())
    });
    let mut found: Vec<PathBuf> = nested.collect();
    found.extend(entries.iter().filter(|path| is_component(path)).cloned());
    found.sort();
    found
}

impl Reader {
    /// Reads a mapping and checks it, by schema and by the connector. Nothing where a `TODO` is left in it, which is told.
    pub(crate) async fn mapping(
        &self,
        path: &Path,
        printer: &mut Printer,
    ) -> Result<Option<FileSettings>, Error> {
        let document = SettingDocument::read(path).map_err(Error::Config)?;
        let left = yaml::left(document.value());
        if !left.is_empty() {
            let hint = said(
                "put what is right in its place; the lines above it say what it could be",
                "请改成正确的内容；它上面几行写着可能的选择",
            );
            let open = said("is still to be decided", "还没有决定");
            let finding = |at: &String| document.finding_at(at, open, Some(hint.to_owned()));
            printer.findings(&Findings::new(left.iter().map(finding).collect()))?;
            return Ok(None);
        }
        let settings = FileSettings::new((&self.component, &document), &self.stores, None);
        let problems = document_problems(&self.component, &document, &settings)
            .await
            .map_err(|failure| failed(&failure))?;
        if problems.is_empty() { Ok(Some(settings)) } else { Err(Error::Config(Findings::new(problems))) }
    }
}

impl Reader {
    /// Names of stores by code: those of the mapping, else those of the store directory.
    pub(crate) fn names(&self, settings: &FileSettings) -> BTreeMap<String, String> {
        let document = self.component.manifest().files.as_ref().map(|files| files.document.as_str());
        let own =
            settings.settings.get(document.unwrap_or_default()).and_then(|mapping| mapping.get("stores"));
        let own = own.and_then(|stores| serde_json::from_value(stores.clone()).ok());
        own.unwrap_or_else(|| self.stores.names())
    }
}

/// A connector that could not say anything.
pub(crate) fn failed(failure: &AskFailure) -> Error {
    broken(&failure.code, &failure.message)
}

/// What went wrong with a file that could not even be judged.
pub(super) fn broken(code: &str, message: &str) -> Error {
    let text = match lang::spoken() {
        Lang::En => format!("the file could not be read: {message} ({code})"),
        Lang::Zh => format!("文件无法读取：{message}（{code}）"),
    };
    let how = sentences::reason_mend(lang::spoken(), code);
    let anyway = said(
        "docs/errors.md has a paragraph for the word in brackets; `--connector FILE` tries another connector",
        "docs/errors.md 里有括号中这个词的说明；可用 `--connector 文件` 换一个连接器",
    );
    Error::refused(text).hint(if how.is_empty() { anyway } else { how })
}
