//! What a guest can call, one file an import. Each counts the call before it does anything.

mod clock;
mod expectations;
mod http;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod random;
mod settings;
mod sink;
mod source;

use crate::{bindings::wire, sandbox::State};

impl wire::Host for State {}
