//! Lines as bytes, for files whose columns are counted in bytes.

use crate::sheet::Bytes;

const HEAD: u32 = 512 * 1024;
const TAIL: u32 = 16 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its bytes without line end and form feed.
    pub bytes: Vec<u8>,
    /// Decoded; half characters are replaced.
    pub text: String,
}

/// The lines of the beginning and the end of a file (all lines, where it is small).
pub(crate) fn read(file: &dyn Bytes, label: &str) -> Vec<Line> {
    let mut bytes = file.read(0, HEAD);
    if file.size() > u64::from(HEAD) {
        if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
            bytes.truncate(end + 1);
        }
        let tail = file.read(file.size().saturating_sub(u64::from(TAIL)), TAIL);
        let cut = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.extend_from_slice(tail.get(cut..).unwrap_or_default());
    }
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::GBK);
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"\x0C").unwrap_or(line);
        let line = line.strip_suffix(b"\x1A").unwrap_or(line);
        let (text, _) = encoding.decode_without_bom_handling(line);
        Line { bytes: line.to_vec(), text: text.into_owned() }
    });
    lines.collect()
}

impl Line {
    /// The bytes of a column, decoded, half characters dropped, blanks trimmed.
    pub(crate) fn slice(&self, start: usize, end: usize, label: &str) -> String {
        let bytes =
            self.bytes.get(start.min(self.bytes.len())..end.min(self.bytes.len())).unwrap_or_default();
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::GBK);
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        super::clean::plain(text.trim_end_matches('\u{FFFD}'))
    }

    /// Byte at a place; a blank behind the end.
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b' ')
    }
}
