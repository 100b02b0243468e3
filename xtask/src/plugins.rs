//! `cargo xtask plugins`: every folder of plugins/ becomes a component in `target/plugins`, where `connectors.yaml` finds
//! it by its name.

use crate::{screen, setup, workspace};
use anyhow::{Context, Result};
use qudao_build::Built;
use std::fs;
use std::path::PathBuf;

/// Set for tests, which would otherwise look after the components once a process.
pub(crate) const BUILT_VARIABLE: &str = "QUDAO_COMPONENTS_BUILT";

/// Builds all.
pub(crate) fn run() -> Result<()> {
    let toolchain = setup::toolchain()?;
    let out = folder();
    for source in sources()? {
        let mut progress = |line: &str| anstream::eprintln!("    {line}");
        let built = qudao_build::component(&source, Some(&out), toolchain, &mut progress)
            .with_context(|| format!("building {}", source.display()))?;
        screen::step(&said(&built));
    }
    Ok(())
}

/// Where components are found by name: beside the root `connectors.yaml`.
pub(crate) fn folder() -> PathBuf {
    workspace::root().join("target").join("plugins")
}

fn said(built: &Built) -> String {
    let unchanged = if built.changed { "" } else { ", unchanged" };
    format!("{}: {} KiB{unchanged}", built.name, built.size_bytes.div_ceil(1024))
}

/// Folders that hold a connector, by name.
fn sources() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(workspace::root().join("plugins")).context("reading plugins/")? {
        let path = entry.context("reading plugins/")?.path();
        if path.join("Cargo.toml").is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
