//! Bytes of a file, by pieces.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path, sync::Arc};

/// A file that can be read from any place. Reads run on threads that may wait.
pub trait Source: Send + Sync {
    /// Size in bytes; must not change.
    fn size(&self) -> u64;
    /// At most `max` bytes from `offset` on; fewer only at the end.
    fn read(&self, offset: u64, max: u32) -> io::Result<Vec<u8>>;
}

/// A file on disk that nobody writes to any more.
#[derive(Debug)]
pub struct FileBytes {
    file: File,
    size: u64,
}

impl FileBytes {
    /// An open file.
    pub fn new(file: File) -> io::Result<FileBytes> {
        let size = file.metadata()?.len();
        Ok(FileBytes { file, size })
    }

    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<FileBytes> {
        FileBytes::new(File::open(path)?)
    }
}

impl Source for FileBytes {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, max: u32) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; left.min(max as usize)];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read(&self, offset: u64, max: u32) -> io::Result<Vec<u8>> {
        (**self).read(offset, max)
    }
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, max: u32) -> io::Result<Vec<u8>> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        Ok(from.get(..max as usize).unwrap_or(from).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_bytes_in_memory_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, b"0012,A,3\n").unwrap();
        let sources: [&dyn Source; 2] = [&FileBytes::open(&path).unwrap(), &b"0012,A,3\n".to_vec()];
        for source in sources {
            let read = |offset, max| source.read(offset, max).unwrap();
            assert_eq!((source.size(), read(0, 4)), (9, b"0012".to_vec()));
            assert_eq!((read(5, 100), read(9, 1), read(u64::MAX, 1)), (b"A,3\n".to_vec(), vec![], vec![]));
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, b"0012,A,3\n").unwrap();
        let source = FileBytes::open(&path).unwrap();
        std::fs::write(&path, b"0012").unwrap();
        assert_eq!(source.read(0, 9).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
