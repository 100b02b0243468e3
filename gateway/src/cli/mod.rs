//! The command line: one file a command, one line a command in [`dispatch`].

mod channels;
mod check;
mod commands;
mod completions;
mod deliveries;
mod events;
mod get;
mod import;
mod init;
pub(crate) mod lang;
mod listed;
mod onboard;
mod plugin;
mod quarantine;
mod replay;
mod report;
mod schema;
mod serve;
mod transcript;
mod r#try;
mod webhooks;
mod when;
mod word;
mod written;
mod zh;

use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use qudao_config::ProcessEnvironment;
use qudao_pipeline::sentences::Lang;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// qudao takes what sales channels send, checks it with connectors in a sandbox, and gives one feed of events.
#[derive(Debug, Parser)]
#[command(name = "qudao", version, max_term_width = 100, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Begin with `qudao init`, then `qudao check`, then `qudao serve`.
Exit codes: 0 done, 1 what was asked about is bad, 2 needs a person, 64 wrong usage, 70 internal.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented connectors.yaml with folders to start from
    Init(init::Init),
    /// Find every problem of the configuration and of its connectors
    Check(check::Check),
    /// Run the gateway
    Serve(serve::Serve),
    /// Run recorded requests through a channel's connector; nothing is stored
    Try(r#try::Try),
    /// Read the feed
    Events(events::Events),
    /// Look into the inbox: list, show, retry
    #[command(subcommand)]
    Deliveries(deliveries::Deliveries),
    /// Read payments, refunds, orders, after-sales, slips, stock, listings
    #[command(subcommand)]
    Get(get::Get),
    /// From a file of an old ERP to a channel: look, propose a mapping, preview, check
    Onboard(onboard::Onboard),
    /// Hand in a file of an ERP, see what became of it, confirm what waits
    Import(import::Import),
    /// Rows of files that could not be taken: list, show, retry, export
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Have a channel do something: send, list, show
    #[command(subcommand)]
    Commands(commands::Commands),
    /// Show how the channels of the running gateway do; let one ask again
    Channels(channels::Channels),
    /// Show how endpoints take the feed; enable, send once more, ping, make a secret
    Webhooks(webhooks::Webhooks),
    /// Build every entity and event again from the inbox, into a new database
    Replay(replay::Replay),
    /// Write connectors: new, build, test, inspect
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Print the JSON Schema of connectors.yaml, for editors
    Schema(schema::Schema),
    /// Print the completions of a shell
    Completions(completions::Completions),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub(crate) struct ConfigPath {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "connectors.yaml")]
    pub(crate) config: PathBuf,
}

/// Who reads the answer.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Format {
    /// Print JSON: one value, or a line each where it lists
    #[arg(long)]
    pub(crate) json: bool,
}

/// ` --config FILE`, to be put into an example, unless it is the file that is taken anyway.
pub(crate) fn config_option(file: &Path) -> String {
    if file == Path::new("connectors.yaml") { String::new() } else { format!(" --config {}", file.display()) }
}

/// Reads the arguments and runs the command they name.
pub(crate) fn run(
    arguments: impl IntoIterator<Item = OsString>,
    printer: &mut Printer,
) -> Result<Exit, Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let spoken = lang::of_arguments(&arguments, &ProcessEnvironment);
    lang::speak(spoken);
    let command = match spoken {
        Lang::En => Cli::command(),
        Lang::Zh => lang::chinese(Cli::command()),
    };
    let parsed = command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => runtime()?.block_on(dispatch(cli.command, printer)),
        Err(told) => {
            // `--help` and `--version` come this way too, and go to standard output.
            told.print().map_err(Error::Printing)?;
            Ok(if told.use_stderr() { usage(&arguments) } else { Exit::Done })
        }
    }
}

/// Commands about files have an exit code of their own for wrong usage.
fn usage(arguments: &[OsString]) -> Exit {
    let about_files = arguments.get(1).is_some_and(|name| name == "onboard" || name == "import");
    if about_files { Exit::FileUsage } else { Exit::Usage }
}

async fn dispatch(command: Command, printer: &mut Printer) -> Result<Exit, Error> {
    match command {
        Command::Init(command) => command.run(printer),
        Command::Check(command) => command.run(printer).await,
        Command::Serve(command) => command.run(printer).await,
        Command::Try(command) => command.run(printer).await,
        Command::Events(command) => command.run(printer).await,
        Command::Deliveries(command) => command.run(printer).await,
        Command::Get(command) => command.run(printer).await,
        Command::Onboard(command) => command.run(printer).await,
        Command::Import(command) => command.run(printer).await,
        Command::Quarantine(command) => command.run(printer).await,
        Command::Commands(command) => command.run(printer).await,
        Command::Channels(command) => command.run(printer).await,
        Command::Webhooks(command) => command.run(printer).await,
        Command::Replay(command) => command.run(printer).await,
        Command::Plugin(command) => command.run(printer).await,
        Command::Schema(schema::Schema {}) => schema::run(printer),
        Command::Completions(command) => command.run(printer),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("qudao")
        .build()
        .map_err(Error::system("start the runtime"))
}
