//! The native reference: what the gateway does for a payment notice, hand-written for one platform, without plugins,
//! entities or a feed. Verify, decrypt, decode, one row in SQLite (WAL, `synchronous=FULL`), many rows to a commit, answer
//! after the commit.
//!
//! It stores less than the gateway (the raw notice and one canonical row), so it bounds what any design could reach. Rows are
//! read back by their key, one or a page of them, for questions that the gateway is asked as well.

use crate::args::Reference;
use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

pub(crate) mod fill;
mod writer;

/// Seconds that a signature may be off.
const WINDOW_S: u64 = 300;
/// Waiting rows; more connections than that would wait in `send`.
const QUEUE: usize = 4096;

/// Serves until it is ended; the first line on standard output is the address.
pub(crate) fn serve(options: &Reference) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (rows, queue) = mpsc::channel(QUEUE);
        let database = writer::open(&options.database).await?;
        let reader = writer::reader(&options.database).await?;
        let app = Arc::new(App::new(options, rows, reader)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let router = Router::new()
            .route(crate::notices::PATH, post(hook))
            .route("/notices/{id}", get(one))
            .route("/notices/after/{id}", get(page))
            .with_state(app);
        let serving = axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
            router,
        );
        tokio::select! {
            ended = serving.into_future() => ended.context("serving"),
            ended = writer::run(database, queue) => ended,
        }
    })
}

/// One notice on its way to the database.
struct Row {
    id: String,
    received_at: i64,
    headers: String,
    body: Bytes,
    canonical: Vec<u8>,
    committed: oneshot::Sender<()>,
}

struct App {
    public_key: ParsedPublicKey,
    api_v3_key: LessSafeKey,
    rows: mpsc::Sender<Row>,
    reader: sqlx::SqlitePool,
}

impl App {
    fn new(options: &Reference, rows: mpsc::Sender<Row>, reader: sqlx::SqlitePool) -> Result<App> {
        let public = pem::parse(fs::read(&options.public_key).context("reading the public key")?)?;
        let public_key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.contents())
            .map_err(|_| anyhow!("the public key is no RSA key"))?;
        let secret = fs::read_to_string(&options.api_v3_key).context("reading the APIv3 key")?;
        let key = UnboundKey::new(&AES_256_GCM, secret.trim().as_bytes())
            .map_err(|_| anyhow!("the APIv3 key is not 32 bytes"))?;
        Ok(App { public_key, api_v3_key: LessSafeKey::new(key), rows, reader })
    }

    fn is_genuine(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (at, nonce) = (header("wechatpay-timestamp"), header("wechatpay-nonce"));
        let fresh = at.parse::<i64>().is_ok_and(|at| at.abs_diff(now.as_second()) <= WINDOW_S);
        let Ok(signature) = BASE64.decode(header("wechatpay-signature").as_bytes()) else { return false };
        let message = [at.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
        fresh
            && header("wechatpay-serial").starts_with("PUB_KEY_ID_")
            && self.public_key.verify_sig(&message, &signature).is_ok()
    }

    /// Id and canonical bytes of the payment in a genuine notice.
    fn read(&self, body: &[u8]) -> Option<(String, Vec<u8>)> {
        let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
        let resource = envelope.resource;
        let mut sealed = BASE64.decode(resource.ciphertext.as_bytes()).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(resource.nonce.as_bytes()).ok()?;
        let associated = Aad::from(resource.associated_data.unwrap_or_default().as_bytes());
        let plain = self.api_v3_key.open_in_place(nonce, associated, &mut sealed).ok()?;
        let payment: Payment<'_> = serde_json::from_slice(plain).ok()?;
        let canonical = Canonical {
            entity: "payment",
            key: [payment.mchid, payment.out_trade_no],
            state: payment.trade_state,
            transaction_no: payment.transaction_id,
            requested_fen: payment.amount.total,
            payer_paid_fen: payment.amount.payer_total,
            currency: payment.amount.currency,
            paid_at: payment.success_time.parse::<Timestamp>().ok()?.to_string(),
            payer_ref: payment.payer.openid,
        };
        Some((envelope.id.to_owned(), serde_json::to_vec(&canonical).ok()?))
    }
}

async fn hook(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = Timestamp::now();
    if !app.is_genuine(&headers, &body, now) {
        return StatusCode::UNAUTHORIZED;
    }
    let Some((id, canonical)) = app.read(&body) else { return StatusCode::BAD_REQUEST };
    let kept = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    let (committed, waiting) = oneshot::channel();
    let row =
        Row { id, received_at: now.as_microsecond(), headers: kept.collect(), body, canonical, committed };
    if app.rows.send(row).await.is_err() || waiting.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::NO_CONTENT
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Vec<u8>, StatusCode> {
    read(&app, "select canonical from notice where id = ?", &id).await
}

/// A hundred rows behind a key.
async fn page(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Vec<u8>, StatusCode> {
    read(&app, "select canonical from notice where id > ? order by id limit 100", &id).await
}

/// Rows as a JSON list; none is an error.
async fn read(app: &App, sql: &'static str, id: &str) -> Result<Vec<u8>, StatusCode> {
    let rows: Result<Vec<Vec<u8>>, _> = sqlx::query_scalar(sql).bind(id).fetch_all(&app.reader).await;
    let rows = rows.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    if rows.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    Ok([b"[", &rows.join(&b',')[..], b"]"].concat())
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: &'a str,
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    ciphertext: &'a str,
    associated_data: Option<&'a str>,
    nonce: &'a str,
}

#[derive(Deserialize)]
struct Payment<'a> {
    mchid: &'a str,
    out_trade_no: &'a str,
    transaction_id: &'a str,
    trade_state: &'a str,
    success_time: &'a str,
    #[serde(borrow)]
    payer: Payer<'a>,
    #[serde(borrow)]
    amount: Amount<'a>,
}

#[derive(Deserialize)]
struct Payer<'a> {
    openid: &'a str,
}

#[derive(Deserialize)]
struct Amount<'a> {
    total: i64,
    payer_total: i64,
    currency: &'a str,
}

#[derive(Serialize)]
struct Canonical<'a> {
    entity: &'a str,
    key: [&'a str; 2],
    state: &'a str,
    transaction_no: &'a str,
    requested_fen: i64,
    payer_paid_fen: i64,
    currency: &'a str,
    paid_at: String,
    payer_ref: &'a str,
}
