//! Keeps compiled components, because compiling takes a hundred times longer than loading machine code.
//!
//! A file is named by the component's SHA-256 and the engine's compatibility hash, so another version of either is
//! another file. It ends with the SHA-256 of what stands before: machine code is only ever run as this crate wrote it,
//! and a damaged file is compiled anew. Files are replaced by renaming. The cache may be deleted at any time; that it
//! cannot be written costs time, never a start.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use wasmtime::{Engine, component::Component};

/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 32;

/// A folder of machine code.
#[derive(Debug, Clone)]
pub(crate) struct Cache(PathBuf);

impl Cache {
    pub(crate) fn new(folder: PathBuf) -> Cache {
        Cache(folder)
    }

    /// The component from its file, if that is there and whole.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.path(engine, digest);
        let mut bytes = fs::read(&path).ok()?;
        let (code, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if Sha256::digest(code).as_slice() != checksum {
            tracing::warn!(path = %path.display(), "a file of the plugin cache is damaged; compiling again");
            return None;
        }
        bytes.truncate(bytes.len() - CHECKSUM);
        deserialize(engine, &bytes)
    }

    /// Writes the component's file; a failure is logged and otherwise of no consequence.
    pub(crate) fn store(&self, engine: &Engine, digest: &str, component: &Component) {
        let path = self.path(engine, digest);
        let written = component.serialize().map_err(io::Error::other).and_then(|code| replace(&path, &code));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "the plugin cache cannot be written");
        }
    }

    fn path(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.0.join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }
}

/// SHA-256 in lower-case hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[allow(unsafe_code, reason = "machine code can only be loaded unsafely; see the safety comment")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes are what `Component::serialize` returned: this crate alone writes the folder, and the checksum
    // shows that nothing changed since. The engine itself refuses code of another version or configuration.
    unsafe { Component::deserialize(engine, code) }.ok()
}

fn replace(path: &Path, code: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{unique}.tmp", std::process::id()));
    let write = || {
        let mut file = private(&beside)?;
        file.write_all(code)?;
        file.write_all(&Sha256::digest(code))?;
        fs::rename(&beside, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// A new file that only this user can change, because its content will be run.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
