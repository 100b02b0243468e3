//! Files over the private listener: streamed to the disk, bounded, whole or not at all.

use qudao_kit::{TestGateway, client, component};
use serde_json::Value;
use std::path::Path;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const MAPPING: &str = r#"
kind: stock_snapshot
container: {format: delimited, encoding: utf-8, bom: false, delimiter: ",", quote: '"', doubled_quote: true, row_ref: line}
rows: {blank: skip, header_rows: [1]}
fields:
  - {to: store_code, from: store, type: code, known: stores}
  - {to: sku, from: sku, type: code, required: true}
  - {to: quantity, from: qty, type: quantity, required: true}
as_of: {from: import_time}
timezone: "+08:00"
"#;
const FILE: &str = "store,sku,qty\n0012,A,3\n";

/// A gateway with one channel of files that may have 1 MiB each.
async fn gateway() -> TestGateway {
    let component = component("erp-file").display().to_string();
    let channel = format!(
        "  erp:\n    connector: {component:?}\n    settings: {{mapping: stock.yaml}}\n    limits: {{file: 1MiB}}\n"
    );
    let builder = TestGateway::builder()
        .file("stock.yaml", MAPPING.as_bytes())
        .file("stores.csv", "code,name,region,ownership\n0012,锦里店,成都,franchise\n".as_bytes())
        .yaml(&channel)
        .top("stores: stores.csv\n");
    let mut gateway = builder.start().await;
    gateway.listen().await;
    gateway
}

async fn hand_in(gateway: &TestGateway, name: &str, bytes: &[u8]) -> reqwest::Response {
    let url = format!("{}/v1/files/erp/{name}", gateway.admin_url());
    client().post(url).bearer_auth(&gateway.token).body(bytes.to_owned()).send().await.unwrap()
}

/// A request whose body the test writes itself.
async fn begin(gateway: &TestGateway, name: &str, header: &str) -> TcpStream {
    let address = gateway.admin_url();
    let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /v1/files/erp/{name} HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {}\r\n{header}\r\n\r\n",
        gateway.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn answer(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

async fn imports(gateway: &TestGateway) -> usize {
    let url = format!("{}/v1/imports", gateway.admin_url());
    let listed: Value =
        client().get(url).bearer_auth(&gateway.token).send().await.unwrap().json().await.unwrap();
    listed["items"].as_array().unwrap().len()
}

/// What is kept of one import: the file, and the settings that it was read by.
const KEPT: usize = 2;

/// Everything below a folder that is no folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let path = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().path();
    entries.map(path).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_file_is_taken_once_and_found_by_its_location() {
    let gateway = gateway().await;
    let first = hand_in(&gateway, "%E5%BA%93%E5%AD%98.csv", FILE.as_bytes()).await;
    assert_eq!(first.status(), 202);
    let location = first.headers()["location"].to_str().unwrap().to_owned();
    let import: Value = first.json().await.unwrap();
    assert_eq!((&import["name"], &import["size"]), (&"库存.csv".into(), &FILE.len().into()));
    assert_eq!(location, format!("/v1/imports/{}", import["id"].as_str().unwrap()));

    let again = hand_in(&gateway, "other-name.csv", FILE.as_bytes()).await;
    assert_eq!(again.status(), 200, "the same bytes");
    assert_eq!(again.json::<Value>().await.unwrap()["id"], import["id"]);
    gateway.gateway.import_settled(import["id"].as_str().unwrap()).await.unwrap();
    assert_eq!((imports(&gateway).await, files(&gateway.config().gateway.data.join("files"))), (1, KEPT));

    let url = format!("{}{location}", gateway.admin_url());
    let shown: Value =
        client().get(url).bearer_auth(&gateway.token).send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["id"], import["id"]);
    gateway.finish().await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_comes_or_while_it_does() {
    let gateway = gateway().await;
    let mut said = begin(&gateway, "a.csv", "Content-Length: 1048577").await;
    let refused = answer(&mut said).await;
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("\"file_too_large\""), "{refused}");

    // Nobody says how large it is, and it never ends: whoever kept it in memory would never answer.
    let stream = begin(&gateway, "a.csv", "Transfer-Encoding: chunked").await;
    let (mut reading, mut writing) = stream.into_split();
    let endless = async {
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
        while writing.write_all(chunk.as_bytes()).await.is_ok() {}
        std::future::pending::<()>().await;
    };
    let refused = tokio::select! {
        () = endless => unreachable!(),
        refused = answer(&mut reading) => refused,
    };
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains("\"file_too_large\""), "{refused}");

    let just = hand_in(&gateway, "a.csv", &vec![b'x'; 1024 * 1024]).await;
    assert_eq!(just.status(), 202, "as many bytes as are allowed");
    let import: Value = just.json().await.unwrap();
    gateway.gateway.import_settled(import["id"].as_str().unwrap()).await.unwrap();
    assert_eq!((imports(&gateway).await, files(&gateway.config().gateway.data.join("files"))), (1, KEPT));
    gateway.finish().await;
}

#[tokio::test]
async fn a_file_that_is_cut_off_leaves_nothing() {
    let gateway = gateway().await;
    let mut cut = begin(&gateway, "a.csv", "Content-Length: 1000").await;
    cut.write_all(FILE.as_bytes()).await.unwrap();
    cut.shutdown().await.unwrap();
    // Whether the last word still comes is the listener's business; that there is an end is ours.
    let mut rest = Vec::new();
    cut.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!((imports(&gateway).await, files(&gateway.config().gateway.data.join("files"))), (0, 0));
    gateway.finish().await;
}
