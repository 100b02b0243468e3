//! The host against a component that behaves badly on request (tests/guests/zoo).

#![cfg(test)]

mod host {
    mod asks;
    mod breaker;
    mod cache;
    mod files;
    mod grants;
    mod hostile;
    mod http;
    mod imports;
    mod load;
    mod metrics;
    mod outside;
    mod pace;
    mod server;
    mod tokens;
    mod webhooks;
    mod zoo;
}
