//! `target/demo`: a folder as an operator would have it (connectors.yaml, its files, components, data), made new for each
//! run, so that the checkout stays clean and the commands of the closing lines work on something real.

use crate::workspace;
use anyhow::{Context, Result};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

const SAMPLE: &str = "connectors.yaml";
/// What the sample refers to. Sources of programs stay where they are.
const FILES: &str = "examples";
const NOT_FILES: [&str; 2] = ["src", "target"];
/// The sample's listeners, in its own spelling.
const HOOKS: &str = "hooks: 127.0.0.1:8080";
const ADMIN: &str = "admin: 127.0.0.1:8081";

/// Where the demo runs.
pub(super) struct Folder {
    pub(super) path: PathBuf,
}

impl Folder {
    /// Makes the folder with the sample configuration and the built components.
    pub(super) fn make(ports: Ports) -> Result<Folder> {
        let target = workspace::target()?;
        let path = target.join("demo");
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("clearing {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        let root = workspace::root();
        copy(&root.join(FILES), &path.join(FILES))?;
        copy(&crate::plugins::folder(), &path.join("plugins"))?;
        let sample = fs::read_to_string(root.join(SAMPLE)).with_context(|| format!("reading {SAMPLE}"))?;
        let config = ports.write(&sample);
        fs::write(path.join(SAMPLE), config).with_context(|| format!("writing {SAMPLE}"))?;
        Ok(Folder { path })
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join(SAMPLE)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("gateway.log")
    }
}

/// Ports of the two listeners; 0 takes any that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) hooks: u16,
    pub(super) admin: u16,
}

impl Ports {
    /// The wanted ports, each replaced by any free one where somebody else listens on it.
    pub(super) fn free(self) -> Ports {
        let free = |port| if TcpListener::bind(("127.0.0.1", port)).is_ok() { port } else { 0 };
        Ports { hooks: free(self.hooks), admin: free(self.admin) }
    }

    fn write(self, sample: &str) -> String {
        sample
            .replace(HOOKS, &format!("hooks: 127.0.0.1:{}", self.hooks))
            .replace(ADMIN, &format!("admin: 127.0.0.1:{}", self.admin))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry.with_context(|| format!("reading {}", from.display()))?;
        let name = entry.file_name();
        let (from, to) = (entry.path(), to.join(&name));
        if !from.is_dir() {
            fs::copy(&from, &to).with_context(|| format!("copying {}", from.display()))?;
        } else if !NOT_FILES.iter().any(|skipped| name == *skipped) {
            copy(&from, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_the_listeners_in_the_spelling_that_is_replaced() {
        let sample = fs::read_to_string(workspace::root().join(SAMPLE)).unwrap();
        assert!(sample.contains(HOOKS) && sample.contains(ADMIN));
        let moved = Ports { hooks: 0, admin: 9 }.write(&sample);
        assert!(moved.contains("hooks: 127.0.0.1:0") && moved.contains("admin: 127.0.0.1:9"));
    }

    #[test]
    fn a_taken_port_is_exchanged_for_any() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(Ports { hooks: port, admin: 0 }.free(), Ports { hooks: 0, admin: 0 });
    }
}
