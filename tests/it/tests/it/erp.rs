//! Files of a store chain's old ERP through the real connector: what counts, what waits, what is refused, what is never counted
//! twice.

use crate::shops::{CHANNEL, Market, NOON, at, catch_up};
use qudao_kit::erp::{self, SALES, STOCK};
use qudao_kit::{TestGateway, feed};
use qudao_model::{EntityKind, Slip, StockLevel};
use qudao_sim::erp::{Erp, ErpFile, STORES};
use qudao_sim::market::{Basket, Edit};
use qudao_storage::{EntityFilter, ImportRow, ImportState, RejectFilter, Storage};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The evening before [`NOON`].
const EVENING: &str = "2026-03-11T12:00:00Z";

fn builder() -> qudao_kit::Builder {
    erp::channels(TestGateway::builder().at(at(NOON)), ", post_lag: 1h, skew: 1m")
}

/// Hands a file in and waits until nothing more happens to it by itself.
async fn hand_in(gateway: &TestGateway, channel: &str, file: &ErpFile) -> ImportRow {
    let taken = erp::take(&gateway.gateway, channel, file).await.unwrap();
    gateway.gateway.import_settled(&taken.import.id).await.unwrap()
}

/// Confirms what waits of an import.
async fn confirm(gateway: &TestGateway, import: &ImportRow) -> ImportRow {
    gateway.gateway.confirm_import(&import.id, None).await.unwrap();
    gateway.gateway.import_settled(&import.id).await.unwrap()
}

async fn levels(storage: &Storage) -> Vec<StockLevel> {
    erp::levels(storage, at(NOON)).await
}

async fn pieces(gateway: &TestGateway) -> BTreeMap<String, BTreeMap<String, i64>> {
    erp::pieces(gateway.gateway.storage(), at(NOON)).await
}

async fn slips(gateway: &TestGateway) -> Vec<Slip> {
    qudao_kit::slips(gateway.gateway.storage(), EntityFilter::new(EntityKind::Slip)).await
}

/// Kinds of what is in quarantine, by row.
async fn quarantine(gateway: &TestGateway, import: &ImportRow) -> Vec<(u32, String)> {
    let filter = RejectFilter { import: Some(import.id.clone()), limit: 1000, ..RejectFilter::default() };
    let page = gateway.gateway.storage().rejects(&filter).await.unwrap();
    page.items.into_iter().map(|row| (row.reject.row, row.reject.kind)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_evening_waits_for_a_person_and_the_second_does_not() {
    let gateway = builder().start().await;
    let mut erp = Erp::open(11, at(EVENING).as_second());
    let [sales, stock] = erp.close_day();

    let import = hand_in(&gateway, STOCK, &stock).await;
    assert_eq!(import.state, ImportState::Held, "{import:?}");
    assert!(pieces(&gateway).await.is_empty() && gateway.events().await.is_empty());
    let stores = gateway.gateway.storage().import_stores(&import.id).await.unwrap();
    let reasons: BTreeSet<_> = stores.iter().map(|store| store.reason.as_deref().unwrap()).collect();
    assert_eq!((stores.len(), reasons), (STORES.len(), BTreeSet::from(["first_snapshot"])));

    assert_eq!(confirm(&gateway, &import).await.state, ImportState::Applied);
    assert_eq!(pieces(&gateway).await, erp.truth().stock);
    let kinds: Vec<String> = quarantine(&gateway, &import).await.into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["unknown_store", "not_a_number"]);

    assert_eq!(hand_in(&gateway, SALES, &sales).await.state, ImportState::Applied);
    let before = erp.truth().stock.clone();
    let [sales, stock] = erp.close_day();
    assert_eq!(hand_in(&gateway, SALES, &sales).await.state, ImportState::Applied);
    let seen = gateway.events().await.len();
    assert_eq!(hand_in(&gateway, STOCK, &stock).await.state, ImportState::Applied);
    assert_eq!(pieces(&gateway).await, erp.truth().stock);

    // One event for each level that is another one than before, and none for the others.
    let events = gateway.events().await;
    let changed: BTreeSet<(String, String, i64)> = events[seen..]
        .iter()
        .map(|event| {
            assert_eq!(event.r#type, "qudao.stock.changed.v1");
            let level: StockLevel = serde_json::from_value(event.data["stock"].clone()).unwrap();
            (level.store_code, level.sku, level.on_hand)
        })
        .collect();
    let mut expected = BTreeSet::new();
    for (store, after) in &erp.truth().stock {
        for (sku, pieces) in after.iter().filter(|(sku, pieces)| before[store][*sku] != **pieces) {
            expected.insert((store.clone(), sku.clone(), *pieces));
        }
    }
    assert!(!expected.is_empty());
    assert_eq!((changed, events.len() - seen), (expected.clone(), expected.len()));

    let printed: BTreeMap<_, _> =
        erp.truth().slips.iter().map(|slip| (slip.slip_no.clone(), (slip.kind, slip.total_fen()))).collect();
    let known = slips(&gateway).await;
    let told: BTreeMap<_, _> = known
        .iter()
        .map(|slip| {
            let kind = serde_json::to_value(slip.kind).unwrap();
            (slip.slip_no.clone(), (kind.as_str().unwrap().to_owned(), slip.total_fen))
        })
        .collect();
    let printed: BTreeMap<_, _> =
        printed.into_iter().map(|(no, (kind, fen))| (no, (kind.to_owned(), fen))).collect();
    assert_eq!(told, printed);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_again_changes_nothing_under_any_name() {
    let gateway = builder().start().await;
    let [sales, stock] = Erp::open(12, at(EVENING).as_second()).close_day();
    let import = hand_in(&gateway, STOCK, &stock).await;
    confirm(&gateway, &import).await;
    hand_in(&gateway, SALES, &sales).await;
    let before = (levels(gateway.gateway.storage()).await, gateway.events().await);
    for (channel, file) in [(STOCK, &stock), (SALES, &sales)] {
        let again = ErpFile { name: format!("copy of {}", file.name), ..file.clone() };
        let import = hand_in(&gateway, channel, &again).await;
        assert_eq!(import.state, ImportState::Applied);
    }
    assert_eq!((levels(gateway.gateway.storage()).await, gateway.events().await), before);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slip_that_was_changed_after_its_import_is_looked_at_and_not_believed() {
    let gateway = builder().start().await;
    let mut erp = Erp::open(13, at(EVENING).as_second());
    let [sales, _] = erp.close_day();
    hand_in(&gateway, SALES, &sales).await;
    let before = slips(&gateway).await;

    // The clerk makes the first slip cheaper by a yuan, consistently, and exports again with one more slip.
    let first = erp.truth().slips.iter().find(|slip| slip.lines.len() == 1 && slip.kind == "sale").unwrap();
    let line = &first.lines[0];
    let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
    let (was, is) = (yuan(line.unit_price_fen), yuan(line.unit_price_fen - 100));
    let text = encoding_rs_text(&sales.bytes);
    let lines: Vec<String> = text
        .lines()
        .map(|row| {
            if !row.contains(&format!(",{},", first.slip_no)) {
                return row.to_owned();
            }
            let head = row.split(',').take(8).collect::<Vec<_>>().join(",").replace(&was, &is);
            format!("{head},{is},,,,")
        })
        .chain([format!("0012,NEW1,2026-03-11 19:00:00,1,{},1,10.00,10.00,10.00,,,,", line.sku)])
        .collect();
    let again = ErpFile { bytes: gbk(&(lines.join("\r\n") + "\r\n")), ..sales };
    let import = hand_in(&gateway, SALES, &again).await;

    let kinds: BTreeSet<String> =
        quarantine(&gateway, &import).await.into_iter().map(|(_, kind)| kind).collect();
    assert!(kinds.contains("changed_after_import"), "{kinds:?}");
    let after = slips(&gateway).await;
    assert_eq!(after.len(), before.len() + 1);
    for slip in &before {
        assert_eq!(after.iter().find(|one| one.id == slip.id), Some(slip));
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_cut_is_held_and_a_wrong_one_rejected() {
    let gateway = builder().start().await;
    let [_, stock] = Erp::open(14, at(EVENING).as_second()).close_day();
    let text = encoding_rs_text(&stock.bytes);
    let lines: Vec<&str> = text.lines().collect();

    let cut = ErpFile { name: "cut.csv".into(), bytes: gbk(&lines[..60].join("\r\n")), faulty: 0 };
    let import = hand_in(&gateway, STOCK, &cut).await;
    assert_eq!((import.state, import.reason.as_deref()), (ImportState::Rejected, Some("missing_total")));

    let lost: Vec<&str> =
        lines.iter().enumerate().filter(|(at, _)| *at != 9).map(|(_, line)| *line).collect();
    let lost = ErpFile { name: "lost.csv".into(), bytes: gbk(&lost.join("\r\n")), faulty: 0 };
    let import = hand_in(&gateway, STOCK, &lost).await;
    assert_eq!(
        (import.state, import.reason.as_deref()),
        (ImportState::Held, Some("control_total_mismatch")),
        "{import:?}"
    );

    let utf8 = ErpFile { name: "utf8.csv".into(), bytes: text.clone().into_bytes(), faulty: 0 };
    let import = hand_in(&gateway, STOCK, &utf8).await;
    assert_eq!((import.state, import.reason.as_deref()), (ImportState::Rejected, Some("bad_encoding")));
    assert!(pieces(&gateway).await.is_empty() && gateway.events().await.is_empty());
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_piece_sold_online_is_told_three_times_and_subtracted_once() {
    let market = Market::tmall();
    let mut erp = Erp::open(15, at(EVENING).as_second());
    let [_, stock] = erp.close_day();
    let (store, (sku, lying)) = ("0012", erp.truth().stock["0012"].iter().next().unwrap());
    let (sku, lying) = (sku.clone(), *lying);
    let gateway = builder().shop_from(market.channel(&json!({})), store).start().await;
    let import = hand_in(&gateway, STOCK, &stock).await;
    confirm(&gateway, &import).await;
    let level = async |gateway: &TestGateway| {
        let all = levels(gateway.gateway.storage()).await;
        let level = all.into_iter().find(|level| level.store_code == store && level.sku == sku).unwrap();
        (level.on_hand, level.committed, level.available)
    };
    assert_eq!(level(&gateway).await, (lying, 0, lying));

    let order_no = market.place(Basket::of(&sku, 25_900));
    market.edit(&order_no, &Edit::Pay).unwrap();
    catch_up(&market, &gateway).await;
    assert_eq!(gateway.orders(CHANNEL).await.len(), 1);
    assert_eq!(level(&gateway).await, (lying, 1, lying - 1), "promised");
    market.edit(&order_no, &Edit::ship()).unwrap();
    catch_up(&market, &gateway).await;
    assert_eq!(level(&gateway).await, (lying, 1, lying - 1), "shipped, and not in the ERP's figure yet");

    // The next evening's figure is later than the shipment and contains it.
    let bytes = next_evening(&stock, &sku, lying - 1);
    market.advance(&gateway, 86_400);
    let import =
        hand_in(&gateway, STOCK, &ErpFile { name: "STK_20260312.csv".into(), bytes, faulty: 0 }).await;
    assert_eq!(import.state, ImportState::Applied, "{import:?}");
    assert_eq!(level(&gateway).await, (lying - 1, 0, lying - 1), "subtracted once");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_gives_the_same_levels_slips_and_events() {
    let gateway = builder().start().await;
    let mut erp = Erp::open(16, at(EVENING).as_second());
    for day in 0..2 {
        let [sales, stock] = erp.close_day();
        hand_in(&gateway, SALES, &sales).await;
        let import = hand_in(&gateway, STOCK, &stock).await;
        if day == 0 {
            confirm(&gateway, &import).await;
        }
        gateway.clock.advance(86_400);
    }
    let (into, report) = gateway.replayed().await;
    assert_eq!(report.differences, Vec::new());
    assert_eq!(levels(&into).await, levels(gateway.gateway.storage()).await);
    assert_eq!(feed(&into).await, gateway.events().await);
    into.close().await;
    gateway.finish().await;
}

/// The same report a day later, with one SKU of the first store at another figure and a total that fits.
fn next_evening(stock: &ErpFile, sku: &str, pieces: i64) -> Vec<u8> {
    let text = encoding_rs_text(&stock.bytes).replace("2026年03月11日", "2026年03月12日");
    let (style, rest) = sku.split_once('-').unwrap();
    let (color, size) = rest.split_once('-').unwrap();
    let head = format!("0012,{style},{color},{size},");
    let mut moved = 0;
    let rows: Vec<String> = text
        .lines()
        .map(|row| match row.strip_prefix(&head) {
            Some(rest) => {
                let was: i64 = rest.split(',').next().unwrap().parse().unwrap();
                moved = pieces - was;
                format!("{head}{pieces},")
            }
            None => row.to_owned(),
        })
        .collect();
    let rows: Vec<String> = rows
        .into_iter()
        .map(|row| match row.strip_prefix("合计,,,,") {
            Some(total) => {
                let total: i64 = total.trim_end_matches(',').parse().unwrap();
                format!("合计,,,,{},", total + moved)
            }
            None => row,
        })
        .collect();
    gbk(&(rows.join("\r\n") + "\r\n"))
}

fn encoding_rs_text(bytes: &[u8]) -> String {
    let (text, _, broken) = encoding_rs::GBK.decode(bytes);
    assert!(!broken);
    text.into_owned()
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}
