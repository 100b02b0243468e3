//! `data/ready.json`: how other programs find a running gateway. It is there exactly while the gateway takes requests;
//! after a crash it is left over, which [`Ready::read`] cannot know and the connection attempt then shows.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

const NAME: &str = "ready.json";

/// Where a running gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Public listener, with the port it really has.
    pub(crate) hooks: SocketAddr,
    /// Private listener, with the port it really has.
    pub(crate) admin: SocketAddr,
    /// Where the bearer token is, when the gateway made one; absent when the configuration gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) admin_token_file: Option<PathBuf>,
    /// The process.
    pub(crate) pid: u32,
    /// Of qudao.
    pub(crate) version: String,
}

impl Ready {
    /// Reads the file; nothing where there is none.
    pub(crate) fn read(data: &Path) -> Result<Option<Ready>, Error> {
        let path = data.join(NAME);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Error::file("read", path)(io::Error::new(io::ErrorKind::InvalidData, error))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }

    /// Writes the file at once: a reader sees all of it or nothing. It is removed when the guard is dropped.
    pub(crate) fn publish(&self, data: &Path) -> Result<Published, Error> {
        let path = data.join(NAME);
        let draft = data.join(format!("{NAME}.{}", self.pid));
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        text.and_then(|text| fs::write(&draft, text))
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(Error::file("write", &path))?;
        Ok(Published { path })
    }
}

/// The file while it is there.
#[derive(Debug)]
pub(crate) struct Published {
    path: PathBuf,
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), "{} could not be removed: {error}", self.path.display());
        }
    }
}
