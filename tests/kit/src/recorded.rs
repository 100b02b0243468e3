//! Recorded deliveries: the fixtures of the connectors, by name.

use crate::root;
use qudao_sdk::fixtures::Case;
use std::path::PathBuf;

/// The fixture `name` of the connector `plugin`.
#[track_caller]
pub fn recorded(plugin: &str, name: &str) -> Case {
    let file = fixtures(plugin).join("cases").join(format!("{name}.json"));
    Case::load(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Several fixtures, `name_0` to `name_{count-1}`.
#[track_caller]
pub fn sequence(plugin: &str, name: &str, count: usize) -> Vec<Case> {
    (0..count).map(|step| recorded(plugin, &format!("{name}_{step}"))).collect()
}

/// Folder of a connector's fixtures.
pub(crate) fn fixtures(plugin: &str) -> PathBuf {
    root().join("plugins").join(plugin).join("fixtures")
}
