//! `clock`: the receiver's time, which stands still during a call.

use crate::{bindings::imported::clock, sandbox::State};

impl clock::Host for State {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        self.host_call()?;
        Ok(self.now.as_millisecond())
    }
}
