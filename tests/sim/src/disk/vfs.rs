//! The shim between SQLite and the system's own VFS: forwards everything, and asks the [`Disk`] before it writes.
//!
//! One VFS for the whole process, under [`NAME`]; which disk a file is on follows from its folder. Locks, shared memory and
//! reads go straight through. Flushes of the real disk are left out: what survives is decided by the [`Disk`] alone.

#![allow(unsafe_code, reason = "a VFS is a table of C functions; every block says what it relies on")]

use super::{Disk, Failure, Inner, Operation};
use libsqlite3_sys as ffi;
use std::{
    collections::BTreeMap,
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    ptr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Name of the VFS.
pub const NAME: &str = "qudao-failing";
/// The same for SQLite.
const C_NAME: &CStr = c"qudao-failing";

/// Files whose folder is flushed with them.
const JOURNALS: c_int = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;

/// Disks by folder.
static DISKS: Mutex<BTreeMap<PathBuf, Weak<Inner>>> = Mutex::new(BTreeMap::new());

/// What SQLite holds for an open file. The system's own file follows it in the same memory.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`; null where no disk of ours is concerned.
    handle: *mut Handle,
}

/// What we know of an open file.
struct Handle {
    disk: Disk,
    path: PathBuf,
    /// The next flush is of its folder, too: the system's VFS does so once for a log or journal that it may have made.
    folder: AtomicBool,
}

/// The system's VFS. SQLite never takes it away, and it may be used by any thread.
struct Default(*mut ffi::sqlite3_vfs);

// SAFETY: the table behind it is constant, and SQLite's own threads share it in the same way.
unsafe impl Send for Default {}
// SAFETY: as above.
unsafe impl Sync for Default {}

static DEFAULT: OnceLock<Default> = OnceLock::new();

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Puts `disk` under its folder, and the VFS into SQLite if it is not there.
pub(super) fn attach(disk: &Disk) {
    DEFAULT.get_or_init(register);
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.retain(|_, disk| disk.strong_count() > 0);
    disks.insert(disk.0.folder.clone(), Arc::downgrade(&disk.0));
}

fn register() -> Default {
    // SAFETY: no name asks for the default VFS, which every build has; SQLite initialises itself before it answers.
    let system = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    assert!(!system.is_null(), "SQLite has no VFS");
    // SAFETY: not null, and a VFS is never freed while it is registered.
    let mut ours = unsafe { *system };
    ours.iVersion = ours.iVersion.min(2);
    ours.szOsFile += c_int::try_from(size_of::<File>()).expect("a few bytes");
    ours.pNext = ptr::null_mut();
    ours.zName = C_NAME.as_ptr();
    ours.xOpen = Some(open);
    ours.xDelete = Some(delete);
    let ours = Box::leak(Box::new(ours));
    // SAFETY: `ours` and its name live for ever. What it took over from the system's table looks at nothing of the VFS but
    // `pAppData` and `mxPathname`, which are the same.
    let done = unsafe { ffi::sqlite3_vfs_register(ours, 0) };
    assert_eq!(done, ffi::SQLITE_OK, "the VFS was not taken");
    Default(system)
}

fn system() -> *mut ffi::sqlite3_vfs {
    DEFAULT.get().map_or(ptr::null_mut(), |system| system.0)
}

/// The disk that a file is on.
pub(super) fn disk_of(path: &Path) -> Option<Disk> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    path.ancestors().find_map(|folder| disks.get(folder)).and_then(Weak::upgrade).map(Disk)
}

/// A name that SQLite gave; none for a file without one.
///
/// # Safety
/// `name` is null or ends with a zero.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: the caller says so, and the bytes are copied.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

/// The system's own file behind ours.
///
/// # Safety
/// `file` is one of ours: `szOsFile` bytes that [`open`] has filled.
unsafe fn inner(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` of our VFS is the size of `File` and of the system's file.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// What we know of an open file.
///
/// # Safety
/// As for [`inner`]; SQLite uses a file from one thread at a time and not after it is closed.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Handle> {
    // SAFETY: the caller says so; the handle lives until `close`.
    unsafe { (*file.cast::<File>()).handle.as_ref() }
}

/// Calls the system's own method.
macro_rules! forward {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls with a file that `open` has filled; the system's file has its methods while it is open, and
        // the arguments are passed on as they came.
        unsafe {
            let inner = inner($file);
            match (*(*inner).pMethods).$method {
                Some(method) => method(inner $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a name that ends with a zero, or none.
    let path = unsafe { path_of(name) };
    let disk = path.as_deref().and_then(disk_of);
    // SAFETY: SQLite gives `szOsFile` bytes to be filled. Without methods it does not close what is not open.
    unsafe {
        file.cast::<File>()
            .write(File { base: ffi::sqlite3_file { pMethods: ptr::null() }, handle: ptr::null_mut() });
    };
    if disk.as_ref().is_some_and(Disk::is_stopped) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: the system's VFS opens into the memory behind ours, of the size it asked for, with SQLite's own arguments.
    let opened = unsafe {
        let system = system();
        match (*system).xOpen {
            Some(open) => open(system, name, inner(file), flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        }
    };
    if opened != ffi::SQLITE_OK {
        return opened;
    }
    let handle = disk.zip(path).map_or(ptr::null_mut(), |(disk, path)| {
        disk.opened(&path);
        let folder = AtomicBool::new(flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & JOURNALS != 0);
        Box::into_raw(Box::new(Handle { disk, path, folder }))
    });
    // SAFETY: as above.
    unsafe {
        file.cast::<File>().write(File { base: ffi::sqlite3_file { pMethods: &raw const METHODS }, handle });
    };
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as in `open`.
    let path = unsafe { path_of(name) };
    let disk = path.as_deref().and_then(disk_of);
    let struck = disk
        .as_ref()
        .zip(path.as_deref())
        .is_some_and(|(disk, path)| disk.strike(Operation::Change, path).is_err());
    if struck {
        return ffi::SQLITE_IOERR_DELETE;
    }
    // The folder of the real disk is not flushed either, where a disk of ours decides.
    let flushes = if disk.is_some() { 0 } else { sync_folder };
    // SAFETY: the system's VFS with SQLite's own arguments.
    let deleted = unsafe {
        let system = system();
        match (*system).xDelete {
            Some(delete) => delete(system, name, flushes),
            None => ffi::SQLITE_IOERR_DELETE,
        }
    };
    if let (ffi::SQLITE_OK, Some(disk), Some(path)) = (deleted, disk, path) {
        disk.deleted(&path, sync_folder != 0);
    }
    deleted
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let closed = forward!(file, xClose);
    // SAFETY: SQLite closes a file once; the handle came from `Box::into_raw`.
    unsafe {
        let ours = file.cast::<File>();
        if !(*ours).handle.is_null() {
            let handle = Box::from_raw((*ours).handle);
            (*ours).handle = ptr::null_mut();
            handle.disk.closed();
        }
    }
    closed
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, amount: c_int, at: i64) -> c_int {
    // SAFETY: an open file of ours.
    if unsafe { handle(file) }.is_some_and(|handle| handle.disk.is_stopped()) {
        return ffi::SQLITE_IOERR_READ;
    }
    forward!(file, xRead, to, amount, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    at: i64,
) -> c_int {
    // SAFETY: an open file of ours.
    let Some(handle) = (unsafe { handle(file) }) else { return forward!(file, xWrite, from, amount, at) };
    let (struck, failed) = match handle.disk.strike(Operation::Write, &handle.path) {
        Ok(()) => (amount, ffi::SQLITE_OK),
        Err(Failure::Short) => (amount / 2, ffi::SQLITE_FULL),
        Err(Failure::Full) => (0, ffi::SQLITE_FULL),
        Err(Failure::Write | Failure::Flush | Failure::Stop) => (0, ffi::SQLITE_IOERR_WRITE),
    };
    if struck > 0 {
        let written = forward!(file, xWrite, from, struck, at);
        if written != ffi::SQLITE_OK {
            return written;
        }
        let (length, at) = (usize::try_from(struck).unwrap_or(0), usize::try_from(at).unwrap_or(0));
        // SAFETY: SQLite gives `amount` bytes, of which these are the first.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), length) };
        handle.disk.wrote(&handle.path, at, bytes);
        handle.disk.sqlite_wrote(&handle.path, at);
    }
    failed
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file of ours.
    let Some(handle) = (unsafe { handle(file) }) else { return forward!(file, xTruncate, size) };
    if handle.disk.strike(Operation::Change, &handle.path).is_err() {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    let cut = forward!(file, xTruncate, size);
    if cut == ffi::SQLITE_OK {
        handle.disk.cut(&handle.path, usize::try_from(size).unwrap_or(0));
    }
    cut
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: an open file of ours.
    let Some(handle) = (unsafe { handle(file) }) else { return forward!(file, xSync, flags) };
    match handle.disk.strike(Operation::Flush, &handle.path) {
        Ok(()) => {
            handle.disk.flushed(&handle.path);
            if handle.folder.swap(false, Ordering::Relaxed) {
                handle.disk.folder_flushed(&handle.path);
            }
            ffi::SQLITE_OK
        }
        Err(Failure::Stop) => ffi::SQLITE_IOERR_FSYNC,
        Err(Failure::Flush | Failure::Full | Failure::Write | Failure::Short) => {
            handle.disk.flush_failed(&handle.path);
            ffi::SQLITE_IOERR_FSYNC
        }
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    forward!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, is: *mut c_int) -> c_int {
    forward!(file, xCheckReservedLock, is)
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    forward!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    forward!(file, xShmMap, page, size, extend, at)
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    forward!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: as in `forward!`.
    unsafe {
        let inner = inner(file);
        if let Some(barrier) = (*(*inner).pMethods).xShmBarrier {
            barrier(inner);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    forward!(file, xShmUnmap, delete)
}
