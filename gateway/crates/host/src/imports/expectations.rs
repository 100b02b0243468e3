//! `expectations`: what the gateway already expects of this channel, and of no other.

use crate::{bindings::imported::expectations, sandbox::State};

impl expectations::Host for State {
    fn payment_fen(&mut self, order_no: String) -> wasmtime::Result<Option<i64>> {
        self.host_call()?;
        Ok(self.granted.expectations.payment_fen(&self.granted.channel, &order_no))
    }
}
