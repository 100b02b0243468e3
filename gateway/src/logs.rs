//! Structured logs on standard error: text for a person at a terminal, one JSON object a line for everything else.

use crate::error::Error;
use qudao_config::Environment;
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged where nothing else is asked for.
const DEFAULT: &str = "info";

/// Begins to log. The filter is `QUDAO_LOG`, else `RUST_LOG` (`debug`, `qudao_host=trace,info` …), else `info`.
pub(crate) fn start(environment: &dyn Environment) -> Result<(), Error> {
    let asked = ["QUDAO_LOG", "RUST_LOG"].into_iter().find_map(|name| Some((name, environment.var(name)?)));
    let filter = match &asked {
        None => EnvFilter::new(DEFAULT),
        Some((name, text)) => EnvFilter::try_new(text).map_err(|error| {
            Error::usage(format!("{name} is no log filter: {error}"))
                .hint("write a level (error, warn, info, debug, trace) or pairs like qudao_host=debug,info")
        })?,
    };
    let terminal = io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let layer = if terminal {
        layer.with_target(false).boxed()
    } else {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|error| Error::system("begin to log")(io::Error::other(error)))
}
