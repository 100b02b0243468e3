//! `qudao plugin build`.

use crate::{
    error::{Error, Exit},
    output::{Printer, people, style::GOOD},
};
use clap::Args;
use qudao_build::Built;
use std::path::{Path, PathBuf};

/// Arguments of `plugin build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --out the component goes to target/plugins of the connector's workspace, where `connector: NAME` finds it for a \
connectors.yaml beside that target folder. The target wasm32-unknown-unknown is installed where it is missing.")]
pub(crate) struct Build {
    /// The connector's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Folder to leave the component in
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Build {
    pub(super) fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let built = component(&self.dir, self.out.as_deref(), printer)?;
        let state = if built.changed { "built" } else { "fresh" };
        printer.line(format_args!(
            "{GOOD}{state}{GOOD:#} {} ({})",
            built.path.display(),
            people::bytes(built.size_bytes)
        ))?;
        Ok(Exit::Done)
    }
}

/// Builds a connector and shows the compiler at work where a person is watching.
pub(super) fn component(dir: &Path, out: Option<&Path>, printer: &Printer) -> Result<Built, Error> {
    let spinner = printer.spinner(format!("building {}", dir.display()));
    let mut progress = |line: &str| {
        let line = line.trim();
        if !line.is_empty() {
            spinner.say(line.to_owned());
        }
    };
    let toolchain = qudao_build::target::ensure(&mut progress);
    toolchain
        .and_then(|toolchain| qudao_build::component(dir, out, toolchain, &mut progress))
        .map_err(|error| Error::refused(error.to_string()))
}
