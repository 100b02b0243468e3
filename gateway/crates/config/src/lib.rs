//! connectors.yaml: what may be written, what it means, every problem at once.
//!
//! [`load`] reads a file and answers with a [`Config`] in which nothing is left to be looked up (paths are resolved,
//! secrets are read), or with [`Findings`]: all that is wrong, each with line, column and a hint. What may be written is
//! defined once, by the structs in `raw`; the JSON Schema that editors use ([`schema()`]) is generated from them and is the
//! same one that checks the file. What a schema cannot say is in `check`.
//!
//! Loading connectors and judging their settings is left to the host; [`Config::finding_at`] turns what it finds into
//! findings of the same kind. Only this crate reads the environment. No secret is ever part of a finding, not even
//! one that was wrongly written into the file: the line is masked.

mod check;
mod config;
mod data_folder;
mod document;
mod environment;
mod expected;
mod explain;
mod finding;
mod in_part;
mod listings;
mod mask;
mod parse;
mod raw;
mod read;
mod render;
mod resolve;
mod schema;
mod secret;
mod setting_document;
mod source;
mod stores;
mod suggest;
mod template;
mod tree;
mod units;

use std::path::Path;

pub use config::{
    Channel, Config, Connector, Feed, Gateway, LimitOverrides, Link, LinkBy, Poll, Status, StorageChoice,
    Webhook,
};
pub use data_folder::{data_folder, master_key};
pub use environment::{Environment, ProcessEnvironment};
pub use finding::{CODES, Finding, Findings, Severity};
pub use in_part::load_in_part;
pub use listings::Listings;
pub use schema::schema;
pub use secret::Secret;
pub use setting_document::SettingDocument;
pub use stores::{Ownership, Store, Stores};
pub use suggest::nearest;
pub use template::TEMPLATE;

/// Reads a configuration file and everything it refers to, except the connectors themselves.
///
/// `path` is shown in findings as it is given; relative paths in the file are relative to its folder.
/// Warnings do not stop a configuration; they are in [`Config::warnings`].
///
/// # Errors
/// Every problem that can be seen without loading a connector, in the order of the file. There is at least one of
/// [`Severity::Error`] among them.
pub fn load(path: &Path, env: &dyn Environment) -> Result<Config, Findings> {
    let document = document::Document::read(path)?;
    resolve::resolve(document, env)
}
