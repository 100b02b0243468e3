//! A file from the store to the stock, through a running gateway: handed in, confirmed, its faults looked at and mended.

use crate::program::{Folder, Serving, files};
use serde_json::Value;
use std::fs;

const CONFIG: &str = "version: 1\ngateway: {hooks: 127.0.0.1:0, admin: 127.0.0.1:0}\nstores: stores.csv\nchannels:\n  \
    chengdu-erp:\n    connector: plugins/files.wasm\n    settings: {mapping: m.yaml}\n";
const MAPPING: &str = r#"kind: stock_snapshot
container: {format: delimited, encoding: gbk, delimiter: ",", row_ref: line}
rows: {header_rows: [1]}
fields:
  - {to: store_code, from: 门店, type: code, known: stores, required: true}
  - {to: sku, from: 货号, type: code, required: true}
  - {to: quantity, from: 数量, type: quantity, required: true}
  - {to: occurred_at, from: 日期, type: datetime, formats: ["%Y-%m-%d"], required: true}
"#;
const STORES: &str = "code,name,region,ownership\n0012,成都锦里巷加盟店,西南,franchise\n";
/// 门店,货号,数量,日期 in GBK, then rows of a known store, of an unknown one, and one that is no number.
const STOCK: &[u8] = b"\xc3\xc5\xb5\xea,\xbb\xf5\xba\xc5,\xca\xfd\xc1\xbf,\xc8\xd5\xc6\xda\n\
    0012,TX-1,7,2026-01-05\n0012,TX-2,12,2026-01-05\n0108,TX-1,3,2026-01-05\n0012,TX-3,=2+1,2026-01-05\n";

fn folder() -> Folder {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("plugins")).unwrap();
    fs::copy(files(), folder.path().join("plugins/files.wasm")).unwrap();
    folder.write("connectors.yaml", CONFIG);
    folder.write("stores.csv", STORES);
    folder.write("m.yaml", MAPPING);
    fs::write(folder.path().join("STK.csv"), STOCK).unwrap();
    folder
}

/// What is the same in every run.
fn plain(said: &str) -> String {
    let received = |line: &str| line.starts_with("received ") || line.starts_with("收到时间");
    said.lines().filter(|line| !received(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_dry_run_needs_no_gateway_and_changes_nothing() {
    let folder = folder();
    folder.run(&["import", "STK.csv"]).expect(4);
    let dry = folder.run(&["import", "STK.csv", "--dry-run"]).expect(2);
    insta::assert_snapshot!(dry.all(), @r#"
    exit code 2
    --- stdout
    STK.csv  stock_snapshot

    What would change
      STORE  NAME              ADDED  CHANGED  UNCHANGED  NOT LISTED  PIECES  
      0012   成都锦里巷加盟店      2        0          0           0       0  → 19

    2 faults in 2 rows

      unknown_store  1×  there is no store `…` in the store directory
          row 4  门店  0108
        → Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.

      not_a_number  1×  `…` is not a number
          row 5  数量  =2+1
        → Write the number in digits, without words or blanks.

    1 store waits for a person
      STORE  NAME              WHY             SKUS       PIECES  
      0012   成都锦里巷加盟店  first_snapshot        → 2          → 19
        first_snapshot  these are the first figures ever of this store
        → Compare a few SKUs with the shelf, then confirm once.

    4 rows in the file: 2 good, 2 rejected

    held: these are the first figures ever of this store (first_snapshot)
      → Compare a few SKUs with the shelf, then confirm once.
    --- stderr

    Nothing was changed.
    "#);

    assert!(!folder.path().join("data").exists(), "not even the data folder is made");
}

#[test]
fn a_file_waits_and_counts_once_it_is_confirmed() {
    let folder = folder();
    let _serving = Serving::start(&folder);
    let held = folder.run(&["import", "STK.csv", "--wait", "--json"]).expect(2).json();
    assert_eq!((&held["state"], &held["reason"]), (&Value::from("held"), &Value::from("first_snapshot")));
    let id = held["id"].as_str().unwrap().to_owned();
    insta::assert_snapshot!(plain(&folder.run(&["import", "show", &id]).expect(0).out), @r#"
    import      imp_d7pfcpzdkr2qwgevitvpbeq7ev
    file        STK.csv, 116 B
    channel     chengdu-erp
    kind        stock_snapshot
    state       held
    why         these are the first figures ever of this store (first_snapshot)
                1 of 1 stores wait for a person

    4 rows in the file: 2 good, 2 rejected

    1 store, 1 of them waiting
      STORE  STATE  WHY             SKUS       PIECES  
      0012   held   first_snapshot        → 2          → 19
      first_snapshot  these are the first figures ever of this store
      → Compare a few SKUs with the shelf, then confirm once.
    "#);
    insta::assert_snapshot!(plain(&folder.run(&["import", "confirm", &id, "--lang", "zh"]).expect(1).out), @r#"
    导入        imp_d7pfcpzdkr2qwgevitvpbeq7ev
    文件        STK.csv, 116 B
    渠道        chengdu-erp
    内容        stock_snapshot
    状态        applied

    文件共 4 行：2 有效，2 被拒

    1 家门店
      门店  状态     原因  货号数       件数  
      0012  applied                → 2        → 19
    "#);
    let again = folder.run(&["import", "STK.csv", "--channel", "chengdu-erp"]).expect(1);
    assert!(again.err.contains("already imported"), "{}", again.all());
    let stock = folder.run(&["get", "stock", "--store", "0012", "--json"]).expect(0).json_lines();
    let levels: Vec<_> = stock
        .iter()
        .map(|level| (level["sku"].as_str().unwrap(), level["on_hand"].as_i64().unwrap()))
        .collect();
    assert_eq!(levels, [("TX-1", 7), ("TX-2", 12)]);
}

#[test]
fn what_is_wrong_is_looked_at_mended_and_retried() {
    let folder = folder();
    let mut serving = Serving::start(&folder);
    let held = folder.run(&["import", "STK.csv", "--wait", "--json"]).expect(2).json();
    let id = held["id"].as_str().unwrap().to_owned();
    folder.run(&["import", "confirm", &id]).expect(1);
    insta::assert_snapshot!(folder.run(&["quarantine", "list"]).expect(0).out, @r#"
    FILE     CHANNEL      ROWS  KIND           WHAT IS WRONG                                 IMPORT
    STK.csv  chengdu-erp     1  unknown_store  there is no store `…` in the store directory  imp_d7pfcpzdkr2qwgevitvpbeq7ev
    STK.csv  chengdu-erp     1  not_a_number   `…` is not a number                           imp_d7pfcpzdkr2qwgevitvpbeq7ev
    "#);
    insta::assert_snapshot!(folder.run(&["quarantine", "show", "--import", &id]).expect(0).out, @r#"
    STK.csv  chengdu-erp  imp_d7pfcpzdkr2qwgevitvpbeq7ev

      row 4  0108 | TX-1 | 3 | 2026-01-05
        门店 there is no store `0108` in the store directory  (unknown_store)
        → Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.

      row 5  0012 | TX-3 | =2+1 | 2026-01-05
        数量 `=2+1` is not a number  (not_a_number)
        → Write the number in digits, without words or blanks.
    "#);
    let csv = folder.run(&["quarantine", "export", "--import", &id]).expect(0).out;
    assert!(csv.starts_with('\u{feff}') && csv.contains(",'=2+1,"), "{csv}");

    // Somebody adds the store; the gateway reloads, and the stored bytes are read again.
    folder.write("stores.csv", &format!("{STORES}0108,西安南门加盟店,西北,加盟\n"));
    serving.signal(rustix::process::Signal::HUP);
    serving.until("reload");
    let retried = folder.run(&["quarantine", "retry", "--import", &id, "--json"]).expect(2).json();
    assert_eq!(retried["state"], "partial", "the new store's first figures wait: {retried}");
    folder.run(&["import", "confirm", retried["id"].as_str().unwrap()]).expect(1);
    let stock = folder.run(&["get", "stock", "--store", "0108", "--json"]).expect(0).json_lines();
    assert_eq!(stock.len(), 1);
    let left = folder.run(&["quarantine", "list", "--json"]).expect(0).json_lines();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["kind"], "not_a_number");
}

#[test]
fn which_channel_is_asked_where_several_read_files() {
    let folder = folder();
    folder.write(
        "connectors.yaml",
        &format!(
            "{CONFIG}  other-erp:\n    connector: plugins/files.wasm\n    settings: {{mapping: m.yaml}}\n"
        ),
    );
    let said = folder.run(&["import", "STK.csv"]).expect(4);
    assert!(said.err.contains("one of chengdu-erp, other-erp"), "{}", said.all());
    folder.run(&["import", "list", "--state", "fine"]).expect(4);
    folder.run(&["import", "show", "imp_no"]).expect(4);
}

#[test]
fn a_document_that_changed_is_seen_and_what_is_decided_is_not_decided_again() {
    let folder = folder();
    folder.write(
        "m.yaml",
        r#"kind: stock_delta
container: {format: delimited, encoding: utf-8, delimiter: ",", row_ref: line}
rows: {header_rows: [1]}
fields:
  - {to: doc_no, from: doc, type: code, required: true}
  - {to: line_no, from: line, type: integer, required: true}
  - {to: store_code, from: store, type: code, known: stores, required: true}
  - {to: sku, from: sku, type: code, required: true}
  - {to: quantity, from: qty, type: quantity, required: true}
  - {to: occurred_at, from: day, type: datetime, formats: ["%Y-%m-%d"], required: true}
"#,
    );
    let head = "doc,line,store,sku,qty,day\n";
    folder.write("one.csv", &format!("{head}D-7,1,0012,TX-1,5,2026-01-05\nD-8,1,0012,TX-2,5,2026-01-05\n"));
    folder.write("two.csv", &format!("{head}D-7,1,0012,TX-1,6,2026-01-05\nD-8,1,0012,TX-2,5,2026-01-05\n"));
    let _serving = Serving::start(&folder);
    folder.run(&["import", "one.csv", "--wait"]).expect(0);
    let changed = folder.run(&["import", "two.csv", "--wait"]).expect(1);
    assert!(changed.out.contains("1 of the good rows is in quarantine"), "{}", changed.all());
    assert!(changed.out.contains("1 known already, with the same content"), "{}", changed.all());
    let row = folder.run(&["quarantine", "show"]).expect(0);
    assert!(row.out.contains("document 0012/D-7 of store 0012"), "{}", row.all());
    let listed = folder.run(&["import", "list", "--json"]).expect(0).json_lines();
    let id = listed[0]["id"].as_str().unwrap();
    let said = folder.run(&["import", "confirm", id]).expect(4);
    assert!(said.err.contains("is applied, so there is nothing to confirm"), "{}", said.all());
    assert!(said.err.contains("qudao import show"), "{}", said.all());
    let said = folder.run(&["import", "discard", "imp_no", "--lang", "zh"]).expect(4);
    assert!(said.err.contains("错误：没有这个编号的导入"), "{}", said.all());
    assert!(said.err.contains("qudao import list"), "{}", said.all());
}

#[test]
fn what_was_discarded_says_that_it_stays_so() {
    let folder = folder();
    let _serving = Serving::start(&folder);
    let held = folder.run(&["import", "STK.csv", "--wait", "--json"]).expect(2).json();
    let id = held["id"].as_str().unwrap();
    let said = folder.run(&["import", "discard", id]);
    assert!(said.out.contains("What is discarded stays discarded"), "{}", said.all());
    let said = folder.run(&["import", "STK.csv"]);
    assert!(said.err.contains("and discarded; nothing changes"), "{}", said.all());
    let said = folder.run(&["import", "confirm", id]).expect(4);
    assert!(said.err.contains("is discarded") && said.err.contains("hand in a new export"), "{}", said.all());
}
