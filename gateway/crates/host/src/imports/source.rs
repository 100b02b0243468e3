//! `source`: the file at hand, by pieces. A piece is read on a thread that may wait for a disk.

use crate::{
    Reason,
    bindings::source,
    files::Handed,
    limits::FILE_READ_BYTES,
    sandbox::{Denied, State},
};

impl source::Host for State {
    fn size(&mut self) -> wasmtime::Result<u64> {
        self.host_call()?;
        Ok(self.handed()?.size())
    }

    fn name(&mut self) -> wasmtime::Result<String> {
        self.host_call()?;
        Ok(self.handed()?.name.clone())
    }

    async fn read(&mut self, offset: u64, max: u32) -> wasmtime::Result<Vec<u8>> {
        self.host_call()?;
        let handed = self.handed()?;
        let left = handed.size().saturating_sub(offset);
        let wanted = max.min(FILE_READ_BYTES).min(u32::try_from(left).unwrap_or(u32::MAX));
        let Some(source) = handed.source.clone().filter(|_| wanted > 0) else { return Ok(Vec::new()) };
        let reading = tokio::task::spawn_blocking(move || source.read(offset, wanted));
        let unreadable = |text: String| Denied::because(Reason::FileUnreadable, text);
        let mut bytes = match reading.await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(unreadable(format!("at byte {offset}: {error}"))),
            Err(_) => return Err(unreadable(format!("at byte {offset}: reading was interrupted"))),
        };
        bytes.truncate(wanted as usize);
        Ok(bytes)
    }
}

impl State {
    /// The file, in a call that has one.
    pub(super) fn handed(&mut self) -> wasmtime::Result<&mut Handed> {
        let none = || Denied::because(Reason::InvalidAnswer, "no file is handed over in this call".into());
        self.handed.as_mut().filter(|handed| handed.source.is_some()).ok_or_else(none)
    }
}
