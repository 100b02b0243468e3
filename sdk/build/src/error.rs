//! What can go wrong while building, and what a person should do about it.

pub use qudao_model::fault::Class;
use std::path::PathBuf;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither rustup nor Debian's packages gave a compiler for WebAssembly.
    #[error(
        "found no way to compile for wasm32-unknown-unknown\n{}\ninstall one of:\n  \
         with rustup (https://rustup.rs):  rustup target add wasm32-unknown-unknown\n  \
         on Debian 12, as root:            apt-get update && apt-get install -y --no-install-recommends {}",
        tried.join("\n"), crate::target::DEBIAN_PACKAGES.join(" ")
    )]
    NoToolchain {
        /// One line each way.
        tried: Vec<String>,
    },
    /// `QUDAO_WASM_TOOLCHAIN` is neither `rustup` nor `debian`.
    #[error("QUDAO_WASM_TOOLCHAIN is {0:?}; it may be `rustup` or `debian`, or absent")]
    UnknownToolchain(String),
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Start {
        /// Its name.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("{command} failed:\n{output}")]
    Run {
        /// As a person would type it.
        command: String,
        /// The end of what it said.
        output: String,
    },
    /// The folder is not a connector's.
    #[error("{}: {text}", folder.display())]
    NotAConnector {
        /// Which.
        folder: PathBuf,
        /// What is missing and how to add it.
        text: String,
    },
    /// The module cannot become a component.
    #[error("the module does not make a component: {0}; does its lib.rs end with `qudao_sdk::export!(…)`?")]
    Componentise(String),
    /// The bytes are not a component.
    #[error("{0}")]
    NotAComponent(String),
    /// A file.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// `read`, `write` …
        doing: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Who can mend it.
    pub fn class(&self) -> Class {
        match self {
            Error::NoToolchain { .. }
            | Error::UnknownToolchain(_)
            | Error::Start { .. }
            | Error::File { .. } => Class::Operator,
            Error::Run { .. }
            | Error::NotAConnector { .. }
            | Error::Componentise(_)
            | Error::NotAComponent(_) => Class::Sender,
        }
    }

    /// Whether the same call may succeed without anybody doing anything: never.
    pub fn retry(&self) -> bool {
        false
    }
}
