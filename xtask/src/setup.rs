//! `cargo xtask setup`: a compiler for WebAssembly, which is all that building connectors needs beyond Rust itself.
//!
//! One that is there is used; else rustup's target is added; else Debian's packages are installed (`qudao-build` knows
//! the order and says what it does).

use crate::{process, screen, workspace};
use anyhow::{Context, Result};
use qudao_build::Toolchain;
use std::process::{Command, Stdio};

/// Makes sure of a compiler and says which.
pub(crate) fn run() -> Result<()> {
    let toolchain = toolchain()?;
    screen::step(match toolchain {
        Toolchain::Installed => "connectors are built with the cargo of PATH",
        Toolchain::Debian => "connectors are built with Debian's rustc-web",
    });
    Ok(())
}

/// The compiler that builds connectors here.
pub(crate) fn toolchain() -> Result<Toolchain> {
    qudao_build::target::ensure(&mut |line| anstream::eprintln!("    {line}"))
        .context("no compiler for WebAssembly")
}

/// Makes sure of a cargo subcommand that comes with Rust but not with its minimal profile.
pub(crate) fn component(subcommand: &str, component: &str) -> Result<()> {
    let mut asked = workspace::cargo(&[subcommand, "--version"]);
    let there =
        asked.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    screen::notice(&format!("adding {component} with rustup"));
    process::run(Command::new("rustup").args(["component", "add", component]))
        .with_context(|| format!("cargo {subcommand} is missing; install {component}"))
}
