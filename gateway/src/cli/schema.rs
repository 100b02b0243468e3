//! `qudao schema`: the JSON Schema of connectors.yaml.

use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::Args;

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
An editor with the YAML language server checks while you write \
when the first line of the file is
  # yaml-language-server: $schema=connectors.schema.json
and that file is the output of this command.")]
pub(super) struct Schema {}

pub(super) fn run(printer: &mut Printer) -> Result<Exit, Error> {
    printer.json(&qudao_config::schema())?;
    Ok(Exit::Done)
}
