//! `cargo xtask setup`: a compiler for WebAssembly, which is all that building connectors needs beyond Rust itself.
//!
//! One that is there is used; else rustup's target is added; else Debian's packages are installed (`qudao-build` knows
//! the order and says what it does).

use crate::screen;
use anyhow::{Context, Result};
use qudao_build::Toolchain;

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
