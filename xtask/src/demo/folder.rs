//! `target/demo` and its like: a folder as an operator would have it (connectors.yaml, its files, components, data), made new for each
//! run, so that the checkout stays clean and the commands of the closing lines work on something real.

use super::consumer;
use super::servers::{Server, free};
use crate::workspace;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const SAMPLE: &str = "connectors.yaml";
/// What the sample refers to. Sources of programs stay where they are.
const FILES: &str = "examples";
const NOT_FILES: [&str; 2] = ["src", "target"];
/// The sample's listeners, in its own spelling.
const HOOKS: &str = "hooks: 127.0.0.1:8080";
const ADMIN: &str = "admin: 127.0.0.1:8081";
/// What takes minutes in the sample and must not take any in the demo, in the sample's spelling.
const SOONER: [(&str, &str); 3] = [
    ("pending_after: 60s", "pending_after: 2s"),
    ("every: 60s", "every: 1s"),
    ("messages: 10s", "messages: 1s"),
];
/// What the sample names in `listings`.
const LISTINGS: &str = "examples/listings.csv";

/// Where the demo runs.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Where HQ's consumer is expected to listen.
    pub(super) hq: String,
}

impl Folder {
    /// Makes the folder with the sample configuration, which asks the servers often and posts to a
    /// consumer, and the built components.
    pub(super) fn make(name: &str, ports: Ports, servers: &[Server]) -> Result<Folder> {
        let target = workspace::target()?;
        let path = target.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("clearing {}", path.display()))?;
        }
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        let root = workspace::root();
        copy(&root.join(FILES), &path.join(FILES))?;
        copy(&crate::plugins::folder(), &path.join("plugins"))?;
        let sample = fs::read_to_string(root.join(SAMPLE)).with_context(|| format!("reading {SAMPLE}"))?;
        let hq = consumer::address()?;
        let hq_origin = format!("http://{hq}");
        let moved = servers.iter().map(|server| (server.role.origin(), server.http.base.as_str()));
        let moved: Vec<_> = moved.chain([(consumer::origin(), hq_origin.as_str())]).collect();
        let config = move_servers(&sooner(&ports.write(&sample)), &moved);
        fs::write(path.join(SAMPLE), config).with_context(|| format!("writing {SAMPLE}"))?;
        Ok(Folder { path, hq })
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

    /// What is listed: our SKU by channel and the channel's SKU.
    pub(super) fn listings(&self) -> Result<BTreeMap<(String, String), String>> {
        let text = fs::read_to_string(self.path.join(LISTINGS)).context("reading the listings")?;
        let row = |line: &str| {
            let mut cells = line.split(',').map(str::to_owned);
            Some(((cells.next()?, cells.next()?), cells.next()?))
        };
        Ok(text.lines().skip(1).filter_map(row).collect())
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
        Ports { hooks: free(self.hooks), admin: free(self.admin) }
    }

    fn write(self, sample: &str) -> String {
        sample
            .replace(HOOKS, &format!("hooks: 127.0.0.1:{}", self.hooks))
            .replace(ADMIN, &format!("admin: 127.0.0.1:{}", self.admin))
    }
}

fn sooner(sample: &str) -> String {
    SOONER.iter().fold(sample.to_owned(), |text, (written, demo)| text.replace(written, demo))
}

/// Origins of the sample and those that answer. All at once: one server's address may be another's in the sample.
fn move_servers(sample: &str, moved: &[(String, &str)]) -> String {
    let (mut text, mut rest) = (String::new(), sample);
    let first = |rest: &str| {
        moved.iter().filter_map(|(from, to)| Some((rest.find(from.as_str())?, from.len(), *to))).min()
    };
    while let Some((at, length, to)) = first(rest) {
        let (before, after) = rest.split_at_checked(at).unwrap_or_default();
        text = format!("{text}{before}{to}");
        rest = after.get(length..).unwrap_or_default();
    }
    text + rest
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
    use super::super::servers::ROLES;
    use super::*;

    #[test]
    fn the_sample_has_the_listeners_in_the_spelling_that_is_replaced() {
        let sample = fs::read_to_string(workspace::root().join(SAMPLE)).unwrap();
        assert!(sample.contains(HOOKS) && sample.contains(ADMIN));
        let moved = Ports { hooks: 0, admin: 9 }.write(&sample);
        assert!(moved.contains("hooks: 127.0.0.1:0") && moved.contains("admin: 127.0.0.1:9"));
    }

    #[test]
    fn the_sample_has_what_is_made_sooner_and_the_servers_in_their_spelling() {
        let sample = fs::read_to_string(workspace::root().join(SAMPLE)).unwrap();
        for (written, _) in SOONER {
            assert!(sample.contains(written), "{written}");
        }
        assert!(sample.contains(LISTINGS));
        for role in ROLES {
            let origin = role.origin();
            let setting = format!("base_url: {origin}");
            let granted = format!("network: [{origin}]");
            assert!(sample.contains(&setting) && sample.contains(&granted), "{}", role.channel);
            assert!(sample.contains(&format!("  {}:\n", role.channel)));
        }
    }

    #[test]
    fn servers_are_moved_all_at_once() {
        let sample = "a: http://127.0.0.1:81, b: [http://127.0.0.1:82], hooks: 127.0.0.1:81";
        let moved = "a: http://127.0.0.1:82, b: [http://127.0.0.1:9], hooks: 127.0.0.1:81";
        let from = |port: u16| format!("http://127.0.0.1:{port}");
        let to = [(from(81), "http://127.0.0.1:82"), (from(82), "http://127.0.0.1:9")];
        assert_eq!(move_servers(sample, &to), moved);
    }
}
