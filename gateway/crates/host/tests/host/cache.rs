//! Compiled components are kept, and never believed without their checksum.

use super::zoo::wasm;
use qudao_host::{Host, HostOptions};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

async fn load(folder: &Path) {
    load_of(folder, wasm()).await;
}

async fn load_of(folder: &Path, wasm: Vec<u8>) {
    let options = HostOptions { cache_dir: Some(folder.to_owned()), pool: 2 };
    let component = Host::new(options).unwrap().load(wasm).await.unwrap();
    assert_eq!(component.manifest().name, "zoo");
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[tokio::test]
async fn a_second_start_takes_the_file_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path()).await;
    let file = only_file(folder.path());
    // A file that is used stays; one that is not is replaced, which this time would not outlast.
    fs::File::options().write(true).open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    load(folder.path()).await;
    assert_eq!(only_file(folder.path()), file);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
}

#[tokio::test]
async fn a_damaged_file_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path()).await;
    let file = only_file(folder.path());
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [flipped.as_slice(), &good[..good.len() / 2], b"", b"text"] {
        fs::write(&file, damaged).unwrap();
        load(folder.path()).await;
        assert!(fs::read(&file).unwrap() != damaged, "replaced");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_costs_only_time() {
    let file = tempfile::NamedTempFile::new().unwrap();
    load(&file.path().join("below-a-file")).await;
}

#[tokio::test]
async fn a_file_that_was_made_for_another_component_is_not_run() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    load(one.path()).await;
    // The same with an empty custom section: another component.
    let changed = [wasm().as_slice(), &[0, 2, 1, b'x']].concat();
    load_of(other.path(), changed.clone()).await;
    let swapped = only_file(other.path());
    fs::copy(only_file(one.path()), &swapped).unwrap();
    load_of(other.path(), changed).await;
    assert!(fs::read(&swapped).unwrap() != fs::read(only_file(one.path())).unwrap(), "replaced");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_may_write_or_exchange_is_not_run() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    load(&cache).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cache), mode(&only_file(&cache))), (0o700, 0o600));
    fs::set_permissions(only_file(&cache), fs::Permissions::from_mode(0o666)).unwrap();
    load(&cache).await;
    assert_eq!(mode(&only_file(&cache)), 0o600, "replaced");
    // Whoever may write the folder may put another file in its place.
    let inode = |file: &Path| fs::metadata(file).unwrap().ino();
    let before = inode(&only_file(&cache));
    load(&cache).await;
    assert_eq!(inode(&only_file(&cache)), before, "used");
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    load(&cache).await;
    assert_ne!(inode(&only_file(&cache)), before, "replaced");
}
