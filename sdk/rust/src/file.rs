//! A file that a connector reads: bytes by pieces in, lines of JSON out.

use crate::{Failure, Host};
pub use qudao_model::file::SettingProblem;
use qudao_model::file::{Emitted, FileOutcome, SniffAsked, Sniffed};

/// Bytes that one [`File::read`] gives.
const READ_BYTES: u32 = 1 << 20;

/// The file at hand, and where what is read out of it goes. In a component it is the gateway; in tests a [`Loose`] one.
pub trait File {
    /// Size in bytes.
    fn size(&self) -> u64;
    /// Name as it was handed in, without folders.
    fn name(&self) -> String;
    /// At most `max` bytes (and at most 1 MiB) from `offset` on; fewer at the end of the file, none behind it.
    fn read(&self, offset: u64, max: u32) -> Vec<u8>;
    /// Lines of JSON, each ended by a line feed, at most 1 MiB together. Waits while the gateway has enough to do.
    fn put(&self, what: Emitted, lines: &[u8]);
}

/// What a connector of files does. All have defaults that say that there are no files.
///
/// Settings with these names mean the same in every such connector, and the gateway itself acts on them: `watch` (folder),
/// `settle` (how long a file must be quiet), `marker` (suffix of the file that says that one is complete), `reports`,
/// `tier`, `post_lag`, `skew`, `stale_after`. Into the settings of a call it puts `stores` (code to name) and `store_codes`
/// (the channel's own codes to ours) from the store directory.
pub trait Files {
    /// Reads the file to its end by the channel's settings.
    fn read(file: &dyn File, host: &dyn Host) -> Result<FileOutcome, Failure> {
        let (_, _) = (file, host);
        Err(Failure::unsupported("file"))
    }

    /// Looks at the file without settings and proposes some.
    fn sniff(asked: &SniffAsked, file: &dyn File, host: &dyn Host) -> Result<Sniffed, Failure> {
        let (_, _, _) = (asked, file, host);
        Err(Failure::unsupported("file"))
    }

    /// What is wrong with the settings beyond their schema.
    fn check(host: &dyn Host) -> Result<Vec<SettingProblem>, Failure> {
        let _ = host;
        Ok(Vec::new())
    }
}

/// A file in memory that keeps what is put out: for tests.
///
/// ```
/// use qudao_sdk::{File, Loose, model::file::Emitted};
/// let file = Loose::new("stock.csv", b"a,b\n");
/// assert_eq!(file.read(2, 10), b"b\n");
/// file.put(Emitted::Rows, b"{}\n");
/// assert_eq!(file.lines(Emitted::Rows), ["{}"]);
/// ```
#[derive(Debug, Default)]
pub struct Loose {
    name: String,
    bytes: Vec<u8>,
    put: std::cell::RefCell<Vec<(Emitted, Vec<u8>)>>,
}

impl Loose {
    /// With this name and content.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Loose {
        Loose { name: name.to_owned(), bytes: bytes.into(), put: std::cell::RefCell::default() }
    }

    /// What was put out, line by line.
    pub fn lines(&self, what: Emitted) -> Vec<String> {
        let put = self.put.borrow();
        let parts = put.iter().filter(|(emitted, _)| *emitted == what);
        let text: Vec<u8> = parts.flat_map(|(_, lines)| lines.clone()).collect();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    /// What was put out, part by part.
    pub fn into_put(self) -> Vec<(Emitted, Vec<u8>)> {
        self.put.into_inner()
    }
}

impl File for Loose {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&self, offset: u64, max: u32) -> Vec<u8> {
        let bytes =
            usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).unwrap_or_default();
        bytes.get(..max.min(READ_BYTES) as usize).unwrap_or(bytes).to_vec()
    }

    fn put(&self, what: Emitted, lines: &[u8]) {
        self.put.borrow_mut().push((what, lines.to_vec()));
    }
}
