//! connectors.yaml: what may be written, what it means, every problem at once.
