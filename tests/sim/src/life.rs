//! A gateway from its start to its death, on a failing disk.

use crate::{
    disk::{Disk, NAME, renew},
    hook::Hook,
};
use qudao_feed::webhooks::{Courier, Settings};
use qudao_kit::TestClock;
use qudao_model::Clock;
use qudao_pipeline::{Gateway, Parts};
use qudao_storage::{Disk as Through, Location, Options, Storage};
use std::{path::Path, sync::Arc, time::Duration};

/// Log that is copied back: small, so that it happens now and then.
const LOG_BYTES: usize = 192 * 1024;
/// How long a dying gateway may hold its files.
const DYING: Duration = Duration::from_secs(20);

/// A running gateway.
pub(crate) struct Life {
    pub(crate) gateway: Arc<Gateway>,
    /// Posts to the one webhook.
    pub(crate) courier: Courier,
}

impl Life {
    /// Starts one on `folder`; why it does not where the disk is in the way.
    pub(crate) async fn start(folder: &Path, clock: &TestClock, hook: &Hook) -> Result<Life, String> {
        let config = qudao_kit::load(&folder.join("connectors.yaml"));
        let fold = Gateway::fold_of(&config);
        let linked = fold.linked.clone();
        let file = config.gateway.data.join("qudao.sqlite");
        std::fs::create_dir_all(&config.gateway.data).expect("the data folder");
        let disk = Through { vfs: Some(NAME.to_owned()), log_bytes: LOG_BYTES, renew };
        let options =
            Options { vault: Some(qudao_kit::sealing()), disk, ..Options::new(Location::Sqlite(file), fold) };
        let storage = Storage::open(options).await.map_err(|error| chain(&error))?;
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let parts = Parts {
            host: qudao_kit::host(),
            storage: storage.clone(),
            clock: Arc::clone(&clock),
            vault: qudao_kit::vault(),
            linked,
        };
        match Gateway::start(&config, parts).await {
            Ok(gateway) => {
                let courier = Courier::new(storage, webhook(), Arc::new(hook.clone()), clock);
                // A disk that fails may be in the way; then it learns later where it was.
                drop(courier.ready().await);
                Ok(Life { gateway, courier })
            }
            Err(findings) => {
                storage.close().await;
                Err(findings.to_string())
            }
        }
    }

    /// Ends it: as a whole where the disk works, and in the middle of everything where the disk has stopped.
    pub(crate) async fn end(self, disk: &Disk) {
        let storage = self.gateway.storage().clone();
        storage.close().await;
        drop((storage, self));
        closed(disk).await;
    }
}

fn webhook() -> Settings {
    Settings {
        name: "hq".to_owned(),
        url: "https://hq.example/".to_owned(),
        url_digest: "hq".to_owned(),
        types: Vec::new(),
        parallel: 4,
    }
}

/// Waits until nobody has a file open.
pub(crate) async fn closed(disk: &Disk) {
    let begun = tokio::time::Instant::now();
    while disk.open_files() > 0 {
        assert!(begun.elapsed() < DYING, "{} files stay open after the gateway has ended", disk.open_files());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
