//! Reading what is kept. Reading commands open the database of the data folder themselves, read-only: that works while
//! the gateway runs and while it does not, and needs no token. Only the gateway writes; `deliveries retry` asks it to.

use crate::{error::Error, master};
use clap::Args;
use qudao_pipeline::Gateway;
use qudao_storage::{Location, Options, Storage};
use std::path::{Path, PathBuf};

/// Where the data is.
#[derive(Debug, Args)]
pub(crate) struct DataPath {
    /// The configuration that names the data folder
    #[arg(long, value_name = "FILE", default_value = "connectors.yaml")]
    pub(crate) config: PathBuf,
    /// The data folder itself; the configuration is not read then
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl DataPath {
    /// The data folder.
    pub(crate) fn folder(&self) -> Result<PathBuf, Error> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => qudao_config::data_folder(&self.config).map_err(Error::Config),
        }
    }

    /// The database, for reading.
    pub(crate) async fn open(&self) -> Result<Storage, Error> {
        let config = self.data.is_none().then_some(self.config.as_path());
        open(&self.folder()?, config).await
    }
}

/// The database of a data folder, for reading. What is sealed in it can be read where the master key is at hand.
pub(crate) async fn open(data: &Path, config: Option<&Path>) -> Result<Storage, Error> {
    if !data.exists() {
        return Err(Error::refused(format!("there is no data folder `{}`", data.display()))
            .hint("it is made when the gateway first starts: qudao serve"));
    }
    let options = Options::new(Location::Sqlite(data.to_owned()), Gateway::fold());
    let vault = master::at_hand(data, config).map(Gateway::sealing);
    Storage::open(Options { read_only: true, vault, ..options }).await.map_err(|error| {
        let never_made = matches!(error, qudao_storage::Error::Open { .. });
        let error = Error::storage("read the database")(error);
        if never_made { error.hint("it is made when the gateway first starts: qudao serve") } else { error }
    })
}
