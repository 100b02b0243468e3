//! Keeps compiled components, because compiling takes a hundred times longer than loading machine code.
//!
//! A file is named by the component's SHA-256 and the engine's compatibility hash, so another version of either is
//! another file. It ends with the SHA-256 of its name and of what stands before: machine code is only ever run as this
//! crate wrote it, for the component it was made of, and a damaged file is compiled anew. A file that another user owns
//! or may write, or in a folder of which this is so, is not even looked at. Files are replaced by renaming, and mapped. The cache may be deleted at any time; that it
//! cannot be written costs time, never a start.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use wasmtime::{Engine, component::Component};

/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 32;
/// Bytes of a file that are looked at together.
const READ_BYTES: usize = 256 * 1024;

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
        if !is_whole(&path).ok()? {
            tracing::warn!(path = %path.display(), "a file of the plugin cache is damaged; compiling again");
            return None;
        }
        deserialize(engine, &path)
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

/// Maps the file, so that of the code only what is run takes memory.
#[allow(unsafe_code, reason = "machine code can only be loaded unsafely; see the safety comment")]
fn deserialize(engine: &Engine, path: &Path) -> Option<Component> {
    // SAFETY: the file holds what `Component::serialize` returned: nobody else can write it or put another one in its place,
    // the checksum shows that nothing changed since, and this crate replaces files and never changes one. The engine itself
    // refuses code of another version or configuration.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// A checksum that has seen the name, so that no file can take the place of another component's.
fn checksum(path: &Path) -> Sha256 {
    Sha256::new_with_prefix(path.file_name().unwrap_or_default().as_encoded_bytes())
}

/// Whether the file ends with its checksum, and nobody else can have written it: what is in it will be run.
fn is_whole(path: &Path) -> io::Result<bool> {
    let file = fs::File::open(path)?;
    let (about, folder) = (file.metadata()?, fs::metadata(path.parent().unwrap_or(Path::new(".")))?);
    if !is_ours(&about) || !is_ours(&folder) {
        tracing::warn!(path = %path.display(), "a file of the plugin cache belongs to others; compiling again");
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let Some(code) = about.len().checked_sub(CHECKSUM.try_into().unwrap_or(u64::MAX)) else {
        return Ok(false);
    };
    let mut found = checksum(path);
    let mut whole = BufReader::with_capacity(READ_BYTES, file).take(code);
    loop {
        let bytes = whole.fill_buf()?;
        let read = bytes.len();
        if read == 0 {
            break;
        }
        found.update(bytes);
        whole.consume(read);
    }
    let mut expected = Vec::new();
    whole.into_inner().read_to_end(&mut expected)?;
    Ok(found.finalize().as_slice() == expected)
}

#[cfg(unix)]
fn is_ours(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let owner = file.uid() == 0 || file.uid() == rustix::process::geteuid().as_raw();
    owner && file.mode() & WRITABLE_BY_OTHERS == 0
}

#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> bool {
    true
}

/// A new folder is for its owner alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn replace(path: &Path, code: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{unique}.tmp", std::process::id()));
    let write = || {
        let mut file = private(&beside)?;
        file.write_all(code)?;
        file.write_all(&checksum(path).chain_update(code).finalize())?;
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
