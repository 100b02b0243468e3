//! Many events at once: payments of the past, committed through the gateway's own storage before its first start.

use crate::folder::Folder;
use anyhow::{Context, Result, anyhow};
use futures_util::future::join_all;
use qudao_config::ProcessEnvironment;
use qudao_model::delivery::Acceptance;
use qudao_model::{Answer, Request, Timestamp, Verdict};
use qudao_pipeline::Gateway;
use qudao_storage::{Incoming, Location, Options, Storage};
use serde_json::json;
use std::fs;

/// Commits under way at once, so that many share a flush.
const TOGETHER: usize = 512;
/// As long as a real notice's.
const BODY_BYTES: usize = 900;
/// From one payment to the next.
const APART_S: i64 = 30;

/// Puts so many payments with one event each into the database; how many deliveries there are.
pub(crate) fn fill(folder: &Folder, events: u32) -> Result<u64> {
    let config = qudao_config::load(&folder.config(), &ProcessEnvironment)
        .map_err(|findings| anyhow!("the configuration does not load: {findings:?}"))?;
    fs::create_dir_all(folder.data()).context("making the data folder")?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("making a runtime")?;
    let first = Timestamp::from_second(crate::ledger::now() - APART_S * i64::from(events))?;
    runtime.block_on(async {
        let options = Options::new(Location::Sqlite(folder.data()), Gateway::fold_of(&config));
        let storage = Storage::open(options).await.context("opening the database")?;
        let numbers: Vec<u32> = (0..events).collect();
        for some in numbers.chunks(TOGETHER) {
            let incoming = some.iter().map(|number| payment(*number, first)).collect::<Result<Vec<_>>>()?;
            for committed in join_all(incoming.into_iter().map(|one| storage.commit(one))).await {
                committed.context("filling the database")?;
            }
        }
        let last = storage.last_seq();
        storage.close().await;
        Ok(last)
    })
}

fn payment(number: u32, first: Timestamp) -> Result<Incoming> {
    let at = Timestamp::from_second(first.as_second() + APART_S * i64::from(number))?;
    let fen = 1_000 + i64::from(number % 90_000);
    let (order_no, merchant_no) = (format!("FILL{number:010}"), "1699004182");
    let observation = json!({
        "entity": "payment", "schema": "qudao.payment.v1", "key": [merchant_no, order_no], "occurred_at": at,
        "merchant_no": merchant_no, "app_id": "wx5b1e7d92c04af836", "order_no": order_no,
        "transaction_no": format!("4200001{number:021}"), "state": "paid", "method": "wechat_pay", "sub_method": "in_app",
        "currency": "CNY", "requested_fen": fen, "payer_paid_fen": fen, "paid_at": at, "payer_ref": format!("oFILL{number:024}"),
        "evidence": "notice",
    });
    let acceptance = Acceptance {
        dedupe_key: format!("FILL-{number}"),
        observations: vec![serde_json::from_value(observation).context("an observation")?],
        notes: Vec::new(),
        answer: Answer { status: 204, headers: Vec::new(), body: Vec::new() },
    };
    let mut body = format!("{{\"id\":\"FILL-{number}\",\"filler\":\"").into_bytes();
    body.resize(BODY_BYTES, b'x');
    body.extend_from_slice(b"\"}");
    Ok(Incoming {
        channel: "wechat-main".to_owned(),
        received_at: at,
        request: Request {
            method: "POST".to_owned(),
            path: "/hooks/wechat-main".to_owned(),
            query: None,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
        },
        verdict: Verdict::Accepted(acceptance),
        connector: "wechat-pay@0.1.0".to_owned(),
        micros: 200,
        personal: false,
    })
}
