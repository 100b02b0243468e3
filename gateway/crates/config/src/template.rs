//! The file that `qudao init` writes.

/// A commented connectors.yaml to start from. It is valid but for its connector and secrets, which are the reader's to add.
pub const TEMPLATE: &str = include_str!("../../../../examples/init/connectors.yaml");
