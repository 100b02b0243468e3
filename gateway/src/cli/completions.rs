//! `qudao completions`: what a shell needs to complete the command line.

use super::Cli;
use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
bash:  qudao completions bash > /etc/bash_completion.d/qudao
zsh:   qudao completions zsh > \"${fpath[1]}/_qudao\"
fish:  qudao completions fish > ~/.config/fish/completions/qudao.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "qudao", &mut script);
        printer.bytes(&script)?;
        Ok(Exit::Done)
    }
}
