//! `qudao plugin`: what the author of a connector needs.

mod build;
mod copy;
mod inspect;
mod new;
mod test;

use crate::{
    error::{Error, Exit},
    output::Printer,
};
use clap::Subcommand;
use std::path::{Path, PathBuf};

/// Arguments of `plugin`.
#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    /// Write a connector to start from: it compiles, and its fixtures pass
    New(new::New),
    /// Build a connector to a component
    Build(build::Build),
    /// Take a connector's component through its fixtures
    Test(test::Test),
    /// Show what a component imports, exports and declares
    Inspect(inspect::Inspect),
}

impl Plugin {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        match self {
            Plugin::New(new) => new.run(printer),
            Plugin::Build(build) => build.run(printer),
            Plugin::Test(test) => test.run(printer).await,
            Plugin::Inspect(inspect) => inspect.run(printer).await,
        }
    }
}

/// The nearest checkout of qudao at or above a folder: the one that has the SDK.
fn checkout(from: &Path) -> Option<PathBuf> {
    from.ancestors().find(|folder| folder.join("sdk/rust/Cargo.toml").is_file()).map(Path::to_owned)
}
