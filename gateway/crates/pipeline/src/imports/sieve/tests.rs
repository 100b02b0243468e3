use super::*;

fn put_of(what: Emitted, lines: &str) -> Put {
    Put { what, lines: format!("{lines}\n").into_bytes() }
}

fn sieve(folder: &Path) -> Sieve {
    Sieve::new(folder, Arc::default())
}

/// What the fault of one line says.
fn check(what: Emitted, line: &str, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    match sieve(folder.path()).take(&put_of(what, line)) {
        Err(Fault::Connector(text)) => assert!(text.contains(expect), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_that_is_none_is_the_connectors_fault() {
    check(Emitted::Rows, "[]", "no JSON object");
    check(Emitted::Rows, r#"{"src_row": 2, "store_code": "a", "quantity": 1}"#, "row 2: has neither SKU");
    check(
        Emitted::Rows,
        r#"{"src_row": 2, "store_code": "", "sku": "x", "quantity": 1}"#,
        "row 2: has no store",
    );
    check(Emitted::Rows, r#"{"src_row": 2, "store_code": "a", "sku": "x", "quantity": 1.5}"#, "1.5");
    let line = r#"{"src_row": 2, "store_code": "a", "sku": "x", "quantity": 1, "bucket": "shelf"}"#;
    check(Emitted::Rows, line, "bucket");
    let line = r#"{"src_row": 2, "store_code": "a", "sku": "x", "quantity": 1, "occurred_at": "soon"}"#;
    check(Emitted::Rows, line, "time");
    check(Emitted::Amendments, r#"{"ordinal": 0}"#, "never emitted");
    check(Emitted::Rejects, "{}", "reject");
    check(Emitted::Rows, r#"{"lines": []}"#, "ticket");
}

#[test]
fn rows_are_counted_after_amendments_and_against_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let read = Arc::<AtomicU64>::default();
    let mut sieve = Sieve::new(folder.path(), Arc::clone(&read));
    let row = |sku: &str| format!(r#"{{"src_row": 2, "store_code": "a", "sku": "{sku}", "quantity": 1}}"#);
    sieve.take(&put_of(Emitted::Rows, &[row("x"), row("y"), row("z")].join("\n"))).unwrap();
    let instead = format!(r#"{{"ordinal": 1, "row": {}}}"#, row("y'"));
    sieve.take(&put_of(Emitted::Amendments, &format!("{{\"ordinal\": 0}}\n{instead}"))).unwrap();
    assert_eq!(read.load(Ordering::Relaxed), 3);
    let sieved = sieve.finish();
    assert_eq!(sieved.rows, 2);
    let said = |kind: &str, rows: u64| -> FileOutcome {
        let counts = serde_json::json!({"physical": 0, "rows": 0, "rejects": 0, "notices": 0, "skipped": 0, "blank": 0});
        let outcome = serde_json::json!({"kind": kind, "verdict": "accept", "counts": counts, "rows": rows});
        serde_json::from_value(outcome).unwrap()
    };
    assert!(sieved.fits(&said("stock_snapshot", 2)).is_ok());
    assert!(sieved.fits(&said("stock_snapshot", 3)).is_err());
    assert!(sieved.fits(&said("sales", 2)).is_err());
    let mut skus = Vec::new();
    let each = |bytes: &[u8]| {
        skus.push(record::read(bytes).unwrap().sku.to_owned());
        Ok(())
    };
    sieved.piles.each("a", each).unwrap();
    assert_eq!(skus, ["z", "y'"]);
}

#[test]
fn prices_are_counted_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut sieve = sieve(folder.path());
    let lines = "{\"sku\": \"x\", \"list_price_fen\": 1}\n{\"sku\": \"y\"}";
    sieve.take(&put_of(Emitted::Rows, lines)).unwrap();
    sieve.take(&put_of(Emitted::Amendments, r#"{"ordinal": 1}"#)).unwrap();
    let sieved = sieve.finish();
    assert_eq!((sieved.rows, sieved.piles.stores().count()), (1, 0));
}
