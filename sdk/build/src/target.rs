//! A compiler for WebAssembly: the one that is there, else rustup's, else Debian's.
//!
//! `rustup target add` is all on most machines. Where no rustup component can be fetched, Debian's packages give a compiler of
//! their own with the standard library's source, which cargo then builds along (`-Zbuild-std`); that takes a minute once.
//! `QUDAO_WASM_TOOLCHAIN=rustup` or `=debian` takes one way and no other.

use crate::{Error, TARGET, run};
use std::path::Path;
use std::process::Command;

/// What Debian 12 needs: compiler, cargo, source of the standard library, linker.
pub const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// Debian's programs, by path: a rustup earlier in PATH must not shadow them.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld";

/// Which compiler builds connectors on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The `cargo` of PATH, whose target is installed.
    Installed,
    /// Debian's packages, which build the standard library along.
    Debian,
}

/// Finds or installs a compiler for WebAssembly. `progress` gets a line whenever there is something to tell.
pub fn ensure(progress: &mut dyn FnMut(&str)) -> Result<Toolchain, Error> {
    let mut tried = Vec::new();
    let forced = forced()?;
    if forced != Some(Toolchain::Debian) {
        match rustup(progress) {
            Ok(()) => return Ok(Toolchain::Installed),
            Err(error) => tried.push(format!("  rustup: {}", first_line(&error))),
        }
    }
    if forced != Some(Toolchain::Installed) {
        match debian(progress) {
            Ok(()) => return Ok(Toolchain::Debian),
            Err(error) => tried.push(format!("  Debian packages: {}", first_line(&error))),
        }
    }
    Err(Error::NoToolchain { tried })
}

#[allow(
    clippy::disallowed_methods,
    reason = "a build tool, not the gateway: the variable chooses how it is built"
)]
fn forced() -> Result<Option<Toolchain>, Error> {
    match std::env::var("QUDAO_WASM_TOOLCHAIN").as_deref() {
        Err(_) | Ok("") => Ok(None),
        Ok("rustup") => Ok(Some(Toolchain::Installed)),
        Ok("debian") => Ok(Some(Toolchain::Debian)),
        Ok(other) => Err(Error::UnknownToolchain(other.to_owned())),
    }
}

fn rustup(progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let present = installed();
    if matches!(present, Ok(true)) {
        return Ok(());
    }
    progress(&format!("adding the target {TARGET} with rustup"));
    match run::streamed(Command::new("rustup").args(["target", "add", TARGET]), progress) {
        Ok(()) if installed()? => Ok(()),
        Ok(()) => Err(Error::Run {
            command: format!("rustup target add {TARGET}"),
            output: "the target was added to another toolchain than the `rustc` of PATH".to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// Whether the `rustc` of PATH has the target's standard library.
fn installed() -> Result<bool, Error> {
    let libraries = run::asked(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let files = std::fs::read_dir(libraries.trim()).into_iter().flatten().flatten();
    Ok(files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libstd")))
}

fn debian(progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if debian_present() {
        return Ok(());
    }
    progress(&format!("installing {} with apt-get", DEBIAN_PACKAGES.join(" ")));
    run::streamed(apt()?.arg("update"), progress)?;
    let install = ["install", "-y", "--no-install-recommends"];
    run::streamed(apt()?.args(install).args(DEBIAN_PACKAGES), progress)?;
    if debian_present() {
        return Ok(());
    }
    Err(Error::Run {
        command: "apt-get install".to_owned(),
        output: format!("{DEBIAN_RUSTC}, its library source or {DEBIAN_LINKER} is still not there"),
    })
}

fn debian_present() -> bool {
    let source = run::asked(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std").is_dir());
    source && Path::new(DEBIAN_CARGO).is_file() && Path::new(DEBIAN_LINKER).exists()
}

fn apt() -> Result<Command, Error> {
    let root = run::asked(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.arg("apt-get");
    }
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn first_line(error: &Error) -> String {
    error.to_string().lines().take(2).collect::<Vec<_>>().join(" ")
}

impl Toolchain {
    /// Folder under the workspace's target folder. The compilers must not share one.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Toolchain::Installed => "wasm",
            Toolchain::Debian => "wasm-debian",
        }
    }

    /// `cargo build` for the target, still without a package.
    pub(crate) fn cargo_build(self) -> Command {
        let mut cargo = match self {
            Toolchain::Installed => Command::new("cargo"),
            Toolchain::Debian => Command::new(DEBIAN_CARGO),
        };
        cargo.args(["build", "--target", TARGET]);
        if self == Toolchain::Debian {
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld");
        }
        // Set by a cargo that runs us (`cargo xtask`), and meant for that one's compiler.
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(variable);
        }
        cargo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_exactly_what_to_install() {
        let error = Error::NoToolchain { tried: vec!["  rustup: cannot run rustup".to_owned()] };
        insta::assert_snapshot!(error, @r#"
        found no way to compile for wasm32-unknown-unknown
          rustup: cannot run rustup
        install one of:
          with rustup (https://rustup.rs):  rustup target add wasm32-unknown-unknown
          on Debian 12, as root:            apt-get update && apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src lld
        "#);
    }

    #[test]
    fn the_compilers_do_not_share_a_folder() {
        assert_ne!(Toolchain::Installed.folder(), Toolchain::Debian.folder());
        let debian = format!("{:?}", Toolchain::Debian.cargo_build());
        assert!(
            debian.contains("-Zbuild-std=std,panic_abort") && debian.contains("/usr/bin/cargo"),
            "{debian}"
        );
    }
}
