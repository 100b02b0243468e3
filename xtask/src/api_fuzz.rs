//! `cargo xtask api-fuzz`: schemathesis against the private API of a running gateway with data in it. Requests are made from
//! `/openapi.json`, such as the description allows and such as it does not, and answers are held to it: no status, media type
//! or member that is not described, nothing accepted that should not be, nothing refused that should not, no 5xx.
//!
//! What it must know besides is in tests/api. The program comes once from Python's registry into target/tools; without Python or network
//! that is said aloud, and the suite goes on without it.

use crate::demo::Stage;
use crate::{process, screen, workspace};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where configuration, hooks and pinned versions are.
const FOLDER: &str = "tests/api";
/// Versions, pinned: one line a package.
const VERSIONS: &str = "requirements.txt";
/// Requests per operation in the suite: the whole takes half a minute.
const IN_SUITE: u32 = 6;
/// Where the gateway runs, under target.
const STAGE: &str = "api-fuzz";

/// How much to ask.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Requests that are made up for each operation
    #[arg(long, value_name = "N", default_value_t = 100)]
    examples: u32,
    /// Decides what is asked; without it each run asks something else
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Only operations of this tag of the description
    #[arg(long, value_name = "TAG")]
    only: Option<String>,
}

/// Asks as much as is wanted. What is missing to do so is an error.
pub(crate) fn run(args: &Args) -> Result<()> {
    process::catch_stop()?;
    ask(&ensure()?, args)
}

/// A short run that asks the same every time; without Python it is said aloud that there is none.
pub(crate) fn in_suite(offline: bool) -> Result<()> {
    let there =
        || if offline { installed()?.context("--offline, and it is not installed yet") } else { ensure() };
    match there() {
        Ok(program) => ask(&program, &Args { examples: IN_SUITE, seed: Some(1), only: None }),
        Err(error) => {
            screen::notice(&format!("the API is NOT exercised by schemathesis: {error:#}"));
            Ok(())
        }
    }
}

fn ask(program: &Path, args: &Args) -> Result<()> {
    let Some(stage) = Stage::open(STAGE)? else { return Ok(()) };
    screen::step(&format!("schemathesis asks {}", stage.admin()));
    let token = fs::read_to_string(stage.token()).context("reading the token")?;
    let folder = workspace::root().join(FOLDER);
    let mut command = Command::new(program);
    command.current_dir(&folder).arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", stage.admin()));
    command.arg("--header").arg(format!("Authorization: Bearer {}", token.trim()));
    command.args(["--generation-database", "none", "--output-truncate", "false"]);
    command.arg("--max-examples").arg(args.examples.to_string());
    if let Some(seed) = args.seed {
        command.arg("--seed").arg(seed.to_string());
    }
    if let Some(tag) = &args.only {
        command.arg("--include-tag").arg(tag);
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let asked = process::run(&mut command);
    let bugs = stage.close()?;
    for bug in &bugs {
        screen::failure(&format!("the gateway's log: {bug}"));
    }
    match (asked, bugs.len()) {
        (Err(_), _) => bail!("the API and its description disagree, see above"),
        (Ok(()), 0) => Ok(()),
        (Ok(()), count) => bail!("{count} lines of the gateway's log tell of a bug"),
    }
}

/// The program, in an environment of its own that is made once for these versions.
fn ensure() -> Result<PathBuf> {
    if let Some(program) = installed()? {
        return Ok(program);
    }
    let (wanted, folder) = (wanted(), tools()?);
    let python = workspace::program("python3")?.context("there is no `python3` in PATH")?;
    screen::notice("schemathesis is not installed; fetching it once from PyPI into target/tools");
    process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))
        .context("making a venv")?;
    let mut install = Command::new(folder.join("bin").join("python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::run(install.arg(&wanted)).context("installing schemathesis with pip")?;
    fs::copy(&wanted, folder.join(VERSIONS)).context("keeping which versions are installed")?;
    installed()?.context("pip has installed no `schemathesis`")
}

/// The program, where it is there in the versions that are wanted.
fn installed() -> Result<Option<PathBuf>> {
    let folder = tools()?;
    let wanted = fs::read(wanted()).context("reading which versions are wanted")?;
    let has = fs::read(folder.join(VERSIONS)).unwrap_or_default();
    let program = folder.join("bin").join("schemathesis");
    Ok((has == wanted && program.is_file()).then_some(program))
}

fn wanted() -> PathBuf {
    workspace::root().join(FOLDER).join(VERSIONS)
}

fn tools() -> Result<PathBuf> {
    Ok(workspace::target()?.join("tools").join("schemathesis"))
}
