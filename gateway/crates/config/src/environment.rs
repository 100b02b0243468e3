//! The only place that looks at environment variables. Everybody else takes an [`Environment`], so that tests need not
//! change the process.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where `{env: NAME}` is looked up.
pub trait Environment {
    /// The value, or `None` where it is not set or is not UTF-8.
    fn var(&self, name: &str) -> Option<String>;

    /// Folder of the running program: connectors that were installed with it are found from there.
    fn program_folder(&self) -> Option<PathBuf> {
        None
    }
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[allow(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn program_folder(&self) -> Option<PathBuf> {
        Some(std::env::current_exe().ok()?.parent()?.to_owned())
    }
}

impl Environment for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}
