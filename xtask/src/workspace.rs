//! Where things are: the checkout, its target folder, the tools kept in it, and the cargo that runs us.
//!
//! `CARGO_TARGET_DIR` and `.cargo/config.toml` are respected because cargo itself is asked.

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout that this program was built from.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Workspace members with their direct dependencies; nothing is fetched.
pub(crate) fn members() -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("reading the workspace with cargo metadata")
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf> {
    Ok(members()?.target_directory.into_std_path_buf())
}

/// A program of ours that was built with a profile, named as its folder is: `debug`, `release`.
pub(crate) fn built(profile: &str, name: &str) -> Result<PathBuf> {
    Ok(target()?.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// A cargo command in the checkout, the same cargo that started us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root()).args(arguments);
    command
}

/// Looks a program up in PATH and in `target/tools/bin`.
pub(crate) fn program(name: &str) -> Result<Option<PathBuf>> {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let own = target()?.join("tools").join("bin");
    let mut folders: Vec<PathBuf> = vec![own];
    if let Some(path) = env::var_os("PATH") {
        folders.extend(env::split_paths(&path));
    }
    Ok(folders.into_iter().map(|folder| folder.join(&file)).find(|found| found.is_file()))
}
