//! Bytes on disk to text with one kind of line break, or why not.

use std::io::Read as _;
use std::path::Path;

use crate::{Finding, Findings};

/// Bigger files are refused unread; ten thousand channels with their settings and secrets take a fifth of it.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A file's text.
pub(crate) struct Text {
    pub(crate) text: String,
    /// A byte-order mark stood in front and was dropped.
    pub(crate) marked: bool,
}

fn failed(shown: &str, error: &std::io::Error) -> Findings {
    let finding = if error.kind() == std::io::ErrorKind::NotFound {
        Finding::of_file(shown, "file_missing", "there is no such file")
            .hint("`qudao init` writes one to start from; `--config FILE` names another")
    } else {
        Finding::of_file(shown, "file_unreadable", format!("cannot be read: {error}"))
            .hint("check that it is a file and that this user may read it")
    };
    finding.into()
}

/// Reads a configuration file.
pub(crate) fn read(path: &Path) -> Result<Text, Findings> {
    let shown = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| failed(&shown, &error))?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        return Err(Finding::of_file(&shown, "file_unreadable", "is a folder, not a file")
            .hint(format!("name the file in it: {}", path.join("connectors.yaml").display()))
            .into());
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(&shown, &error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let text = format!("is bigger than {FILE_BYTES_MAX} bytes, which no configuration needs");
        return Err(Finding::of_file(&shown, "file_too_large", text).hint("is it the right file?").into());
    }
    decode(&shown, &bytes)
}

fn decode(shown: &str, bytes: &[u8]) -> Result<Text, Findings> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Finding::of_file(shown, "not_utf8", "is UTF-16, but a configuration is UTF-8")
            .hint("save it as UTF-8 (in Windows Notepad: Save as, Encoding, UTF-8)")
            .into());
    }
    let (bytes, marked) = bytes.strip_prefix(b"\xef\xbb\xbf").map_or((bytes, false), |rest| (rest, true));
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(shown, bytes, error.valid_up_to()).into()),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        let what = if text.trim().is_empty() { "is empty" } else { "holds nothing but comments" };
        return Err(Finding::of_file(shown, "file_empty", what)
            .hint("`qudao init` writes one to start from")
            .into());
    }
    Ok(Text { text, marked })
}

/// Where the first wrong byte is. The line is not shown: it cannot be, and it may hold anything.
fn not_utf8(shown: &str, bytes: &[u8], at: usize) -> Finding {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let mut finding = Finding::of_file(
        shown,
        "not_utf8",
        format!("byte 0x{byte:02x} is not UTF-8, which a configuration is"),
    );
    finding.line = before.matches('\n').count() + 1;
    finding.column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    finding
        .hint("save the file as UTF-8; Chinese text from older programs is often GBK (iconv -f GBK -t UTF-8)")
}
