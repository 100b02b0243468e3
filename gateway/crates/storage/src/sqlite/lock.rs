//! One process a database: an advisory lock on a file beside it, which the system releases however the process ends.

use crate::{Cause, Error};
use std::{
    fs::{File, TryLockError},
    path::Path,
};

/// Held as long as the database is written to.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, or says who is in the way.
    pub(super) fn take(database: &Path) -> Result<Lock, Error> {
        let path = database.with_extension("lock");
        let failed = |error| Error::Open { path: path.clone(), source: Cause::new(error) };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: database.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
