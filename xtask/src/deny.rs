//! Licences, bans and sources always; advisories where their database can be reached, said aloud where not.
//!
//! cargo-deny is taken from PATH or from `target/tools`, and built there once when it is nowhere.

use crate::{process, screen, workspace};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Pinned, so that the answer does not change overnight.
const VERSION: &str = "0.20.2";

/// Runs all checks of deny.toml.
pub(crate) fn run() -> Result<()> {
    let program = ensure()?;
    let check = |more: &[&str], what: &[&str]| {
        let mut command = Command::new(&program);
        command
            .current_dir(workspace::root())
            .args(["--log-level", "error"])
            .args(more)
            .arg("check")
            .args(what);
        process::run(&mut command)
    };
    let rules = check(&[], &["licenses", "bans", "sources"]);
    let advisories = if fetch_advisories(&program)? {
        // The database was fetched just now.
        check(&["--offline"], &["advisories"])
    } else {
        screen::notice("advisories are NOT checked: the RustSec database cannot be reached from here");
        Ok(())
    };
    match (rules, advisories) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(_), Ok(())) => bail!("licences, bans or sources, see above"),
        (Ok(()), Err(_)) => bail!("an advisory, see above"),
        (Err(_), Err(_)) => bail!("licences, bans or sources, and an advisory, see above"),
    }
}

fn ensure() -> Result<PathBuf> {
    if let Some(program) = workspace::program("cargo-deny")? {
        return Ok(program);
    }
    screen::notice("cargo-deny is not installed; building it once into target/tools (some minutes)");
    let tools = workspace::target()?.join("tools");
    let mut install = workspace::cargo(&["install", "cargo-deny", "--locked", "--version", VERSION]);
    // Built quickly rather than for speed: it runs for a second.
    install.args(["--profile", "dev", "--root"]).arg(&tools);
    install.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TARGET_DIR", tools.join("build"));
    process::run(&mut install)
        .context("building cargo-deny; `cargo install cargo-deny` by hand tells more")?;
    workspace::program("cargo-deny")?.context("cargo-deny was built but is not in target/tools/bin")
}

/// Whether the database is here and fresh.
fn fetch_advisories(program: &PathBuf) -> Result<bool> {
    let mut command = Command::new(program);
    command.current_dir(workspace::root()).args(["--log-level", "off", "fetch", "db"]);
    // Git must fail rather than ask for a password.
    command.env("GIT_TERMINAL_PROMPT", "0");
    Ok(command.output().context("starting cargo-deny")?.status.success())
}
