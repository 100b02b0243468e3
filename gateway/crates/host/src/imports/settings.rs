//! `settings`: the channel's settings, valid by the manifest's schema since the channel was connected; of a call with a file
//! the settings that came with it.

use crate::{bindings::imported::settings, sandbox::State};

impl settings::Host for State {
    fn json(&mut self) -> wasmtime::Result<String> {
        self.host_call()?;
        Ok(self.handed.as_ref().map_or(&self.granted.settings_json, |handed| &handed.settings_json).clone())
    }
}
