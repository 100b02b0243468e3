//! Builds connectors: finds the wasm target, runs cargo, makes the component.
