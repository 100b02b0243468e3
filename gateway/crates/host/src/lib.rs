//! Runs connectors in a sandbox: engine, limits, grants, keys.
