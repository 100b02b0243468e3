//! `settings`: the channel's settings, valid by the manifest's schema since the channel was connected.

use crate::{bindings::imported::settings, sandbox::State};

impl settings::Host for State {
    fn json(&mut self) -> wasmtime::Result<String> {
        self.host_call()?;
        Ok(self.granted.settings_json.clone())
    }
}
