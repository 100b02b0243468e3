//! The files of a store chain's old ERP: channels that read them, a file that is handed in, and what the gateway knows by them.

use crate::{Builder, component, root};
use futures_util::stream;
use qudao_model::{StockLevel, Timestamp};
use qudao_pipeline::{Error, Gateway, Taken};
use qudao_sim::erp::{ErpFile, STORES};
use qudao_storage::{StockFilter, Storage};
use std::{collections::BTreeMap, io};

/// The channel of what the tills sold.
pub const SALES: &str = "store-sales";
/// The channel of how much there is.
pub const STOCK: &str = "store-stock";

/// Adds both channels, with the sample mappings, and the stores. `more`: settings beside the mapping, as YAML behind a comma.
#[must_use]
pub fn channels(builder: Builder, more: &str) -> Builder {
    let connector = component("erp-file").display().to_string();
    let stores: Vec<String> =
        STORES.iter().map(|store| format!("{},{},西区,franchise", store.code, store.name)).collect();
    let stores = format!("code,name,region,ownership\n{}", stores.join("\n"));
    let builder = builder.file("stores.csv", stores.as_bytes()).top("stores: stores.csv\n");
    [(STOCK, "evening-stock.yaml"), (SALES, "evening-sales.yaml")].into_iter().fold(
        builder,
        |builder, (channel, mapping)| {
            let text =
                std::fs::read(root().join("examples/mappings").join(mapping)).expect("a sample mapping");
            builder.file(mapping, &text).yaml(&format!(
                "  {channel}:\n    connector: {connector:?}\n    settings: {{mapping: {mapping}{more}}}\n"
            ))
        },
    )
}

/// Hands a file in.
pub async fn take(gateway: &Gateway, channel: &str, file: &ErpFile) -> Result<Taken, Error> {
    let body = stream::iter([Ok::<_, io::Error>(file.bytes.clone())]);
    gateway.take_file(channel, &file.name, body).await
}

/// Every level of stock, of a thousand at most.
pub async fn levels(storage: &Storage, now: Timestamp) -> Vec<StockLevel> {
    let filter = StockFilter { limit: 1000, ..StockFilter::default() };
    let page = storage.levels(&filter, now).await.expect("storage answers");
    assert!(page.next.is_none(), "more levels than one page has");
    page.items
}

/// Pieces by store and SKU, as the ERP's truth has them.
pub async fn pieces(storage: &Storage, now: Timestamp) -> BTreeMap<String, BTreeMap<String, i64>> {
    let mut pieces: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for level in levels(storage, now).await {
        pieces.entry(level.store_code).or_default().insert(level.sku, level.on_hand);
    }
    pieces
}
