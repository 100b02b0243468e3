//! `qudao plugin inspect`: what a component can do, read from its bytes, and what it says about itself.

mod asks;

use crate::{
    app,
    cli::Format,
    error::{self, Error, Exit},
    output::{
        Printer, Table, people,
        style::{BOLD, DIM},
    },
};
use clap::Args;
use qudao_host::Component;
use qudao_model::manifest::{KeyKind, Manifest};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Arguments of `plugin inspect`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Inspect {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let component = load(&self.file).await?;
        if self.format.json {
            printer.json(&json!({
                "manifest": component.manifest(),
                "digest": component.digest(),
                "size_bytes": component.size_bytes(),
                "imports": component.imports(),
                "exports": component.exports(),
            }))?;
        } else {
            show(&self.file, &component, printer)?;
        }
        Ok(Exit::Done)
    }
}

/// Loads one component into the sandbox.
pub(super) async fn load(file: &Path) -> Result<Component, Error> {
    let wasm = fs::read(file).map_err(Error::file("read", file))?;
    let host = app::host_beside(None)?;
    host.load(wasm).await.map_err(|error| {
        Error::refused(format!("{} does not load: {}", file.display(), error::chain(&error)))
    })
}

fn show(file: &Path, component: &Component, printer: &mut Printer) -> Result<(), Error> {
    let manifest = component.manifest();
    printer.line(format_args!(
        "{BOLD}{}@{}{BOLD:#}  {}",
        manifest.name, manifest.version, manifest.description
    ))?;
    printer.line(format_args!(
        "{DIM}file   {DIM:#} {}, {}",
        file.display(),
        people::bytes(component.size_bytes())
    ))?;
    printer.line(format_args!("{DIM}sha256 {DIM:#} {}", component.digest()))?;
    list(printer, "imports (all it can use)", &component.imports())?;
    list(printer, "exports (what it can do)", &component.exports())?;
    list(printer, "network (origins it wants to reach)", &manifest.network)?;
    if manifest.personal {
        printer.line(format_args!("\n{BOLD}personal data{BOLD:#}\n  its deliveries are kept sealed"))?;
    }
    if let Some(files) = &manifest.files {
        let document = &files.document;
        printer.line(format_args!(
            "\n{BOLD}files{BOLD:#}\n  reads files, by the document that the setting {document} names"
        ))?;
    }
    settings(printer, &manifest.settings_schema)?;
    secrets(printer, manifest)?;
    asks::show(printer, manifest)
}

fn list(printer: &mut Printer, title: &str, lines: &[String]) -> Result<(), Error> {
    printer.line(format_args!("\n{BOLD}{title}{BOLD:#}"))?;
    if lines.is_empty() {
        return printer.line("  none");
    }
    lines.iter().try_for_each(|line| printer.line(format_args!("  {line}")))
}

fn settings(printer: &mut Printer, schema: &Value) -> Result<(), Error> {
    printer.line(format_args!("\n{BOLD}settings{BOLD:#}"))?;
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut table = Table::new(["  NAME", "TYPE", "", "WHAT"]);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&name.as_str()) { "required" } else { "" };
        let what = property["description"].as_str().unwrap_or_default();
        table.row([format!("  {name}"), type_of(property), must.to_owned(), what.replace('\n', " ")]);
    }
    if table.is_empty() { printer.line("  none") } else { printer.table(&table) }
}

/// `string`, or the words that may stand there: `public_key | both`. Of `string or null` only the former, because that
/// it may be left out stands in another column.
fn type_of(property: &Value) -> String {
    let all = |name: &str| property[name].as_array().into_iter().flatten();
    let constants = all("oneOf").filter_map(|one| one["const"].as_str());
    let words: Vec<&str> = all("enum").filter_map(Value::as_str).chain(constants).collect();
    if !words.is_empty() {
        return words.join(" | ");
    }
    let types = all("type").chain([&property["type"]]).filter_map(Value::as_str);
    types.filter(|word| *word != "null").collect::<Vec<_>>().join(" or ")
}

fn secrets(printer: &mut Printer, manifest: &Manifest) -> Result<(), Error> {
    printer.line(format_args!("\n{BOLD}secrets{BOLD:#}"))?;
    let mut table = Table::new(["  NAME", "KIND", "CAN", "", "WHAT"]);
    for secret in &manifest.secrets {
        let must = if secret.required { "required" } else { "" };
        table.row([
            format!("  {}", secret.name),
            kind(secret.kind),
            secret.kind.verb().to_owned(),
            must.to_owned(),
            secret.description.clone(),
        ]);
    }
    if table.is_empty() { printer.line("  none") } else { printer.table(&table) }
}

fn kind(kind: KeyKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
