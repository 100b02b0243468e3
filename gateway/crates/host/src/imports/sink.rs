//! `sink`: takes what a connector reads out of a file, and lets it wait while the gateway has enough to do.

use crate::{
    Reason,
    bindings::sink,
    files::Put,
    limits::FILE_PUT_BYTES,
    sandbox::{Denied, State},
};
use qudao_model::file::Emitted;

impl sink::Host for State {
    async fn put(&mut self, what: String, lines: Vec<u8>) -> wasmtime::Result<()> {
        self.host_call()?;
        let handed = self.handed()?;
        let invalid = |text: String| Denied::because(Reason::InvalidAnswer, text);
        let Some(out) = handed.out.clone() else {
            return Err(invalid("sink.put: nothing is put out but by file.read".into()));
        };
        let Some(what) = Emitted::parse(&what) else {
            return Err(invalid("sink.put: what: must be rows, rejects, notices or amendments".into()));
        };
        if lines.len() > FILE_PUT_BYTES {
            let explain =
                format!("sink.put: {} bytes of lines, at most {FILE_PUT_BYTES} at once", lines.len());
            return Err(Denied::because(Reason::LimitResult, explain));
        }
        if lines.last().is_some_and(|last| *last != b'\n') {
            return Err(invalid("sink.put: lines: the last one does not end with a line feed".into()));
        }
        handed.count(what, &lines)?;
        if lines.is_empty() {
            return Ok(());
        }
        let gone = |_| Denied::because(Reason::Abandoned, "nobody takes what is read any more".into());
        out.send(Put { what, lines }).await.map_err(gone)
    }
}
