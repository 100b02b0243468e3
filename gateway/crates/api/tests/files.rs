//! Files that were handed in, rows that were refused, slips and stock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test ends where its set-up does; other tests use the rest of `running`"
)]

mod running;

use axum::body::{Body, Bytes};
use qudao_model::{
    Observation, SlipFacts,
    entity::Method,
    file::{Precision, RowReject, TicketType},
    slip::{SlipLine, SlipTender},
    stock::Bucket,
};
use qudao_storage::{
    FilePart, ImportMove, ImportState, NewImport, PutImport, StockPart, StockPolicy, StoreOutcome,
    StoreSnapshot, StoreState, StoreSums,
};
use running::{Running, accepted, time, with_token};
use serde_json::{Map, Value, json};

const AT: &str = "2026-01-01T00:00:00Z";

async fn import(running: &Running, name: &str, at: &str) -> String {
    let new = NewImport {
        channel: "erp".to_owned(),
        name: name.to_owned(),
        sha256: format!("{:064x}", name.len()),
        size: 7,
        mapping: "m".to_owned(),
        connector: "example@1.0.0".to_owned(),
        received_at: time(at),
    };
    let PutImport::New(row) = running.gateway.storage().put_import(new).await.unwrap() else {
        panic!("`{name}` is new")
    };
    row.id
}

fn reject(row: u32, kind: &str, cell: &str) -> RowReject {
    RowReject {
        row,
        column: Some("数量".to_owned()),
        kind: kind.to_owned(),
        detail: Map::new(),
        cell: Some(cell.to_owned()),
        line: None,
        store_code: Some("0012".to_owned()),
    }
}

async fn items(running: &Running, path: &str) -> Vec<Value> {
    running.document(path).await["items"].as_array().unwrap().clone()
}

/// All items of a list, page by page, none longer than `limit` allows.
async fn paged(running: &Running, path: &str) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), path.to_owned());
    let limit = path.split_once("limit=").map_or(100, |(_, limit)| limit.parse().unwrap());
    loop {
        let page = running.document(&next).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{path}: {} items", items.len());
        all.extend(items.clone());
        let Some(cursor) = page["next"].as_str() else { return all };
        next = format!("{path}&cursor={cursor}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_says_why() {
    let running = Running::start().await;
    let post = |path: &str| with_token("POST", path);
    for (request, code) in [
        (post("/v1/files/erp/a.csv"), "unknown_channel"),
        (post("/v1/files/erp/a%2Fb.csv"), "bad_file_name"),
        (post("/v1/files/erp/..%5Cb.csv"), "bad_file_name"),
        (post("/v1/files/erp/%2e%2e"), "bad_file_name"),
        (post("/v1/files/erp/a%00.csv"), "bad_file_name"),
        (post("/v1/files/erp/a%0d%0ax-y:%20z"), "bad_file_name"),
        (post(&format!("/v1/files/erp/{}", "x".repeat(256))), "bad_file_name"),
        (post("/v1/files/erp/%FF.csv"), "bad_path"),
        (post("/v1/files/erp/a/b.csv"), "not_found"),
        (post("/v1/files/erp"), "not_found"),
        (with_token("GET", "/v1/files/erp/a.csv"), "method_not_allowed"),
        (
            post("/v1/files/erp/a.csv").header("content-type", "multipart/form-data; boundary=x"),
            "unsupported_media_type",
        ),
        (post("/v1/files/erp/a.csv").header("content-encoding", "gzip"), "unsupported_media_type"),
    ] {
        let answered = running.send(request.body(Body::from("a,b\n")).unwrap()).await;
        assert_eq!(answered.problem(), code);
    }
}

/// Nothing of the body is read before the caller is known.
#[tokio::test]
async fn a_stranger_cannot_send_a_file() {
    let running = Running::start().await;
    let body = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<std::io::Result<Bytes>>> {
        panic!("the body was read")
    });
    let request = axum::http::Request::post("/v1/files/erp/a.csv").body(Body::from_stream(body)).unwrap();
    assert_eq!(running.send(request).await.problem(), "unauthorized");
}

#[tokio::test]
async fn imports_are_listed_with_their_stores() {
    let running = Running::start().await;
    let first = import(&running, "a.csv", AT).await;
    let second = import(&running, "ab.csv", "2026-01-01T00:00:01Z").await;
    let storage = running.gateway.storage();
    storage.move_import(ImportMove::to(&first, ImportState::Held, time(AT))).await.unwrap();
    let waits = StoreState {
        store_code: "0012".to_owned(),
        state: StoreOutcome::Held,
        reason: Some("first_snapshot".to_owned()),
        before: None,
        now: StoreSums { skus: 3, units: 14 },
    };
    storage.hold_stores(&first, &[waits], time(AT)).await.unwrap();

    let ids = async |path: &str| -> Vec<String> {
        paged(&running, path).await.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("/v1/imports?limit=1").await, [second.clone(), first.clone()]);
    assert_eq!(ids("/v1/imports?state=held").await, std::slice::from_ref(&first));
    assert!(ids("/v1/imports?channel=till").await.is_empty());
    assert_eq!(ids("/v1/imports?since=2026-01-01T00:00:01Z").await, [second]);

    let one = running.document(&format!("/v1/imports/{first}")).await;
    assert_eq!((&one["name"], &one["state"]), (&json!("a.csv"), &json!("held")));
    let store = json!({"store_code": "0012", "state": "held", "reason": "first_snapshot", "now": {"skus": 3, "units": 14}});
    assert_eq!(one["stores"], json!([store]));
    assert_eq!(running.get("/v1/imports/imp_x").await.problem(), "unknown_import");
    assert_eq!(running.get("/v1/imports?state=waiting").await.problem(), "bad_query");
}

#[tokio::test]
async fn the_quarantine_is_shown_by_pages_and_as_one_table() {
    let running = Running::start().await;
    let (first, second) = (import(&running, "a.csv", AT).await, import(&running, "库存.csv", AT).await);
    let storage = running.gateway.storage();
    let many: Vec<RowReject> = (1..=1500).map(|row| reject(row, "not_a_number", "=1+1")).collect();
    storage.put_rejects(&first, true, &many).await.unwrap();
    storage.put_rejects(&second, true, &[reject(7, "cell_error", "#REF!")]).await.unwrap();

    let errors = items(&running, "/v1/quarantine?kind=cell_error").await;
    assert_eq!(errors.len(), 1);
    let expect = json!({"import": second, "channel": "erp", "state": "open", "row": 7, "column": "数量",
        "kind": "cell_error", "cell": "#REF!", "store_code": "0012"});
    assert_eq!(errors[0], expect);
    let rows = paged(&running, &format!("/v1/quarantine?import={first}&limit=700")).await;
    let rows: Vec<u64> = rows.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, (1..=1500).collect::<Vec<_>>());
    assert_eq!(items(&running, "/v1/quarantine?store=0230").await.len(), 0);
    assert_eq!(items(&running, "/v1/quarantine?state=retried").await.len(), 0);

    let answered = running.get("/v1/quarantine.csv").await;
    assert_eq!(answered.header("content-type"), "text/csv; charset=utf-8");
    assert!(answered.header("content-disposition").contains("quarantine.csv"));
    let text = answered.text();
    assert!(text.starts_with('\u{feff}'), "{text:.40}");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 1501);
    assert!(lines.iter().any(|line| line.starts_with("库存.csv,7,数量,cell_error,#REF!,")), "{}", lines[1]);
    assert!(lines.iter().any(|line| line.starts_with("a.csv,1500,数量,not_a_number,'=1+1,")), "{}", lines[2]);
    let one = running.get(&format!("/v1/quarantine.csv?import={second}")).await.text();
    assert_eq!(one.split_terminator("\r\n").count(), 2);
    let none = running.get("/v1/quarantine.csv?kind=bad_date").await.text();
    assert_eq!(none.split_terminator("\r\n").count(), 1, "the head is always there");
    assert_eq!(running.get("/v1/quarantine.csv?limit=1").await.problem(), "bad_query");
}

fn slip(slip_no: &str, kind: TicketType) -> Observation {
    let qty = if kind == TicketType::Return { -1 } else { 1 };
    let line = SlipLine {
        line_no: 1,
        sku: "QD13A100".to_owned(),
        qty,
        unit_price_fen: Some(100),
        amount_fen: Some(qty * 100),
    };
    let facts = SlipFacts {
        store_code: "0012".to_owned(),
        terminal: None,
        slip_no: slip_no.to_owned(),
        business_date: "2026-01-01".to_owned(),
        kind,
        currency: "CNY".to_owned(),
        lines: vec![line],
        tenders: vec![SlipTender { method: Method::Cash, amount_fen: qty * 100 }],
        orig_slip_no: None,
        order_no: None,
        training: false,
        voided: false,
    };
    Observation::slip(time(AT), facts)
}

#[tokio::test]
async fn slips_are_listed_and_found() {
    let running = Running::start().await;
    for (slip_no, kind) in [("1", TicketType::Sale), ("2", TicketType::Return), ("3", TicketType::Sale)] {
        running.commit(AT, "/files/a.csv", accepted(slip_no, vec![slip(slip_no, kind)])).await;
    }
    assert_eq!(paged(&running, "/v1/slips?limit=2").await.len(), 3);
    let returns = items(&running, "/v1/slips?kind=return&channel=till").await;
    assert_eq!(returns.len(), 1);
    assert_eq!((&returns[0]["slip_no"], &returns[0]["total_fen"]), (&json!("2"), &json!(-100)));
    let id = returns[0]["id"].as_str().unwrap();
    assert_eq!(running.document(&format!("/v1/slips/{id}")).await, returns[0]);
    for (query, found) in [
        ("store=0012", 3),
        ("store=0108", 0),
        ("slip_no=3", 1),
        ("store=0012&slip_no=3&kind=sale", 1),
        ("store=0012&limit=2", 3),
    ] {
        assert_eq!(paged(&running, &format!("/v1/slips?{query}")).await.len(), found, "{query}");
    }
    assert_eq!(running.get("/v1/slips/slp_x").await.problem(), "unknown_slip");
    assert_eq!(items(&running, "/v1/slips?channel=other").await.len(), 0);
}

fn snapshot(store: &str, rows: &[(&str, i64)]) -> StoreSnapshot {
    let rows: Vec<(String, Bucket, i64)> =
        rows.iter().map(|(sku, pieces)| ((*sku).to_owned(), Bucket::Sellable, *pieces)).collect();
    StoreSnapshot {
        store_code: store.to_owned(),
        as_of: time(AT),
        precision: Precision::Second,
        revision: 0,
        seq: None,
        absent_zero: false,
        now: StoreSums { skus: rows.len() as u64, units: rows.iter().map(|row| row.2).sum() },
        rows,
        before: None,
    }
}

#[tokio::test]
async fn stock_is_listed_by_store_and_sku() {
    let running = Running::start().await;
    let import = import(&running, "a.csv", AT).await;
    let part = StockPart {
        import,
        channel: "erp".to_owned(),
        delivery: FilePart {
            name: "a.csv".to_owned(),
            part: 0,
            sha256: "0".repeat(64),
            size: 7,
            dedupe_key: "FILE:0:m:0".to_owned(),
            connector: "example@1.0.0".to_owned(),
            micros: 1,
            noted: Vec::new(),
        },
        received_at: time(AT),
        stores: vec![snapshot("0012", &[("A", 3), ("B", 0)]), snapshot("0108", &[("A", 5)])],
        movements: Vec::new(),
        policy: StockPolicy::default(),
    };
    running.gateway.storage().apply_stock(part).await.unwrap();

    let figures = async |path: &str| -> Vec<(String, String, i64)> {
        let text = |level: &Value, member: &str| level[member].as_str().unwrap().to_owned();
        let row = |level: &Value| {
            (text(level, "store_code"), text(level, "sku"), level["available"].as_i64().unwrap())
        };
        paged(&running, path).await.iter().map(row).collect()
    };
    let of = |store: &str, sku: &str, pieces| (store.to_owned(), sku.to_owned(), pieces);
    let all = [of("0012", "A", 3), of("0012", "B", 0), of("0108", "A", 5)];
    assert_eq!(figures("/v1/stock?limit=2").await, all);
    assert_eq!(figures("/v1/stock?sku=A").await, [of("0012", "A", 3), of("0108", "A", 5)]);
    assert_eq!(figures("/v1/stock?store=0012&sku=B&bucket=sellable&channel=erp").await, [of("0012", "B", 0)]);
    assert_eq!(figures("/v1/stock?bucket=damaged").await, []);
    assert_eq!(figures("/v1/stock?channel=other").await, []);
    assert_eq!(running.get("/v1/stock?bucket=broken").await.problem(), "bad_query");

    let level = items(&running, "/v1/stock?store=0108").await.remove(0);
    assert_eq!((&level["on_hand"], &level["as_of"]), (&json!(5), &json!(AT)));
    assert_eq!(running.document(&format!("/v1/stock/{}", level["id"].as_str().unwrap())).await, level);
    assert_eq!(running.get("/v1/stock/stk_x").await.problem(), "unknown_level");
    let events = running.document("/v1/events?type=qudao.stock.changed.v1").await;
    assert_eq!(events.as_array().unwrap().len(), 3);
}
